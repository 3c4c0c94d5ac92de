"""From the cellar to a response: block by block, working ahead of the socket, never a clean end that is not the end."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from lithify import limits
from lithify.api.doors import Doors
from lithify.errors import Corrupt


class Blocks:
    """An iterator whose first block is there already: an error up to here is still a proper answer."""

    def __init__(self, blocks: Iterator[bytes], close: Callable[[], None]) -> None:
        """Takes the first block; blocks the caller. `close` is called once nobody is inside the iterator."""
        self._blocks, self._close = blocks, close
        self._lock = threading.Lock()
        try:
            self.first = self.next()
        except BaseException:
            self.close()
            raise

    def next(self) -> bytes:
        """The next block; empty at the end."""
        with self._lock:
            return next(self._blocks, b"")

    def close(self) -> None:
        """Let go of what makes the blocks, once it is not working any more."""
        with self._lock:
            self._close()


class BlocksResponse(Response):
    """A response whose body is made while it is sent.

    Raises, and so breaks the connection, when making it fails or the reader takes nothing for too long.
    """

    def __init__(self, blocks: Blocks, doors: Doors, status_code: int, headers: Mapping[str, str], length: int) -> None:
        super().__init__(None, status_code, {**headers, "Content-Length": str(length)})
        self._blocks, self._doors, self._length = blocks, doors, length

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        gone = asyncio.ensure_future(until_gone(receive))
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            await self._send_blocks(send, gone)
        finally:
            gone.cancel()
            await self._doors.run(self._blocks.close)

    async def _send_blocks(self, send: Send, gone: "asyncio.Future[None]") -> None:
        block, sent = self._blocks.first, 0
        while block and not gone.done():
            sent += len(block)
            message = {"type": "http.response.body", "body": block, "more_body": True}
            _, block = await asyncio.gather(send_in_time(send, message), self._doors.run(self._blocks.next))
        if gone.done():
            return
        if sent != self._length:
            raise Corrupt(f"the content ended after {sent} bytes; {self._length} were promised")
        await send({"type": "http.response.body", "body": b""})


async def send_in_time(send: Send, message: Message) -> None:
    """Send, or raise TimeoutError when the reader takes nothing."""
    async with asyncio.timeout(limits.DOWNLOAD_IDLE_SECONDS):
        await send(message)


async def until_gone(receive: Receive) -> None:
    """Return when the caller has left; reads, and so throws away, whatever is still sent."""
    while (await receive())["type"] != "http.disconnect":
        pass
