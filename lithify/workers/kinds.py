"""What an original is, at a glance: its first bytes and its name, in well under a millisecond.

Used for every object at ingest, to choose the queue its job waits in, and again by a probe. A wrong answer costs ratio,
never bytes: every codec is tried on what is really there. Our own look comes first (signatures.py for formats with a
signature, lines.py for text); `puremagic`, which knows hundreds more, takes 0.5 ms and is asked only about binary data
that we do not recognise.
"""

import zlib
from dataclasses import dataclass

from lithify import limits
from lithify.workers.lines import look_at_text
from lithify.workers.signatures import Found, from_name, from_signature

QUEUES = {
    "log": "logs",
    "json-lines": "logs",
    "json": "text",
    "csv": "text",
    "markup": "text",
    "code": "text",
    "prose": "text",
    "text": "text",
    "array": "arrays",
    "image": "media",
    "audio": "media",
    "video": "media",
    "document": "general",
    "archive": "general",
    "database": "general",
    "executable": "general",
    "binary": "general",
    "opaque": "general",
    "empty": "general",
}
"""Every kind there is, and the queue whose workers have the codecs for it."""


def queue_of(kind: str) -> str:
    """The queue of a kind, also of one that another release knew."""
    return QUEUES.get(kind, "general")


_UNKNOWN = "application/octet-stream"
_SAMPLE_BYTES = 64 * limits.KIB
_ENTROPY_BYTES = 4 * limits.KIB
_ENTROPY_BYTES_MIN = 256
_OPAQUE_RATIO = 0.98
_SURE = 0.4  # puremagic's confidence for a signature of four bytes


@dataclass(frozen=True, slots=True)
class Kind:
    """What something is."""

    kind: str
    queue: str
    mime: str
    reason: str
    """How we know, as a sentence for people."""


def look(sample: bytes, name: str | None = None, length: int | None = None) -> Kind:
    """The kind of an original that begins with `sample`. Never raises, whatever the bytes.

    name    what it is called; believed only where the bytes leave it open
    length  of the whole original; None: `sample` is all of it
    """
    if not sample:
        return _kind("empty", _UNKNOWN, "there are no bytes")
    head = sample[:_SAMPLE_BYTES]
    whole = len(head) == (len(sample) if length is None else length)
    name = (name or "").rsplit("/", 1)[-1].lower()
    found = (
        from_signature(head)
        or look_at_text(head, name, whole=whole)
        or from_name(name)
        or _measure(head)
        or _ask_library(head)
        or ("binary", _UNKNOWN, "binary data of no known form")
    )
    return _kind(*found)


def _kind(kind: str, mime: str, reason: str) -> Kind:
    return Kind(kind, QUEUES[kind], mime, reason)


def _measure(head: bytes) -> Found | None:
    """Bytes that zlib cannot make shorter are compressed or encrypted, and no library would know by what."""
    piece = head[:_ENTROPY_BYTES]
    if len(piece) >= _ENTROPY_BYTES_MIN and len(zlib.compress(piece, 1)) >= _OPAQUE_RATIO * len(piece):
        return "opaque", _UNKNOWN, "its bytes look random: compressed or encrypted"
    return None


def _ask_library(head: bytes) -> Found | None:
    """What puremagic makes of it; whatever it raises means that it does not know."""
    try:
        import puremagic

        best = puremagic.magic_string(head)[0]
        confidence, mime, title = float(best.confidence), str(best.mime_type), str(best.name)
    except Exception:  # noqa: BLE001 - a library that guesses at hostile bytes may fail as it likes
        return None
    if confidence < _SURE:
        return None
    top = mime.partition("/")[0]
    kind = top if top in {"image", "audio", "video"} else "binary"
    return kind, mime or _UNKNOWN, f"its first bytes are those of {title or mime}"
