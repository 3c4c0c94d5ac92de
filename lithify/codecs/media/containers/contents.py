"""What a container holds, read from its payload: each group of pieces and who keeps it, and what the recipes take."""

from collections import Counter
from collections.abc import Iterator, Sequence

from lithify import limits
from lithify.codecs.codec import Codec
from lithify.codecs.inside import Inside, Member
from lithify.codecs.media.containers.closing import TABLE_BYTES_MAX
from lithify.codecs.media.containers.layout import Piece, group_lengths, unpack_table
from lithify.codecs.media.containers.names import names_of
from lithify.codecs.media.containers.nested import Part, Prepare, read_part, unpack_part
from lithify.codecs.varints import take_varint
from lithify.errors import LimitExceeded

CORRECTIONS = "corrections"


def closed(payload: bytes, length: int, within: Prepare) -> list[Inside]:
    """Of a container that was not opened."""
    return list(of_part("as it was", read_part(payload, 1, length), 1, within))


def opened(payload: bytes, within: Prepare) -> list[Inside]:
    """Of one that was opened. Raises Truncated, Corrupt, UnknownFormat or LimitExceeded."""
    table_length, at = take_varint(payload, 1)
    if table_length > TABLE_BYTES_MAX:
        raise LimitExceeded(f"a table of {table_length} bytes; the limit is {TABLE_BYTES_MAX}")
    table_part = read_part(payload, at, table_length)
    table, at = unpack_part(payload, at, table_length, _plainly)
    pieces = unpack_table(table)
    rows = list(_groups(payload, pieces, at, within))
    rows += of_part("table of pieces", table_part, len(pieces), _plainly)
    return rows


def _groups(payload: bytes, pieces: Sequence[Piece], at: int, within: Prepare) -> Iterator[Inside]:
    """The corrections come first in a payload, and are told last of what was found."""
    recipes = [piece.recipe_length for piece in pieces if piece.recipe_length is not None]
    corrections = read_part(payload, at, sum(recipes))
    at = corrections.end
    deflated = Counter(one.group for piece in pieces if piece.recipe_length is not None for one in piece.segments)
    plain = Counter(one.group for piece in pieces if piece.recipe_length is None for one in piece.segments)
    groups = list(_parts(payload, pieces, at))
    members = _members(pieces, groups)
    for number, parts in enumerate(groups):
        what = "deflated and as it was" if deflated[number] and plain[number] else "deflated"
        named = members.get(number, [])
        for part in parts:
            here = deflated[number] + plain[number]
            yield from of_part(what if deflated[number] else "as it was", part, here, within, named)
            named = []
    if recipes:
        yield from of_part(CORRECTIONS, corrections, len(recipes), _plainly)


def _parts(payload: bytes, pieces: Sequence[Piece], at: int) -> Iterator[list[Part]]:
    """The parts of each group, the first of which begins at byte `at`."""
    for length in group_lengths(pieces):
        count, at = take_varint(payload, at)
        if count > 1 + length // (limits.PART_BYTES // 2):
            raise LimitExceeded(f"a group of {length} bytes has {count} parts")
        parts = []
        for _ in range(count):
            part_length, at = take_varint(payload, at)
            parts.append(read_part(payload, at, part_length))
            at = parts[-1].end
        yield parts


def _members(pieces: Sequence[Piece], groups: Sequence[Sequence[Part]]) -> dict[int, list[Member]]:
    """By group, what its pieces are called; headers stand in the group of the first piece or, in a part, the second."""
    for skeleton in dict.fromkeys(piece.segments[0].group for piece in pieces[:2]):
        if named := _named(pieces, skeleton, groups[skeleton]):
            return named
    return {}


def _named(pieces: Sequence[Piece], skeleton: int, parts: Sequence[Part]) -> dict[int, list[Member]]:
    if sum(part.length for part in parts) > limits.NAMES_BYTES_MAX or not all(map(_is_plain, parts)):
        return {}
    known = b"".join(
        part.codec.decode(payload, shared=part.shared, length=length)
        for part in parts
        for payload, length in part.chunks
    )
    return names_of(pieces, skeleton, known)


def _is_plain(part: Part) -> bool:
    return _plainly(part.codec) is not None


def of_part(what: str, part: Part, count: int, within: Prepare, members: Sequence[Member] = ()) -> Iterator[Inside]:
    """A part, and what its codec found in it; `members` are called so whose bytes lie in it."""
    if not part.length:
        return
    named = tuple(members[: limits.CONTENTS_MAX])
    yield Inside(what, part.codec.facts.id, part.length, part.end - part.start, count, members=named)
    ready = within(part.codec)
    if ready is None or type(ready).contents is Codec.contents:
        return
    around = members[0].name if len(members) == count == 1 else ""
    for payload, length in part.chunks:
        yield from (row.deeper(1, around) for row in ready.contents(payload, shared=part.shared, length=length))


def _plainly(codec: Codec) -> Codec | None:
    return codec if codec.facts.family == "raw" else None
