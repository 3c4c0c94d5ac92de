"""An opened original put together again. Trusts nothing that it reads."""

from typing import TYPE_CHECKING

from lithify import limits
from lithify.codecs.codec import Codec
from lithify.codecs.media.containers.find import trailer_of
from lithify.codecs.media.containers.layout import Piece, group_lengths, unpack_table
from lithify.codecs.media.containers.nested import Prepare, unpack_part
from lithify.codecs.media.containers.recalled import NEW, Recalled
from lithify.codecs.varints import take_varint
from lithify.errors import Corrupt, LimitExceeded

if TYPE_CHECKING:
    from lithify.codecs.media.containers.codec import Budget

TABLE_BYTES_MAX = 16 * limits.MIB
_TABLE_PER_BYTE, _TABLE_BASE = 32, 256


def close_all(payload: bytes, length: int, budget: "Budget", within: Prepare) -> bytes:
    """The `length` bytes of an original from its payload. Raises Truncated, Corrupt, UnknownFormat or LimitExceeded."""
    table_length, at = take_varint(payload, 1)
    if table_length > min(TABLE_BYTES_MAX, _TABLE_PER_BYTE * length + _TABLE_BASE):
        raise LimitExceeded(f"a table of {table_length} bytes is more than an original of {length} explains")
    table, at = unpack_part(payload, at, table_length, _plainly)
    pieces = unpack_table(table)
    _check(pieces, length, budget)
    recipes, at = unpack_part(payload, at, sum(piece.recipe_length or 0 for piece in pieces), _plainly)
    groups = []
    for group_length in group_lengths(pieces):
        group, at = _group(payload, at, group_length, within)
        groups.append(group)
    if at != len(payload):
        raise Corrupt(f"a container goes on for {len(payload) - at} bytes behind its end")
    return _joined(pieces, recipes, groups, length)


def _check(pieces: list[Piece], length: int, budget: "Budget") -> None:
    """Compare what a table claims with what the original's length explains, before anything is asked for."""
    raw = sum(piece.length for piece in pieces if piece.recipe_length is None)
    recipes = sum(piece.recipe_length or 0 for piece in pieces)
    plain = sum(piece.length for piece in pieces if piece.recipe_length is not None)
    if raw > length:
        raise Corrupt(f"a table takes {raw} bytes as they are, for an original of {length}")
    if recipes > limits.PART_BYTES or recipes > plain + len(pieces) * _TABLE_BASE:
        raise LimitExceeded(f"a table has {recipes} bytes of recipes for {plain} plain ones")
    budget.spend(plain)


def _group(payload: bytes, at: int, length: int, within: Prepare) -> tuple[bytes, int]:
    count, at = take_varint(payload, at)
    if count > 1 + length // (limits.PART_BYTES // 2):
        raise LimitExceeded(f"a group of {length} bytes has {count} parts")
    parts, left = [], length
    for _ in range(count):
        part_length, at = take_varint(payload, at)
        if part_length > left:
            raise Corrupt(f"a group of {length} bytes has longer parts")
        part, at = unpack_part(payload, at, part_length, within)
        parts.append(part)
        left -= part_length
    if left:
        raise Corrupt(f"the parts of a group of {length} bytes lack {left}")
    return b"".join(parts), at


def _joined(pieces: list[Piece], recipes: bytes, groups: list[bytes], length: int) -> bytes:
    from lithify.codecs.media.deflate.engine import rebuild

    cursors = [0] * len(groups)
    out, left, at = [], length, 0
    recalled = Recalled()
    for piece in pieces:
        parts = []
        for segment in piece.segments:
            start = cursors[segment.group]
            parts.append(groups[segment.group][start : start + segment.length])
            cursors[segment.group] += segment.length
        data = b"".join(parts)
        if piece.recipe_length is not None:
            if piece.recipe_rank == NEW:
                recipe, at = recipes[at : at + piece.recipe_length], at + piece.recipe_length
                recalled.keep(recipe)
            else:
                recipe = recalled.recipe(piece.recipe_rank)
            data = rebuild(data, recipe, length_max=left) + trailer_of(data, piece.trailer)
        left -= len(data)
        if left < 0:
            raise Corrupt(f"the pieces of a container are longer than its {length} bytes")
        out.append(data)
    if left:
        raise Corrupt(f"the pieces of a container lack {left} of its {length} bytes")
    return b"".join(out)


def _plainly(codec: Codec) -> Codec | None:
    return codec if codec.facts.family == "raw" else None
