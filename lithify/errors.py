"""Every error lithify raises on purpose: whose fault it is, whether a retry can help, what to do now.

LithifyError                    `.code` is stable and documented; the docstring is the sentence a user sees
├─ Refused                      the request is wrong; nothing changed; never retry             exit 2
│   ├─ BadName  BadArgument  NotFound  NotAllowed  Unauthenticated  Conflict  PreconditionFailed
│   └─ TooLarge  DigestMismatch  RangeNotSatisfiable  UploadIncomplete  UnsupportedEncoding  MissingExtra
├─ BadBytes                     stored or sent bytes are wrong; never retry                    exit 3
│   └─ Truncated  Corrupt  UnknownFormat  LimitExceeded  MissingPrimer  MissingModel
├─ Unsound                      this installation does not compute what it must; install again exit 70
├─ FidelityBroken               the encoding is fine and does not keep the contract            exit 4
├─ NotNow                       the world is in the way; retry with backoff                    exit 75
│   └─ OutOfSpace  OutOfMemory  TimedOut  Unserved  Busy  StoreUnavailable  CodecCrashed  Cancelled
└─ Fenced                       another worker holds a newer token; stop quietly               exit 75
"""

from typing import ClassVar


class LithifyError(Exception):
    """Something went wrong inside lithify."""

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 70
    http_status: ClassVar[int] = 500

    def __init__(self, message: str = "") -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())

    @property
    def message(self) -> str:
        """The sentence for the user: the thing, the place, what was expected and what was found."""
        return str(self.args[0])


class Refused(LithifyError):
    """The request is wrong; nothing was changed."""

    code = "refused"
    exit_code = 2
    http_status = 400


class BadName(Refused):
    """The name cannot be used."""

    code = "bad_name"


class BadArgument(Refused):
    """An argument is not understood."""

    code = "bad_argument"


class NotFound(Refused):
    """There is nothing of that name."""

    code = "not_found"
    http_status = 404


class Unauthenticated(Refused):
    """A valid API key is needed."""

    code = "unauthenticated"
    http_status = 401


class NotAllowed(Refused):
    """The API key does not allow this."""

    code = "not_allowed"
    http_status = 403


class Conflict(Refused):
    """The request contradicts what is already there."""

    code = "conflict"
    http_status = 409


class PreconditionFailed(Refused):
    """The object is not in the state the request asked for."""

    code = "precondition_failed"
    http_status = 412


class TooLarge(Refused):
    """The request is larger than this server takes."""

    code = "too_large"
    http_status = 413


class RangeNotSatisfiable(Refused):
    """The range lies outside the object."""

    code = "range_not_satisfiable"
    http_status = 416


class DigestMismatch(Refused):
    """The bytes received are not the bytes announced."""

    code = "digest_mismatch"
    http_status = 422


class UploadIncomplete(Refused):
    """The body ended early, or nothing more of it came for too long."""

    code = "upload_incomplete"
    http_status = 408


class UnsupportedEncoding(Refused):
    """The body is wrapped in a Content-Encoding; send the bytes that are to be kept."""

    code = "unsupported_encoding"
    http_status = 415


class MissingExtra(Refused):
    """An optional part of lithify is needed and not installed."""

    code = "missing_extra"
    http_status = 501


class BadBytes(LithifyError):
    """Stored or sent bytes are wrong."""

    code = "bad_bytes"
    exit_code = 3
    http_status = 500


class Truncated(BadBytes):
    """The bytes end too early."""

    code = "truncated"


class Corrupt(BadBytes):
    """The bytes are not what was written."""

    code = "corrupt"


class UnknownFormat(BadBytes):
    """The format, or its version, is not one this release can read."""

    code = "unknown_format"


class LimitExceeded(BadBytes):
    """The bytes ask for more than lithify/limits.py allows."""

    code = "limit_exceeded"


class MissingPrimer(BadBytes):
    """The frame needs a primer that is not at hand."""

    code = "missing_primer"


class MissingModel(BadBytes):
    """The frame needs a language model that is not at hand."""

    code = "missing_model"


class Unsound(LithifyError):
    """This installation does not compute what it must."""

    code = "unsound"


class FidelityBroken(LithifyError):
    """The encoding does not keep the contract; the original was kept."""

    code = "fidelity_broken"
    exit_code = 4


class NotNow(LithifyError):
    """The world is in the way; trying again later may work."""

    code = "not_now"
    exit_code = 75
    http_status = 503


class OutOfSpace(NotNow):
    """The disk is full."""

    code = "out_of_space"
    http_status = 507


class OutOfMemory(NotNow):
    """A codec needed more memory than it may have."""

    code = "out_of_memory"


class TimedOut(NotNow):
    """A codec took longer than it may."""

    code = "timed_out"


class Unserved(NotNow):
    """No worker takes the job that is waited for."""

    code = "unserved"


class Busy(NotNow):
    """Somebody else holds what is needed."""

    code = "busy"


class StoreUnavailable(NotNow):
    """The store cannot be reached or written."""

    code = "store_unavailable"


class CodecCrashed(NotNow):
    """A codec's process ended without an answer."""

    code = "codec_crashed"


class Cancelled(NotNow):
    """The job was cancelled."""

    code = "cancelled"


class Fenced(LithifyError):
    """Another worker holds a newer token for this job."""

    code = "fenced"
    exit_code = 75
    http_status = 409


def _family(root: type[LithifyError]) -> list[type[LithifyError]]:
    return [root, *(error for child in root.__subclasses__() for error in _family(child))]


BY_CODE: dict[str, type[LithifyError]] = {error.code: error for error in _family(LithifyError)}
