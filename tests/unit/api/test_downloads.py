"""Bodies on their way out: what cannot be sent right is not sent to its end."""

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from lithify import limits
from lithify.api.downloads import Blocks
from lithify.errors import Corrupt
from lithify.workers.archive import Archive
from tests.serving import Served, serving


def test_the_first_block_is_there_before_anything_is_promised() -> None:
    blocks = Blocks(iter([b"a", b"b"]), lambda: None)
    assert [b"a", b"b", b"", b""] == [blocks.first, blocks.next(), blocks.next(), blocks.next()]


def test_what_fails_at_once_is_let_go_and_raised() -> None:
    closed: list[bool] = []

    def broken() -> Iterator[bytes]:
        raise Corrupt("blob 3f")
        yield b""

    with pytest.raises(Corrupt):
        Blocks(broken(), lambda: closed.append(True))
    assert closed == [True]


def test_closing_waits_for_whoever_is_inside() -> None:
    inside, go_on = threading.Event(), threading.Event()
    order: list[str] = []

    def slow() -> Iterator[bytes]:
        yield b"first"
        inside.set()
        go_on.wait(10)
        order.append("made")
        yield b"second"

    blocks = Blocks(slow(), lambda: order.append("closed"))
    threads = [threading.Thread(target=blocks.next)]
    threads[0].start()
    inside.wait(10)
    threads.append(threading.Thread(target=blocks.close))
    threads[1].start()
    go_on.set()
    for thread in threads:
        thread.join()
    assert order == ["made", "closed"]


def damaged(archive: Archive, at: float) -> None:
    """Flip one bit of the only blob that has a file of its own."""
    (address,) = archive.blobs.files()
    path = next(found for found in archive.folder.rglob(address.digest) if found.is_file())
    data = bytearray(path.read_bytes())
    data[int(at * len(data))] ^= 1
    path.chmod(0o600)
    path.write_bytes(data)


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path / "archive") as found:
        yield found


def read_into(received: bytearray, blocks: Iterator[bytes]) -> None:
    for block in blocks:
        received += block


def test_damage_behind_the_head_breaks_the_connection_before_the_end(alone: Served) -> None:
    data = os.urandom(16 * limits.MIB)
    alone.archive.put("logs", "a", [data])
    damaged(alone.archive, 0.7)
    with alone.http() as http, http.stream("GET", "/v1/objects/logs/a") as answer:
        assert (200, str(len(data))) == (answer.status_code, answer.headers["content-length"])
        received = bytearray()
        with pytest.raises(httpx.RemoteProtocolError):
            read_into(received, answer.iter_raw())
    assert 0 < len(received) < len(data)
    assert data.startswith(received)


def test_damage_in_the_first_block_is_answered_as_a_problem(alone: Served) -> None:
    alone.archive.put("logs", "a", [os.urandom(2 * limits.MIB)])
    damaged(alone.archive, 0.01)
    with alone.http() as http:
        answer = http.get("/v1/objects/logs/a")
    assert (500, "corrupt") == (answer.status_code, answer.json()["code"])


def test_a_reader_that_takes_nothing_is_let_go(alone: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "DOWNLOAD_IDLE_SECONDS", 0.3)
    alone.archive.put("logs", "a", [bytes(limits.MIB)] * 64)
    request = f"GET /v1/objects/logs/a HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {alone.key}\r\n\r\n"
    with alone.socket() as wire:
        wire.sendall(request.encode())
        received = len(wire.recv(1))
        threading.Event().wait(1.0)
        received += sum(len(piece) for piece in until_closed(wire))
    assert received < 64 * limits.MIB


def until_closed(wire: socket.socket) -> Iterator[bytes]:
    try:
        while piece := wire.recv(1 << 20):
            yield piece
    except ConnectionError:
        return
