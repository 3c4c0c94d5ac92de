"""From a request's body to a receipt: any size in flat memory, receiving while hashing and compressing.

Small bodies are gathered and handed over on the event loop: a hop to another thread costs more than what it would do
there. Larger ones get a thread each and a queue of two blocks, so that the socket and the compressor work side by side
while memory stays at a few MiB, and a body that has not grown large yet holds no thread, however slowly it comes.
"""

import asyncio
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol

from starlette.requests import Request
from starlette.types import Receive

from lithify import limits
from lithify.api.doors import Doors
from lithify.errors import TooLarge, UploadIncomplete

if TYPE_CHECKING:
    from lithify.store.views import Receipt

_BLOCKS_WAITING = 2
_INLINE_BYTES = limits.SMALL_BYTES // 2
"""Half of what staging keeps in memory, so that no write on the event loop ever waits for a disk."""


class Intake(Protocol):
    """The part of workers.ingest.Ingest that a door needs."""

    def write(self, data: bytes) -> None: ...

    def submit(self) -> "Future[Receipt]": ...

    def abort(self) -> None: ...


async def receive(request: Request, intake: Intake, doors: Doors) -> "Receipt":
    """Feed the whole body to `intake` and give the receipt; whatever goes wrong, nothing is left behind."""
    body = Body(request.receive)
    try:
        await body.fill(_INLINE_BYTES + 1)
        if body.over and body.held <= _INLINE_BYTES:
            intake.write(body.take(body.held))
            return await asyncio.wrap_future(intake.submit())
        async with doors.upload_place():
            return await _stream(body, intake)
    finally:
        intake.abort()  # after a commit it does nothing


async def _stream(body: "Body", intake: Intake) -> "Receipt":
    loop = asyncio.get_running_loop()
    hand = ThreadPoolExecutor(1, thread_name_prefix="upload")
    waiting: deque[asyncio.Future[None]] = deque()
    try:
        while body.held or not body.over:
            await body.fill(limits.STAGE_CHUNK_BYTES)
            if len(waiting) > _BLOCKS_WAITING:
                await waiting.popleft()
            waiting.append(loop.run_in_executor(hand, intake.write, body.take(limits.STAGE_CHUNK_BYTES)))
        while waiting:
            await waiting.popleft()
        return await asyncio.wrap_future(await loop.run_in_executor(hand, intake.submit))
    finally:
        await asyncio.gather(*waiting, return_exceptions=True)
        await loop.run_in_executor(hand, int)  # the only thread is free again, so nothing is being written any more
        hand.shutdown(wait=False)


class Body:
    """The body as it arrives, cut into blocks of a given size without copying more than the joints."""

    def __init__(self, receive: Receive, *, idle_seconds: float | None = None) -> None:
        """`idle_seconds` between two pieces; None: limits.UPLOAD_IDLE_SECONDS."""
        self._receive = receive
        self._idle_seconds = limits.UPLOAD_IDLE_SECONDS if idle_seconds is None else idle_seconds
        self._pieces: list[bytes] = []
        self.held = 0
        self.over = False

    async def fill(self, size: int) -> None:
        """Receive until `size` bytes are held or the body is over. Raises UploadIncomplete."""
        while self.held < size and not self.over:
            await self._more()

    def take(self, size: int) -> bytes:
        """At most `size` of the bytes held."""
        taken: list[bytes] = []
        left = size
        while left and self._pieces:
            piece = self._pieces.pop(0)
            if len(piece) > left:
                self._pieces.insert(0, piece[left:])
                piece = piece[:left]
            taken.append(piece)
            left -= len(piece)
        self.held -= size - left
        return taken[0] if len(taken) == 1 else b"".join(taken)

    def up_to_line_end(self, near: int) -> int:
        """How many of the bytes held to take so that they end with a line, if a line ends in the last `near`."""
        behind = 0
        for piece in reversed(self._pieces):
            if (at := piece.rfind(b"\n")) >= 0:
                behind += len(piece) - at - 1
                return self.held - behind if behind < near else self.held
            behind += len(piece)
            if behind >= near:
                break
        return self.held

    async def _more(self) -> None:
        try:
            async with asyncio.timeout(self._idle_seconds):
                message = await self._receive()
        except TimeoutError as error:
            raise UploadIncomplete(f"nothing arrived for {self._idle_seconds:.0f} seconds") from error
        if message["type"] == "http.disconnect":
            raise UploadIncomplete("the connection ended before the body did")
        if piece := message.get("body", b""):
            self._pieces.append(piece)
            self.held += len(piece)
        self.over = not message.get("more_body", False)


async def receive_document(request: Request, limit: int) -> bytes:
    """A small body, whole. Raises TooLarge when it is longer than `limit`, UploadIncomplete when it stalls."""
    body = Body(request.receive)
    await body.fill(limit + 1)
    if body.held > limit:
        raise TooLarge(f"a document of more than {limit} bytes")
    return body.take(limit)
