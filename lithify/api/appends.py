"""From a body that may never end to receipts: what came is committed at checkpoints, and then belongs to the object.

A checkpoint is due when enough came (16 MiB, or an eighth of the object) or when something has waited for long enough
(`LITHIFY_CHECKPOINT_SECONDS`), and ends at a line end where one is near. Each copies what the object held, packed, so
they are further apart where that takes long. Nothing is held while nothing comes.
"""

import asyncio
import math
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from starlette.requests import Request

from lithify import limits
from lithify.api.doors import Doors
from lithify.api.uploads import Body
from lithify.store.names import collection_name, object_name

if TYPE_CHECKING:
    from lithify.store.views import Receipt
    from lithify.workers.append import Appending

T = TypeVar("T")

_ONLY_FIRST = ("if_match", "if_none_match")
"""Conditions on the object as it was before the body; afterwards it is as we made it."""


async def grow(
    request: Request, collection: str, name: str, doors: Doors, wishes: dict[str, Any], *, whole: bool
) -> "tuple[Receipt, bool]":
    """Append the body, at checkpoints or (`whole`) in one step; gives the last receipt, and whether the object is new.

    What was committed stays, however the rest fails. Raises Busy while somebody else appends to the object here.
    """
    collection, name = collection_name(collection), object_name(name)
    body = Body(request.receive, idle_seconds=limits.UPLOAD_IDLE_SECONDS if whole else limits.APPEND_IDLE_SECONDS)
    with doors.archive.appends.hold(collection, name):
        async with doors.append_place():
            growing = _Growing(body, collection, name, doors, wishes, whole=whole)
            receipt = await growing.checkpoint()
            while not growing.over:
                receipt = await growing.checkpoint() or receipt
    assert receipt is not None, "the first checkpoint is made of however little"
    return receipt, growing.created


@dataclass(slots=True)
class _Growing:
    """One body on its way to the end of one object."""

    body: Body
    collection: str
    name: str
    doors: Doors
    wishes: dict[str, Any]
    whole: bool
    created: bool = False
    """Whether there was no object of that name."""
    _appending: "Appending | None" = None
    _committed: bool = False
    _took_seconds: float = 0.0

    @property
    def over(self) -> bool:
        """Whether nothing more will come, or is to be waited for."""
        return (self.body.over and not self.body.held) or (self._ending and self._committed)

    @property
    def _ending(self) -> bool:
        return self.doors.ending.is_set() and not self.whole

    async def checkpoint(self) -> "Receipt | None":
        """Wait for something, gather until a checkpoint is due, commit; None when nothing more came."""
        try:
            if not self.whole:
                await self._unless_ending(self.body.fill(1))
            await self._gather()
            if self._committed and self._appending is None:
                return None
            return await self._commit()
        finally:
            if self._appending is not None:
                self._appending.abort()  # after a commit it does nothing
                self._appending = None

    async def _gather(self) -> None:
        pause = max(self.doors.archive.checkpoint_seconds, limits.CHECKPOINT_PAUSE * self._took_seconds)
        due = math.inf if self.whole else time.monotonic() + pause
        while not self.body.over and not self._ending and time.monotonic() < due and not self._enough():
            await self._unless_ending(self.body.fill(2 * limits.STAGE_CHUNK_BYTES), due)
            if self.body.held >= 2 * limits.STAGE_CHUNK_BYTES:
                await self._write(limits.STAGE_CHUNK_BYTES)
        last = self.body.over or self._ending
        left = self.body.held if last else self.body.up_to_line_end(limits.LINE_NEAR_BYTES)
        while left:
            left -= await self._write(min(left, limits.STAGE_CHUNK_BYTES))

    def _enough(self) -> bool:
        if self.whole or self._appending is None:
            return False
        came = self._appending.appended_length + self.body.held
        before = self._appending.length - self._appending.appended_length
        return came >= max(limits.CHECKPOINT_BYTES, before // limits.CHECKPOINT_GROWTH)

    async def _write(self, size: int) -> int:
        appending = self._appending or await self._begin()
        block = self.body.take(size)
        await self._by_hand(lambda: appending.write(block))
        return len(block)

    async def _begin(self) -> "Appending":
        wishes = {**self.wishes, **(dict.fromkeys(_ONLY_FIRST) if self._committed else {})}
        if not self.whole:
            wishes["length"] = None  # of all checkpoints together; HTTP sees to it
        started = time.monotonic()
        await self._by_hand(lambda: self._open(wishes))
        self._took_seconds = time.monotonic() - started
        assert self._appending is not None
        return self._appending

    def _open(self, wishes: dict[str, Any]) -> None:
        self._appending = self.doors.archive.appending(self.collection, self.name, **wishes)
        self.created = self.created or self._appending.is_new

    async def _commit(self) -> "Receipt":
        appending = self._appending or await self._begin()
        started = time.monotonic()
        receipt = await self._by_hand(appending.commit)
        self._took_seconds += time.monotonic() - started
        self._committed = True
        return receipt

    async def _by_hand(self, work: Callable[[], T]) -> T:
        """Do something in a thread, and leave only when the thread is done: what it writes to is closed next."""
        working = asyncio.ensure_future(self.doors.append(work))
        try:
            return await asyncio.shield(working)
        except asyncio.CancelledError:
            await asyncio.wait({working})
            raise

    async def _unless_ending(self, arrival: Coroutine[Any, Any, None], until: float = math.inf) -> None:
        """Wait for bytes, until a time by `time.monotonic` or until the server is to end. Raises UploadIncomplete."""
        arriving = asyncio.ensure_future(arrival)
        ending = asyncio.ensure_future(self.doors.ending.wait())
        waiting = {arriving} if self.whole else {arriving, ending}
        seconds = None if until == math.inf else max(0.0, until - time.monotonic())
        try:
            await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if arriving.done():
                arriving.result()
        finally:
            for task in (arriving, ending):
                task.cancel()
            await asyncio.gather(arriving, ending, return_exceptions=True)
