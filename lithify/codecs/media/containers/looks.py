"""What a piece of an original looks like: with which others it is kept, and which codecs may be made for it."""

import enum
import re

from lithify import limits
from lithify.codecs.line_times import line_time

LOG_KINDS = frozenset({"log", "json-lines"})
TEXT_KINDS = frozenset({"json", "csv", "markup", "code", "prose", "text"})
NUMERIC_KINDS = TEXT_KINDS | LOG_KINDS
BINARY_KINDS = frozenset({"binary", "executable", "opaque"})
UNSIGNED_KINDS = frozenset({LOG_KINDS, TEXT_KINDS, NUMERIC_KINDS, BINARY_KINDS})
"""Of what does not begin as any known form does."""
_ALONE_BYTES, _TEXT_ALONE_BYTES = 64 * limits.KIB, 512 * limits.KIB
"""So much is kept on its own, by whichever codec is best for it; less is kept with others of its look. What one text
says helps with the next, which a log or a table seldom does."""
_LOOK_BYTES = 4 * limits.KIB
_CONTROL_MAX = 0.01
_LOG_LINES, _LOG_LINES_MIN, _LOG_SHARE = 20, 4, 0.5
"""Of so many lines at the beginning, how many must say when they were written, or be an object each."""

_SIGNATURES: tuple[tuple[int, bytes, frozenset[str]], ...] = (
    (0, b"\xff\xd8\xff", frozenset({"image"})),
    (0, b"\x89PNG\r\n\x1a\n", frozenset({"image"})),
    (0, b"GIF8", frozenset({"image"})),
    (257, b"ustar", frozenset({"archive"})),
    (0, b"II*\0", frozenset({"image", "array"})),
    (0, b"MM\0*", frozenset({"image", "array"})),
    (0, b"II+\0", frozenset({"image", "array"})),
    (0, b"MM\0+", frozenset({"image", "array"})),
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
    (344, b"n+1\0", frozenset({"array"})),
    (4, b"n+2\0\r\n\x1a\n", frozenset({"array"})),
    (0, b"RIFF", frozenset({"audio", "video", "image"})),
    (0, b"FORM", frozenset({"audio"})),
)
_DIGITS = b"0123456789"
_DIGIT_SHARE = 0.25
"""Text of so many digits is drawings and tables: columns may do better than words."""
_CONTROLS = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")


class Look(enum.IntEnum):
    """With what a short piece is kept; `ALONE`: with nothing."""

    SKELETON = 0
    TEXT = 1
    MARKUP = 2
    BINARY = 3
    LOG = 4
    NUMERIC = 5
    ALONE = 6


_LOOKS = {BINARY_KINDS: Look.BINARY, LOG_KINDS: Look.LOG, NUMERIC_KINDS: Look.NUMERIC, TEXT_KINDS: Look.TEXT}


def kinds_of(data: bytes) -> frozenset[str]:
    """The kinds that these bytes may be of, in the words of the codecs' facts."""
    for offset, magic, kinds in _SIGNATURES:
        if data.startswith(magic, offset):
            return kinds
    if not _is_text(data):
        return BINARY_KINDS
    if _is_log(data):
        return LOG_KINDS
    return NUMERIC_KINDS if _is_numeric(data) else TEXT_KINDS


def look_at(data: bytes) -> Look:
    """With what a piece is kept."""
    kinds = kinds_of(data)
    if len(data) >= (_TEXT_ALONE_BYTES if kinds is TEXT_KINDS else _ALONE_BYTES) or kinds not in _LOOKS:
        return Look.ALONE
    if kinds is not TEXT_KINDS:
        return _LOOKS[kinds]
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


def _is_log(data: bytes) -> bool:
    lines = data[: 4 * _LOOK_BYTES].split(b"\n")[:-1][:_LOG_LINES]
    written = sum(
        (line.startswith(b"{") and line.rstrip().endswith(b"}")) or line_time(line) is not None for line in lines
    )
    return len(lines) >= _LOG_LINES_MIN and written >= _LOG_SHARE * len(lines)


def _is_numeric(data: bytes) -> bool:
    head = data[:_LOOK_BYTES]
    return len(head) - len(head.translate(None, _DIGITS)) >= _DIGIT_SHARE * len(head)
