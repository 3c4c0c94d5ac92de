"""Searching by REST: a stream of JSON lines that says when it is whole, and never holds a place for nobody."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from lithify import limits
from lithify.api.search import Patience
from lithify.errors import Cancelled, TimedOut
from tests.sandboxes import eventually
from tests.serving import Served

LOG = b"".join(b"2026-11-21 %02d:00:00 line %d\n" % (hour, hour) for hour in range(20)) + b"\xff error without an end"


@pytest.fixture
def http(served: Served) -> Iterator[httpx.Client]:
    with served.http() as found:
        yield found


@pytest.fixture
def logs(served: Served, collection: str) -> str:
    """A collection with three logs."""
    for name in ("a.log", "web/b.log", "web/c.log"):
        served.archive.put(collection, name, [LOG])
    return collection


def asked(http: httpx.Client, **wanted: Any) -> list[dict[str, Any]]:
    answer = http.post("/v1/search", json=wanted)
    assert (200, "application/x-ndjson") == (answer.status_code, answer.headers["content-type"])
    return [json.loads(line) for line in answer.content.splitlines()]


def test_each_line_found_is_a_document_and_the_last_says_that_all_is_through(http: httpx.Client, logs: str) -> None:
    *lines, end = asked(http, collection=logs, pattern="line 1$|error")
    assert {"type": "end", "objects": 3, "matches": 6, "whole": True} == end
    assert [("match", 2), ("match", 21), ("object", None)] * 3 == [(one["type"], one.get("line")) for one in lines]
    assert ["a.log", "web/b.log", "web/c.log"] == [one["name"] for one in lines if one["type"] == "object"]
    assert "2026-11-21 01:00:00 line 1" == lines[0]["text"]
    assert b"\xff error without an end" == base64.b64decode(lines[1]["base64"])


def test_nothing_found_is_an_answer_too(http: httpx.Client, logs: str) -> None:
    *objects, end = asked(http, collection=logs, name="web/", pattern="nowhere")
    assert [0, 0] == [one["matches"] for one in objects]
    assert {"type": "end", "objects": 2, "matches": 0, "whole": True} == end


def test_a_limit_is_for_all_objects_together(http: httpx.Client, logs: str) -> None:
    *lines, end = asked(http, collection=logs, pattern="line", limit=25)
    assert ([20, 5], 25, False) == (
        [one["matches"] for one in lines if one["type"] == "object"],
        end["matches"],
        end["whole"],
    )


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        ({"pattern": "LINE 7", "ignore_case": True}, [8]),
        ({"pattern": "line", "invert": True}, [21]),
        ({"pattern": "line 7", "before": 1, "after": 2}, [7, 8, 9, 10]),
        ({"pattern": "e 1.", "fixed": True}, []),
        ({"pattern": "line", "max_count": 2}, [1, 2]),
        ({"pattern": "", "since": 1795284001, "until": 1795287600}, [20, 21]),
        ({"pattern_base64": base64.b64encode(b"\xff").decode()}, [21]),
        ({"pattern": "line", "answer": "count"}, []),
    ],
)
def test_what_is_wished_for_is_what_comes(
    http: httpx.Client, logs: str, wanted: dict[str, Any], numbers: list[int]
) -> None:
    lines = asked(http, collection=logs, name="a.log", **wanted)
    assert numbers == [one["line"] for one in lines if "line" in one]


def test_a_limit_says_nothing_to_who_counts(http: httpx.Client, logs: str) -> None:
    *objects, end = asked(http, collection=logs, pattern="line", limit=5, answer="count")
    assert ([20, 20, 20], True) == ([one["matches"] for one in objects], end["whole"])


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        {"pattern": "a", "pattern_base64": "YQ=="},
        {"pattern": "("},
        {"pattern": "a\nb"},
        {"pattern": "\ud800"},
        {"pattern": "x" * (limits.PATTERN_BYTES_MAX + 1)},
        {"pattern_base64": "?"},
        {"pattern": "a", "limit": 0},
        {"pattern": "a", "max_count": 0},
        {"pattern": "a", "before": -1},
        {"pattern": "a", "after": 2**63},
        {"pattern": "a", "since": 1e300},
        {"pattern": "a", "answer": "everything"},
        {"pattern": "a", "colour": "red"},
        {"pattern": "a", "collection": "Not a collection"},
        {"pattern": "a", "name": "../up"},
        {"pattern": 7},
    ],
)
def test_what_cannot_be_searched_for_is_refused(http: httpx.Client, logs: str, wanted: dict[str, Any]) -> None:
    content = json.dumps({"collection": logs, **wanted})
    answer = http.post("/v1/search", content=content, headers={"content-type": "application/json"})
    assert 400 == answer.status_code, answer.text
    assert answer.json()["code"] in {"bad_argument", "bad_name"}


def test_what_is_not_there_is_404(http: httpx.Client, logs: str) -> None:
    for wanted in ({"collection": "no-such"}, {"collection": logs, "name": "no"}, {"collection": logs, "name": "z*"}):
        assert 404 == http.post("/v1/search", json={"pattern": "a", **wanted}).status_code


def test_searching_takes_the_right_to_read(served: Served, logs: str) -> None:
    _, writer = served.archive.add_key("writer", ["write"])
    with served.http(writer) as http:
        assert 403 == http.post("/v1/search", json={"collection": logs, "pattern": "a"}).status_code
        assert 403 == http.get(f"/v1/templates/{logs}/a.log").status_code


# --- what takes too long ----------------------------------------------------------------------------------


def test_a_search_is_ended_when_its_caller_has_left() -> None:
    patience = Patience()
    patience(1)
    patience.gone.set()
    with pytest.raises(Cancelled):
        patience(2)


def test_a_search_that_stands_still_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SEARCH_STEP_SECONDS", 3)
    patience = Patience()
    for steps in (0, 0, 0, 1, 1, 1, 1):
        patience(steps)
    with pytest.raises(TimedOut, match="pattern"):
        patience(1)


def test_a_search_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SEARCH_SECONDS", -1)
    with pytest.raises(TimedOut):
        Patience()(1)


def test_a_pattern_that_takes_for_ever_costs_its_own_search_alone(
    served: Served, collection: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SEARCH_STEP_SECONDS", 1)
    served.archive.put(collection, "long", [b"a" * 5000 + b"\n"])
    with served.http() as http:
        found, end = asked(http, collection=collection, pattern="^(a|aa)+[^a]$")
        assert ("timed_out", False) == (found["error"]["code"], end["whole"])
        assert 1 == asked(http, collection=collection, pattern="a$")[-1]["matches"]


def test_a_search_that_nobody_waits_for_gives_its_place_back(
    served: Served, collection: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All places are taken by patterns that take for ever; their callers leave."""
    monkeypatch.setattr(limits, "UPLOAD_WAIT_SECONDS", 0.2)
    served.archive.put(collection, "long", [b"a" * 5000 + b"\n"])
    content = json.dumps({"collection": collection, "pattern": "^(a|aa)+[^a]$"}).encode()
    request = served.request(
        "POST", "/v1/search", "Content-Type: application/json", f"Content-Length: {len(content)}", body=content
    )
    callers = [served.socket() for _ in range(limits.SEARCHES_MAX)]
    for caller in callers:
        caller.sendall(request)

    with served.http() as http:

        def busy() -> bool:
            return http.post("/v1/search", json={"collection": collection, "pattern": "a"}).status_code == 503

        assert eventually(busy)
        assert 200 == http.get(f"/v1/objects/{collection}/long").status_code, "searches keep nobody else waiting"
        for caller in callers:
            caller.close()
        assert eventually(lambda: not busy(), 20)


def test_lines_leave_as_they_are_found(served: Served, collection: str) -> None:
    """The first lines are here while the rest is still being looked for."""
    block = b"".join(b"%d\n" % number for number in range(200_000))
    served.archive.put(collection, "big", [b"needle\n", *[block] * 4])
    with (
        served.http() as http,
        http.stream(
            "POST", "/v1/search", json={"collection": collection, "pattern": "needle|^199999$", "limit": None}
        ) as answer,
    ):
        lines = answer.iter_lines()
        assert 1 == json.loads(next(lines))["line"]
        assert 4 + 2 == len([line for line in lines if line])


# --- templates --------------------------------------------------------------------------------------------


def test_a_staged_object_has_no_templates_yet(http: httpx.Client, logs: str) -> None:
    answer = http.get(f"/v1/templates/{logs}/a.log")
    assert (409, "conflict") == (answer.status_code, answer.json()["code"])
    assert "still staged" in answer.json()["detail"]


@pytest.mark.parametrize(("path", "status"), [("no.log", 404), ("a.log?most=0", 400), ("a.log?most=100000", 400)])
def test_templates_of_what_is_not_there_are_refused(http: httpx.Client, logs: str, path: str, status: int) -> None:
    assert status == http.get(f"/v1/templates/{logs}/{path}").status_code
