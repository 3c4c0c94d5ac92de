"""What every handler works with: the archive, the threads that touch it, and the places for large uploads.

The event loop only moves bytes. Whatever may wait for a disk runs in threads; a large upload brings its own thread.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, ParamSpec, TypeVar

from fastapi import Depends
from starlette.requests import HTTPConnection

from lithify import limits
from lithify.api.gate import Gate
from lithify.api.metrics import Metrics
from lithify.errors import Busy

if TYPE_CHECKING:
    from lithify.workers.archive import Archive

P = ParamSpec("P")
T = TypeVar("T")

_HANDS = 32
"""Threads for work that is over in milliseconds; group commit needs none, since its answers are futures."""
_OPENERS = 16
"""Threads for opening content: they may wait for a decoder that a slow reader holds, and keep nobody else waiting."""


class Doors:
    """One per application; closed by its lifespan."""

    def __init__(self, archive: "Archive") -> None:
        self.archive = archive
        self.metrics = Metrics(archive)
        self._hands = ThreadPoolExecutor(_HANDS, thread_name_prefix="hand")
        self._openers = ThreadPoolExecutor(_OPENERS, thread_name_prefix="opener")
        self.gate = Gate(self)
        self._upload_places = asyncio.Semaphore(limits.UPLOADS_MAX)

    def close(self) -> None:
        """Let go of the threads; the archive belongs to whoever opened it."""
        for threads in (self._hands, self._openers):
            threads.shutdown(wait=True, cancel_futures=True)

    async def run(self, work: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
        """Do something that may wait for a disk, off the event loop."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._hands, lambda: work(*args, **options))

    async def open(self, work: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
        """Do something that may wait for a decoder to be free, off the event loop."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._openers, lambda: work(*args, **options))

    @asynccontextmanager
    async def upload_place(self) -> AsyncIterator[None]:
        """One of the places for large uploads. Raises Busy when none comes free in time."""
        try:
            async with asyncio.timeout(limits.UPLOAD_WAIT_SECONDS):
                await self._upload_places.acquire()
        except TimeoutError as error:
            raise Busy(f"{limits.UPLOADS_MAX} large uploads are under way; try again in a moment") from error
        try:
            yield
        finally:
            self._upload_places.release()


def doors_of(connection: HTTPConnection) -> Doors:
    """The doors that a request came through."""
    doors: Doors = connection.app.state.doors
    return doors


async def _here(connection: HTTPConnection) -> Doors:
    return doors_of(connection)


Here = Annotated[Doors, Depends(_here)]
"""A handler's parameter: the doors that its request came through."""
