"""What of an array lies in a piece of its file: boxes of it, each an array by itself.

Who cuts a file and who reads a slice of it come to the same boxes, by the headers of the file and where it was cut.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import prod
from typing import Any, cast

import numpy as np

from lithify.codecs.array_types import I64
from lithify.codecs.arrays.extents import Extent

PART_BYTES_MIN = 4096
"""What is left over of an array at the ends of a piece is not worth a place in its table if it is shorter."""
_PARTS_MAX = 256
"""Boxes of one array in one piece, the largest: chunks of HDF5 may lie in any order."""
Moved = Callable[[int], int | None]
"""Where in the piece lies what is at a byte of the file; None: nowhere."""
Box = tuple[range, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A box of an array.

    extent  where its values lie in the piece
    box     its indices along each axis of the whole array
    """

    extent: Extent
    box: Box


@dataclass(frozen=True)
class Placed:
    """An array of a whole file, to be asked what lies where."""

    extent: Extent

    @cached_property
    def _back(self) -> int:
        """Bytes before a tile that belong to it: what its numbers stand for."""
        return 0 if self.extent.element.scale is None else self.extent.element.scale.back

    @cached_property
    def _begins(self) -> I64:
        return np.sort(self.starts)

    @cached_property
    def _order(self) -> I64:
        return np.argsort(self.starts, kind="stable")

    @cached_property
    def starts(self) -> I64:
        """Where each tile begins, with what its numbers stand for."""
        return np.asarray(self.extent.offsets, np.int64) - self._back

    @cached_property
    def reach(self) -> int:
        """Bytes from the begin of a tile to its end."""
        return self.extent.reach + self._back

    @cached_property
    def span(self) -> range:
        """From its first byte to its last."""
        return range(int(self._begins[0]), int(self._begins[-1]) + self.reach)

    def within(self, start: int, stop: int, moved: Moved) -> list[Part]:
        """Boxes of it that lie from byte `start` to `stop`: whole elements, none of them in two."""
        low = int(np.searchsorted(self._begins, start - self.reach, side="right"))
        high = int(np.searchsorted(self._begins, stop))
        near = self._order[low:high]
        inside = (self.starts[near] >= start) & (self.starts[near] + self.reach <= stop)
        found = list(self._of_tiles(near[inside], moved))
        for number in near[~inside].tolist():
            found += self._of_tile(number, start, stop, moved)
        if len(found) > _PARTS_MAX:
            found = sorted(found, key=lambda part: -part.extent.stored_bytes)[:_PARTS_MAX]
        return sorted(found, key=lambda part: [axis.start for axis in part.box])

    def _of_tiles(self, numbers: I64, moved: Moved) -> Iterator[Part]:
        """Whole tiles, in boxes."""
        extent = self.extent
        offsets = {number: moved(extent.offsets[number]) for number in np.sort(numbers).tolist()}
        there = np.array([number for number, offset in offsets.items() if offset is not None], np.int64)
        if not len(there):
            return
        places = np.stack(np.unravel_index(there, extent.grid), axis=1) if extent.grid else np.zeros((1, 0), np.int64)
        for box in _boxes(places.astype(np.int64)):
            grid = tuple(map(len, box))
            inner = [raveled(place, extent.grid) for place in product(*box)]
            whole = Extent(
                extent.element, extent.tile, extent.strides, grid, tuple(cast("int", offsets[one]) for one in inner)
            )
            sides = (range(at.start * side, at.stop * side) for at, side in zip(box, extent.tile, strict=True))
            yield Part(whole, tuple(sides))

    def _of_tile(self, number: int, start: int, stop: int, moved: Moved) -> list[Part]:
        """What of a tile lies between, cut along its slowest axes."""
        extent = self.extent
        offset, size = extent.offsets[number], extent.element.stored.itemsize
        if extent.element.bits or not _is_nested(extent):
            return []
        place = np.unravel_index(number, extent.grid) if extent.grid else ()
        found = []
        for box in _cut(offset, extent.tile, extent.strides, size, start, stop):
            sides = tuple(map(len, box))
            begin = moved(offset + sum(at.start * step for at, step in zip(box, extent.strides, strict=True)))
            if begin is None or prod(sides) * size < PART_BYTES_MIN:
                continue
            own = Extent(extent.element, sides, _strides(sides, extent.strides, size), (1,) * len(sides), (begin,))
            shifts = [int(at) * side for at, side in zip(place, extent.tile, strict=True)]
            moved_box = tuple(range(at.start + by, at.stop + by) for at, by in zip(box, shifts, strict=True))
            found.append(Part(own, moved_box))
        return found


def _strides(sides: tuple[int, ...], strides: tuple[int, ...], size: int) -> tuple[int, ...]:
    """The same, but for axes of one element, whose strides say nothing: those of C order."""
    found: list[int] = []
    reach = size
    for side, stride in zip(reversed(sides), reversed(strides), strict=True):
        found.append(stride if side > 1 else reach)
        reach = found[-1] * side
    return tuple(reversed(found))


def _is_nested(extent: Extent) -> bool:
    """Whether each index of an axis holds all of the axes behind it, as those of C order do."""
    end = extent.element.stored.itemsize
    for side, stride in zip(reversed(extent.tile), reversed(extent.strides), strict=True):
        if side > 1 and stride < end:
            return False
        end += (side - 1) * stride
    return True


def _cut(
    offset: int, sides: tuple[int, ...], strides: tuple[int, ...], size: int, start: int, stop: int
) -> Iterator[Box]:
    """The boxes of a nested tile whose bytes lie between: whole indices of an axis, and those at the ends cut again."""
    if not sides:
        if start <= offset and offset + size <= stop:
            yield ()
        return
    side, stride, *_ = sides[0], max(strides[0], 1)
    reach = size + sum((side - 1) * stride for side, stride in zip(sides[1:], strides[1:], strict=True))
    first = min(side, max(0, -(-(start - offset) // stride)))
    last = max(first, min(side, (stop - offset - reach) // stride + 1))
    if first < last:
        yield (range(first, last), *map(range, sides[1:]))
    begun = max(0, (start - offset - reach) // stride + 1)
    ended = min(side, -(-(stop - offset) // stride))
    for index in (*range(begun, min(first, ended)), *range(max(last, begun), ended)):
        for inner in _cut(offset + index * stride, sides[1:], strides[1:], size, start, stop):
            yield (range(index, index + 1), *inner)


def raveled(place: tuple[int, ...], grid: tuple[int, ...]) -> int:
    """The number of a tile, by its place in the grid."""
    found = 0
    for at, side in zip(place, grid, strict=True):
        found = found * side + at
    return found


def _boxes(places: I64) -> Iterator[Box]:
    """Boxes that hold the places, sorted and different, and nothing else: few where they lie as files have them."""
    if not places.shape[1]:
        yield ()
        return
    low, high = places.min(0), places.max(0) + 1
    if prod((high - low).tolist()) == len(places):
        yield tuple(range(*pair) for pair in zip(low.tolist(), high.tolist(), strict=True))
        return
    indices, begins = np.unique(places[:, 0], return_index=True)
    groups = np.split(places[:, 1:], begins[1:])
    run: list[int] = []
    inner: Any = None
    for index, group in zip(indices.tolist(), groups, strict=True):
        if run and index == run[-1] + 1 and np.array_equal(group, inner):
            run.append(index)
            continue
        if run:
            yield from ((range(run[0], run[-1] + 1), *box) for box in _boxes(inner))
        run, inner = [index], group
    yield from ((range(run[0], run[-1] + 1), *box) for box in _boxes(inner))
