"""An original opened: pieces, recipes, and groups of bytes that are kept together."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lithify import limits
from lithify.codecs.codec import Codec, Effort
from lithify.codecs.media.containers.find import Found, Walk
from lithify.codecs.media.containers.layout import Piece, Segment, pack_table
from lithify.codecs.media.containers.looks import Look, look_at
from lithify.codecs.media.containers.nested import Prepare, pack_part
from lithify.codecs.media.containers.recalled import NEW, Recalled
from lithify.codecs.media.containers.tar import is_tar, members
from lithify.codecs.reasons import give_reason
from lithify.codecs.varints import varint

if TYPE_CHECKING:
    from lithify.codecs.media.containers.codec import Budget

_GROUPS_MAX = 256
"""Pieces that are kept alone; further ones are kept with others, whatever they look like."""
_TEXTS = frozenset({Look.TEXT, Look.MARKUP, Look.NUMERIC})
_MIXED_BYTES_MAX = 8 * limits.MIB
"""Of short texts, in groups that effort `default` mixes (14 to 32 s in all); what is beyond is one group for others."""


@dataclass
class Opened:
    """What an original consists of."""

    pieces: list[Piece] = field(default_factory=list)
    recipes: list[bytes] = field(default_factory=list)
    groups: list[list[bytes]] = field(default_factory=list)
    effort: Effort = "default"
    _shared: dict[Look, int] = field(default_factory=dict)
    _bytes: list[int] = field(default_factory=list)
    """Of each group."""
    _mixed: int = 0
    """Bytes of text in groups of a length that a slow codec is tried on."""
    _recalled: Recalled = field(default_factory=Recalled)

    def add_raw(self, data: bytes) -> None:
        """Bytes between what was found."""
        if data:
            self.pieces.append(Piece((self._put(data, Look.SKELETON),)))

    def add_found(self, data: bytes, found: Found) -> None:
        """What was found."""
        if found.opened is None:
            member = data[found.start : found.end]
            self.pieces.append(Piece((self._put(member, look_at(member)),)))
            return
        plain, recipe = found.opened.plain, found.opened.recipe
        segments = tuple(self._put(part, look) for part, look in _parts(plain))
        rank = self._recalled.rank(recipe)
        told = recipe if rank == NEW else b""
        self.pieces.append(Piece(segments, len(told), found.trailer, rank))
        self.recipes.append(told)

    def _put(self, data: bytes, look: Look) -> Segment:
        if look == Look.ALONE and len(self.groups) >= _GROUPS_MAX:
            look = Look.BINARY
        if look == Look.ALONE or look not in self._shared or self._is_full(look, len(data)):
            self.groups.append([])
            self._bytes.append(0)
            group = len(self.groups) - 1
            if look != Look.ALONE:
                self._shared[look] = group
        else:
            group = self._shared[look]
        self.groups[group].append(data)
        self._bytes[group] += len(data)
        return Segment(group, len(data))

    def _is_full(self, look: Look, more: int) -> bool:
        """Whether `more` bytes would make a group of texts longer than effort `default` mixes inside archives."""
        if self.effort != "default" or look not in _TEXTS or self._mixed + more > _MIXED_BYTES_MAX:
            return False
        full = self._bytes[self._shared[look]] + more > limits.TEXT_INSIDE_BYTES_MAX
        self._mixed += self._bytes[self._shared[look]] if full else 0
        return full

    def packed(self, within: Prepare) -> bytes:
        """The payload behind its first byte."""
        effort = self.effort
        table = pack_table(self.pieces)
        skeleton = self._shared.get(Look.SKELETON)
        parts = [varint(len(table)), pack_part(table, effort, _plainly)]
        parts.append(pack_part(b"".join(self.recipes), effort, _plainly))
        for number, group in enumerate(self.groups):
            pieces = list(_cut(b"".join(group)))
            parts.append(varint(len(pieces)))
            for piece in pieces:
                parts += [varint(len(piece)), pack_part(piece, effort, _plainly if number == skeleton else within)]
        return b"".join(parts)


def open_all(original: bytes, budget: "Budget", effort: Effort) -> Opened | None:
    """An original opened; None if there is nothing inside."""
    opened, at, walk = Opened(effort=effort), 0, Walk(original, budget.plain_left)
    for found in walk.found():
        opened.add_raw(original[at : found.start])
        opened.add_found(original, found)
        at = found.end
    budget.plain_left = walk.plain_left
    _say_what_stays(walk)
    if at == 0:
        return None
    opened.add_raw(original[at:])
    return opened


def _say_what_stays(walk: Walk) -> None:
    """Streams that were seen and not opened."""
    if walk.closed:
        count, size = len(walk.closed), sum(walk.closed)
        give_reason(f"{count} deflate streams of {size} bytes stay as they are: no known way of deflating comes near")
    if walk.beyond:
        give_reason(f"streams of more than {walk.plain_left} plain bytes stay as they are: no more may be opened")
    if walk.garbage_left <= 0:
        give_reason("the search for streams was given up: too much looked like one and was none")


def _parts(plain: bytes) -> Iterator[tuple[bytes, Look]]:
    """A stream's plain bytes: the members of a tar archive one by one, anything else as a whole."""
    if not is_tar(plain):
        yield plain, look_at(plain)
        return
    at = 0
    for start, end in members(plain):
        if start > at:
            yield plain[at:start], Look.SKELETON
        yield plain[start:end], look_at(plain[start:end])
        at = end
    if at < len(plain):
        yield plain[at:], Look.SKELETON


def _cut(data: bytes) -> Iterator[bytes]:
    """A group in pieces of at most limits.PART_BYTES, that end at line ends where there are any."""
    at = 0
    while len(data) - at > limits.PART_BYTES:
        end = at + limits.PART_BYTES
        line_end = data.rfind(b"\n", end - limits.SEAM_BYTES, end)
        end = line_end + 1 if line_end >= 0 else end
        yield data[at:end]
        at = end
    yield data[at:]


def _plainly(codec: Codec) -> Codec | None:
    """For tables, recipes and what is left of a container: by codecs that are made for nothing in particular."""
    return codec if codec.facts.family == "raw" else None
