"""A tar archive taken apart: headers and padding on one side, members on the other."""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from lithify import limits

Read = Callable[[int, int], bytes]
"""Bytes from an offset on, so many; fewer where no more are known."""

_OCTAL = re.compile(b"[0-7]+")
_BLOCK = 512
_MAGIC_AT, _MAGIC = 257, b"ustar"
_NAME_END, _SIZE_AT, _SIZE_END, _TYPE_AT, _PREFIX_AT, _PREFIX_END = 100, 124, 136, 156, 345, 500
_MEMBER_BYTES_MIN = 64
_LONG_NAME, _LONG_LINK, _PAX, _PAX_OF_ALL = b"L", b"K", b"x", b"g"
_SAID_BYTES_MAX = 64 * limits.KIB
_PAX_PATH = re.compile(rb"(?:\A|\n)[0-9]+ path=([^\n]*)\n")
_GNU = b"ustar "
"""Where GNU's archives have other things than the first part of a name."""


class Member(NamedTuple):
    """A member, from `start` to `end`."""

    start: int
    end: int
    name: bytes


def is_tar(data: bytes) -> bool:
    """Whether these bytes begin as a tar archive does."""
    return data.startswith(_MAGIC, _MAGIC_AT)


def members(data: bytes) -> Iterator[tuple[int, int]]:
    """Where members lie, in order, as far as headers can be read; those of some bytes."""
    for member in named_members(lambda at, length: data[at : at + length], len(data)):
        if member.end - member.start >= _MEMBER_BYTES_MIN:
            yield member.start, member.end


def named_members(read: Read, length: int) -> Iterator[Member]:
    """Every member with its name. What only says more of the next member is none."""
    at, said = 0, b""
    while (header := read(at, _BLOCK)).startswith(_MAGIC, _MAGIC_AT):
        size, kind = _size(header[_SIZE_AT:_SIZE_END]), header[_TYPE_AT : _TYPE_AT + 1]
        start = at + _BLOCK
        if size is None or start + size > length:
            return
        if kind == _LONG_NAME:
            said = read(start, min(size, _SAID_BYTES_MAX)).rstrip(b"\0")
        elif kind == _PAX:
            found = _PAX_PATH.search(read(start, min(size, _SAID_BYTES_MAX)))
            said = found[1] if found else said
        elif kind not in {_LONG_LINK, _PAX_OF_ALL}:
            yield Member(start, start + size, said or _name(header))
            said = b""
        at = start + -(-size // _BLOCK) * _BLOCK


def _name(header: bytes) -> bytes:
    name, prefix = header[:_NAME_END].partition(b"\0")[0], header[_PREFIX_AT:_PREFIX_END].partition(b"\0")[0]
    return prefix + b"/" + name if prefix and not header.startswith(_GNU, _MAGIC_AT) else name


def _size(field: bytes) -> int | None:
    """The length of a member, in octal; None: written in a way that is not read here."""
    digits = field.strip(b" \0")
    if not digits:
        return 0
    return int(digits, 8) if _OCTAL.fullmatch(digits) else None
