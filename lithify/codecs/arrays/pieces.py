"""Where a file of arrays is cut, so that each piece decodes alone, is small enough, and holds whole frames.

Pieces are short where that serves who wants a slice, and long enough for neighbouring frames to tell of each other.
Everything here is reckoned by headers alone; where they lie, a piece is cut at a worse place and nothing else.
"""

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple, SupportsIndex, overload

import numpy as np

from lithify import limits
from lithify.codecs.array_types import I64
from lithify.codecs.arrays.containers.find import HEAD_BYTES, container_of, streams_in, variables_in
from lithify.codecs.arrays.containers.variable import Variable
from lithify.codecs.arrays.extents import Extent
from lithify.codecs.arrays.inflated import Inflated, Place, Stream, presumed
from lithify.codecs.arrays.parts import Box, Part, Placed
from lithify.codecs.arrays.reading import Bytes, SourceBytes
from lithify.codecs.codec import Source
from lithify.errors import Corrupt, Truncated

PIECE_BYTES = 16 * limits.MIB
"""Of a piece, streams opened, where frames are small."""
LONG_PIECE_BYTES = 24 * limits.MIB
"""Where they are large: a piece holds FRAMES of them if it can."""
PIECE_BYTES_MAX = 60 * limits.MIB
"""Where nothing better is found."""
FRAMES = 6
_GENERAL_BYTES = 8 * limits.MIB
"""Of a piece of a long file without arrays."""
_LAST = 1.5
"""How many times longer than others the last piece may be."""
_BOUNDARY = (0.5, 1.25)
"""A piece rather ends between two arrays, if that makes it so many times as long as it should be."""
BOUNDED_BYTES_MIN = limits.MIB
_TRIES = 8
_HEAD_BYTES_MAX = 64 * limits.KIB
"""Of a stream, that is opened for the header of an array in it."""


class Piece(NamedTuple):
    """A stretch of a file."""

    start: int
    stop: int


@dataclass(frozen=True)
class Structure:
    """A file by its headers.

    length     of the file
    container  the name of what it is; None: nothing that is known
    variables  its arrays, where they would lie if all its streams were opened; some may share bytes
    streams    those, none of which was opened
    """

    length: int
    container: str | None
    variables: tuple[Variable, ...]
    streams: Inflated

    @cached_property
    def placed(self) -> tuple[Placed, ...]:
        """The places of `variables`."""
        return tuple(Placed(variable.extent) for variable in self.variables)

    @cached_property
    def _spans(self) -> tuple[I64, I64]:
        spans = [one.span for one in self.placed]
        return np.array([one.start for one in spans], np.int64), np.array([one.stop for one in spans], np.int64)

    def near(self, start: int, stop: int) -> list[int]:
        """The numbers of the variables that reach into what lies from `start` to `stop` of the plain file."""
        begins, ends = self._spans
        return [int(number) for number in np.flatnonzero((begins < stop) & (ends > start))]

    def plain_of(self, piece: Piece) -> tuple[int, int]:
        """Where a piece lies in the plain file."""
        start, stop = (self.streams.moved(at) for at in piece)
        return start, stop

    def places(self, piece: Piece) -> list[Place]:
        """The streams of a piece, from its begin."""
        return [
            replace(stream.place, offset=stream.offset - piece.start)
            for stream in self.streams.between(*piece)
            if stream.offset + stream.length <= piece.stop
        ]

    def parts(self, piece: Piece, opened: Inflated | None) -> Iterator[tuple[int, Part]]:
        """What of its arrays lies in a piece: the number of the variable, and a box of it.

        opened  the streams of the piece that were opened; None: none
        """
        for number in self.near(*self.plain_of(piece)):
            for part in self.parts_of(number, piece, opened):
                yield number, part

    def parts_of(self, number: int, piece: Piece, opened: Inflated | None) -> list[Part]:
        """The same, of one variable."""
        return self.placed[number].within(*self.plain_of(piece), self._moved(piece, opened))

    def boxes_of(self, number: int, piece: Piece) -> list[Box]:
        """The same, its indices alone, if all streams can be opened."""
        start, stop = self.plain_of(piece)
        return [part.box for part in self.placed[number].within(start, stop, lambda at: at)]

    def _moved(self, piece: Piece, opened: Inflated | None) -> Callable[[int], int | None]:
        def moved(plain_offset: int) -> int | None:
            stream = self.streams.stream_at(plain_offset)
            if stream is None:
                at = self.streams.stored_at(plain_offset) - piece.start
                return at if opened is None else opened.moved(at)
            begin = None if opened is None else opened.begins.get(stream.offset - piece.start)
            return None if begin is None else begin + plain_offset - stream.plain_offset

        return moved


def structure_of(data: Bytes, plain_of: Callable[[Inflated], Bytes] | None = None) -> Structure:
    """The structure of a file, by its headers.

    plain_of  gives the plain file if all its streams were opened, of which short pieces are read; None: from `data`
    """
    container = container_of(data[:HEAD_BYTES])
    streams = presumed(streams_in(data), len(data))
    if not streams.streams:
        return Structure(len(data), container, tuple(variables_in(data)), streams)
    plain = StreamHeads(data, streams) if plain_of is None else plain_of(streams)
    return Structure(len(data), container, tuple(variables_in(data, inflated=streams, plain=plain)), streams)


def structure_of_source(source: Source) -> Structure:
    """The same of a source."""
    return structure_of(bytes_of(source))


def bytes_of(source: Source) -> Bytes:
    """A source as bytes: one that fits a chunk is read at once."""
    return source.read(0, source.length) if source.length <= limits.CHUNK_BYTES_MAX else SourceBytes(source)


def pieces_of(structure: Structure) -> list[Piece]:
    """Where the file is cut: every byte of it is in one piece, and each piece fits a chunk."""
    cuts = _Seams(structure).cuts() if structure.variables else _even_cuts(structure.length)
    return [Piece(*pair) for pair in pairwise(cuts)]


def read_piece(source: Source, piece: Piece) -> bytes:
    """The bytes of a piece. Raises Truncated if the source ends in it."""
    data = source.read(piece.start, piece.stop - piece.start)
    if len(data) != piece.stop - piece.start:
        raise Truncated(f"source ends at byte {piece.start + len(data)}, its length is {source.length}")
    return data


def _even_cuts(length: int) -> list[int]:
    count = 1 if length <= limits.CHUNK_BYTES_MAX else -(-length // _GENERAL_BYTES)
    return [length * number // count for number in range(count + 1)] if length else [0]


class _Rows(NamedTuple):
    """A tile that is cut along its slowest axes: where it lies, and the sides and strides of those."""

    start: int
    stop: int
    sides: tuple[int, ...]
    strides: tuple[int, ...]
    size: int

    def before(self, at: int, most: int) -> int:
        """The last place up to `at` where an index begins whose bytes are at most `most`, or where it is not cut."""
        begin = self.start
        for axis, (side, stride) in enumerate(zip(self.sides, self.strides, strict=True)):
            if side < 2:
                continue
            reach = self.size + sum(
                (n - 1) * step for n, step in zip(self.sides[axis + 1 :], self.strides[axis + 1 :], strict=True)
            )
            index = min((at - begin) // stride, side - 1)
            begin += index * stride
            if at >= begin + reach:
                return at  # between two indices, where something else lies
            if reach <= most:
                return begin
        return at


class _Seams:
    """Places of the plain file between arrays, tiles, frames and rows."""

    def __init__(self, structure: Structure) -> None:
        self._structure = structure
        self._length = structure.streams.plain_length
        rows: list[_Rows] = []
        starts, stops = [], []
        for one in structure.placed:
            if len(one.extent.offsets) == 1 or one.reach > LONG_PIECE_BYTES:
                rows += _rows_of(one.extent) if not one.extent.element.bits else []
            if len(one.extent.offsets) > 1 or one.extent.element.bits:
                starts.append(one.starts)
                stops.append(one.starts + one.reach)
        streams = structure.streams.streams
        starts.append(np.array([stream.plain_offset for stream in streams], np.int64))
        stops.append(np.array([stream.plain_offset + stream.plain_bytes for stream in streams], np.int64))
        order = np.argsort(begins := np.concatenate(starts), kind="stable")
        self._starts = begins[order]
        self._reached = np.maximum.accumulate(np.concatenate(stops)[order])
        self._rows = sorted([*rows, *_records_of(rows)])
        bounds = [row.start for row in rows if row.stop - row.start >= BOUNDED_BYTES_MIN and _is_dense(row)]
        self._bounds = np.array(sorted(bounds), np.int64)

    def cuts(self) -> list[int]:
        """All of them, in the file."""
        streams = self._structure.streams
        found, at = [0], 0
        while self._length - at > self._wanted(at) * _LAST:
            after = self._after(at)
            if after >= self._length:
                break
            found.append(streams.stored_at(after))
            at = after
        return _within_chunks([*found, streams.length])

    def _after(self, at: int) -> int:
        """The next place behind `at`."""
        wanted = self._wanted(at)
        least = at + wanted // 4
        low, high = (at + int(wanted * share) for share in _BOUNDARY)
        bounds = self._bounds[np.searchsorted(self._bounds, low) : np.searchsorted(self._bounds, high)]
        for goal in (*bounds[::-1].tolist(), self._even(at, wanted), at + wanted):
            place = self._before(goal, wanted)
            if place > least:
                return place
        for step in range(2, 5):  # a frame, or a stream, that is longer than a piece should be
            place = self._before(min(at + step * wanted, at + PIECE_BYTES_MAX), wanted)
            if place > least:
                return place
        return self._outside_of_streams(min(at + wanted, self._length))

    def _even(self, at: int, wanted: int) -> int:
        """The end of the first of pieces of about equal length up to the end of the array that a piece would end in."""
        row = next((one for one in self._across(at + wanted) if _is_dense(one)), None)
        if row is None:
            return at + wanted
        count = -(-(row.stop - at) // wanted)
        unit = next((step for side, step in zip(row.sides, row.strides, strict=True) if step <= wanted // 4), 1)
        return at + -(-(row.stop - at) // count) + unit - 1

    def _before(self, goal: int, most: int) -> int:
        """The last place up to `goal` that cuts nothing that should stay whole, as far as a few tries find one."""
        at = goal
        for _ in range(_TRIES):
            found = self._whole_before(at)
            for row in self._across(found):
                found = min(found, row.before(found, most))
            if found == at:
                return at
            at = found
        return self._outside_of_streams(at)

    def _whole_before(self, at: int) -> int:
        """`at`, or the begin of the tiles and streams around it."""
        index = int(np.searchsorted(self._starts, at)) - 1
        while index >= 0 and self._reached[index] > at:
            at = min(at, int(self._starts[index]))
            index -= 1
        return at

    def _outside_of_streams(self, at: int) -> int:
        stream = self._structure.streams.stream_at(at)
        return at if stream is None or stream.plain_offset == at else stream.plain_offset + stream.plain_bytes

    def _across(self, at: int) -> Iterator[_Rows]:
        return (row for row in self._rows if row.start < at < row.stop)

    def _wanted(self, at: int) -> int:
        """How long a piece that begins at `at` should be: FRAMES of its largest array, within bounds."""
        numbers = self._structure.near(at, at + PIECE_BYTES)
        extents = [self._structure.placed[number].extent for number in numbers]
        largest = max(extents, key=lambda one: one.stored_bytes, default=None)
        apart = None if largest is None else frame_distance(largest)
        return PIECE_BYTES if apart is None else min(max(PIECE_BYTES, FRAMES * apart), LONG_PIECE_BYTES)


def _rows_of(extent: Extent) -> Iterator[_Rows]:
    size = extent.element.stored.itemsize
    for offset in extent.offsets:
        yield _Rows(offset, offset + extent.reach, extent.tile, tuple(max(1, step) for step in extent.strides), size)


def _records_of(rows: Sequence[_Rows]) -> Iterator[_Rows]:
    """The records of arrays that lie interleaved: as rows of their own, which hold one of each."""
    apart: dict[int, list[_Rows]] = {}
    for row in rows:
        if len(row.sides) and row.sides[0] > 1 and not _is_dense(row):
            apart.setdefault(row.strides[0], []).append(row)
    for stride, group in apart.items():
        start = min(row.start for row in group)
        count = max(row.sides[0] for row in group)
        yield _Rows(start, start + count * stride, (count,), (stride,), stride)


def _is_dense(row: _Rows) -> bool:
    """Whether nothing else lies between its bytes."""
    count = row.size
    for side in row.sides:
        count *= side
    return count == row.stop - row.start


def frame_distance(extent: Extent) -> int | None:
    """Bytes in the file from one frame of an array to the next; None: it has no frames."""
    long = [axis for axis, side in enumerate(extent.shape) if side > 1]
    if len(long) < 3:
        return None
    axis = long[-3]
    if extent.grid[axis] < 2:
        return extent.strides[axis]
    step = 1
    for side in extent.grid[axis + 1 :]:
        step *= side
    return abs(extent.offsets[step] - extent.offsets[0]) // extent.tile[axis]


def _within_chunks(cuts: Sequence[int]) -> list[int]:
    """The same, with more cuts where a piece would be no chunk: of streams that are longer than what they say."""
    found = [cuts[0]]
    for cut in cuts[1:]:
        while cut - found[-1] > limits.CHUNK_BYTES_MAX:
            found.append(found[-1] + PIECE_BYTES_MAX)
        if cut > found[-1]:
            found.append(cut)
    return found


class StreamHeads:
    """The plain file of one whose streams were not opened: of each, its first bytes."""

    def __init__(self, data: Bytes, streams: Inflated) -> None:
        self._data, self._streams = data, streams

    def __len__(self) -> int:
        return self._streams.plain_length

    @overload
    def __getitem__(self, part: SupportsIndex, /) -> int: ...
    @overload
    def __getitem__(self, part: "slice[Any, Any, Any]", /) -> bytes: ...
    def __getitem__(self, part: "SupportsIndex | slice[Any, Any, Any]", /) -> bytes | int:
        """Raises Corrupt or Truncated where a stream does not open so far."""
        if not isinstance(part, slice):
            return self[int(part) : int(part) + 1][0]
        start, stop, _ = part.indices(len(self))
        stream = self._streams.stream_at(start)
        if stream is None:
            at = self._streams.stored_at(start)
            return bytes(self._data[at : at + stop - start])
        skipped = start - stream.plain_offset
        return self._opened(stream, skipped + stop - start)[skipped:]

    def _opened(self, stream: Stream, count: int) -> bytes:
        if count > _HEAD_BYTES_MAX or not stream.place.bare or stream.width > 1:
            raise Truncated(f"the first {count} bytes of a stream are asked for; the limit is {_HEAD_BYTES_MAX}")
        stored = bytes(self._data[stream.offset : stream.offset + min(stream.length, 2 * count + 1024)])
        try:
            found = zlib.decompressobj(-zlib.MAX_WBITS).decompress(stored, count)
        except zlib.error as error:
            raise Corrupt(f"a stream that does not open: {error}") from error
        if len(found) < count:
            raise Truncated(f"a stream of {len(found)} bytes where {count} were asked for")
        return found
