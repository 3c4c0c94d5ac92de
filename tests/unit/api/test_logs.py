"""The log tells what happened, and nothing of anybody's."""

import json
import logging
import threading

import pytest

from lithify.api import logs
from lithify.errors import NotFound
from tests.serving import logged

SECRET = "canary-7f3a"


def failure() -> Exception:
    """An exception with a cause, as handlers see them."""
    try:
        find({})
    except NotFound as error:
        return error
    raise AssertionError


def find(objects: dict[str, bytes]) -> bytes:
    try:
        return objects[SECRET]
    except KeyError as error:
        raise NotFound(f"there is no object {SECRET}") from error


def test_our_lines_are_json_and_exceptions_lose_their_messages(capsys: pytest.CaptureFixture[str]) -> None:
    with logged():
        logs.get().error("request", route="/v1/report", exc_info=failure())
    line = capsys.readouterr().err
    found = json.loads(line)
    assert ("request", "error", "/v1/report") == (found["event"], found["level"], found["route"])
    assert found["error"]["types"] == ["NotFound", "KeyError"]
    assert found["error"]["places"][-1].endswith(" find")
    assert SECRET not in line


def test_what_libraries_say_loses_what_was_put_into_it(capsys: pytest.CaptureFixture[str]) -> None:
    with logged():
        logging.getLogger("uvicorn.error").error("cannot serve %s", SECRET, exc_info=failure())
        logging.getLogger("asyncio").error(f"Task exception was never retrieved\nfuture: {SECRET}")
    written = capsys.readouterr().err
    assert ["cannot serve %s", "Task exception was never retrieved"] == [
        json.loads(line)["event"] for line in written.splitlines()
    ]
    assert SECRET not in written


def test_the_level_is_what_was_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    with logged("error"):
        logs.get().info("request")
    assert capsys.readouterr().err == ""


def test_a_thread_that_dies_says_so_in_the_same_way(capsys: pytest.CaptureFixture[str]) -> None:
    thread = threading.Thread(target=find, args=({},), name="slot-1")
    with logged():
        thread.start()
        thread.join()
    line = capsys.readouterr().err
    assert ("thread_died", "slot-1") == (json.loads(line)["event"], json.loads(line)["thread"])
    assert SECRET not in line
