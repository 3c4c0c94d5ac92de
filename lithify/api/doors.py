"""What every handler works with: the archive, the threads that touch it, and the places for what takes long.

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
        self._lookers = ThreadPoolExecutor(limits.SEARCHES_MAX, thread_name_prefix="looker")
        self.gate = Gate(self)
        self._upload_places = asyncio.Semaphore(limits.UPLOADS_MAX)
        self._search_places = asyncio.Semaphore(limits.SEARCHES_MAX)
        self._appenders = ThreadPoolExecutor(limits.APPENDERS_MAX, thread_name_prefix="appender")
        self._append_places = asyncio.Semaphore(limits.APPENDERS_MAX)
        self.ending = asyncio.Event()
        """Set when the server is to end: bodies without an end of their own are then cut at what has come."""

    def close(self) -> None:
        """Let go of the threads; the archive belongs to whoever opened it."""
        for threads in (self._hands, self._openers, self._lookers, self._appenders):
            threads.shutdown(wait=True, cancel_futures=True)

    async def run(self, work: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
        """Do something that may wait for a disk, off the event loop."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._hands, lambda: work(*args, **options))

    async def open(self, work: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
        """Do something that may wait for a decoder to be free, off the event loop."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._openers, lambda: work(*args, **options))

    async def look(self, work: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
        """Do something that takes as long as searching does; only for who has a `search_place`."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._lookers, lambda: work(*args, **options))

    @asynccontextmanager
    async def upload_place(self) -> AsyncIterator[None]:
        """One of the places for large uploads. Raises Busy when none comes free in time."""
        async with _place(self._upload_places, f"{limits.UPLOADS_MAX} large uploads"):
            yield

    async def append(self, work: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
        """Do something that takes as long as copying an object does; only for who has an `append_place`."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._appenders, lambda: work(*args, **options))

    @asynccontextmanager
    async def append_place(self) -> AsyncIterator[None]:
        """One of the places for appends, which may last for days. Raises Busy when none comes free in time."""
        async with _place(self._append_places, f"{limits.APPENDERS_MAX} appends"):
            yield

    @asynccontextmanager
    async def search_place(self) -> AsyncIterator[None]:
        """One of the places for searches. Raises Busy when none comes free in time."""
        async with _place(self._search_places, f"{limits.SEARCHES_MAX} searches"):
            yield


@asynccontextmanager
async def _place(places: asyncio.Semaphore, taken: str) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(limits.UPLOAD_WAIT_SECONDS):
            await places.acquire()
    except TimeoutError as error:
        raise Busy(f"{taken} are under way; try again in a moment") from error
    try:
        yield
    finally:
        places.release()


def doors_of(connection: HTTPConnection) -> Doors:
    """The doors that a request came through."""
    doors: Doors = connection.app.state.doors
    return doors


async def _here(connection: HTTPConnection) -> Doors:
    return doors_of(connection)


Here = Annotated[Doors, Depends(_here)]
"""A handler's parameter: the doors that its request came through."""
