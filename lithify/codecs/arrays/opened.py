"""A kept file, opened: its headers at once, the values of its arrays when they are asked for, and only those blocks.

Local or behind HTTP: `open_arrays` wants random access and nothing else. From a slice to its bytes: the headers of the
file say where its elements lie, the frame which chunks hold those, a chunk's table which arrays and blocks. Heads and
blocks are compared with the checksums of stored bytes that payloads have. Where a chunk does not have an array as one,
all of it is decoded, and compared with the frame's checksum of decoded bytes.
"""

import io
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import count, pairwise, product
from types import TracebackType
from typing import Any, BinaryIO, Self, cast

import numpy as np

from lithify import limits
from lithify.codecs.array_types import I64, Bools, Values
from lithify.codecs.arrays.containers.description import Attributes, Described, Description
from lithify.codecs.arrays.containers.find import described
from lithify.codecs.arrays.containers.hdf5 import reading
from lithify.codecs.arrays.containers.variable import Variable
from lithify.codecs.arrays.extents import Extent
from lithify.codecs.arrays.inflated import Inflated
from lithify.codecs.arrays.kept_chunks import KeptChunks
from lithify.codecs.arrays.parts import Box, raveled
from lithify.codecs.arrays.pieces import structure_of
from lithify.codecs.arrays.reading import Bytes, SlicedFile, SourceBytes
from lithify.codecs.codec import Source
from lithify.codecs.frame import Primers, read_frame

Index = int | slice
Read = Callable[[list[I64]], Values]
_AT_ONCE_BYTES = 32 * limits.MIB
"""A tile that is longer is read index by index of its slowest axis."""


@dataclass(frozen=True)
class LazyArray:
    """An array whose values are decoded when it is indexed, by one slice or number for each axis.

    name        with its path in the file
    dimensions  the names of its axes, by the container; made up where it has none
    attributes  as the file has them
    chunks      along each axis, how long the stretches are that lie in one chunk
    blocks      the shape of what decodes alone; None: the whole
    big         whether the file has its numbers with their highest byte first, where others have them the other way

    Values are those that are stored: fills, scales and offsets are for who asked.
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    chunks: tuple[tuple[int, ...], ...]
    dimensions: tuple[str, ...]
    _read: Read = field(repr=False)
    _blocks_of: Callable[[], tuple[int, ...] | None] = field(repr=False)
    attributes: Attributes = field(default_factory=dict)
    big: bool = False

    @cached_property
    def blocks(self) -> tuple[int, ...] | None:
        return self._blocks_of()

    def at(self, wanted: list[I64]) -> Values:
        """Its values at the wanted indices of each axis."""
        return self._read(wanted)

    def __getitem__(self, index: Index | tuple[Index, ...]) -> Values:
        parts = index if isinstance(index, tuple) else (index,)
        if len(parts) > len(self.shape):
            raise IndexError(f"{len(parts)} indices for {self.name}, which has {len(self.shape)} axes")
        whole = (*parts, *(slice(None) for _ in self.shape[len(parts) :]))
        wanted = [_indices(part, side) for part, side in zip(whole, self.shape, strict=True)]
        found = self._read(wanted)
        return found[tuple(slice(None) if isinstance(part, slice) else 0 for part in whole)]


def _indices(part: Index, side: int) -> I64:
    if isinstance(part, slice):
        return np.arange(*part.indices(side), dtype=np.int64)
    if not -side <= part < side:
        raise IndexError(f"index {part} of an axis of {side}")
    return np.array([part % side], np.int64)


class _Holes:
    """A source: the file with zeros where its arrays lie."""

    def __init__(self, chunks: KeptChunks) -> None:
        self._chunks, self.length = chunks, chunks.length

    def read(self, offset: int, length: int) -> bytes:
        return self._chunks.read_holes(offset, length)


class _Original:
    """A source: the file, chunks decoded as they are read."""

    def __init__(self, chunks: KeptChunks) -> None:
        self._chunks, self.length = chunks, chunks.length

    def read(self, offset: int, length: int) -> bytes:
        return self._chunks.read(offset, length)


class _PlainHoles:
    """The bytes of the plain file, of one whose streams could all be opened, with zeros where its arrays lie."""

    def __init__(self, chunks: KeptChunks, streams: Inflated) -> None:
        self._chunks, self._streams = chunks, streams

    def __len__(self) -> int:
        return self._streams.plain_length

    def __getitem__(self, part: Any, /) -> Any:
        start, stop, _ = part.indices(len(self))
        stream = self._streams.stream_at(start)
        if stream is None:
            return self._chunks.read_holes(self._streams.stored_at(start), stop - start)
        (index,) = self._chunks.frame.overlapping(stream.offset, stream.offset + 1)
        head = self._chunks.head(index)
        begin = stream.offset - self._chunks.piece(index).start
        if head is None or head.inflated is None or begin not in head.inflated.begins:
            plain = stream.place.plain_of(self._chunks.read(stream.offset, stream.length))
            return plain[start - stream.plain_offset :][: stop - start]
        at = head.inflated.begins[begin] + start - stream.plain_offset
        return self._chunks.plain_holes(index)[at : at + stop - start]


class ArrayFile:
    """A file that holds arrays, opened. It closes with the file of its frame, which must stay open until then.

    container   the name of what it is
    attributes  of the file, as its container has them
    groups      the attributes of each group, by its path with a slash at the end
    unlimited   the dimensions that may grow, behind the path of their group
    arrays      by name; those of files without names are called `values`, `values_2` and so on
    """

    def __init__(self, chunks: KeptChunks, file: BinaryIO) -> None:
        self._chunks, self._file = chunks, file
        holes = SourceBytes(_Holes(chunks))
        self._structure = structure_of(holes, lambda streams: cast("Bytes", _PlainHoles(chunks, streams)))
        self.container = self._structure.container
        description = described(holes)
        self.attributes: Attributes = {} if description is None else description.attributes
        self.groups: Mapping[str, Attributes] = {} if description is None else description.groups
        self.unlimited = frozenset[str]() if description is None else description.unlimited
        self.arrays: dict[str, LazyArray] = {}
        self._numbers: dict[str, int] = {}
        for number, variable in enumerate(self._structure.variables):
            name = variable.known_as
            if description is None:
                name = _unused(name, self._numbers)
            if name not in self._numbers and _is_all(name, variable, description):
                self._numbers[name] = number
                self.arrays[name] = self._array(name, number, variable, description)
        for name, one in {} if description is None else description.variables.items():
            if name not in self.arrays:
                self.arrays[name] = self._other(name, one)
        if description is not None and description.unlimited:
            self.arrays = _filled_up(self.arrays, description)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file of the frame."""
        self._file.close()

    def headers(self) -> BinaryIO:
        """The file with zeros where its arrays lie, for libraries that read files."""
        return io.BufferedReader(SlicedFile(SourceBytes(_Holes(self._chunks))))

    def original(self) -> BinaryIO:
        """The file itself; a chunk is decoded when some of it is read."""
        return io.BufferedReader(SlicedFile(SourceBytes(_Original(self._chunks))))

    def bytes_without(self, names: Container[str]) -> bytes:
        """The whole file, but zeros for the values of these arrays: all of it in memory."""
        if all(name in names for name in self._numbers):
            return b"".join(map(self._chunks.holes, range(len(self._chunks.frame.chunks))))
        out = bytearray(self._chunks.read(0, self._chunks.length))
        blank = [self._structure.variables[number].extent for name, number in self._numbers.items() if name in names]
        for extent in blank:
            _blank(extent, self._structure.streams, out)
        return bytes(out)

    def _array(self, name: str, number: int, variable: Variable, description: Description | None) -> LazyArray:
        told = None if description is None else description.variables.get(name)
        extent = variable.extent

        def read(wanted: list[I64]) -> Values:
            values = self._values(number, wanted[::-1] if variable.turned else wanted)
            return values.T if variable.turned else values

        def blocks() -> tuple[int, ...] | None:
            found = self._blocks(number)
            return found[::-1] if found is not None and variable.turned else found

        chunks = _stretches(variable.extent.shape, [box for _, box in self._boxes(number)])
        clipped = tuple(_clipped(axis, side) for axis, side in zip(chunks, _own_sides(variable), strict=True))
        return LazyArray(
            name=name,
            shape=variable.shape,
            dtype=extent.element.native,
            chunks=clipped[::-1] if variable.turned else clipped,
            dimensions=_made_up(name, len(variable.shape)) if told is None else told.dimensions,
            attributes={} if told is None else told.attributes,
            big=told is not None and _is_big(told.dtype),
            _read=read,
            _blocks_of=blocks,
        )

    def _other(self, name: str, told: Described) -> LazyArray:
        """What is kept as no array: characters, structures, a few numbers, chunks that only a library reads."""

        def read(wanted: list[I64]) -> Values:
            if not all(map(len, wanted)):
                return np.zeros([len(axis) for axis in wanted], told.dtype)
            if told.extent is not None:
                return self._from_bytes(told.extent.checked(self._chunks.length), wanted).view(told.dtype)
            return self._by_library(name, told, wanted)

        chunks = tuple((side,) for side in told.shape)
        return LazyArray(
            name=name,
            shape=told.shape,
            dtype=told.dtype,
            chunks=chunks,
            dimensions=told.dimensions,
            attributes=told.attributes,
            big=_is_big(told.dtype),
            _read=read,
            _blocks_of=lambda: None,
        )

    def _by_library(self, name: str, told: Described, wanted: list[I64]) -> Values:
        box = tuple(slice(int(axis.min()), int(axis.max()) + 1) for axis in wanted)
        values: Values = reading(SourceBytes(_Original(self._chunks)), lambda file: np.asarray(file[name][box]))
        return values[np.ix_(*(axis - axis.min() for axis in wanted))] if told.shape else values

    def _boxes(self, number: int) -> list[tuple[int, Box]]:
        """Which chunk has which part of a variable, as far as its streams could be opened."""
        found = []
        placed = self._structure.placed[number]
        streams = self._structure.streams
        span = (streams.stored_at(placed.span.start), streams.stored_at(placed.span.stop))
        for index in self._chunks.frame.overlapping(max(0, span[0] - placed.span.stop + placed.span.start), span[1]):
            found += [(index, box) for box in self._structure.boxes_of(number, self._chunks.piece(index))]
        return found

    def _values(self, number: int, wanted: list[I64]) -> Values:
        """Of one variable, at the wanted indices of each axis."""
        extent = self._structure.variables[number].extent
        out = np.zeros([len(axis) for axis in wanted], extent.element.native)
        left: Bools = np.ones(out.shape, np.bool_)
        touched = {index for index, box in self._places[number] if all(map(len, _inside(wanted, box)))}
        for index in sorted(touched):
            head = self._chunks.head(index)
            if head is None:
                continue
            for part in self._structure.parts_of(number, self._chunks.piece(index), head.inflated):
                inside = _inside(wanted, part.box)
                array = head.arrays.get(part.extent)
                if array is None or not all(map(len, inside)):
                    continue
                own = [axis[at] - side.start for axis, at, side in zip(wanted, inside, part.box, strict=True)]
                out[np.ix_(*inside)] = self._chunks.part(index, array, own)
                left[np.ix_(*inside)] = False
        if left.any():
            found = self._from_bytes(extent, wanted, left)
            out[left] = found[left]
        return out

    @cached_property
    def _places(self) -> "_Places":
        return _Places(self._boxes)

    def _blocks(self, number: int) -> tuple[int, ...] | None:
        """The sides of what decodes alone in the first chunk that has some of a variable, by the axes of the array."""
        for index, _ in self._places[number]:
            head = self._chunks.head(index)
            if head is None:
                continue
            for part in self._structure.parts_of(number, self._chunks.piece(index), head.inflated):
                array = head.arrays.get(part.extent)
                if array is not None:
                    return self._chunks.sides(index, array)
        return None

    def _from_bytes(self, extent: Extent, wanted: list[I64], left: Bools | None = None) -> Values:
        """Values out of the bytes of the file, tile by tile; `left` says which of them are wanted."""
        out = np.zeros([len(axis) for axis in wanted], extent.element.native)
        near = (np.unique(axis // side).tolist() for axis, side in zip(wanted, extent.tile, strict=True))
        for place in product(*near):
            box = tuple(range(at * side, (at + 1) * side) for at, side in zip(place, extent.tile, strict=True))
            inside = _inside(wanted, box)
            if not all(map(len, inside)) or (left is not None and not left[np.ix_(*inside)].any()):
                continue
            own = [axis[at] - side.start for axis, at, side in zip(wanted, inside, box, strict=True)]
            out[np.ix_(*inside)] = self._of_tile(extent, raveled(place, extent.grid), own)
        return out

    def _of_tile(self, extent: Extent, number: int, wanted: list[I64]) -> Values:
        """Of one tile, at these of its indices: the bytes from the first to the last of them are read."""
        if len(wanted) > 1 and len(wanted[0]) > 1 and extent.reach > _AT_ONCE_BYTES and not extent.element.bits:
            return np.concatenate(
                [self._of_tile(extent, number, [row, *wanted[1:]]) for row in np.split(wanted[0], len(wanted[0]))]
            )
        offset, back = extent.offsets[number], 0 if extent.element.scale is None else extent.element.scale.back
        one = replace(extent, grid=(1,) * len(extent.tile), offsets=(back,))
        if not extent.element.bits and extent.tile:
            low = [int(axis.min()) for axis in wanted]
            sides = tuple(int(axis.max()) + 1 - least for axis, least in zip(wanted, low, strict=True))
            offset += sum(least * stride for least, stride in zip(low, extent.strides, strict=True))
            wanted = [axis - least for axis, least in zip(wanted, low, strict=True)]
            one = replace(one, tile=sides)
        data = self._plain_bytes(offset, one.reach)
        if back:  # the scale may lie before a stream, and the numbers in it
            data = self._plain_bytes(offset - back, back) + data
        return one.gather(data)[np.ix_(*wanted)] if extent.tile else one.gather(data)

    def _plain_bytes(self, plain_offset: int, length: int) -> bytes:
        """Of the plain file of one whose streams could all be opened: in one stream, or in none."""
        streams = self._structure.streams
        stream = streams.stream_at(plain_offset)
        if stream is None:
            return self._chunks.read(streams.stored_at(plain_offset), length)
        at = plain_offset - stream.plain_offset
        return stream.place.plain_of(self._chunks.read(stream.offset, stream.length))[at : at + length]


class _Places(dict[int, list[tuple[int, Box]]]):
    """The boxes of variables, found when they are first asked for."""

    def __init__(self, find: Callable[[int], list[tuple[int, Box]]]) -> None:
        super().__init__()
        self._find = find

    def __missing__(self, number: int) -> list[tuple[int, Box]]:
        self[number] = self._find(number)
        return self[number]


def _inside(wanted: list[I64], box: Box) -> list[I64]:
    """Which of the wanted indices of each axis lie in a box."""
    return [np.flatnonzero((axis >= side.start) & (axis < side.stop)) for axis, side in zip(wanted, box, strict=True)]


def _is_all(name: str, variable: Variable, description: Description | None) -> bool:
    """Whether an array is the variable of its name, rather than a part of it, as halves of complex numbers are."""
    told = None if description is None else description.variables.get(name)
    if description is None:
        return True
    return (
        told is not None
        and told.shape == variable.shape
        and told.dtype.newbyteorder("=") == variable.extent.element.native
    )


def _filled_up(arrays: Mapping[str, LazyArray], description: Description) -> dict[str, LazyArray]:
    """The same, with arrays that have fewer records than their dimension as long as that, as NetCDF gives them."""

    declared = description.unlimited | description.fixed

    def dimension(name: str, axis: int) -> str | None:
        """The dimension that may grow, of the innermost group that has one of this name."""
        group, own = name.rpartition("/")[0], arrays[name].dimensions[axis]
        while group and f"{group}/{own}" not in declared:
            group = group.rpartition("/")[0]
        found = f"{group}/{own}".lstrip("/")
        return found if found in description.unlimited else None

    grown: dict[str | None, int] = {}
    for name, one in arrays.items():
        for axis, side in enumerate(one.shape):
            grown[dimension(name, axis)] = max(side, grown.get(dimension(name, axis), 0))
    grown.pop(None, None)
    found = {}
    for name, one in arrays.items():
        shape = tuple(grown.get(dimension(name, axis), side) for axis, side in enumerate(one.shape))
        found[name] = one if shape == one.shape else _longer(one, shape, description.variables[name].fill)
    return found


def _longer(array: LazyArray, shape: tuple[int, ...], fill: Any) -> LazyArray:
    def read(wanted: list[I64]) -> Values:
        inside = [np.flatnonzero(axis < side) for axis, side in zip(wanted, array.shape, strict=True)]
        out: Values = np.full([len(axis) for axis in wanted], fill, array.dtype)
        if all(map(len, inside)):
            own = [axis[at] for axis, at in zip(wanted, inside, strict=True)]
            out[np.ix_(*inside)] = array.at(own)
        return out

    more = tuple((side - own,) if side > own else () for side, own in zip(shape, array.shape, strict=True))
    chunks = tuple(tuple(filter(None, (*had, *new))) or (0,) for had, new in zip(array.chunks, more, strict=True))
    return replace(array, shape=shape, chunks=chunks, _read=read)


def _is_big(dtype: np.dtype[Any]) -> bool:
    return dtype.str.startswith(">")


def _unused(name: str, used: Container[str]) -> str:
    """The name, or with a number behind it: messages of GRIB and units of FITS need not have names of their own."""
    numbered = (f"{name}_{number}" for number in count(2))
    return name if name not in used else next(one for one in numbered if one not in used)


def _own_sides(variable: Variable) -> tuple[int, ...]:
    return variable.extent.shape if variable.sides is None else variable.sides


def _made_up(name: str, rank: int) -> tuple[str, ...]:
    return tuple(f"{name}_{axis}" for axis in range(rank))


def _stretches(shape: tuple[int, ...], boxes: list[Box]) -> Iterator[tuple[int, ...]]:
    """Along each axis, the lengths between the places where boxes begin."""
    for axis, side in enumerate(shape):
        begins = sorted({0, side, *(box[axis].start for box in boxes)})
        yield tuple(stop - start for start, stop in pairwise(begins)) or (side,)


def _clipped(lengths: tuple[int, ...], side: int) -> tuple[int, ...]:
    """The same up to `side`: chunks may reach over the end of their array."""
    found: list[int] = []
    at = 0
    for length in lengths:
        if at < side or not found:
            found.append(min(length, side - at))
        at += length
    return tuple(found)


def _blank(extent: Extent, streams: Inflated, out: bytearray) -> None:
    """Put zeros where the values of an array lie; for the whole of a stream that says some of them."""
    for offset in extent.offsets:
        stream = streams.stream_at(offset)
        if stream is not None:
            out[stream.offset : stream.offset + stream.length] = bytes(stream.length)
    if not any(map(streams.stream_at, extent.offsets)):
        own = replace(extent, offsets=tuple(map(streams.stored_at, extent.offsets)))
        mask: Bools = np.ones(len(out), np.bool_)
        own.cover(mask)
        np.frombuffer(out, np.uint8)[~mask] = 0


def as_file(source: Source) -> BinaryIO:
    """A source as a file that `open_arrays` takes: bytes behind HTTP, say."""
    return io.BufferedReader(SlicedFile(SourceBytes(source)))


def open_arrays(file: BinaryIO, *, primers: Primers | None = None) -> ArrayFile:
    """The file that the frame in `file` keeps, its arrays to be decoded when they are asked for.

    Of a frame of another codec whole chunks are decoded instead of blocks. Raises as reading a frame does.
    """
    return ArrayFile(KeptChunks(file, read_frame(file), primers), file)
