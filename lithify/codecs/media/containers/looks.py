"""What a piece of an original looks like: with which others it is kept, and which codecs may be made for it."""

import enum
import re

from lithify import limits

TEXT_KINDS = frozenset({"log", "json-lines", "json", "csv", "markup", "code", "prose", "text"})
BINARY_KINDS = frozenset({"binary", "executable", "opaque"})
_ALONE_BYTES = 64 * limits.KIB
"""So much is kept on its own, by whichever codec is best for it; less is kept with others of its look."""
_LOOK_BYTES = 4 * limits.KIB
_CONTROL_MAX = 0.01

_SIGNATURES: tuple[tuple[int, bytes, frozenset[str]], ...] = (
    (0, b"\xff\xd8\xff", frozenset({"image"})),
    (0, b"\x89PNG\r\n\x1a\n", frozenset({"image"})),
    (0, b"II*\0", frozenset({"image"})),
    (0, b"MM\0*", frozenset({"image"})),
    (0, b"BM", frozenset({"image"})),
    (128, b"DICM", frozenset({"image"})),
    (0, b"%PDF-", frozenset({"document"})),
    (0, b"PK\x03\x04", frozenset({"archive", "document", "array"})),
    (0, b"\x1f\x8b\x08", frozenset({"archive", "array", "image"})),
    (0, b"\x89HDF\r\n\x1a\n", frozenset({"array"})),
    (0, b"CDF\x01", frozenset({"array"})),
    (0, b"CDF\x02", frozenset({"array"})),
    (0, b"CDF\x05", frozenset({"array"})),
    (0, b"\x93NUMPY", frozenset({"array"})),
    (0, b"GRIB", frozenset({"array"})),
    (0, b"SIMPLE  =", frozenset({"array", "image"})),
    (0, b"RIFF", frozenset({"audio", "video", "image"})),
    (0, b"FORM", frozenset({"audio"})),
)
_CONTROLS = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")


class Look(enum.IntEnum):
    """With what a short piece is kept; `ALONE`: with nothing."""

    SKELETON = 0
    TEXT = 1
    MARKUP = 2
    BINARY = 3
    ALONE = 4


def kinds_of(data: bytes) -> frozenset[str]:
    """The kinds that these bytes may be of, in the words of the codecs' facts."""
    for offset, magic, kinds in _SIGNATURES:
        if data.startswith(magic, offset):
            return kinds
    return TEXT_KINDS if _is_text(data) else BINARY_KINDS


def look_at(data: bytes) -> Look:
    """With what a piece is kept."""
    kinds = kinds_of(data)
    if len(data) >= _ALONE_BYTES or not (kinds is TEXT_KINDS or kinds is BINARY_KINDS):
        return Look.ALONE
    if kinds is BINARY_KINDS:
        return Look.BINARY
    return Look.MARKUP if data.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<") else Look.TEXT


def _is_text(data: bytes) -> bool:
    head = data[:_LOOK_BYTES]
    if len(_CONTROLS.findall(head)) > _CONTROL_MAX * len(head):
        return False
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return error.start >= len(head) - 3 or sum(byte >= 0x80 for byte in head) < len(head) // 8
    return True
