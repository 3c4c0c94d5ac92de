"""How the samples of a frame lie in its bytes: planes of rows and columns, one after another or woven together."""

from collections.abc import Sequence
from typing import NamedTuple, cast

import numpy as np
import numpy.typing as npt

from lithify import limits
from lithify.codecs.array_types import U8, Bools
from lithify.codecs.media.video_guess import Plane

Samples = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]

SIDE_MAX = 16_384
PLANES_MAX = 3


class Grid(NamedTuple):
    """One plane of a frame."""

    start: int
    """Of its first sample, in bytes from where the frame begins."""
    rows: int
    columns: int
    step: int
    """Bytes from a sample to the next one of its row."""
    stride: int
    """Bytes from a row to the next; negative where the last row comes first."""


class Layout(NamedTuple):
    """A frame of one or three planes."""

    length: int
    """In bytes."""
    octets: int
    """Of a sample, 1 or 2."""
    grids: tuple[Grid, ...]
    coloured: bool = False
    """Whether the planes are green, blue and red: the other two are then kept less the first."""

    @property
    def sample_bytes(self) -> int:
        """Of a frame, without what lies between its samples."""
        return sum(grid.rows * grid.columns for grid in self.grids) * self.octets

    def is_sound(self) -> bool:
        """Whether its planes lie apart from one another, all inside the frame, and no frame is too large."""
        if not 0 < self.length <= limits.CHUNK_BYTES_MAX or len(self.grids) not in {1, PLANES_MAX}:
            return False
        if self.octets not in {1, 2} or not all(self._holds(grid) for grid in self.grids):
            return False
        if self.sample_bytes > self.length or (self.coloured and len({grid[1:3] for grid in self.grids}) > 1):
            return False
        return is_plain(self) or int(np.count_nonzero(self.covered())) == self.sample_bytes

    def _holds(self, grid: Grid) -> bool:
        if not (0 < grid.rows <= SIDE_MAX and 0 < grid.columns <= SIDE_MAX and grid.step >= self.octets):
            return False
        last = grid.start + (grid.rows - 1) * grid.stride
        row = (grid.columns - 1) * grid.step + self.octets
        return min(grid.start, last) >= 0 and max(grid.start, last) + row <= self.length

    def covered(self) -> Bools:
        """Which bytes of a frame belong to a sample."""
        mask = np.zeros((1, self.length), np.uint8)
        for grid in self.grids:
            _view(mask, grid, self.octets)[:] = 1
        return cast("Bools", mask[0] == 1)


def planar(planes: Sequence[Plane], octets: int) -> Layout:
    """Planes of these rows and columns, one behind another."""
    grids, at = [], 0
    for rows, columns in planes:
        grids.append(Grid(at, rows, columns, octets, columns * octets))
        at += rows * columns * octets
    return Layout(at, octets, tuple(grids))


def packed(rows: int, width: int, pixel_bytes: int, places: Sequence[int], stride: int) -> Layout:
    """Pixels of some bytes, in which green, blue and red (or grey) have their places; negative: the last row first."""
    length, top = rows * abs(stride), (rows - 1) * -stride if stride < 0 else 0
    grids = tuple(Grid(top + place, rows, width, pixel_bytes, stride) for place in places)
    return Layout(length, 1, grids, coloured=len(grids) > 1)


def woven(rows: int, width: int, places: tuple[int, int, int]) -> Layout:
    """Two pixels in four bytes: brightness twice, and both colours once."""
    luma, *chroma = places
    grids = [Grid(luma, rows, width, 2, 2 * width)]
    grids += [Grid(place, rows, width // 2, 4, 2 * width) for place in chroma]
    return Layout(2 * width * rows, 1, tuple(grids))


def is_plain(layout: Layout) -> bool:
    """Whether it is what `planar` makes of these planes."""
    return layout[:3] == planar([grid[1:3] for grid in layout.grids], layout.octets)[:3]


def take_samples(frames: U8, layout: Layout) -> list[Samples]:
    """The samples of frames (frame, byte): an array (frame, row, column) for each plane."""
    found = [_as_samples(_view(frames, grid, layout.octets)) for grid in layout.grids]
    return [found[0], *(plane - found[0] for plane in found[1:])] if layout.coloured else found


def put_samples(planes: Sequence[Samples], frames: U8, layout: Layout) -> None:
    """Write the samples of each plane to where they lie in frames (frame, byte)."""
    for number, (plane, grid) in enumerate(zip(planes, layout.grids, strict=True)):
        whole = plane + planes[0] if layout.coloured and number else plane
        octets = whole[..., np.newaxis] if layout.octets == 1 else whole.astype("<u2")[..., np.newaxis].view(np.uint8)
        _view(frames, grid, layout.octets)[:] = octets


def _view(frames: U8, grid: Grid, octets: int) -> U8:
    """The bytes of a plane in frames, as (frame, row, column, byte of a sample)."""
    shape = (len(frames), grid.rows, grid.columns, octets)
    strides = (frames.strides[0], grid.stride, grid.step, 1)
    return cast("U8", np.lib.stride_tricks.as_strided(frames[:, grid.start :], shape, strides))


def _as_samples(octets: U8) -> Samples:
    if octets.shape[-1] == 1:
        return np.ascontiguousarray(octets[..., 0])
    return np.ascontiguousarray(octets).view("<u2")[..., 0].astype(np.uint16)
