"""What is there, by REST: listing, finding, collections, and how a revision is stored.

Encodings live under /v1/encodings/{collection}/{name} and not below the object: a name may be any text, so whatever
suffix we chose (`…/encodings`) would be somebody's object; a query (`?encodings`) would give one URL two documents with
different validators.
"""

import tempfile
from collections.abc import Iterator
from typing import Annotated

from fastapi import Query
from starlette.responses import JSONResponse, Response

from lithify import limits
from lithify.api import openapi
from lithify.api.auth import guarded, needs
from lithify.api.documents import schema
from lithify.api.doors import Here
from lithify.api.downloads import Blocks, BlocksResponse
from lithify.api.objects import Collection, Name, Revision
from lithify.errors import NotFound
from lithify.store.views import ObjectView

router = guarded("listings")

_SPOOL_BYTES = 4 * limits.MIB


@router.get(
    "/v1/encodings/{collection}/{name:path}",
    summary="How a revision is stored: ratio, fidelity, timings",
    responses={200: {"model": schema(ObjectView)}, **openapi.refusals(NotFound)},
)
@needs("read")
async def encodings(collection: Collection, name: Name, doors: Here, revision: Revision = None) -> Response:
    """The object with every encoding it has or had, oldest first."""
    view = await doors.run(doors.archive.stat, collection, name, revision)
    return JSONResponse(view.as_json())


@router.get(
    "/v1/objects/{collection}",
    summary="Objects of a collection, by name",
    responses={200: {"model": openapi.ObjectPage}, **openapi.refusals(NotFound)},
)
@needs("read")
async def list_objects(
    collection: Collection,
    doors: Here,
    prefix: Annotated[str, Query(description="only names that begin so")] = "",
    after: Annotated[str, Query(description="only names that sort after this one")] = "",
    limit: Annotated[int, Query(ge=1, le=limits.LIST_PAGE_MAX)] = limits.LIST_PAGE_MAX,
) -> Response:
    """One page. `next` is what to send as `after` for the next one; null on the last."""
    page = await doors.run(doors.archive.list, collection, prefix=prefix, after=after, limit=limit)
    following = page[-1].name if len(page) == limit else None
    return JSONResponse({"objects": [view.as_json() for view in page], "next": following})


@router.get(
    "/v1/collections",
    summary="The names of all collections",
    responses={200: {"model": openapi.CollectionNames}},
)
@needs("read")
async def collections(doors: Here) -> Response:
    """All of them, by name."""
    return JSONResponse({"collections": list(await doors.run(doors.archive.collections))})


@router.get(
    "/v1/find",
    summary="Objects anywhere, by name, kind, size and age",
    response_class=Response,
    responses={200: openapi.lines_answer(ObjectView)},
)
@needs("read")
async def find(  # noqa: PLR0917 - one parameter per field of the query
    doors: Here,
    pattern: Annotated[str | None, Query(description="glob on the name", examples=["web/*.log"])] = None,
    collection: Annotated[str | None, Query()] = None,
    kind: Annotated[str | None, Query(examples=["log"])] = None,
    larger: Annotated[int | None, Query(ge=0, description="bytes")] = None,
    smaller: Annotated[int | None, Query(ge=0, description="bytes")] = None,
    newer: Annotated[float | None, Query(description="seconds since 1970 UTC")] = None,
    older: Annotated[float | None, Query(description="seconds since 1970 UTC")] = None,
) -> Response:
    """One JSON object per line; nothing found is an empty answer."""
    found = doors.archive.find(
        pattern=pattern, collection=collection, kind=kind, larger=larger, smaller=smaller, newer=newer, older=older
    )
    blocks, length = await doors.run(_spooled, found)
    return BlocksResponse(blocks, doors, 200, {"Content-Type": openapi.LINES}, length)


def _spooled(views: Iterator[ObjectView]) -> tuple[Blocks, int]:
    """All lines, kept aside: a slow reader must not hold the catalog's snapshot, which keeps its log from shrinking."""
    spool = tempfile.SpooledTemporaryFile(_SPOOL_BYTES)  # noqa: SIM115 - closed by Blocks
    try:
        spool.writelines(openapi.line(view.as_json()) for view in views)
    except BaseException:
        spool.close()
        raise
    length = spool.tell()
    spool.seek(0)
    return Blocks(iter(lambda: spool.read(limits.COPY_BYTES), b""), spool.close), length
