"""What HTTP headers say about bytes: digests, ranges, validators and conditions. Pure functions, no I/O."""

import base64
import binascii
import re
from collections.abc import Mapping

from lithify.errors import BadArgument, RangeNotSatisfiable

_HEX = re.compile(r"[0-9a-fA-F]{64}")
_STRUCTURED_SHA256 = re.compile(r"\s*sha-256\s*=\s*:([A-Za-z0-9+/=]*):", re.IGNORECASE)
_LEGACY_SHA256 = re.compile(r"\s*sha-256\s*=\s*([A-Za-z0-9+/=]+)\s*", re.IGNORECASE)
_RANGE = re.compile(r"bytes=\s*(\d{0,19})\s*-\s*(\d{0,19})\s*", re.IGNORECASE)
_TAG = re.compile(r'(W/)?"([^"]*)"')


def announced_digest(headers: Mapping[str, str]) -> str | None:
    """The SHA-256 (hex) that the sender says the body has, or None.

    Read from Content-SHA256 (hex), Repr-Digest or Content-Digest (RFC 9530) and Digest (RFC 3230). Other algorithms are
    left alone, as those documents ask. Raises BadArgument when two headers disagree or one cannot be read.
    """
    found = {
        digest
        for name in ("content-sha256", "repr-digest", "content-digest", "digest")
        if (text := headers.get(name)) is not None and (digest := _one_digest(name, text)) is not None
    }
    if len(found) > 1:
        raise BadArgument("the digest headers disagree; send one of Content-SHA256, Repr-Digest, Content-Digest")
    return found.pop() if found else None


def _one_digest(name: str, text: str) -> str | None:
    if name == "content-sha256":
        if not _HEX.fullmatch(text.strip()):
            raise BadArgument(f"Content-SHA256: expected 64 hex digits, found {len(text.strip())} characters")
        return text.strip().lower()
    pattern = _LEGACY_SHA256 if name == "digest" else _STRUCTURED_SHA256
    members = [part for part in text.split(",") if part.lstrip().lower().startswith("sha-256")]
    if not members:
        return None
    matched = [pattern.match(member) for member in members]
    try:
        digests = {base64.b64decode(match[1], validate=True) for match in matched if match}
    except binascii.Error as error:
        raise BadArgument(f"{name}: the sha-256 value is not base64") from error
    if None in matched or len(digests) != 1 or len(digest := digests.pop()) != 32:
        raise BadArgument(f"{name}: expected one sha-256 value of 32 bytes, in base64")
    return digest.hex()


def repr_digest(digest: str) -> str:
    """`sha-256=:…:` of a hex digest."""
    return f"sha-256=:{base64.b64encode(bytes.fromhex(digest)).decode()}:"


def digest_of(repr_digest_header: str | None) -> str | None:
    """The hex digest in a Repr-Digest header that `repr_digest` made."""
    return None if repr_digest_header is None else _one_digest("repr-digest", repr_digest_header)


def etag(digest: str, *, exact: bool = True) -> str:
    """The entity tag of an object: its digest; weak when the bytes given back may differ from the original's."""
    return f'"{digest}"' if exact else f'W/"{digest}"'


def matches_tag(header: str, digest: str) -> bool:
    """Whether an If-None-Match header of a GET names this digest (weak comparison, RFC 9110 §13.1.2)."""
    return header.strip() == "*" or any(tag == digest for _, tag in _TAG.findall(header))


def required_digest(if_match: str | None) -> str | None:
    """What If-Match asks the object's digest to be: None (nothing), `*` (any), or one digest. Raises BadArgument."""
    if if_match is None or if_match.strip() == "*":
        return if_match and "*"
    found = _TAG.fullmatch(if_match.strip())
    if found is None or found[1] or not _HEX.fullmatch(found[2]):
        raise BadArgument('If-Match: expected * or one strong tag as in the ETag header ("<SHA-256 in hex>")')
    return found[2].lower()


def must_be_absent(if_none_match: str | None) -> bool:
    """Whether a PUT asks that the object not exist. Raises BadArgument for anything but `*`."""
    if if_none_match is not None and if_none_match.strip() != "*":
        raise BadArgument("If-None-Match: only * is understood on PUT; use If-Match to replace a known revision")
    return if_none_match is not None


def byte_range(header: str | None, length: int) -> tuple[int, int] | None:
    """The half-open span that a Range header asks for; None when all of it is to be sent.

    Several ranges, other units and malformed ones are ignored, as RFC 9110 §14.2 allows: a multipart answer is larger
    and slower than the whole for what we keep, and no client we know of needs one. Raises RangeNotSatisfiable.
    """
    found = _RANGE.fullmatch(header) if header else None
    if found is None or (not found[1] and not found[2]):
        return None
    if not found[1]:
        return _suffix(int(found[2]), length)
    first = int(found[1])
    last = int(found[2]) if found[2] else length - 1
    if found[2] and last < first:
        return None
    if first >= length:
        raise RangeNotSatisfiable(f"the range begins at byte {first}; the object has {length} bytes")
    return first, min(last + 1, length)


def _suffix(count: int, length: int) -> tuple[int, int] | None:
    if count == 0:
        raise RangeNotSatisfiable("the range asks for the last 0 bytes")
    return (max(0, length - count), length) if length else None
