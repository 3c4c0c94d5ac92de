"""The arrays of an object by REST: which there are, and slices of them as files of their own."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import Query
from starlette.responses import JSONResponse, Response

from lithify import limits
from lithify.api import openapi
from lithify.api.auth import guarded, needs
from lithify.api.documents import schema
from lithify.api.doors import Doors, Here
from lithify.api.downloads import Blocks, BlocksResponse
from lithify.api.objects import Collection, Name, Revision
from lithify.errors import Conflict, NotFound
from lithify.store.views import ArraysView
from lithify.workers.frame_slices import Cut, Form

if TYPE_CHECKING:
    from lithify.workers.frame_slices import Sliced

router = guarded("arrays")
MEDIA_TYPES: dict[Form, str] = {"netcdf": "application/x-netcdf", "npy": "application/x-npy"}
_BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
_WORDS_MAX = 100
_Variables = Annotated[list[str] | None, Query(description="by name; none: all", max_length=_WORDS_MAX)]
_Slices = Annotated[
    list[str] | None,
    Query(
        description="`DIMENSION=START:STOP:STEP` or `DIMENSION=NUMBER`", max_length=_WORDS_MAX, examples=["time=10:20"]
    ),
]
_Labels = Annotated[
    list[str] | None,
    Query(
        description="`DIMENSION=LABEL` or `DIMENSION=FIRST..LAST`, by its coordinate",
        max_length=_WORDS_MAX,
        examples=["time=2019-03-01"],
    ),
]


@router.get(
    "/v1/arrays/{collection}/{name:path}",
    summary="The variables of a file of arrays",
    responses={200: {"model": schema(ArraysView)}, **openapi.refusals(NotFound, Conflict)},
)
@needs("read")
async def arrays(collection: Collection, name: Name, doors: Here, revision: Revision = None) -> Response:
    """Names, dimensions, types and attributes; no large variable is decoded for it."""
    async with doors.search_place():
        found = await doors.look(
            doors.archive.arrays, collection, name, revision=revision, wall_seconds=limits.SEARCH_SECONDS
        )
    return JSONResponse(found.as_json(), headers={"Lithify-Revision": found.revision})


@router.get(
    "/v1/slice/{collection}/{name:path}",
    summary="A part of the arrays of an object, as a file",
    response_class=Response,
    responses={
        200: {
            "description": "A NetCDF file in classic form, or a NumPy file",
            "content": dict.fromkeys(MEDIA_TYPES.values(), _BINARY),
        },
        **openapi.refusals(NotFound, Conflict),
    },
)
@needs("read")
async def slice_(
    collection: Collection,
    name: Name,
    doors: Here,
    *,
    variable: _Variables = None,
    slice: _Slices = None,
    select: _Labels = None,
    format: Annotated[Literal["netcdf", "npy"], Query(description="npy: of one variable")] = "netcdf",
    revision: Revision = None,
) -> Response:
    """Only the blocks that the slice touches are decoded. What is asked for and not there is told with what is.

    NetCDF has the coordinates and attributes of the variables, and numbers as they are stored: packed ones stay packed.
    """
    wish = Cut(tuple(variable or ()), tuple(slice or ()), tuple(select or ()))
    found, blocks = await doors.open(_open, doors, collection, name, wish, format, revision)
    described = {"Content-Type": MEDIA_TYPES[format], "X-Content-Type-Options": "nosniff"}
    return BlocksResponse(blocks, doors, 200, described, found.length)


def _open(
    doors: Doors, collection: str, name: str, wish: Cut, form: Form, revision: str | None
) -> tuple["Sliced", Blocks]:
    found = doors.archive.slice(collection, name, wish, form, revision=revision, wall_seconds=limits.SEARCH_SECONDS)
    return found, Blocks(iter(found), lambda: found.__exit__(None, None, None))
