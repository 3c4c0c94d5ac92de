"""What the model of texts says of stored originals, by REST: their surprising lines, and what resembles them.

Both take as long as mixing texts does, and stand in line with the searches.
"""

from typing import Annotated, Literal

from fastapi import Query as InQuery
from pydantic import Field
from starlette.responses import JSONResponse, Response

from lithify import limits
from lithify.api import openapi
from lithify.api.auth import guarded, needs
from lithify.api.documents import schema
from lithify.api.doors import Here
from lithify.api.objects import Collection, Name, Revision
from lithify.errors import Conflict, NotFound
from lithify.store.views import LikeView, SurpriseView

router = guarded("texts")


class WhatToCompare(openapi.Asked):
    """An object, and where to look for others like it."""

    collection: str = Field(examples=["letters"])
    name: str = Field(examples=["2026/ines.txt"])
    among: str | None = Field(None, description="the collection to look in; null: all")
    limit: int = Field(10, ge=1, le=limits.LIKE_MEASURED_MAX, description="of how many others to tell")


@router.get(
    "/v1/surprise/{collection}/{name:path}",
    summary="The surprising lines of an object",
    responses={200: {"model": schema(SurpriseView)}, **openapi.refusals(NotFound)},
)
@needs("read")
async def surprise(
    collection: Collection,
    name: Name,
    doors: Here,
    revision: Revision = None,
    by: Annotated[
        Literal["excess", "bits", "rate"],
        InQuery(description="excess: bits beyond what as many bytes cost on average here; bits; rate: bits per byte"),
    ] = "excess",
    lines: Annotated[int, InQuery(ge=1, le=limits.WEIGHED_LINES_MAX, description="the most surprising first")] = 100,
) -> Response:
    """What each line costs under the model that texts are coded with; of a long object, of its first 4 MiB."""
    async with doors.search_place():
        found = await doors.look(
            doors.archive.surprise,
            collection,
            name,
            revision=revision,
            by=by,
            lines=lines,
            wall_seconds=limits.SEARCH_SECONDS,
        )
    return JSONResponse(found.as_json())


@router.post(
    "/v1/like",
    summary="What resembles an object",
    responses={200: {"model": schema(LikeView)}, **openapi.refusals(NotFound, Conflict)},
)
@needs("read")
async def like(wanted: WhatToCompare, doors: Here) -> Response:
    """The others by which an object becomes cheapest to tell; `read` and `measured` say how many were looked at."""
    async with doors.search_place():
        found = await doors.look(
            doors.archive.like,
            wanted.collection,
            wanted.name,
            among=wanted.among,
            limit=wanted.limit,
            wall_seconds=limits.SEARCH_SECONDS,
        )
    return JSONResponse(found.as_json())
