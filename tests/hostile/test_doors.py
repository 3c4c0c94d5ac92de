"""What strangers, cut lines and malformed requests can do at the doors: nothing.

Rows 13, 37, 40, 44, 47 to 49, 51 and 52 of the fault list, against a real server.
"""

import hashlib
import itertools
import json
import os
import random
import re
import socket
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lithify import limits
from lithify.api.auth import OPEN
from tests.serving import Served, logged, serving

_numbers = itertools.count()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("doors") / "archive") as found:
        yield found


@pytest.fixture
def collection() -> str:
    return f"c{next(_numbers)}"


def put_request(served: Served, path: str, *headers: str, body: bytes = b"") -> bytes:
    lines = [f"PUT {path} HTTP/1.1", "Host: x", f"Authorization: Bearer {served.key}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def statuses(answer: bytes) -> list[int]:
    return [int(found) for found in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)]


def left_behind(served: Served) -> list[str]:
    """What lies in staging once the server has noticed that everybody has gone."""
    deadline = time.monotonic() + 20
    while (found := [path.name for path in (served.archive.folder / "staging").rglob("*") if path.is_file()]) and (
        time.monotonic() < deadline
    ):
        time.sleep(0.05)
    return found


def objects(served: Served, collection: str) -> list[str]:
    if collection not in served.archive.collections():
        return []
    return [view.name for view in served.archive.list(collection)]


# --- row 44: every operation, every kind of wrong key -------------------------------------------------------


def operations(served: Served) -> list[tuple[str, str, str]]:
    paths: dict[str, dict[str, Any]] = httpx.get(f"{served.url}/openapi.json").json()["paths"]
    return [
        (method.upper(), re.sub(r"\{[^}]*\}", "1", path), operation.get("x-scope", "open"))
        for path, methods in paths.items()
        for method, operation in methods.items()
    ]


def test_every_operation_refuses_every_kind_of_wrong_key(served: Served) -> None:
    archive = served.archive
    expiring = archive.add_key("expiring", ("admin",), 0.01)[1]
    revoked, revoked_text = archive.add_key("revoked", ("admin",))
    archive.revoke_key(revoked.id)
    key_id, secret = served.key.split("_", 2)[1:]
    time.sleep(0.05)
    wrong = {
        "none": None,
        "empty": "Bearer",
        "no secret": f"Bearer lith_{key_id}",
        "wrong secret": f"Bearer lith_{key_id}_{secret[::-1]}",
        "unknown id": f"Bearer lith_{'0' * 16}_{secret}",
        "other scheme": f"Basic {served.key}",
        "not a key": "Bearer ' OR 1=1 --",
        "endless": "Bearer " + "x" * 10_000,
        "expired": f"Bearer {expiring}",
        "revoked": f"Bearer {revoked_text}",
    }
    checked = 0
    with httpx.Client(base_url=served.url) as http:
        for method, path, scope in operations(served):
            if path in OPEN:
                continue
            for kind, sent in wrong.items():
                answer = http.request(method, path, headers={} if sent is None else {"Authorization": sent})
                assert answer.status_code == 401, f"{method} {path} ({scope}) with {kind} key"
                assert "www-authenticate" in answer.headers
                checked += 1
    assert checked > 250


def test_every_operation_refuses_a_key_of_another_scope(served: Served) -> None:
    others = {"read": ("write",), "write": ("read",), "admin": ("read", "write")}
    texts = {scope: served.archive.add_key(f"not {scope}", others[scope])[1] for scope in others}
    for method, path, scope in operations(served):
        if scope == "open":
            assert path in OPEN
            continue
        with served.http(texts[scope]) as http:
            answer = http.request(method, path)
        assert (403, method == "HEAD" or answer.json()["code"]) == (
            answer.status_code,
            method == "HEAD" or "not_allowed",
        ), f"{method} {path}"


def test_two_keys_in_one_request_are_none(served: Served) -> None:
    key = f"Authorization: Bearer {served.key}\r\n"
    assert [401] == statuses(served.raw(f"GET /v1/collections HTTP/1.0\r\n{key}{key}\r\n".encode()))
    assert [200] == statuses(served.raw(f"GET /v1/collections HTTP/1.0\r\n{key}\r\n".encode()))


def test_a_key_revoked_by_another_door_is_refused_at_once(served: Served) -> None:
    key, text = served.archive.add_key("short", ("read",))
    with served.http(text) as http:
        for _ in range(5):
            assert http.get("/v1/collections").status_code == 200
        served.archive.revoke_key(key.id)
        assert http.get("/v1/collections").status_code == 401


def test_a_stranger_is_answered_before_sending_a_body(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LINGER_SECONDS", 0.1)
    for extra in (
        "Content-Length: 1000000000",
        "Transfer-Encoding: chunked",
        "Content-Length: 5\r\nExpect: 100-continue",
    ):
        request = f"PUT /v1/objects/c/a HTTP/1.1\r\nHost: x\r\n{extra}\r\n\r\n".encode()
        answer = served.raw(request)
        assert [401] == statuses(answer), extra


def test_who_is_refused_while_sending_still_hears_why(served: Served) -> None:
    with served.http("lith_no_key") as http:
        for _ in range(5):
            answer = http.put("/v1/objects/c/a", content=bytes(limits.LINGER_BYTES_MAX // 2))
            assert (401, "unauthenticated") == (answer.status_code, answer.json()["code"])


def test_who_asks_before_sending_is_told_to_go_on(served: Served, collection: str) -> None:
    head = put_request(served, f"/v1/objects/{collection}/a", "Content-Length: 4", "Expect: 100-continue")
    with served.socket() as wire:
        wire.sendall(head)
        assert wire.recv(1000).startswith(b"HTTP/1.1 100 ")
        wire.sendall(b"data")
        assert [201] == statuses(wire.recv(10_000))


# --- rows 47 and 48: bodies that are not what was announced -------------------------------------------------


def test_a_body_cut_anywhere_leaves_nothing(served: Served, collection: str) -> None:
    body = random.Random(47).randbytes(limits.MIB)
    cuts = [0, 1, limits.SMALL_BYTES - 1, limits.SMALL_BYTES + 1, *range(4096, limits.MIB, 37_111), limits.MIB - 1]
    for cut in cuts:
        request = put_request(served, f"/v1/objects/{collection}/a{cut}", f"Content-Length: {limits.MIB}")
        with served.socket() as wire:
            wire.sendall(request + body[:cut])
    assert [] == left_behind(served)
    assert [] == objects(served, collection)


def test_a_chunked_body_without_its_end_leaves_nothing(served: Served, collection: str) -> None:
    request = put_request(served, f"/v1/objects/{collection}/a", "Transfer-Encoding: chunked")
    chunk = b"10000\r\n" + os.urandom(0x10000) + b"\r\n"
    for count in (1, 3, 40):
        with served.socket() as wire:
            wire.sendall(request + count * chunk)
    assert [] == left_behind(served)
    assert [] == objects(served, collection)


def test_one_flipped_bit_anywhere_is_noticed_and_leaves_nothing(served: Served, collection: str) -> None:
    seed = random.Random(48)
    for size in (1, 1000, limits.SMALL_BYTES + 5, 2 * limits.MIB):
        data = bytearray(seed.randbytes(size))
        announced = hashlib.sha256(data).hexdigest()
        data[seed.randrange(size)] ^= 1 << seed.randrange(8)
        with served.http() as http:
            answer = http.put(f"/v1/objects/{collection}/a", content=bytes(data), headers={"Content-SHA256": announced})
        assert (422, "digest_mismatch") == (answer.status_code, answer.json()["code"])
    assert [] == left_behind(served)
    assert [] == objects(served, collection)


# --- row 40: heads that are none, and requests inside requests ------------------------------------------------

_SMUGGLED = b"PUT /v1/objects/smuggled/a HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer KEY\r\nContent-Length: 1\r\n\r\nx"

SMUGGLING = {
    "two lengths": (["Content-Length: 0", f"Content-Length: {len(_SMUGGLED)}"], _SMUGGLED),
    "two lengths in one": (["Content-Length: 0, 7"], _SMUGGLED),
    "a length beside chunks": (["Content-Length: 5", "Transfer-Encoding: chunked"], b"0\r\n\r\n" + _SMUGGLED),
    "chunks beside a length": (["Transfer-Encoding: chunked", "Content-Length: 5"], b"0\r\n\r\n" + _SMUGGLED),
    "chunked twice": (["Transfer-Encoding: chunked, identity"], b"0\r\n\r\n" + _SMUGGLED),
    "almost chunked": (["Transfer-Encoding: xchunked"], b"0\r\n\r\n" + _SMUGGLED),
    "a tab in it": (["Transfer-Encoding:\tchun\tked"], b"0\r\n\r\n" + _SMUGGLED),
    "a blank before the colon": (["Content-Length : 3", "Transfer-Encoding : chunked"], b"0\r\n\r\n" + _SMUGGLED),
    "a folded header": (["Content-Length:", " 3"], b"abc" + _SMUGGLED),
    "a negative length": (["Content-Length: -1"], _SMUGGLED),
    "a length with a sign": (["Content-Length: +1"], b"x" + _SMUGGLED),
    "a length in hex": (["Content-Length: 0x1"], b"x" + _SMUGGLED),
    "an endless length": (["Content-Length: " + "9" * 40], b"x"),
    "a chunk of no size": (["Transfer-Encoding: chunked"], b"zz\r\nx\r\n0\r\n\r\n" + _SMUGGLED),
    "a chunk of negative size": (["Transfer-Encoding: chunked"], b"-1\r\nx\r\n0\r\n\r\n" + _SMUGGLED),
    "a chunk of endless size": (["Transfer-Encoding: chunked"], b"f" * 40 + b"\r\nx\r\n"),
    "a chunk longer than its size": (["Transfer-Encoding: chunked"], b"1\r\nxyz\r\n0\r\n\r\n" + _SMUGGLED),
    "a bare line feed": (["Transfer-Encoding: chunked"], b"1\nx\n0\n\n" + _SMUGGLED),
    "a zero byte": (["X-Zero: a\x00b", "Content-Length: 1"], b"x"),
    "a header without a name": ([": nameless", "Content-Length: 1"], b"x"),
}


@pytest.mark.parametrize("case", SMUGGLING)
def test_a_request_whose_end_is_unclear_is_refused_and_what_follows_is_not_run(
    served: Served, collection: str, case: str
) -> None:
    headers, body = SMUGGLING[case]
    body = body.replace(b"KEY", served.key.encode())
    answer = served.raw(put_request(served, f"/v1/objects/{collection}/a", *headers, body=body))
    assert all(400 <= status < 500 for status in statuses(answer)), answer
    assert [] == objects(served, "smuggled")
    assert [] == objects(served, collection)
    assert [] == left_behind(served)


def test_two_equal_lengths_or_a_second_request_are_nothing_to_fear(served: Served, collection: str) -> None:
    first = put_request(served, f"/v1/objects/{collection}/a", "Content-Length: 1", body=b"x")
    last = put_request(served, f"/v1/objects/{collection}/b", "Content-Length: 1", "Connection: close", body=b"y")
    assert [201, 201] == statuses(served.raw(first + last))


OVERLONG = {
    "a header": b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * limits.MIB + b"\r\n\r\n",
    "a header without an end": b"GET /healthz HTTP/1.1\r\nX-Long: " + b"x" * limits.MIB,
    "a path": b"GET /" + b"x" * limits.MIB + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "many headers": b"GET /healthz HTTP/1.1\r\n" + b"".join(b"x%d: y\r\n" % n for n in range(100_000)) + b"\r\n",
    "blank lines": b"\r\n" * limits.MIB,
    "trailers": b"POST /healthz HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: " + b"x" * limits.MIB,
    "a chunk's extension": b"POST /healthz HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"x" * limits.MIB,
}


def send_for_ever(wire: socket.socket, data: bytes) -> None:
    """Ends with an error, once the other side has had enough; or after 64 MiB, which no head may have."""
    for _ in range(64):
        wire.sendall(data)
        time.sleep(0.01)


@pytest.mark.parametrize("case", OVERLONG)
def test_a_head_without_measure_is_cut_off(served: Served, case: str) -> None:
    answer = served.raw(OVERLONG[case])
    assert set(statuses(answer)) <= {400, 405, 431}, answer[:200]
    with served.socket() as wire, pytest.raises(ConnectionError):
        send_for_ever(wire, OVERLONG[case])


def test_a_head_of_just_the_allowed_size_is_read(served: Served) -> None:
    head = b"GET /healthz HTTP/1.1\r\nConnection: close\r\nX-Long: "
    filled = head + b"x" * (limits.HEAD_BYTES_MAX - len(head) - 100) + b"\r\n\r\n"
    assert [200] == statuses(served.raw(filled))


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
        b"\x00" * 1000,
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET http://[::/ HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"CONNECT evil:443 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nUpgrade: websocket\r\nConnection: upgrade, close\r\n\r\n",
    ],
)
def test_what_is_no_request_gets_no_server_error(served: Served, garbage: bytes) -> None:
    assert all(status < 500 for status in statuses(served.raw(garbage, seconds=1.0)))


def test_what_the_parser_refuses_is_a_problem_document_too(served: Served) -> None:
    head, _, body = served.raw(b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n").partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head
    assert (400, "bad_argument") == (json.loads(body)["status"], json.loads(body)["code"])


_TEMPLATE = (
    b"PUT /v1/objects/fuzzed/a%2Fb?revision=1 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer KEY\r\n"
    b"Range: bytes=0-5\r\nIf-Match: *\r\nContent-SHA256: 00\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3\r\nabc\r\n0\r\n\r\nGET /v1/objects/fuzzed HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}"
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, len(_TEMPLATE) - 1), st.binary(max_size=4)), max_size=6))
def test_no_change_of_a_few_bytes_makes_a_server_error(served: Served, changes: list[tuple[int, bytes]]) -> None:
    request = bytearray(_TEMPLATE)
    for at, replacement in changes:
        request[at : at + len(replacement)] = replacement
    with served.socket() as wire:
        wire.sendall(bytes(request).replace(b"KEY", served.key.encode()))
        wire.shutdown(1)
        answer = b""
        try:
            while piece := wire.recv(65536):
                answer += piece
        except ConnectionError:
            pass
    assert all(status < 500 for status in statuses(answer)), answer


# --- rows 37 and 39: names --------------------------------------------------------------------------------------

GOOD_NAMES = [
    "ä",
    "日本語/ログ",
    "🧱",
    "a b",
    "%",
    "%2e%2e",
    "~",
    "C:\\x",
    "...",
    ".hidden",
    "a" * 1024,
    "-rf",
    "con",
    "ﬁ",
    "A",
    "a",
]
BAD_PATHS = [
    "",
    "..",
    "../../etc/passwd",
    "%2e%2e/x",
    "a/%2e%2e/%2e%2e/b",
    "/etc/passwd",
    "a//b",
    "a/",
    "./a",
    "a/.",
    "%00",
    "a%00b",
    "a%0Ab",
    "a%0D%0AX-Injected:%201",
    "%1b[2J",
    "%7f",
    "%ff",
    "%c0%ae%c0%ae/x",
    "%ed%a0%80",
    "%E2%80%A8",
    "a" * 1025,
    "a" * 10_000,
    "%C3%A4" * 600,
]


def test_any_text_is_a_name_and_names_stay_apart(served: Served, collection: str) -> None:
    with served.http() as http:
        for name in GOOD_NAMES:
            answer = http.put(f"/v1/objects/{collection}/{quote(name)}", content=name.encode())
            assert (201, name) == (answer.status_code, answer.json()["name"])
        for name in GOOD_NAMES:
            assert name.encode() == http.get(f"/v1/objects/{collection}/{quote(name)}").content
    assert sorted(GOOD_NAMES) == sorted(objects(served, collection))


@pytest.mark.parametrize("path", BAD_PATHS)
@pytest.mark.parametrize("method", ["PUT", "GET", "DELETE"])
def test_what_cannot_be_a_name_is_refused_before_anything_is_done(
    served: Served, collection: str, method: str, path: str
) -> None:
    request = put_request(
        served, f"/v1/objects/{collection}/{path}", "Content-Length: 1", "Connection: close", body=b"x"
    )
    answer = served.raw(request.replace(b"PUT", method.encode(), 1))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert [400] == statuses(answer)
    assert json.loads(body)["code"] == "bad_name"
    assert b"x-injected" not in head.lower()
    assert [] == objects(served, collection)


@pytest.mark.parametrize("name", ["A", "a b", "..", "a" * 129, "%2e%2e", "ä", "-a"])
def test_what_cannot_be_a_collection_is_refused(served: Served, name: str) -> None:
    path = f"/v1/objects/{quote(name, safe='%')}/x"
    answer = served.raw(put_request(served, path, "Content-Length: 1", "Connection: close", body=b"x"))
    assert [400] == statuses(answer)


def test_nothing_is_written_outside_the_archive(served: Served) -> None:
    assert ["archive"] == [path.name for path in served.archive.folder.parent.iterdir()]


# --- row 13: the slow and the many ------------------------------------------------------------------------------


@pytest.mark.parametrize("sent", [b"", b"GET /hea", b"GET /healthz HTTP/1.1\r\nHost: x\r\n", b"\r\n"])
def test_a_head_that_does_not_end_is_not_waited_for(
    served: Served, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(limits, "HEAD_SECONDS", 0.2)
    started = time.monotonic()
    answer = served.raw(sent, seconds=10)
    assert time.monotonic() - started < 5
    assert [408] == statuses(answer)


def test_a_sender_that_falls_silent_is_let_go(served: Served, collection: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "UPLOAD_IDLE_SECONDS", 0.2)
    monkeypatch.setattr(limits, "LINGER_SECONDS", 0.1)
    for length in (10, limits.MIB):
        request = put_request(served, f"/v1/objects/{collection}/a", f"Content-Length: {length}", body=b"x" * 5)
        answer = served.raw(request, seconds=10)
        assert [408] == statuses(answer)
    assert [] == left_behind(served)
    assert [] == objects(served, collection)


def test_hundreds_of_half_sent_uploads_hold_nobody_up(served: Served, collection: str) -> None:
    head = put_request(served, f"/v1/objects/{collection}/a", f"Content-Length: {limits.MIB}", body=b"x" * 5000)
    wires = [served.socket() for _ in range(300)]
    try:
        for wire in wires:
            wire.sendall(head)
        with served.http() as http:
            assert http.put(f"/v1/objects/{collection}/b", content=b"y").status_code == 201
            assert http.get(f"/v1/objects/{collection}/b").content == b"y"
    finally:
        for wire in wires:
            wire.close()
    assert ["b"] == objects(served, collection)


def test_more_requests_than_can_be_answered_are_told_to_come_back(
    served: Served, collection: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = put_request(served, f"/v1/objects/{collection}/a", f"Content-Length: {limits.MIB}")
    with served.socket() as wire, served.http() as http:
        wire.sendall(head)
        while http.get("/metrics").text.count("lithify_requests_under_way 1.0"):
            time.sleep(0.01)
        monkeypatch.setattr(limits, "REQUESTS_MAX", 1)
        answer = http.get("/healthz")
        assert (503, "busy", "1") == (answer.status_code, answer.json()["code"], answer.headers["retry-after"])
        monkeypatch.undo()
        assert http.get("/healthz").status_code == 200


def test_more_connections_than_are_allowed_are_closed(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    with served.socket() as held:
        held.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert held.recv(10_000)
        monkeypatch.setattr(limits, "CONNECTIONS_MAX", 1)
        assert [503] == statuses(served.raw(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"))


# --- row 52: what is ours to keep quiet about ----------------------------------------------------------------------


def test_neither_keys_nor_names_nor_contents_reach_log_or_metrics(
    served: Served, capfd: pytest.CaptureFixture[str]
) -> None:
    canary = "canary-" + os.urandom(8).hex()
    _, key = served.archive.add_key(canary, ("read", "write"))
    with logged("debug"):
        metrics = everything_that_can_be_said(served, key, canary)
    out, err = capfd.readouterr()
    assert err.count('"event":') > 10, "the log said nothing, so it proves nothing"
    for secret in (canary, key, key.rpartition("_")[2], served.key):
        assert secret not in out + err + metrics
    assert key.rpartition("_")[2].encode() not in (served.archive.folder / "catalog.sqlite").read_bytes()


def everything_that_can_be_said(served: Served, key: str, canary: str) -> str:
    """Put the canary wherever a request has room for it, in good requests and in bad ones; gives the metrics."""
    headers = {"Idempotency-Key": canary, "Content-Type": f"text/{canary}"}
    good, damaged = f"/v1/objects/{canary}/{canary}", f"/v1/objects/{canary}/damaged-{canary}"
    with served.http(key) as http:
        assert http.put(good, content=canary.encode() * 50, headers=headers).status_code == 201
        http.put(good, content=b"other", headers=headers)
        http.put(good, content=b"x", headers={"Content-SHA256": canary})
        http.put(f"/v1/objects/{canary}/%ff{canary}", content=b"x")
        http.get(good)
        http.get(f"/v1/objects/{canary}/missing-{canary}")
        http.get(f"/{canary}")
        http.get("/v1/jobs", params={"limit": canary})
        http.post("/v1/verify", json={"collection": canary, "name": canary, canary: canary})
        http.post("/v1/verify", content=canary.encode(), headers={"Content-Type": "application/json"})
        http.put(damaged, content=os.urandom(limits.MIB) + canary.encode())
        spoil(served, canary, f"damaged-{canary}")
        assert http.get(damaged).status_code == 500
        metrics = http.get("/metrics").text
    served.raw(f"GET /{canary} HTTP/1.1\r\n{canary}\r\n\r\n".encode())
    with served.http(canary) as stranger:
        stranger.get("/v1/collections")
    return metrics


def spoil(served: Served, collection: str, name: str) -> None:
    """Damage the blob of an object that has a file of its own."""
    (encoding,) = served.archive.stat(collection, name).encodings
    path = next(found for found in served.archive.folder.rglob(encoding.blob) if found.is_file())
    path.chmod(0o600)
    path.write_bytes(bytes(path.stat().st_size))
