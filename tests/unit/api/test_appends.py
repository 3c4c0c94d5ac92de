"""POST to an object: bodies that end, bodies that do not, and what is there while they last."""

import fcntl
import hashlib
import json
import os
import signal
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from lithify import limits
from lithify.errors import PreconditionFailed
from lithify.store.names import collection_name
from lithify.workers.archive import Archive
from tests.serving import Served, serving, statuses

PROGRAM = [sys.executable, "-c", "from lithify.api.cli import main; main()"]
PATIENCE_SECONDS = 30.0


@pytest.fixture
def quick(served: Served, monkeypatch: pytest.MonkeyPatch) -> Served:
    """A server whose checkpoints are a moment apart."""
    monkeypatch.setattr(served.archive, "checkpoint_seconds", 0.05)
    return served


def path(collection: str) -> str:
    return f"/v1/objects/{collection_name(collection)}/app.log"


def content(served: Served, collection: str) -> bytes:
    with served.archive.get(collection, "app.log") as found:
        return b"".join(found)


def wait_for(served: Served, collection: str, expected: bytes) -> None:
    """Until the object holds this; it must never hold anything else but a beginning of it."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    found = b""
    while time.monotonic() < deadline:
        with suppress(Exception):
            found = content(served, collection)
        if found == expected:
            return
        assert expected.startswith(found)
        time.sleep(0.02)
    raise AssertionError(f"the object holds {found[-100:]!r}, expected {expected[-100:]!r}")


def test_the_first_post_makes_the_object_and_the_next_goes_on_behind_it(served: Served, collection: str) -> None:
    with served.http() as http:
        made = http.post(path(collection), content=b"first\n", headers={"Content-Type": "text/plain"})
        grown = http.post(path(collection), content=b"second\n")
        nothing = http.post(path(collection), content=b"")
        assert [201, 200, 200] == [made.status_code, grown.status_code, nothing.status_code]
        assert grown.json()["digest"] == hashlib.sha256(b"first\nsecond\n").hexdigest()
        assert (nothing.json()["revision"], nothing.json()["unchanged"]) == (grown.json()["revision"], True)
        found = http.get(path(collection))
        assert (b"first\nsecond\n", "text/plain") == (found.content, found.headers["content-type"])
        replaced = http.put(path(collection), content=b"anew")
        assert (replaced.status_code, http.get(path(collection)).content) == (201, b"anew")


def test_an_empty_post_makes_an_empty_object(served: Served, collection: str) -> None:
    with served.http() as http:
        assert 201 == http.post(path(collection), content=b"").status_code
        assert b"" == http.get(path(collection)).content


def test_conditions_keys_and_digests(served: Served, collection: str) -> None:
    with served.http() as http:
        first = http.post(path(collection), content=b"first\n", headers={"If-None-Match": "*"})
        assert 412 == http.post(path(collection), content=b"x", headers={"If-None-Match": "*"}).status_code
        sent = {"If-Match": first.headers["etag"], "Idempotency-Key": f"key-{collection}"}
        second = http.post(path(collection), content=b"second\n", headers=sent)
        assert second.json() == http.post(path(collection), content=b"second\n", headers=sent).json()
        wrong = {"Content-SHA256": hashlib.sha256(b"other").hexdigest()}
        assert 422 == http.post(path(collection), content=b"x", headers=wrong).status_code
        assert 412 == http.post(path(collection), content=b"x", headers={"If-Match": sent["If-Match"]}).status_code
        assert 415 == http.post(path(collection), content=b"x", headers={"Content-Encoding": "gzip"}).status_code
        assert 409 == http.post(path(collection), content=b"x", headers={"Lithify-Contract": "content"}).status_code
    assert content(served, collection) == b"first\nsecond\n"


def test_a_key_that_may_only_read_may_not_append(served: Served, collection: str) -> None:
    _, reader = served.archive.add_key("reader", ["read"])
    with served.http(reader) as http:
        assert 403 == http.post(path(collection), content=b"x").status_code
    assert [] == served.names(collection)


class Endless:
    """A body that goes on until it is told to end, sent by a thread of its own."""

    def __init__(self, served: Served, collection: str) -> None:
        self._more = threading.Condition()
        self._pieces: list[bytes] = []
        self._over = False
        self._served, self._path = served, path(collection)
        self.answer: httpx.Response | None = None
        self._thread = threading.Thread(target=self._post)
        self._thread.start()

    def _post(self) -> None:
        with self._served.http() as http, suppress(httpx.HTTPError):
            self.answer = http.post(self._path, content=self._body(), timeout=60)

    def _body(self) -> Iterator[bytes]:
        while True:
            with self._more:
                self._more.wait_for(lambda: self._pieces or self._over)
                pieces, self._pieces = self._pieces, []
            if not pieces:
                return
            yield b"".join(pieces)

    def send(self, data: bytes) -> None:
        with self._more:
            self._pieces.append(data)
            self._more.notify()

    def end(self) -> httpx.Response:
        with self._more:
            self._over = True
            self._more.notify()
        self._thread.join()
        assert self.answer is not None
        return self.answer


def test_what_came_of_an_endless_body_is_readable_while_it_goes_on(quick: Served, collection: str) -> None:
    body = Endless(quick, collection)
    body.send(b"one\ntwo\nthr")
    wait_for(quick, collection, b"one\ntwo\nthr")  # at a line end first, and then what had waited for the rest
    body.send(b"ee\n")
    wait_for(quick, collection, b"one\ntwo\nthree\n")
    big = b"a line of many\n" * 400_000
    body.send(big)
    answer = body.end()
    whole = b"one\ntwo\nthree\n" + big
    assert (201, len(whole), hashlib.sha256(whole).hexdigest()) == (
        answer.status_code,
        answer.json()["length"],
        answer.json()["digest"],
    )
    assert content(quick, collection) == whole
    assert quick.left_behind() == []


def test_enough_bytes_make_a_checkpoint_before_any_time_does(
    served: Served, collection: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "CHECKPOINT_BYTES", 4 * limits.MIB)
    line = b"a line of many\n"
    body = Endless(served, collection)
    body.send(line * 600_000)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not served.names(collection) and time.monotonic() < deadline:
        time.sleep(0.02)
    found = content(served, collection)
    assert len(found) >= 4 * limits.MIB
    assert found.endswith(b"\n")
    assert body.end().json()["length"] == 600_000 * len(line)


def test_a_broken_connection_leaves_the_last_checkpoint(quick: Served, collection: str) -> None:
    head = quick.request("POST", path(collection), "Transfer-Encoding: chunked")
    with quick.socket() as wire:
        wire.sendall(head + b"5\r\nline\n\r\n")
        wait_for(quick, collection, b"line\n")
        quick.archive.checkpoint_seconds = 60
        wire.sendall(b"4\r\nlost\r\n")
        time.sleep(0.1)
    assert quick.left_behind() == []
    assert content(quick, collection) == b"line\n"
    deadline = time.monotonic() + PATIENCE_SECONDS
    with quick.http() as http:  # the server notices in its own time; until then the object is taken
        while (answer := http.post(path(collection), content=b"next\n")).status_code == 503:
            assert time.monotonic() < deadline
    assert answer.status_code == 200
    assert content(quick, collection) == b"line\nnext\n"


def test_a_second_appender_is_told_to_come_back(quick: Served, collection: str) -> None:
    body = Endless(quick, collection)
    body.send(b"mine\n")
    wait_for(quick, collection, b"mine\n")
    with quick.http() as http:
        refused = http.post(path(collection), content=b"yours\n")
        assert (503, "busy") == (refused.status_code, refused.json()["code"])
        assert "retry-after" in refused.headers
    body.send(b"still mine\n")
    assert 201 == body.end().status_code
    assert content(quick, collection) == b"mine\nstill mine\n"


@pytest.mark.parametrize("verb", ["put", "delete"])
def test_a_put_or_a_delete_meanwhile_ends_the_body_with_a_conflict(quick: Served, collection: str, verb: str) -> None:
    body = Endless(quick, collection)
    body.send(b"before\n")
    wait_for(quick, collection, b"before\n")
    quick.archive.checkpoint_seconds = 1.0
    body.send(b"in between\n")
    time.sleep(0.2)
    with quick.http() as http:
        _ = http.put(path(collection), content=b"anew\n") if verb == "put" else http.delete(path(collection))
    answer = body.end()
    # what came before the change began behind the old object; it may also have begun behind the new one
    assert answer.status_code in {200, 201, 409}
    expected = {"put": {b"anew\n", b"anew\nin between\n"}, "delete": {b"", b"in between\n"}}[verb]
    assert (content(quick, collection) if quick.names(collection) else b"") in expected


def test_a_server_that_is_told_to_end_keeps_what_came_and_answers(tmp_path: Path) -> None:
    with serving(tmp_path / "archive") as served:
        wire = served.socket()
        wire.sendall(served.request("POST", path("c"), "Transfer-Encoding: chunked", body=b"a\r\nwhat came\n\r\n"))
        time.sleep(0.5)
        started = time.monotonic()
    assert time.monotonic() - started < limits.SHUTDOWN_SECONDS / 2
    with wire, wire.makefile("rb") as answer:
        said = answer.read()
    assert statuses(said) == [201]
    assert json.loads(said.splitlines()[-1])["length"] == 10
    with Archive(tmp_path / "archive") as archive, archive.get("c", "app.log") as found:
        assert b"".join(found) == b"what came\n"


def test_our_client_appends(served: Served, collection: str) -> None:
    with served.client() as client:
        first = client.append(collection, "app.log", [b"first\n"], digest=hashlib.sha256(b"first\n").hexdigest())
        client.append(collection, "app.log", [b"second\n"], idempotency_key=f"k-{collection}", if_match=first.digest)
        with pytest.raises(PreconditionFailed):
            client.append(collection, "app.log", [b"third\n"], if_match=first.digest)
        with client.get(collection, "app.log") as found:
            assert b"".join(found) == b"first\nsecond\n"


def test_a_body_that_is_neither_whole_nor_chunked_is_refused(served: Served, collection: str) -> None:
    answer = served.raw(served.request("POST", path(collection), "Content-Length: 5", "Transfer-Encoding: chunked"))
    assert statuses(answer) == [400]
    assert served.names(collection) == []


# --- put --follow -------------------------------------------------------------------------------------


def following(collection: str, environment: dict[str, str], *options: str) -> subprocess.Popen[bytes]:
    command = [*PROGRAM, "put", "-", "--to", collection, "--name", "app.log", "--follow", *options]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    quick = {"LITHIFY_CHECKPOINT_SECONDS": "0.1", **environment}
    return subprocess.Popen(command, env=os.environ | quick, **pipes)  # type: ignore[call-overload,no-any-return]


def say(process: subprocess.Popen[bytes], data: bytes) -> None:
    assert process.stdin is not None
    process.stdin.write(data)
    process.stdin.flush()


def wait_until_read(process: subprocess.Popen[bytes]) -> None:
    """Until the program has taken all that was said: on a busy machine it takes seconds to start."""
    assert process.stdin is not None
    until = time.monotonic() + 60
    while int.from_bytes(fcntl.ioctl(process.stdin, termios.FIONREAD, bytes(4)), sys.byteorder):
        assert time.monotonic() < until
        time.sleep(0.05)
    time.sleep(0.5)  # what was read is in the program's hands


@pytest.fixture(params=["local", "server"])
def environment(request: pytest.FixtureRequest, served: Served) -> dict[str, str]:
    """The same archive, in its folder or behind its server."""
    if request.param == "local":
        return {"LITHIFY_ARCHIVE": str(served.archive.folder)}
    return {"LITHIFY_URL": served.url, "LITHIFY_KEY": served.key}


def test_follow_keeps_what_comes_and_goes_on_when_run_again(
    served: Served, collection: str, environment: dict[str, str]
) -> None:
    with following(collection, environment, "--json") as process:
        say(process, b"one\ntwo\n")
        wait_for(served, collection, b"one\ntwo\n")
        say(process, b"thr")
        wait_for(served, collection, b"one\ntwo\nthr")
        out, err = process.communicate(b"ee\n")
    assert (process.returncode, err) == (0, b"")
    receipts = [json.loads(line) for line in out.splitlines()]
    assert len(receipts) >= 3
    whole = content(served, collection)
    for receipt in receipts:
        assert receipt["digest"] == hashlib.sha256(whole[: receipt["length"]]).hexdigest()
    with following(collection, environment) as process:
        out, err = process.communicate(b"four\n")
    assert (process.returncode, out, err) == (0, f"{collection}/app.log (19 B)\n".encode(), b"")
    assert content(served, collection) == b"one\ntwo\nthree\nfour\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_follow_keeps_what_came_when_it_is_told_to_end(
    served: Served, collection: str, environment: dict[str, str], number: signal.Signals
) -> None:
    with following(collection, {**environment, "LITHIFY_CHECKPOINT_SECONDS": "60"}) as process:
        say(process, b"the first")
        wait_until_read(process)
        process.send_signal(number)
        _, err = process.communicate()
    assert (process.returncode, b"interrupted" in err) == (130, True)
    assert content(served, collection) == b"the first"


def test_follow_that_is_killed_leaves_what_it_had_a_receipt_for(
    served: Served, collection: str, environment: dict[str, str]
) -> None:
    with following(collection, environment) as process:
        say(process, b"kept\n")
        wait_for(served, collection, b"kept\n")
        process.kill()
    with following(collection, environment) as process:
        process.communicate(b"more\n")
    assert content(served, collection) == b"kept\nmore\n"


def test_two_followers_never_mix(served: Served, collection: str, environment: dict[str, str]) -> None:
    with following(collection, environment) as one:
        say(one, b"one 1\n")
        wait_for(served, collection, b"one 1\n")
        with following(collection, environment) as other:
            other.communicate(b"other\n")
        say(one, b"one 2\n")
        _, err = one.communicate()
    assert (other.returncode, one.returncode) == (0, 2)
    assert b"the request expected" in err
    assert content(served, collection) == b"one 1\nother\n"


def test_follow_with_wait_answers_with_the_packed_object(collection: str, tmp_path: Path) -> None:
    own = {"LITHIFY_ARCHIVE": str(tmp_path / "own"), "LITHIFY_EFFORT": "fast"}
    with following(collection, own, "--wait", "--json") as process:
        out, _ = process.communicate(b"2026-11-21 01:15:59 a line\n" * 3000)
    assert process.returncode == 0
    assert json.loads(out.splitlines()[-1])["verified_at"] is not None


def test_follow_is_for_standard_input(collection: str, environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    command = [*PROGRAM, "put", str(tmp_path / "file"), "--follow"]
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, check=False)
    assert (done.returncode, b"--follow goes with - alone" in done.stderr) == (2, True)
