"""Requests that are none, or two, or never end: they are cut off, and nobody else notices.

Rows 13, 40 and 51 of the fault list, byte by byte against a real server.
"""

import itertools
import json
import socket
import time
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lithify import limits
from tests.examples import examples
from tests.serving import Served, serving, statuses

_numbers = itertools.count()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("doors") / "archive") as found:
        yield found


@pytest.fixture
def collection() -> str:
    return f"c{next(_numbers)}"


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
    answer = served.raw(served.request("PUT", f"/v1/objects/{collection}/a", *headers, body=body))
    assert all(400 <= status < 500 for status in statuses(answer)), answer
    assert [] == served.names("smuggled")
    assert [] == served.names(collection)
    assert [] == served.left_behind()


def test_two_equal_lengths_or_a_second_request_are_nothing_to_fear(served: Served, collection: str) -> None:
    first = served.request("PUT", f"/v1/objects/{collection}/a", "Content-Length: 1", body=b"x")
    last = served.request("PUT", f"/v1/objects/{collection}/b", "Content-Length: 1", "Connection: close", body=b"y")
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


@settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
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
        request = served.request("PUT", f"/v1/objects/{collection}/a", f"Content-Length: {length}", body=b"x" * 5)
        answer = served.raw(request, seconds=10)
        assert [408] == statuses(answer)
    assert [] == served.left_behind()
    assert [] == served.names(collection)


def test_hundreds_of_half_sent_uploads_hold_nobody_up(served: Served, collection: str) -> None:
    head = served.request("PUT", f"/v1/objects/{collection}/a", f"Content-Length: {limits.MIB}", body=b"x" * 5000)
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
    assert ["b"] == served.names(collection)


def test_more_requests_than_can_be_answered_are_told_to_come_back(
    served: Served, collection: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = served.request("PUT", f"/v1/objects/{collection}/a", f"Content-Length: {limits.MIB}")
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
