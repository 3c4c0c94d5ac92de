"""The chunks of a frame that keeps a file of arrays, for readers who want little of it: heads, holes, single blocks.

What is read of a chunk is compared: heads and blocks with the checksums of stored bytes that payloads have, chunks that
are decoded whole with those of the frame, which are of decoded bytes. Nobody else's encoder is trusted more for that.
"""

from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from os import cpu_count
from threading import RLock
from typing import BinaryIO

import numpy as np

from lithify import limits
from lithify.codecs.array_types import I64, Values
from lithify.codecs.arrays.block import decode_block
from lithify.codecs.arrays.checks import CHECK_BYTES, ArrayHead, Checks, compare, read_head
from lithify.codecs.arrays.codec import Arrays
from lithify.codecs.arrays.cube import Block, selected
from lithify.codecs.arrays.extents import Extent
from lithify.codecs.arrays.inflated import Inflated
from lithify.codecs.arrays.layout import Kept
from lithify.codecs.arrays.payload import ARRAYS, INFLATED, Opened, open_head, open_streams
from lithify.codecs.arrays.pieces import Piece
from lithify.codecs.arrays.wire import Reader
from lithify.codecs.codec import Codec
from lithify.codecs.frame import Frame, Primers, decode_frame, ready_codec
from lithify.codecs.frame.read import read_exactly
from lithify.errors import Corrupt

_FIRST_BYTES = 64 * limits.KIB
"""Of a payload, read at once: mostly they hold its head."""
_CACHED_BYTES = 96 * limits.MIB
"""Of chunks decoded, or with holes, that stay in memory; at least the one last used."""

_HEADS_MAX = 64
_Task = tuple[bytes, Block, tuple[I64, ...], I64]
"""A block's bytes, the block, which of its values are wanted, and where those go."""


@dataclass(frozen=True, slots=True)
class KeptArray:
    """An array in a chunk.

    offset  where its payload begins in the frame
    """

    kept: Kept
    checks: Checks
    offset: int


@dataclass(frozen=True, slots=True)
class ChunkHead:
    """What a chunk says of itself: its arrays, the bytes that are in none, the streams that were opened."""

    length: int
    arrays: dict[Extent, KeptArray]
    skeleton: bytes
    inflated: Inflated | None


class KeptChunks:
    """The chunks of the frame in `file`, which stays open. Everything raises as decoding a frame does.

    Several threads may read at a time: blocks are decoded side by side.
    """

    def __init__(self, file: BinaryIO, frame: Frame, primers: Primers | None) -> None:
        self._file, self.frame, self._primers = file, frame, primers
        self.length = frame.decoded_length
        self._heads: OrderedDict[int, ChunkHead | None] = OrderedDict()
        self._lock = RLock()
        self._codecs: dict[int, Codec] = {}
        self._cache: OrderedDict[tuple[str, int], bytes] = OrderedDict()

    def piece(self, index: int) -> Piece:
        """Where a chunk lies in the file."""
        chunk = self.frame.chunks[index]
        return Piece(chunk.start, chunk.start + chunk.length)

    def head(self, index: int) -> ChunkHead | None:
        """Of a chunk that has arrays; None: it has none, or another codec made it."""
        with self._lock:
            if index not in self._heads:
                self._heads[index] = self._read_head(index)
                if len(self._heads) > _HEADS_MAX:
                    self._heads.popitem(last=False)
            self._heads.move_to_end(index)
            return self._heads[index]

    def whole(self, index: int) -> bytes:
        """A chunk, decoded."""
        return self._cached("whole", index, self._decoded)

    def holes(self, index: int) -> bytes:
        """A chunk with zeros where its arrays lie; decoded, if it has none."""
        return self.whole(index) if self.head(index) is None else self._cached("holes", index, self._with_holes)

    def plain_holes(self, index: int) -> bytes:
        """The same, its streams opened."""
        head = self.head(index)
        return self.whole(index) if head is None else self._cached("plain", index, lambda _: _holes_of(head))

    def part(self, index: int, array: KeptArray, wanted: list[I64]) -> Values:
        """The values of an array at the wanted indices of each axis; only their blocks are read."""
        extent = array.kept.extent
        dtype = extent.element.native
        stored, head = self._array_head(index, array)
        order = head.cube.order
        flat = np.zeros([len(wanted[axis]) for axis in order], dtype).reshape(-1)
        tasks: list[_Task] = [
            (self._block(index, array, stored, head.bounds[number : number + 2], number), block, source, target)
            for number, block, source, target in selected(head.cube, wanted)
        ]

        def decode(task: _Task) -> None:
            body, block, source, target = task
            upto = int(source[0].max()) + 1
            flat[target] = decode_block(body, block.shape, block.frames, head.coding, upto)[np.ix_(*source)]

        _each(decode, tasks)
        found = flat.reshape([len(wanted[axis]) for axis in order])
        return np.transpose(found, np.argsort(order)) if order else found

    def sides(self, index: int, array: KeptArray) -> tuple[int, ...]:
        """The sides of what decodes alone of an array, in the order of its axes."""
        cube = self._array_head(index, array)[1].cube
        found = [1] * len(cube.shape)
        for axis, step in zip(cube.order[-2:][::-1], cube.step[:0:-1], strict=False):
            found[axis] = step
        frames = cube.step[0]
        for axis in reversed(cube.order[:-2]):
            found[axis] = min(frames, cube.shape[axis])
            frames = max(1, frames // cube.shape[axis])
        return tuple(found)

    def read(self, offset: int, length: int) -> bytes:
        """Bytes of the file, their chunks decoded."""
        return self._joined(offset, length, self.whole)

    def read_holes(self, offset: int, length: int) -> bytes:
        """Bytes of the file, with zeros where arrays lie."""
        return self._joined(offset, length, self.holes)

    def _joined(self, offset: int, length: int, of: Callable[[int], bytes]) -> bytes:
        end = min(offset + length, self.length)
        pieces = []
        for index in self.frame.overlapping(offset, end):
            start = self.frame.chunks[index].start
            pieces.append(of(index)[max(0, offset - start) : end - start])
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _cached(self, kind: str, index: int, make: Callable[[int], bytes]) -> bytes:
        key = kind, index
        with self._lock:
            if key not in self._cache:
                made = make(index)
                while self._cache and len(made) + sum(map(len, self._cache.values())) > _CACHED_BYTES:
                    self._cache.popitem(last=False)
                self._cache[key] = made
            self._cache.move_to_end(key)
            return self._cache[key]

    def _read(self, offset: int, length: int) -> bytes:
        """Stored bytes; several threads may ask."""
        with self._lock:
            return read_exactly(self._file, offset, length)

    def _decoded(self, index: int) -> bytes:
        start, stop = self.piece(index)
        return b"".join(decode_frame(self._file, start=start, end=stop, frame=self.frame, primers=self._primers))

    def _with_holes(self, index: int) -> bytes:
        head = self.head(index)
        assert head is not None
        plain = self.plain_holes(index)
        if head.inflated is None:
            return plain
        untold = {
            stream.offset
            for extent in head.arrays
            for stream in map(head.inflated.stream_at, extent.offsets)
            if stream is not None
        }
        return head.inflated.closed(plain, without=frozenset(untold))

    def _read_head(self, index: int) -> ChunkHead | None:
        chunk = self.frame.chunks[index]
        if not isinstance(self._codec(chunk.format_index), Arrays):
            return None
        at, end = chunk.offset, chunk.offset + chunk.stored_length
        method, head, at = self._checked_head(at, end, f"the head of chunk {index}")
        inflated, length = None, chunk.length
        if method == INFLATED:
            inflated = open_streams(head, chunk.length)
            length = inflated.plain_length
            method, head, at = self._checked_head(at, end, f"the head of the streams' file in chunk {index}")
        if method != ARRAYS:
            return None
        opened = open_head(head, length)
        arrays = {}
        for kept, checks in zip(opened.kept, opened.checks, strict=True):
            arrays[kept.extent] = KeptArray(kept, checks, at)
            at += kept.payload_bytes
        if at != end:
            raise Corrupt(f"chunk {index} of {chunk.stored_length} bytes has arrays up to byte {at - chunk.offset}")
        return ChunkHead(length, arrays, opened.skeleton, inflated)

    def _codec(self, format_index: int) -> Codec:
        if format_index not in self._codecs:
            self._codecs[format_index] = ready_codec(self.frame.formats[format_index], self._primers)
        return self._codecs[format_index]

    def _checked_head(self, at: int, end: int, what: str) -> tuple[int, bytes, int]:
        """The method, the head behind it, and where that ends; no head, if the method has none."""
        first = self._read(at, min(_FIRST_BYTES, end - at))
        reader = Reader(first)
        method = reader.byte()
        if method not in (ARRAYS, INFLATED):
            return method, b"", at
        length = reader.varint(end - at)
        check = int.from_bytes(reader.take(CHECK_BYTES), "little")
        begin = at + len(first) - reader.left
        if begin + length > end:
            raise Corrupt(f"{what} has {length} bytes, {end - begin} are left")
        head = reader.take(min(length, reader.left))
        if len(head) < length:
            head += self._read(begin + len(head), length - len(head))
        compare(head, check, what)
        return method, head, begin + length

    def _array_head(self, index: int, array: KeptArray) -> tuple[bytes, ArrayHead]:
        """What is before the first block, or all of an array that has only one."""
        checks, extent = array.checks, array.kept.extent
        stored = self._read(array.offset, checks.head_bytes)
        compare(stored, checks.head, f"an array in chunk {index}")
        head = read_head(stored, extent.shape, extent.element.native)
        if checks.blocks and len(checks.blocks) != len(head.bounds) - 1:
            raise Corrupt(
                f"an array of {len(head.bounds) - 1} blocks in chunk {index} has {len(checks.blocks)} checksums"
            )
        if head.bounds[-1] != array.kept.payload_bytes:
            raise Corrupt(f"an array in chunk {index} has blocks up to byte {head.bounds[-1]} of its payload")
        return stored, head

    def _block(self, index: int, array: KeptArray, stored: bytes, bounds: tuple[int, ...], number: int) -> bytes:
        start, stop = bounds
        if not array.checks.blocks:
            return stored[start:stop]
        body = self._read(array.offset + start, stop - start)
        compare(body, array.checks.blocks[number], f"block {number} of an array in chunk {index}")
        return body


def _holes_of(head: ChunkHead) -> bytes:
    return bytes(Opened(head.length, tuple(head.arrays), (), head.skeleton).with_holes())


def _each(work: Callable[[_Task], None], tasks: list[_Task]) -> None:
    """Do the work, several at a time: kernels let other threads run."""
    if len(tasks) < 2:
        for task in tasks:
            work(task)
        return
    with ThreadPoolExecutor(min(len(tasks), cpu_count() or 1)) as pool:
        list(pool.map(work, tasks))
