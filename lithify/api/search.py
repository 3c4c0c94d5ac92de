"""Searching by REST: the lines of stored originals that match, as they are found, and the templates of a log.

A search may take long and find much, so the answer is a stream of JSON lines that ends with one of type `end`; without
it the answer is not whole. Searches have threads of their own, as many as there are places for them, and end when the
caller leaves, when nothing stirs for limits.SEARCH_STEP_SECONDS (a regular expression may take for ever over one line),
or after limits.SEARCH_SECONDS.
"""

import asyncio
import base64
import binascii
import threading
import time
from collections.abc import Generator
from typing import TYPE_CHECKING, Annotated

from fastapi import Query as InQuery
from pydantic import Field
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from lithify import limits
from lithify.api import openapi
from lithify.api.auth import guarded, needs
from lithify.api.documents import schema
from lithify.api.doors import Doors, Here
from lithify.api.downloads import Blocks, send_in_time, until_gone
from lithify.api.matches import documents
from lithify.api.objects import Collection, Name, Revision
from lithify.errors import BadArgument, Cancelled, Conflict, NotFound, TimedOut
from lithify.store.names import collection_name
from lithify.store.views import ContentsView, TemplatesView
from lithify.workers.found import Answer, Query, Searched

if TYPE_CHECKING:
    from lithify.workers.archive import Archive

router = guarded("search")

_LIMIT = 10_000
_INTEGER_MAX = 2**63 - 1


class WhatToSearch(openapi.Asked):
    """A pattern, and where to look for it."""

    collection: str = Field(examples=["logs"])
    name: str = Field(
        "",
        examples=["web/2026-11-21.log"],
        description="one object; ending in `/`, or empty: all whose names begin so; or a glob (`* ? [...]`)",
    )
    pattern: str | None = Field(None, examples=["timeout after \\d+ ms"], description="as Python's `re` reads it")
    pattern_base64: str | None = Field(None, description="the same, for bytes that are not UTF-8")
    fixed: bool = Field(False, description="the pattern is a text, not a regular expression")
    ignore_case: bool = Field(False, description="ASCII letters match in either case")
    invert: bool = Field(False, description="find the lines that do not match")
    before: int = Field(0, ge=0, le=_INTEGER_MAX, description="lines before each, as context")
    after: int = Field(0, ge=0, le=_INTEGER_MAX, description="lines behind each, as context")
    max_count: int | None = Field(None, ge=1, le=_INTEGER_MAX, description="stop in each object after so many lines")
    limit: int | None = Field(_LIMIT, ge=1, le=_INTEGER_MAX, description="stop after so many lines in all; null: never")
    since: float | None = Field(None, description="only lines written then or later; seconds since 1970 UTC")
    until: float | None = Field(None, description="only lines written then or earlier")
    answer: Answer = Field("lines", description="all lines, or only their count, or only where there is one")

    def query(self) -> Query:
        """What to look for. Raises BadArgument."""
        terms = {name: getattr(self, name) for name in Query.__dataclass_fields__ if name != "pattern"}
        return Query(self._pattern(), **terms)

    def _pattern(self) -> bytes:
        if (self.pattern is None) == (self.pattern_base64 is None):
            raise BadArgument("send one of pattern and pattern_base64")
        try:
            if self.pattern is not None:
                return self.pattern.encode()
            return base64.b64decode(self.pattern_base64 or "", validate=True)
        except (UnicodeEncodeError, binascii.Error) as error:
            raise BadArgument(f"the pattern cannot be read: {error}") from error


_FOUND = {
    "description": "One JSON object per line. `type` is `match` or `context` (with collection, name, revision, line, "
    "and `text`, or `base64` if that is not UTF-8); `object` when one is through (matches, error); `end` when all is, "
    "with `whole`: whether every line was looked at. Without `end` the answer is not complete.",
    "content": {openapi.LINES: {"schema": {"type": "string"}}},
}


@router.post(
    "/v1/search",
    summary="The lines that match a pattern, in one object or many",
    response_class=Response,
    responses={200: _FOUND, **openapi.refusals(NotFound)},
)
@needs("read")
async def search(wanted: WhatToSearch, doors: Here) -> Response:
    """Search objects in order of name, and send each line as it is found. Only what can match is decoded."""
    return FoundResponse(wanted, wanted.query(), doors)


@router.get(
    "/v1/templates/{collection}/{name:path}",
    summary="What the lines of a log look like",
    responses={200: {"model": schema(TemplatesView)}, **openapi.refusals(NotFound, Conflict)},
)
@needs("read")
async def templates(
    collection: Collection,
    name: Name,
    doors: Here,
    most: Annotated[int, InQuery(ge=1, le=limits.LIST_PAGE_MAX, description="the most frequent first")] = 100,
) -> Response:
    """The templates that the codec of a log has found, with how many lines have each, and one of those lines."""
    async with doors.search_place():
        found = await doors.look(
            doors.archive.templates, collection, name, most=most, wall_seconds=limits.SEARCH_SECONDS
        )
    return JSONResponse(found.as_json())


@router.get(
    "/v1/contents/{collection}/{name:path}",
    summary="What was found inside an object",
    responses={200: {"model": schema(ContentsView)}, **openapi.refusals(NotFound)},
)
@needs("read")
async def contents(collection: Collection, name: Name, doors: Here, revision: Revision = None) -> Response:
    """Streams, pictures and members that the codec of an object found in it: who keeps each, bytes before and after."""
    async with doors.search_place():
        found = await doors.look(
            doors.archive.contents, collection, name, revision=revision, wall_seconds=limits.SEARCH_SECONDS
        )
    return JSONResponse(found.as_json())


class Patience:
    """Ends a search that nobody waits for any more, or that takes too long. Told the steps taken once a second."""

    def __init__(self) -> None:
        self.gone = threading.Event()
        """Set when the caller has left."""
        self._until = time.monotonic() + limits.SEARCH_SECONDS
        self._steps = -1
        self._still = 0

    @property
    def late(self) -> bool:
        """Whether the time of the whole request is over."""
        return time.monotonic() > self._until

    def __call__(self, steps: int) -> None:
        """Raise Cancelled or TimedOut if it is time to."""
        if self.gone.is_set():
            raise Cancelled("the caller has left")
        if self.late:
            raise TimedOut(f"the search took longer than {limits.SEARCH_SECONDS:g} s; search fewer objects at a time")
        self._still = self._still + 1 if steps == self._steps else 0
        self._steps = steps
        if self._still > limits.SEARCH_STEP_SECONDS:
            raise TimedOut(
                f"nothing stirred for {limits.SEARCH_STEP_SECONDS:g} s; a pattern with repeats inside repeats may take "
                "for ever over one line"
            )


def _lines(archive: "Archive", wanted: WhatToSearch, query: Query, patience: Patience) -> Generator[bytes, None, None]:
    """The answer, some lines at a time."""
    objects = matches = 0
    whole = True
    for found in archive.search(
        collection_name(wanted.collection), wanted.name, query, limit=wanted.limit, on_progress=patience
    ):
        yield b"".join(map(openapi.line, documents(found)))
        if isinstance(found, Searched):
            objects += 1
            matches += found.matches
            whole = whole and found.error is None
            if patience.late:
                whole = False
                break
    if wanted.limit is not None and query.answer != "count":
        whole = whole and matches < wanted.limit
    yield openapi.line({"type": "end", "objects": objects, "matches": matches, "whole": whole})


class FoundResponse(Response):
    """The answer to a search, made while it is sent. What goes wrong before the first line is a proper refusal."""

    def __init__(self, wanted: WhatToSearch, query: Query, doors: Doors) -> None:
        super().__init__(None, 200, media_type=openapi.LINES)
        del self.headers["content-length"]
        self._doors = doors
        self._patience = Patience()
        self._lines = _lines(doors.archive, wanted, query, self._patience)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._doors.search_place():
            gone = asyncio.ensure_future(until_gone(receive))
            gone.add_done_callback(lambda _: self._patience.gone.set())
            try:
                blocks = await self._doors.look(Blocks, self._lines, self._lines.close)
                try:
                    await self._send(blocks, send)
                finally:
                    await self._doors.look(blocks.close)
            except Cancelled:
                if not gone.done():
                    raise
            finally:
                gone.cancel()

    async def _send(self, blocks: Blocks, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        block = blocks.first
        while block and not self._patience.gone.is_set():
            message = {"type": "http.response.body", "body": block, "more_body": True}
            _, block = await asyncio.gather(send_in_time(send, message), self._doors.look(blocks.next))
        if not self._patience.gone.is_set():
            await send({"type": "http.response.body", "body": b""})
