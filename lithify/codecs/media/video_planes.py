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
PIXELS_OF_WORDS = 6
_WORD_BITS, _WORD_MOST = 10, 0x3FF
_IN_WORDS = ((1, 2), (0, 4), (2, 4))
"""Of brightness and both colours: which sample of a row is the first, and how many there are from one to the next."""


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
    words: bool = False
    """Whether three samples of 10 bits lie in each word of 32, as v210 has them; planes then have no places."""

    @property
    def sample_bytes(self) -> int:
        """Of a frame, without what lies between its samples."""
        if self.words:
            return self.length
        return sum(grid.rows * grid.columns for grid in self.grids) * self.octets

    def is_sound(self) -> bool:
        """Whether its planes lie apart from one another, all inside the frame, and no frame is too large."""
        if not 0 < self.length <= limits.CHUNK_BYTES_MAX or len(self.grids) not in {1, PLANES_MAX}:
            return False
        if self.words:
            rows, columns = self.grids[0].rows, self.grids[0].columns
            return max(rows, columns) <= SIDE_MAX and self == in_words(rows, columns)
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
        if self.words:
            return np.ones(self.length, np.bool_)
        mask = np.zeros((1, self.length), np.uint8)
        for grid in self.grids:
            _view(mask, grid, self.octets)[:] = 1
        return cast("Bools", mask[0] == 1)


def in_words(rows: int, columns: int) -> Layout:
    """Brightness and half as many columns of both colours, six pixels in four words; columns are multiples of six."""
    columns -= columns % PIXELS_OF_WORDS
    sizes = ((rows, columns), (rows, columns // 2), (rows, columns // 2))
    grids = tuple(Grid(0, *size, 2, 2 * size[1]) for size in sizes)
    return Layout(rows * columns // PIXELS_OF_WORDS * 16, 2, grids, words=True)


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


def half_woven(rows: int, width: int, octets: int, *, down: int) -> Layout:
    """A plane of brightness, and behind it both colours in turn, of half as many columns."""
    luma, half = rows * width * octets, (-(-rows // down), -(-width // 2))
    grids = [Grid(0, rows, width, octets, width * octets)]
    grids += [Grid(luma + at, *half, 2 * octets, 2 * half[1] * octets) for at in (0, octets)]
    return Layout(luma + 2 * half[0] * half[1] * octets, octets, tuple(grids))


def woven(rows: int, width: int, places: tuple[int, int, int]) -> Layout:
    """Two pixels in four bytes: brightness twice, and both colours once."""
    luma, *chroma = places
    grids = [Grid(luma, rows, width, 2, 2 * width)]
    grids += [Grid(place, rows, width // 2, 4, 2 * width) for place in chroma]
    return Layout(2 * width * rows, 1, tuple(grids))


def is_plain(layout: Layout) -> bool:
    """Whether it is what `planar` makes of these planes."""
    return not layout.words and layout[:3] == planar([grid[1:3] for grid in layout.grids], layout.octets)[:3]


def take_samples(frames: U8, layout: Layout) -> list[Samples]:
    """The samples of frames (frame, byte): an array (frame, row, column) for each plane."""
    if layout.words:
        return _from_words(frames, layout)
    found = [_as_samples(_view(frames, grid, layout.octets)) for grid in layout.grids]
    return [found[0], *(plane - found[0] for plane in found[1:])] if layout.coloured else found


def put_samples(planes: Sequence[Samples], frames: U8, layout: Layout) -> None:
    """Write the samples of each plane to where they lie in frames (frame, byte)."""
    if layout.words:
        _into_words(planes, frames, layout)
        return
    for number, (plane, grid) in enumerate(zip(planes, layout.grids, strict=True)):
        whole = plane + planes[0] if layout.coloured and number else plane
        octets = whole[..., np.newaxis] if layout.octets == 1 else whole.astype("<u2")[..., np.newaxis].view(np.uint8)
        _view(frames, grid, layout.octets)[:] = octets


def fits_words(frames: U8) -> bool:
    """Whether words of frames (frame, byte) hold three samples and nothing else."""
    return not bool(np.any(frames[:, 3::4] & 0xC0))


def _from_words(frames: U8, layout: Layout) -> list[Samples]:
    words = np.ascontiguousarray(frames).view("<u4").reshape(len(frames), layout.grids[0].rows, -1)
    samples = np.empty((*words.shape, 3), np.uint16)
    for number in range(3):
        samples[..., number] = words >> (_WORD_BITS * number) & _WORD_MOST
    rows = samples.reshape(*words.shape[:2], -1)
    return [np.ascontiguousarray(rows[..., first::step]) for first, step in _IN_WORDS]


def _into_words(planes: Sequence[Samples], frames: U8, layout: Layout) -> None:
    rows = np.empty((len(frames), layout.grids[0].rows, 2 * layout.grids[0].columns), np.uint32)
    for plane, (first, step) in zip(planes, _IN_WORDS, strict=True):
        rows[..., first::step] = plane & _WORD_MOST
    thirds = rows.reshape(len(frames), -1, 3)
    words = thirds[..., 0] | thirds[..., 1] << _WORD_BITS | thirds[..., 2] << 2 * _WORD_BITS
    frames[:] = words.astype("<u4").view(np.uint8)


def _view(frames: U8, grid: Grid, octets: int) -> U8:
    """The bytes of a plane in frames, as (frame, row, column, byte of a sample)."""
    shape = (len(frames), grid.rows, grid.columns, octets)
    strides = (frames.strides[0], grid.stride, grid.step, 1)
    return cast("U8", np.lib.stride_tricks.as_strided(frames[:, grid.start :], shape, strides))


def _as_samples(octets: U8) -> Samples:
    if octets.shape[-1] == 1:
        return np.ascontiguousarray(octets[..., 0])
    return np.ascontiguousarray(octets).view("<u2")[..., 0].astype(np.uint16)
