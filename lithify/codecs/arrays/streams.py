"""The table of a payload that says which streams its original had, and the recipes for them."""

from collections.abc import Sequence

from lithify import limits
from lithify.codecs.arrays.coded import read_coder
from lithify.codecs.arrays.inflated import BARE, STREAMS_MAX, Inflated, Stream
from lithify.codecs.arrays.rows import Rows
from lithify.codecs.arrays.wire import Reader, varint
from lithify.errors import Corrupt, LimitExceeded

_WIDTH_MAX = 255
_ROWS = 256
"""In the place of a width: rows of differences."""


def pack_streams(inflated: Inflated) -> tuple[bytes, bytes]:
    """The table, in columns: alike numbers side by side; and the recipes, joined."""
    streams = inflated.streams
    recipes = [_before(one) + one.recipe for one in streams]
    ends = [0, *(stream.offset + stream.length for stream in streams)]
    columns: list[Sequence[int]] = [
        [stream.offset - end for stream, end in zip(streams, ends, strict=False)],
        [stream.length for stream in streams],
        [stream.plain_bytes for stream in streams],
        [stream.width if stream.rows is None else _ROWS for stream in streams],
        [int.from_bytes(one.head, "big") if one.coder is None else one.coder.code for one in streams],
        [len(recipe) for recipe in recipes],
    ]
    numbers = [len(streams), *(number for column in columns for number in column)]
    return b"".join(map(varint, numbers)), b"".join(recipes)


def _before(stream: Stream) -> bytes:
    """What stands before a recipe: fields of who told the numbers."""
    teller = stream.coder or stream.rows
    return b"" if teller is None else teller.pack()


def parse_streams(table: bytes, recipes: bytes, length: int) -> Inflated:
    """The streams of an original of `length` bytes. Raises Truncated, Corrupt or LimitExceeded."""
    reader = Reader(table)
    count = reader.varint(STREAMS_MAX)
    if count * 6 > reader.left:
        raise Corrupt(f"{count} streams in a table of {len(table)} bytes")
    most = (length, length, limits.CHUNK_BYTES_MAX, _ROWS, 0xFFFF, len(recipes))
    columns = [[reader.varint(limit) for _ in range(count)] for limit in most]
    reader.end()
    gaps, lengths, plain, widths, heads, recipe_bytes = columns
    streams: list[Stream] = []
    rest, at, plain_at = Reader(recipes), 0, 0
    for index in range(count):
        at, plain_at = at + gaps[index], plain_at + gaps[index]
        if at + lengths[index] > length:
            raise Corrupt(f"a stream of {lengths[index]} bytes at {at} of {length}")
        sizes = (at, lengths[index], plain_at, plain[index], widths[index])
        streams.append(_stream(sizes, heads[index], rest.take(recipe_bytes[index])))
        at, plain_at = at + lengths[index], plain_at + plain[index]
    rest.end()
    found = Inflated(length, tuple(streams))
    if found.plain_length > limits.CHUNK_BYTES_MAX:
        raise LimitExceeded(f"streams open to a file of {found.plain_length} bytes")
    return found


def _stream(sizes: tuple[int, int, int, int, int], head: int, recipe: bytes) -> Stream:
    plain_bytes, width = sizes[3:]
    if width > _WIDTH_MAX:
        reader = Reader(recipe)
        rows = Rows.read(reader)
        if not rows.is_possible(plain_bytes):
            raise Corrupt(f"a stream of {plain_bytes} bytes, which are no rows of {rows.count} numbers")
        return Stream(*sizes[:4], 1, head.to_bytes(2, "big"), reader.rest(), rows=rows)
    if width:
        return Stream(*sizes, head.to_bytes(2, "big"), recipe)
    coder, rest = read_coder(head, recipe)
    if coder.plain_bytes != plain_bytes:
        raise Corrupt(f"a stream of {coder.numbers} numbers of {coder.bits} bits in {plain_bytes} bytes")
    return Stream(*sizes, BARE, rest, coder)
