"""TIFF and BigTIFF: strips or tiles, uncompressed, of whole bytes a sample. Pages alike are frames of one array."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from lithify.codecs.arrays.containers.bytes_reader import Bytes, BytesReader
from lithify.codecs.arrays.containers.variable import Variable, of_dtype
from lithify.codecs.arrays.extents import Element, Extent
from lithify.errors import Corrupt, LimitExceeded

_PAGES_MAX = 100_000
_TAGS_MAX = 4096
_WIDTH, _HEIGHT, _BITS, _COMPRESSION = 256, 257, 258, 259
_STRIPS, _SAMPLES, _STRIP_ROWS, _STRIP_BYTES, _PLANAR = 273, 277, 278, 279, 284
_TILE_WIDTH, _TILE_HEIGHT, _TILES, _TILE_BYTES, _FORMAT = 322, 323, 324, 325, 339
_CODES = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
_KINDS = {1: "u", 2: "i", 3: "f"}


@dataclass(frozen=True, slots=True)
class _Page:
    """What the tags of one page say."""

    order: str
    tags: Mapping[int, tuple[int, ...]]

    def one(self, tag: int, default: int | None = None) -> int:
        values = self.tags.get(tag, () if default is None else (default,))
        if len(values) < 1:
            raise Corrupt(f"a TIFF page without tag {tag}")
        return values[0]


def find(data: Bytes, length: int) -> list[Variable]:
    """The pages that hold plain samples."""
    order = {b"II": "<", b"MM": ">"}.get(bytes(data[:2]))
    if order is None:
        raise Corrupt("not a TIFF file")
    reader = BytesReader(data, 2, order)
    is_big = reader.number("H") == 43
    offset = reader.numbers("HHQ")[2] if is_big else reader.number("I")
    found: list[Variable] = []
    seen: set[int] = set()
    taken = 0
    while offset and offset not in seen and len(seen) < _PAGES_MAX:
        seen.add(offset)
        reader.at = offset
        page = _Page(order, _tags(reader, length - taken, big=is_big))
        taken += sum(map(len, page.tags.values()))
        offset = reader.number("Q" if is_big else "I")
        found += _samples(page)
    return found


def _tags(reader: BytesReader, room: int, *, big: bool) -> dict[int, tuple[int, ...]]:
    """The numbers of those tags that are whole numbers; at most `room`, for many may point to the same bytes."""
    count = reader.number("Q" if big else "H")
    if count > _TAGS_MAX:
        raise LimitExceeded(f"a TIFF page of {count} tags")
    found = {}
    for _ in range(count):
        tag, kind, values = reader.numbers("HHQ" if big else "HHI")
        value_at, inline_bytes = reader.at, 8 if big else 4
        reader.take(inline_bytes)
        code = _CODES.get(kind)
        if code is None:
            continue
        room -= values
        if room < 0:
            raise LimitExceeded(f"{values} numbers in tag {tag} of a TIFF page")
        size = values * np.dtype(f"u{1 if code == 'B' else 2 if code == 'H' else 4 if code == 'I' else 8}").itemsize
        inner = BytesReader(reader.data, value_at, reader.order)
        if size > inline_bytes:
            inner.at = inner.number("Q" if big else "I")
        found[tag] = tuple(inner.numbers(f"{values}{code}"))
    return found


def _samples(page: _Page) -> list[Variable]:
    width, height, samples = page.one(_WIDTH), page.one(_HEIGHT), page.one(_SAMPLES, 1)
    bits = set(page.tags.get(_BITS, (1,)))
    kind = _KINDS.get(page.one(_FORMAT, 1))
    if page.one(_COMPRESSION, 1) != 1 or kind is None or len(bits) != 1 or not 1 <= samples <= 1 << 16:
        return []
    (depth,) = bits
    if depth % 8 or f"{kind}{depth // 8}" not in _DEPTHS or min(width, height) < 1:
        return []
    dtype = np.dtype(f"{page.order}{kind}{depth // 8}")
    interleaved = samples if page.one(_PLANAR, 1) == 1 else 1
    tail = (interleaved,) if interleaved > 1 else ()
    if _TILES in page.tags:
        tile, across = (page.one(_TILE_HEIGHT), page.one(_TILE_WIDTH), *tail), True
        offsets, counts = page.tags[_TILES], page.tags.get(_TILE_BYTES, ())
    else:
        tile, across = (min(page.one(_STRIP_ROWS, height), height), width, *tail), False
        offsets, counts = page.tags.get(_STRIPS, ()), page.tags.get(_STRIP_BYTES, ())
    if min(tile) < 1 or len(counts) != len(offsets) or not offsets:
        return []
    rows, columns = -(-height // tile[0]), -(-width // tile[1]) if across else 1
    planes = samples // interleaved
    if rows * columns * planes != len(offsets):
        return []
    extents = _grids(tile, (rows, columns), planes, offsets, dtype.itemsize, 0 if across else height % tile[0])
    return [one for extent in extents for one in of_dtype(dtype, _variable(extent, dtype))]


_DEPTHS = frozenset({"u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8"})


def _variable(extent: Extent, dtype: np.dtype[np.generic]) -> Variable:
    return Variable("", extent, data=True, merges="page")


def _grids(
    tile: tuple[int, ...], grid: tuple[int, int], planes: int, offsets: tuple[int, ...], size: int, last_rows: int
) -> list[Extent]:
    """An array for each plane, in one piece where its tiles follow one another; a shorter last strip is its own."""
    found = []
    per_plane = len(offsets) // planes
    for plane in range(planes):
        own = offsets[plane * per_plane : (plane + 1) * per_plane]
        found += _grid(tile, grid, own, size, last_rows)
    return found


def _grid(tile: tuple[int, ...], grid: tuple[int, int], offsets: tuple[int, ...], size: int, last: int) -> list[Extent]:
    strides = _strides(tile, size)
    tile_bytes = strides[0] * tile[0]
    follow = all(b - a == tile_bytes for a, b in pairwise(offsets))
    if follow and grid[1] == 1:
        rows = tile[0] * (grid[0] - bool(last)) + last
        return [_extent((rows, *tile[1:]), strides, (1, 1), offsets[:1])]
    if not last or len(offsets) == 1:
        return [_extent(tile, strides, grid, offsets)]
    whole = _extent(tile, strides, (grid[0] - 1, 1), offsets[:-1])
    return [whole, _extent((last, *tile[1:]), strides, (1, 1), offsets[-1:])]


def _extent(tile: tuple[int, ...], strides: tuple[int, ...], grid: tuple[int, int], offsets: tuple[int, ...]) -> Extent:
    return Extent(Element("u1"), tile, strides, (*grid, *(1 for _ in tile[2:])), offsets)


def _strides(tile: tuple[int, ...], size: int) -> tuple[int, ...]:
    found = []
    for side in reversed(tile):
        found.append(size)
        size *= side
    return tuple(reversed(found))
