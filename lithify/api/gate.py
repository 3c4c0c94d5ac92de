"""Key look-ups, gathered: requests that arrive while one look is under way share the next.

A look is a catalog read and a hop to a thread and back, which costs as much as a small PUT itself. Nothing is
remembered between looks, so a key that was revoked is refused by the next request, whoever revoked it.
"""

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING

from lithify.errors import LithifyError, Unauthenticated
from lithify.store import keys
from lithify.store.views import KeyView

if TYPE_CHECKING:
    from lithify.api.doors import Doors

Found = KeyView | Exception


class Gate:
    """Tells whose key a text is."""

    def __init__(self, doors: "Doors") -> None:
        self._doors = doors
        self._waiting: dict[str, asyncio.Future[Found]] = {}
        self._looking: asyncio.Task[None] | None = None

    async def key(self, text: str) -> KeyView:
        """The key that this text is, as the catalog knows it after this call began. Raises Unauthenticated."""
        future = self._waiting.get(text)
        if future is None:
            future = self._waiting[text] = asyncio.get_running_loop().create_future()
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        found = await asyncio.shield(future)
        if isinstance(found, LithifyError):
            raise type(found)(found.message)  # each request its own: it will carry that request's traceback
        if isinstance(found, Exception):
            raise found
        return found

    async def _look(self) -> None:
        while self._waiting:
            waiting, self._waiting = self._waiting, {}
            answers: dict[str, Found]
            try:
                answers = await self._doors.run(self._find, waiting)
            except Exception as error:  # noqa: BLE001 - whoever waits raises it; nobody may wait for ever
                answers = dict.fromkeys(waiting, error)
            for text, future in waiting.items():
                future.set_result(answers[text])

    def _find(self, texts: Iterable[str]) -> dict[str, Found]:
        with self._doors.archive.catalog.reading() as connection:
            found: dict[str, Found] = {}
            for text in texts:
                try:
                    found[text] = keys.authenticate(connection, text)
                except Unauthenticated as error:
                    found[text] = error
            return found
