"""Bodies on their way in: cut into blocks, never gathered, never left behind."""

import asyncio
import threading
import time
from concurrent.futures import Future

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.types import Message

from lithify import limits
from lithify.api import uploads
from lithify.api.doors import Doors
from lithify.api.uploads import receive, receive_document
from lithify.errors import Busy, OutOfSpace, TooLarge, UploadIncomplete
from lithify.store.views import Receipt
from tests.serving import Served

RECEIPT = Receipt("c", "n", "r", 1, "d", 0, "binary", "exact", "default", 0.0)


class Intake:
    """Notes what it is given; may be slow, and may fail."""

    def __init__(self, *, seconds: float = 0.0, fail_at: int | None = None) -> None:
        self.blocks: list[bytes] = []
        self.threads: set[str] = set()
        self.aborted = False
        self._seconds, self._fail_at = seconds, fail_at

    def write(self, data: bytes) -> None:
        time.sleep(self._seconds)
        if len(self.blocks) == self._fail_at:
            raise OutOfSpace
        self.blocks.append(data)
        self.threads.add(threading.current_thread().name)

    def submit(self) -> "Future[Receipt]":
        future: Future[Receipt] = Future()
        future.set_result(RECEIPT)
        return future

    def abort(self) -> None:
        self.aborted = True


def request(pieces: list[bytes], *, cut: bool = False, counts: list[int] | None = None) -> Request:
    """A request whose body arrives in these pieces; `cut`: the connection ends before the body does."""
    left = list(pieces)

    async def arrive() -> Message:
        if counts is not None:
            counts.append(len(left))
        if not left:
            if cut:
                return {"type": "http.disconnect"}
            return {"type": "http.request", "body": b"", "more_body": False}
        return {"type": "http.request", "body": left.pop(0), "more_body": True}

    return Request({"type": "http", "method": "PUT", "headers": []}, arrive)


@given(st.lists(st.integers(0, 5000), max_size=60), st.integers(1, 3000))
def test_whatever_arrives_the_blocks_are_it_in_pieces_of_the_size_asked_for(sizes: list[int], size: int) -> None:
    pieces = [bytes([number % 251]) * length for number, length in enumerate(sizes)]

    async def cut() -> list[bytes]:
        body = uploads.Body(request(pieces).receive)
        blocks = []
        while body.held or not body.over:
            await body.fill(size)
            blocks.append(body.take(size))
        return blocks

    blocks = asyncio.run(cut())
    assert b"".join(pieces) == b"".join(blocks)
    assert all(len(block) == size for block in blocks[:-1])


def test_a_small_body_needs_no_thread(served: Served) -> None:
    intake = Intake()
    found = asyncio.run(receive(request([b"x" * 1000] * 10), intake, served_doors(served)))
    assert (RECEIPT, 10_000) == (found, sum(map(len, intake.blocks)))
    assert {threading.current_thread().name} == intake.threads


def test_a_large_body_is_written_by_one_thread_in_blocks_that_chunks_are_made_of(served: Served) -> None:
    intake = Intake()
    pieces = [bytes([number]) * 100_003 for number in range(50)]
    asyncio.run(receive(request(pieces), intake, served_doors(served)))
    assert b"".join(pieces) == b"".join(intake.blocks)
    assert {limits.STAGE_CHUNK_BYTES} == {len(block) for block in intake.blocks[:-1]}
    assert len(intake.threads) == 1
    assert threading.current_thread().name not in intake.threads


def test_a_slow_disk_holds_up_the_sender_instead_of_filling_memory(served: Served) -> None:
    counts: list[int] = []
    intake = Intake(seconds=0.05)
    pieces = [b"x" * limits.STAGE_CHUNK_BYTES] * 20

    async def run() -> int:
        task = asyncio.ensure_future(receive(request(pieces, counts=counts), intake, served_doors(served)))
        await asyncio.sleep(0.3)
        ahead = (20 - min(counts)) - len(intake.blocks)
        await task
        return ahead

    assert asyncio.run(run()) <= 5


@pytest.mark.parametrize("size", [1000, 5 * limits.MIB])
def test_a_body_that_breaks_off_leaves_nothing(served: Served, size: int) -> None:
    intake = Intake()
    with pytest.raises(UploadIncomplete):
        asyncio.run(receive(request([b"x" * size], cut=True), intake, served_doors(served)))
    assert intake.aborted


def test_a_disk_that_fills_up_ends_the_upload_at_once(served: Served) -> None:
    counts: list[int] = []
    intake = Intake(fail_at=2)
    with pytest.raises(OutOfSpace):
        asyncio.run(receive(request([b"x" * limits.MIB] * 100, counts=counts), intake, served_doors(served)))
    assert intake.aborted
    assert min(counts) > 80, "the rest of the body was read all the same"


@pytest.mark.parametrize("size", [10, 5 * limits.MIB])
def test_a_sender_that_falls_silent_is_let_go(served: Served, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "UPLOAD_IDLE_SECONDS", 0.05)
    intake = Intake()
    left = [b"x" * size]

    async def arrive() -> Message:
        if not left:
            await asyncio.sleep(60)
        return {"type": "http.request", "body": left.pop(), "more_body": True}

    silent = Request({"type": "http", "method": "PUT", "headers": []}, arrive)
    with pytest.raises(UploadIncomplete, match="nothing arrived"):
        asyncio.run(receive(silent, intake, served_doors(served)))
    assert intake.aborted


def test_more_large_uploads_than_there_are_places_are_told_to_come_back(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "UPLOADS_MAX", 2)
    monkeypatch.setattr(limits, "UPLOAD_WAIT_SECONDS", 0.05)
    pieces = [b"x" * limits.MIB] * 10

    async def run() -> list[Receipt | BaseException]:
        doors = served_doors(served)
        slow = [receive(request(pieces), Intake(seconds=0.05), doors) for _ in range(3)]
        return await asyncio.gather(*slow, return_exceptions=True)

    answers = asyncio.run(run())
    assert [Busy] == [type(answer) for answer in answers if not isinstance(answer, Receipt)]


def test_a_document_has_a_largest_size() -> None:
    assert b"abc" == asyncio.run(receive_document(request([b"a", b"bc"]), 3))
    with pytest.raises(TooLarge):
        asyncio.run(receive_document(request([b"a", b"bcd"]), 3))


def served_doors(served: Served) -> Doors:
    return Doors(served.archive)
