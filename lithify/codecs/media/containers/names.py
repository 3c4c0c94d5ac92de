"""What the members of an archive are called, as its own headers say: they lie in what is left of a container.

Nothing is opened for it: the bytes that are kept plainly are laid out where they belong, with gaps for all else, and
the headers are read from them.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from lithify import limits
from lithify.codecs.inside import Member
from lithify.codecs.media.containers.find import gzip_header, local_header
from lithify.codecs.media.containers.layout import Piece
from lithify.codecs.media.containers.tar import is_tar, named_members

_LOCAL = re.compile(rb"PK\x03\x04")
_GZIP, _GZIP_BYTES_MAX = b"\x1f\x8b\x08", 8 * limits.KIB
_TAR_HEAD = 512
_LEFT_OUT = "…"


@dataclass
class _Laid:
    """Pieces one behind another, of streams their plain bytes; known is only what lies in the first group."""

    starts: list[int] = field(default_factory=list)
    known: list[bytes] = field(default_factory=list)
    length: int = 0

    def read(self, at: int, length: int) -> bytes:
        """So many bytes, or as many of them as are known in one stretch."""
        number = bisect_right(self.starts, at) - 1
        if number < 0:
            return b""
        offset = at - self.starts[number]
        return self.known[number][offset : offset + length]


def names_of(pieces: Sequence[Piece], group: int, known: bytes) -> dict[int, list[Member]]:
    """By group, the members whose names could be read, in order; `known` are the bytes of one `group`."""
    laid = _laid(pieces, group, known)
    named = _named(pieces, laid)
    found: dict[int, list[Member]] = {}
    at = 0
    for piece in pieces:
        for segment in piece.segments:
            if segment.group != group and at in named:
                found.setdefault(segment.group, []).append(Member(named.pop(at)[0], segment.length))
            at += segment.length
    for name, length in (named[start] for start in sorted(named)):
        if length:
            found.setdefault(group, []).append(Member(name, length))
    return found


def _laid(pieces: Sequence[Piece], group: int, known: bytes) -> _Laid:
    laid, taken = _Laid(), 0
    for piece in pieces:
        for segment in piece.segments:
            if segment.group == group:
                laid.starts.append(laid.length)
                laid.known.append(known[taken : taken + segment.length])
                taken += segment.length
            laid.length += segment.length
    return laid


Named = dict[int, tuple[bytes, int]]
"""By where members begin: the name and, as far as a header says, the length of each."""


def _named(pieces: Sequence[Piece], laid: _Laid) -> dict[int, tuple[str, int]]:
    named: Named = {}
    for start, known in zip(laid.starts, laid.known, strict=True):
        named |= {start + at: told for at, told in _in_stretch(known)}
        if len(named) > limits.CONTENTS_MAX:
            break
    shown = {at: (safe_name(name), length) for at, (name, length) in named.items() if name}
    for base in dict.fromkeys([*_beginnings(pieces)]):
        if is_tar(laid.read(base, _TAR_HEAD)):
            around = f"{shown[base][0]}/" if base in shown else ""
            shown |= {at: (_cut(around + safe_name(name)), length) for at, (name, length) in _in_tar(laid, base)}
        if len(shown) > limits.CONTENTS_MAX:
            break
    return shown


def _in_stretch(known: bytes) -> Iterator[tuple[int, tuple[bytes, int]]]:
    """The members whose headers stand in these bytes; gzip has one for the stream behind them."""
    for sign in islice(_LOCAL.finditer(known), limits.CONTENTS_MAX):
        header = local_header(known, sign.start())
        if header is not None and header.start <= len(known):
            yield header.start, (header.name, min(header.stored, len(known) - header.start))
    at = known.rfind(_GZIP, max(0, len(known) - _GZIP_BYTES_MAX))
    name, end = gzip_header(known, at) if at >= 0 else (b"", 0)
    if end == len(known):
        yield end, (name, 0)


def _in_tar(laid: _Laid, base: int) -> Iterator[tuple[int, tuple[bytes, int]]]:
    found = named_members(lambda at, length: laid.read(base + at, length), laid.length - base)
    for member in islice(found, limits.CONTENTS_MAX):
        yield base + member.start, (member.name, member.end - member.start)


def _beginnings(pieces: Sequence[Piece]) -> Iterator[int]:
    """Where archives may begin: with the first piece, or behind the rest of what an earlier part has; in streams."""
    at = 0
    for number, piece in enumerate(pieces):
        if number < 2 or piece.recipe_length is not None:
            yield at
        at += piece.length


def safe_name(name: bytes) -> str:
    """A name as people may see it: what is no text, or moves cursors, is spelled out; long ones are cut."""
    text = name[: 4 * limits.MEMBER_NAME_MAX].decode(errors="backslashreplace")
    if not text.isprintable():
        text = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
    return _cut(text)


def _cut(name: str) -> str:
    return name if len(name) <= limits.MEMBER_NAME_MAX else name[: limits.MEMBER_NAME_MAX - 1] + _LEFT_OUT
