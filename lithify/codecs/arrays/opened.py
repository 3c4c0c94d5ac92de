"""A kept file, opened: its headers at once, the values of its arrays when they are asked for, and only those blocks.

What is read this way is not compared with the checksums of the frame, which are those of whole chunks:
`lithify unpack` and `lithify verify` do that.
"""

from collections.abc import Callable, Container
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

import numpy as np

from lithify.codecs.array_types import Values
from lithify.codecs.arrays.codec import Arrays
from lithify.codecs.arrays.containers.find import arrays_in, container_of
from lithify.codecs.arrays.containers.variable import Variable
from lithify.codecs.arrays.cube import read_cube
from lithify.codecs.arrays.payload import Opened, open_payload
from lithify.codecs.arrays.values import decode_part
from lithify.codecs.arrays.wire import Reader
from lithify.codecs.frame import Frame, Primers, decode_frame, read_frame
from lithify.codecs.frame.read import read_exactly

Index = int | slice
Read = Callable[[tuple[Index, ...]], Values]


@dataclass(frozen=True)
class LazyArray:
    """An array whose values are decoded when it is indexed, by one slice or number for each axis.

    blocks  the shape of what decodes alone; None: the whole
    """

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]
    blocks: tuple[int, ...] | None
    _read: Read

    def __getitem__(self, index: Index | tuple[Index, ...]) -> Values:
        parts = index if isinstance(index, tuple) else (index,)
        whole = (*parts, *(slice(None) for _ in self.shape[len(parts) :]))
        # Within its own shape, which the blocks may reach over.
        return self._read(tuple(_within(part, side) for part, side in zip(whole, self.shape, strict=True)))


def _within(part: Index, side: int) -> Index:
    if isinstance(part, slice):
        start, stop, step = part.indices(side)
        return slice(start, None if stop < 0 else stop, step)
    if not -side <= part < side:
        raise IndexError(f"index {part} of an axis of {side}")
    return part % side


class ArrayFile:
    """A file that holds arrays, opened.

    container  the name of what it is
    arrays     by name; those of files without names are called `values`
    """

    def __init__(self, holes: bytearray, opened: Opened | None) -> None:
        self._holes, self._opened = bytes(holes), opened
        self._inflated = None if opened is None else opened.inflated
        file = self._holes
        if self._inflated is not None:
            file = self._inflated.closed(holes, without=frozenset(self._inflated.begins))
        self.container = container_of(file[:512])
        variables = arrays_in(file, inflated=self._inflated, plain=self._holes)
        places = {extent: index for index, extent in enumerate(opened.extents)} if opened is not None else {}
        self.arrays: dict[str, LazyArray] = {}
        self._index: dict[str, int] = {}
        for variable in variables:
            name = variable.name.lstrip("/") or "values"
            index = places.get(variable.extent)
            if name not in self.arrays and (index is not None or not places):
                self.arrays[name] = self._lazy(name, variable, index)
                if index is not None:
                    self._index[name] = index

    def bytes_without(self, names: Container[str]) -> bytes:
        """The whole file, but zeros for the values of these arrays."""
        if self._opened is None:
            return self._holes
        out = bytearray(self._holes)
        left = {index for name, index in self._index.items() if name in names}
        untold: set[int] = set()
        for index, extent in enumerate(self._opened.extents):
            if index in left:
                untold.update(extent.offsets)
            else:
                extent.scatter(self._opened.values(index), out)
        if self._inflated is None:
            return bytes(out)
        without = (stream.offset for stream in self._inflated.streams if stream.plain_offset in untold)
        return self._inflated.closed(out, without=frozenset(without))

    def _lazy(self, name: str, variable: Variable, index: int | None) -> LazyArray:
        extent = variable.extent
        if index is None or self._opened is None:
            read: Read = partial(_from_bytes, self._holes, variable)
            return LazyArray(name, variable.shape, extent.element.native, None, read)
        payload = self._opened.payloads[index]
        blocks = _blocks(payload, extent.shape)
        turned = blocks[::-1] if variable.turned else blocks
        read = partial(_from_payload, payload, variable)
        return LazyArray(name, variable.shape, extent.element.native, turned, read)


def _from_bytes(data: bytes, variable: Variable, parts: tuple[Index, ...]) -> Values:
    values = variable.extent.gather(data)
    return (values.T if variable.turned else values)[parts]


def _from_payload(payload: bytes, variable: Variable, parts: tuple[Index, ...]) -> Values:
    extent = variable.extent
    wanted = parts[::-1] if variable.turned else parts
    found = decode_part(payload, extent.shape, extent.element.native, wanted)
    return found.T if variable.turned else found


def _blocks(payload: bytes, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The sides of what decodes alone, in the order of the array's axes."""
    cube = read_cube(Reader(payload), shape)
    found = [1] * len(shape)
    for axis, step in zip(cube.order[-2:][::-1], cube.step[:0:-1], strict=False):
        found[axis] = step
    frames = cube.step[0]
    for axis in reversed(cube.order[:-2]):
        found[axis] = min(frames, shape[axis])
        frames = max(1, frames // shape[axis])
    return tuple(found)


def open_arrays(file: BinaryIO, *, primers: Primers | None = None) -> ArrayFile:
    """The file that the frame in `file` keeps, its arrays to be decoded when they are asked for.

    A frame of another codec is decoded at once. Raises as `read_frame` and `decode_frame` do.
    """
    frame = read_frame(file)
    if _is_ours(frame):
        chunk = frame.chunks[0]
        opened = open_payload(read_exactly(file, chunk.offset, chunk.stored_length), chunk.length)
        return ArrayFile(opened.with_holes(), opened)
    return ArrayFile(bytearray(b"".join(decode_frame(file, frame=frame, primers=primers))), None)


def _is_ours(frame: Frame) -> bool:
    return len(frame.chunks) == 1 and frame.formats[0].format.id == Arrays.facts.format.id
