"""TIFF and BigTIFF: strips or tiles of whole bytes a sample, plain, deflated or LZW. Alike pages become one array."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import prod

import numpy as np

from lithify.codecs.arrays.coded import Lzw
from lithify.codecs.arrays.containers.bytes_reader import Bytes, BytesReader
from lithify.codecs.arrays.containers.variable import Variable, of_dtype
from lithify.codecs.arrays.extents import Element, Extent
from lithify.codecs.arrays.inflated import Inflated, Place, coded_place
from lithify.codecs.arrays.rows import Rows
from lithify.errors import Corrupt, LimitExceeded

_PAGES_MAX = 100_000
_TAGS_MAX = 4096
_WIDTH, _HEIGHT, _BITS, _COMPRESSION = 256, 257, 258, 259
_STRIPS, _SAMPLES, _STRIP_ROWS, _STRIP_BYTES, _PLANAR = 273, 277, 278, 279, 284
_TILE_WIDTH, _TILE_HEIGHT, _TILES, _TILE_BYTES, _FORMAT = 322, 323, 324, 325, 339
_CODES = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
_KINDS = {1: "u", 2: "i", 3: "f"}
_PLAIN, _LZW, _PREDICTED = 1, 5, 317
_OPENED = (_LZW, 8, 32946)
"""LZW, and deflate by its two numbers."""
_TELLERS = {1: "", 2: "iuf", 3: "f"}
"""Predictors, and for which kinds of numbers: rows are told as differences."""
_OTHERS = {
    2: "CCITT runs", 3: "fax", 4: "fax", 6: "old JPEG", 7: "JPEG", 32773: "PackBits", 34712: "JPEG 2000",
    34887: "LERC", 34925: "LZMA", 50000: "Zstandard", 50001: "WebP", 50002: "JPEG XL", 52546: "JPEG XL",
}  # fmt: skip


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


def find(data: Bytes, length: int, *, inflated: Inflated | None = None, plain: Bytes = b"") -> list[Variable]:
    """The pages that hold plain samples, and those that do once their streams are open."""
    forms = map(_form, _pages(data, length))
    return [one for form in forms if form is not None for one in _samples(form, inflated)]


def streams(data: Bytes) -> list[Place]:
    """Its strips and tiles that are deflated or went through LZW."""
    forms = map(_form, _pages(data, len(data)))
    return [place for form in forms if form is not None and form.is_opened for place in _places(form)]


def left_in(data: Bytes) -> list[str]:
    """How many of its pages are compressed otherwise than what is opened here, in sentences."""
    counts: dict[str, int] = {}
    for page in _pages(data, len(data)):
        form = _form(page)
        method = page.one(_COMPRESSION, _PLAIN)
        if method == _PLAIN or (form is not None and form.is_opened):
            continue
        told = "a predictor that is not known" if method in _OPENED else _OTHERS.get(method, f"method {method}")
        counts[told] = counts.get(told, 0) + 1
    return [f"TIFF: pages in {told} are not opened ({count} of them)" for told, count in counts.items()]


def _pages(data: Bytes, length: int) -> Iterator[_Page]:
    order = {b"II": "<", b"MM": ">"}.get(bytes(data[:2]))
    if order is None:
        raise Corrupt("not a TIFF file")
    reader = BytesReader(data, 2, order)
    is_big = reader.number("H") == 43
    offset = reader.numbers("HHQ")[2] if is_big else reader.number("I")
    seen: set[int] = set()
    taken = 0
    while offset and offset not in seen and len(seen) < _PAGES_MAX:
        seen.add(offset)
        reader.at = offset
        page = _Page(order, _tags(reader, length - taken, big=is_big))
        taken += sum(map(len, page.tags.values()))
        offset = reader.number("Q" if is_big else "I")
        yield page


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


@dataclass(frozen=True, slots=True)
class _Form:
    """The samples of a page.

    tile     of a strip or tile; `grid`: how many of them down and across, for each plane
    last     rows of the last strip, if it is shorter; else 0
    rows     how rows were told, if as differences
    """

    dtype: np.dtype[np.generic]
    tile: tuple[int, ...]
    grid: tuple[int, int]
    planes: int
    offsets: tuple[int, ...]
    counts: tuple[int, ...]
    last: int
    is_opened: bool
    is_lzw: bool
    rows: Rows | None

    @property
    def row_bytes(self) -> int:
        return prod(self.tile[1:]) * self.dtype.itemsize


def _form(page: _Page) -> _Form | None:
    """None: samples that are compressed otherwise, or of no kind that is known."""
    width, height, samples = page.one(_WIDTH), page.one(_HEIGHT), page.one(_SAMPLES, 1)
    bits = set(page.tags.get(_BITS, (1,)))
    kind, method = _KINDS.get(page.one(_FORMAT, 1)), page.one(_COMPRESSION, _PLAIN)
    if method not in (_PLAIN, *_OPENED) or kind is None or len(bits) != 1 or not 1 <= samples <= 1 << 16:
        return None
    (depth,) = bits
    if depth % 8 or f"{kind}{depth // 8}" not in _DEPTHS or min(width, height) < 1:
        return None
    dtype = np.dtype(f"{page.order}{kind}{depth // 8}")
    interleaved = samples if page.one(_PLANAR, 1) == 1 else 1
    tail = (interleaved,) if interleaved > 1 else ()
    across = _TILES in page.tags
    if across:
        tile = (page.one(_TILE_HEIGHT), page.one(_TILE_WIDTH), *tail)
        offsets, counts = page.tags[_TILES], page.tags.get(_TILE_BYTES, ())
    else:
        tile = (min(page.one(_STRIP_ROWS, height), height), width, *tail)
        offsets, counts = page.tags.get(_STRIPS, ()), page.tags.get(_STRIP_BYTES, ())
    if min(tile) < 1 or len(counts) != len(offsets) or not offsets:
        return None
    grid, planes = (-(-height // tile[0]), -(-width // tile[1]) if across else 1), samples // interleaved
    predictor = page.one(_PREDICTED, 1) if method in _OPENED else 1
    if prod(grid) * planes != len(offsets) or (predictor > 1 and kind not in _TELLERS.get(predictor, "")):
        return None
    row = (dtype.itemsize, int(page.order == ">"), prod(tile[1:]), interleaved)
    rows = Rows(predictor, *row) if predictor > 1 else None
    last = 0 if across else height % tile[0]
    return _Form(dtype, tile, grid, planes, offsets, counts, last, method in _OPENED, method == _LZW, rows)


def _samples(form: _Form, inflated: Inflated | None) -> list[Variable]:
    offsets = form.offsets
    if form.is_opened:
        if inflated is None or not all(offset in inflated.begins for offset in offsets):
            return []
        offsets = tuple(inflated.begins[offset] for offset in offsets)
    elif inflated is not None:
        offsets = tuple(map(inflated.moved, offsets))
    extents = _grids(form, offsets)
    return [one for extent in extents for one in of_dtype(form.dtype, _variable(form, extent))]


def _places(form: _Form) -> list[Place]:
    per_plane = len(form.offsets) // form.planes
    found = []
    for number, (offset, count) in enumerate(zip(form.offsets, form.counts, strict=True)):
        is_last = form.last and number % per_plane == per_plane - 1
        plain_bytes = form.row_bytes * (form.last if is_last else form.tile[0])
        if form.is_lzw:
            found.append(coded_place(offset, count, Lzw(plain_bytes, form.rows)))
        else:
            found.append(Place(offset, count, plain_bytes, 1, rows=form.rows))
    return found


_DEPTHS = frozenset({"u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8"})


def _variable(form: _Form, extent: Extent) -> Variable:
    """Other values would become streams of another length."""
    return Variable("", extent, data=not form.is_opened, merges="page", sealed=form.is_opened)


def _grids(form: _Form, offsets: tuple[int, ...]) -> list[Extent]:
    """An array for each plane, in one piece where its tiles follow one another; a shorter last strip is its own."""
    found = []
    per_plane = len(offsets) // form.planes
    for plane in range(form.planes):
        found += _grid(form, offsets[plane * per_plane : (plane + 1) * per_plane])
    return found


def _grid(form: _Form, offsets: tuple[int, ...]) -> list[Extent]:
    tile, grid, last = form.tile, form.grid, form.last
    strides = _strides(tile, form.dtype.itemsize)
    tile_bytes = strides[0] * tile[0]
    # What lies in a stream may stay closed by itself, and is a tile of its own.
    follow = not form.is_opened and all(b - a == tile_bytes for a, b in pairwise(offsets))
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
