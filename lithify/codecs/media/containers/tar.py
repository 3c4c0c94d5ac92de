"""A tar archive taken apart: headers and padding on one side, members on the other."""

import re
from collections.abc import Iterator

_OCTAL = re.compile(b"[0-7]+")
_BLOCK = 512
_MAGIC_AT, _MAGIC = 257, b"ustar"
_SIZE_AT, _SIZE_END = 124, 136
_MEMBER_BYTES_MIN = 64


def is_tar(data: bytes) -> bool:
    """Whether these bytes begin as a tar archive does."""
    return data.startswith(_MAGIC, _MAGIC_AT)


def members(data: bytes) -> Iterator[tuple[int, int]]:
    """Where members lie, in order, as far as headers can be read."""
    at = 0
    while data.startswith(_MAGIC, at + _MAGIC_AT):
        size = _size(data[at + _SIZE_AT : at + _SIZE_END])
        start = at + _BLOCK
        if size is None or start + size > len(data):
            return
        if size >= _MEMBER_BYTES_MIN:
            yield start, start + size
        at = start + -(-size // _BLOCK) * _BLOCK


def _size(field: bytes) -> int | None:
    """The length of a member, in octal; None: written in a way that is not read here."""
    digits = field.strip(b" \0")
    if not digits:
        return 0
    return int(digits, 8) if _OCTAL.fullmatch(digits) else None
