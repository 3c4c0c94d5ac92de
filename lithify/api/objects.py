"""Objects by REST: PUT, GET, HEAD and DELETE of their bytes."""

from email.utils import formatdate
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

from fastapi import Path, Query, Request
from starlette.responses import JSONResponse, Response

from lithify import limits
from lithify.api import headers, openapi
from lithify.api.appends import grow
from lithify.api.auth import guarded, needs, straight
from lithify.api.documents import schema
from lithify.api.doors import Doors, Here
from lithify.api.downloads import Blocks, BlocksResponse
from lithify.api.middleware import answer
from lithify.api.uploads import receive
from lithify.errors import (
    BadArgument,
    Conflict,
    DigestMismatch,
    NotFound,
    OutOfSpace,
    PreconditionFailed,
    RangeNotSatisfiable,
    TooLarge,
    UnsupportedEncoding,
    UploadIncomplete,
)
from lithify.store.views import ObjectView, Receipt

if TYPE_CHECKING:
    from lithify.workers.ingest import Ingest
    from lithify.workers.restore import Content

router = guarded("objects")
Collection = Annotated[str, Path(description="a-z 0-9 . _ -, beginning with a letter or digit", examples=["logs"])]
Name = Annotated[
    str, Path(description="UTF-8, 1 to 1024 bytes; `/` and `%2F` are the same", examples=["web/2026-11-21.log"])
]
Revision = Annotated[str | None, Query(description="an older revision; the newest when left out")]

_OBJECT = "/v1/objects/{collection}/{name:path}"


@router.put(
    _OBJECT,
    status_code=201,
    summary="Keep a new revision",
    responses={
        200: {"model": schema(Receipt), "description": "The same bytes were there already; nothing new was stored"},
        201: {"model": schema(Receipt), "description": "Durable", "headers": openapi.PUT_ANSWER_HEADERS},
        **openapi.refusals(
            NotFound,
            Conflict,
            PreconditionFailed,
            TooLarge,
            DigestMismatch,
            UploadIncomplete,
            UnsupportedEncoding,
            OutOfSpace,
        ),
    },
    openapi_extra={"parameters": openapi.PUT_HEADERS, "requestBody": openapi.BYTES_BODY},
)
@needs("write")
@straight
async def put(collection: Collection, name: Name, request: Request, doors: Here) -> Response:
    """Stream a body of any size. The answer means that the exact bytes are on stable storage.

    Send an Idempotency-Key to be able to repeat the request safely: the same key and bytes get the same receipt.
    """
    intake = await _intake(collection, name, request, doors)
    return _receipted(await receive(request, intake, doors), 201, doors)


def _receipted(receipt: Receipt, status: int, doors: Doors) -> Response:
    doors.metrics.receipts.labels(str(receipt.unchanged).lower()).inc()
    return JSONResponse(
        receipt.as_json(),
        200 if receipt.unchanged else status,
        {
            "ETag": headers.etag(receipt.digest),
            "Location": f"/v1/objects/{receipt.collection}/{quote(receipt.name)}",
            "Lithify-Revision": receipt.revision,
        },
    )


@router.post(
    _OBJECT,
    status_code=201,
    summary="Append to an object",
    responses={
        200: {"model": schema(Receipt), "description": "Durable, behind what was there; or the body was empty"},
        201: {
            "model": schema(Receipt),
            "description": "Durable; the object is new",
            "headers": openapi.PUT_ANSWER_HEADERS,
        },
        **openapi.refusals(
            NotFound,
            Conflict,
            PreconditionFailed,
            TooLarge,
            DigestMismatch,
            UploadIncomplete,
            UnsupportedEncoding,
            OutOfSpace,
        ),
    },
    openapi_extra={"parameters": openapi.PUT_HEADERS, "requestBody": openapi.BYTES_BODY},
)
@needs("write")
@straight
async def append(collection: Collection, name: Name, request: Request, doors: Here) -> Response:
    """Go on behind what the object holds, for as long as the body lasts: seconds, or days.

    What came is durable and readable at checkpoints, a few seconds apart, and stays whatever becomes of the rest; the
    receipt is the last one's. A body that announces its SHA-256, or has an Idempotency-Key, is taken whole or not
    at all, in one step. If-Match and If-None-Match are about the object as it is when the body begins to be kept.
    """
    wishes = _wishes(request)
    whole = wishes["digest"] is not None or wishes["idempotency_key"] is not None
    receipt, created = await grow(request, collection, name, doors, wishes, whole=whole)
    return _receipted(receipt, 201 if created else 200, doors)


async def _intake(collection: str, name: str, request: Request, doors: Doors) -> "Ingest":
    """Refuse whatever can be refused before the body is read."""
    wishes = _wishes(request)
    if wishes["if_match"] or wishes["if_none_match"]:  # these look into the catalog
        return await doors.run(doors.archive.ingest, collection, name, **wishes)
    return doors.archive.ingest(collection, name, **wishes)


def _wishes(request: Request) -> dict[str, Any]:
    """What the headers ask for, as `Ingest` is told; whatever is wrong with them alone is refused."""
    sent = dict(request.headers)
    encoding = sent.get("content-encoding", "identity").strip().lower()
    if encoding not in {"", "identity"}:
        raise UnsupportedEncoding(
            f"Content-Encoding {encoding[:40]!r}: send the bytes that are to be kept, as they are"
        )
    if "content-range" in sent:
        raise BadArgument("Content-Range: a part of an object cannot be put (RFC 9110 §14.5)")
    length = int(sent["content-length"]) if "content-length" in sent else None
    if length is not None and length > limits.UPLOAD_BYTES_MAX:
        raise TooLarge(f"{length} bytes announced; at most {limits.UPLOAD_BYTES_MAX}")
    return {
        "contract": sent.get("lithify-contract"),
        "effort": sent.get("lithify-effort"),
        "model": sent.get("lithify-model"),
        "content_type": sent.get("content-type"),
        "digest": headers.announced_digest(sent),
        "length": length,
        "idempotency_key": sent.get("idempotency-key"),
        "if_match": headers.required_digest(sent.get("if-match")),
        "if_none_match": headers.must_be_absent(sent.get("if-none-match")),
    }


@router.get(
    _OBJECT,
    summary="The bytes of an object",
    response_class=Response,
    responses={
        200: openapi.bytes_answer("The whole object"),
        206: openapi.bytes_answer("The range asked for"),
        304: {"description": "Unchanged: If-None-Match names this object"},
        **openapi.refusals(NotFound, RangeNotSatisfiable),
    },
    openapi_extra={"parameters": openapi.GET_HEADERS},
)
@needs("read")
async def get(collection: Collection, name: Name, request: Request, doors: Here, revision: Revision = None) -> Response:
    """Decode and stream; every chunk is checked before it leaves.

    One range is answered with 206; several are answered with the whole, as RFC 9110 §14.2 allows.
    """
    if "range" in request.headers or "if-none-match" in request.headers:
        view = await doors.run(doors.archive.stat, collection, name, revision)
        if headers.matches_tag(request.headers.get("if-none-match", ""), view.digest):
            return Response(None, 304, _describe(view))
        try:
            span = _span(view, request)
        except RangeNotSatisfiable as error:
            unsatisfied = {"Content-Range": f"bytes */{view.length}"}
            return answer(request, error, extra=unsatisfied)
        revision = view.revision
    else:
        span = None
    content, blocks = await doors.open(_open, doors, collection, name, revision, span)
    described = _describe(content.view)
    if span is not None:
        described["Content-Range"] = f"bytes {content.start}-{content.end - 1}/{content.view.length}"
    status = 200 if span is None else 206
    if len(blocks.first) < content.length:
        return BlocksResponse(blocks, doors, status, described, content.length)
    await doors.run(blocks.close)
    return Response(blocks.first, status, described)


@router.get(
    "/v1/original/{collection}/{name:path}",
    summary="What was put in, while it stands",
    response_class=Response,
    responses={200: openapi.bytes_answer("The original"), **openapi.refusals(NotFound)},
)
@needs("read")
async def original(collection: Collection, name: Name, doors: Here, revision: Revision = None) -> Response:
    """Every byte of it, though its contract lets something else come back; 404 once a sweep has taken the last copy."""
    content, blocks = await doors.open(_open_original, doors, collection, name, revision)
    described = _describe(content.view)
    if len(blocks.first) < content.length:
        return BlocksResponse(blocks, doors, 200, described, content.length)
    await doors.run(blocks.close)
    return Response(blocks.first, 200, described)


def _open_original(doors: Doors, collection: str, name: str, revision: str | None) -> tuple["Content", Blocks]:
    content = doors.archive.original(collection, name, revision=revision)
    return content, Blocks(iter(content), lambda: content.__exit__(None, None, None))


def _span(view: ObjectView, request: Request) -> tuple[int, int] | None:
    condition = request.headers.get("if-range")
    if condition is not None and not (_exact(view) and condition.strip() == headers.etag(view.digest)):
        return None  # a weak tag never matches here (RFC 9110 §13.1.5)
    return headers.byte_range(request.headers.get("range"), view.length)


def _open(
    doors: Doors, collection: str, name: str, revision: str | None, span: tuple[int, int] | None
) -> tuple["Content", Blocks]:
    start, end = span or (0, None)
    content = doors.archive.get(collection, name, revision=revision, start=start, end=end)
    return content, Blocks(iter(content), lambda: content.__exit__(None, None, None))


@router.head(
    _OBJECT,
    summary="What is known of an object, as headers",
    response_class=Response,
    responses={200: openapi.head_answer(), **openapi.refusals(NotFound)},
)
@needs("read")
async def head(collection: Collection, name: Name, doors: Here, revision: Revision = None) -> Response:
    """The headers that GET would send. Reads no bytes."""
    view = await doors.run(doors.archive.stat, collection, name, revision)
    return Response(None, 200, {**_describe(view), "Content-Length": str(view.length)})


def _content_type(view: ObjectView) -> str:
    """As it was given; what a header cannot carry (it came in by another door) is not guessed at."""
    found = view.content_type
    return found if found and found.isascii() else "application/octet-stream"


def _exact(view: ObjectView) -> bool:
    return view.fidelity == "exact"


def _describe(view: ObjectView) -> dict[str, str]:
    described = {
        "ETag": headers.etag(view.digest, exact=_exact(view)),
        "Last-Modified": formatdate(view.created_at, usegmt=True),
        "Accept-Ranges": "bytes",
        "Content-Type": _content_type(view),
        "Lithify-Revision": view.revision,
        "Lithify-Contract": view.contract,
        "Lithify-Codec": view.codec,
        # What people stored may be a page with a script; no browser shall run it in our name.
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
    }
    if _exact(view):
        described["Repr-Digest"] = headers.repr_digest(view.digest)
    return described


@router.delete(
    _OBJECT,
    summary="Take a name away, with all its revisions",
    responses={200: {"model": schema(ObjectView)}, **openapi.refusals(NotFound, PreconditionFailed)},
    openapi_extra={"parameters": openapi.IF_MATCH},
)
@needs("write")
async def remove(collection: Collection, name: Name, request: Request, doors: Here) -> Response:
    """Answers with what was there. The bytes are unlinked after the grace."""
    if_match = headers.required_digest(request.headers.get("if-match"))
    view = await doors.run(doors.archive.remove, collection, name, if_match=if_match)
    return JSONResponse(view.as_json())
