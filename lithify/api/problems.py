"""Errors at the doors: as RFC 9457 documents, and back, so that the client raises what the archive would have raised.

Which error has which status and exit code is written on the classes in lithify/errors.py and nowhere else;
docs/errors.md shows it as one table.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lithify.errors import (
    BY_CODE,
    BadArgument,
    Conflict,
    LithifyError,
    NotAllowed,
    NotFound,
    NotNow,
    PreconditionFailed,
    RangeNotSatisfiable,
    Refused,
    StoreUnavailable,
    TooLarge,
    Unauthenticated,
    UnsupportedEncoding,
    UploadIncomplete,
)

if TYPE_CHECKING:
    from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:lithify:problem:"
REQUEST_PREFIX = "urn:lithify:request:"
RETRY_AFTER_SECONDS = 1

_OF_STATUS: dict[int, type[LithifyError]] = {
    400: BadArgument,
    401: Unauthenticated,
    403: NotAllowed,
    404: NotFound,
    405: Refused,
    408: UploadIncomplete,
    409: Conflict,
    412: PreconditionFailed,
    413: TooLarge,
    415: UnsupportedEncoding,
    416: RangeNotSatisfiable,
    422: BadArgument,
    429: NotNow,
    431: TooLarge,
    502: StoreUnavailable,
    503: NotNow,
    504: StoreUnavailable,
}
"""What an answer means when it did not come from our own handlers: the router's, a proxy's, a parser's."""


def _title(error: type[LithifyError]) -> str:
    return (error.__doc__ or "").strip().splitlines()[0]


def document(error: LithifyError, *, status: int | None = None, instance: str = "unknown") -> dict[str, Any]:
    """The problem document of an error; `instance` is the request as the log names it."""
    return {
        "type": TYPE_PREFIX + error.code,
        "title": _title(type(error)),
        "status": status or error.http_status,
        "detail": error.message,
        "code": error.code,
        "instance": REQUEST_PREFIX + instance,
    }


def headers(error: LithifyError) -> dict[str, str]:
    """What an answer with this error must carry beside its document."""
    if isinstance(error, Unauthenticated):
        return {"WWW-Authenticate": 'Bearer realm="lithify"'}
    if isinstance(error, NotNow):
        return {"Retry-After": str(RETRY_AFTER_SECONDS)}
    if isinstance(error, UnsupportedEncoding):
        return {"Accept-Encoding": "identity"}
    return {}


def answer(
    error: LithifyError,
    *,
    status: int | None = None,
    instance: str = "unknown",
    extra: Mapping[str, str] | None = None,
) -> "Response":
    """The HTTP answer for an error."""
    from starlette.responses import JSONResponse

    found = document(error, status=status, instance=instance)
    return JSONResponse(found, found["status"], headers={**headers(error), **(extra or {})}, media_type=MEDIA_TYPE)


def of_status(status: int, detail: str = "") -> LithifyError:
    """The error that a bare HTTP status stands for."""
    kind = _OF_STATUS.get(status) or (Refused if status < 500 else LithifyError)
    return kind(detail)


def error_from(status: int, body: bytes) -> LithifyError:
    """The error that a server answered with, as the local archive would have raised it."""
    import json

    try:
        found = json.loads(body)
        return BY_CODE[found["code"]](str(found["detail"]))
    except (ValueError, KeyError, TypeError, RecursionError):
        return of_status(status, f"the server answered {status}, with no problem document")
