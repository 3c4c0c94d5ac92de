"""What the coder of JPEG coefficients adapts while it works, and the numbers that never change. No kernels here."""

from functools import cache
from typing import NamedTuple

import numpy as np

from lithify.codecs.array_types import I32, I64, U32
from lithify.codecs.chances import chances
from lithify.codecs.media.jpeg_header import ZIGZAG, Picture

CONTEXTS = 6
CLASSES = 2
"""Of planes: the first, and all others."""
SLOTS = 8
"""Of how many bits a size has: decisions that have a chance of their own, and the last that of all others."""
BELOW_SLOTS = 16
"""The same of the bits below its first: that one by how many it has, 2 to 8; the next by 3 to 6 and the one before."""
COUNT_SLOTS = 64
LEVELS = 16
FINE_LEVELS = 32
SIGN_SLOT = SLOTS
"""Of mixing weights: behind those of a size stand those of its sign, then those of the bits below."""
ZONES = 16
SECTIONS = 4
"""Of a block: what has both frequencies, those across only, those down only, and what has none (DC)."""
START_OF_SECTION = (0, 49, 56, 63, 64)
SIDES = 17
"""Of a prediction: its level up to 8, with its sign."""

_NUMBER_CELLS = (64 * 32, 64 * 8 * 8, ZONES * 8 * 8, 64 * LEVELS * 8, 64 * LEVELS * 8, 64 * 8 * 8)
_SIGN_CELLS = (SIDES * SIDES * SECTIONS, 64 * 9, 64 * SIDES * 8)
_BELOW_CELLS = (64, SECTIONS * SIDES, ZONES * FINE_LEVELS)
_COUNT_CELLS = (64, 16 * LEVELS, 64, LEVELS * LEVELS, LEVELS * LEVELS, 64)
SIGN_BASES, BELOW_BASES, COUNT_BASES = CONTEXTS, CONTEXTS + 3, CONTEXTS + 6
"""Places in Model.bases, behind those of numbers."""
ROW = 8
"""Weights of one row, of which CONTEXTS are used: rows begin at multiples."""
ROWS_BY_ZONE = (SLOTS + 1 + BELOW_SLOTS) * SECTIONS * ZONES
COUNT_ROWS = 16
"""Decisions of a count that have weights of their own; the last has those of all others."""
ROWS_OF_COUNTS = COUNT_ROWS * SECTIONS
ROWS_PER_CLASS = ROWS_BY_ZONE + ROWS_OF_COUNTS
WIDER = 12
_START_WEIGHT = 12_000
_HALF = (1 << 21) << 10
EXPECTED_MAX = 4095

_LEVEL_STARTS = (0, 1, 4, 8, 15, 25, 40, 63, 100, 155, 242, 375, 580, 896, 1383, 2135)
_FINE_STARTS = (
    0, 1, 2, 4, 5, 8, 11, 14, 19, 25, 32, 42, 54, 68, 87, 111, 140, 178, 225, 284, 359, 453, 571, 721, 909, 1146, 1445,
    1821, 2295, 2893, 3646,
)  # fmt: skip
_LEFT_STARTS = (0, 1, 2, 3, 5, 7, 11, 17)
_OWN_EDGE = (181, 248, 240, 232, 224, 216, 208, 200)
"""How much of each frequency shows at the edge where a block begins, in 1/256."""
_FAR_EDGE = (181, -272, 288, -304, 320, -336, 352, -368)
"""And beyond the edge where it ends."""
_INVERSE_BITS = 24
PREDICTED_BITS = 20
"""Predictions are in 1/16 of a step: four bits less."""


class Fixed(NamedTuple):
    """What the kernel looks up."""

    squash: I32
    stretch: I32
    reciprocal: I32
    levels: I32
    """Of 0 to EXPECTED_MAX, LEVELS of them."""
    fine: I32
    """The same in FINE_LEVELS."""
    left: I32
    """Of how many coefficients are left in a section, 8 levels."""
    lengths: I32
    """Bits that the numbers below 256 have."""
    wider: I64
    """Where the places of a block stand in one with a border of two, in rows of WIDER."""
    order: I64
    """The places of a block in the order in which they are coded."""
    edges: I64
    """0: _OWN_EDGE, 1: _FAR_EDGE."""


class Model(NamedTuple):
    """All that adapts."""

    cells: U32
    """A chance in 1/2^22 above, how often it was moved in the lowest 10 bits."""
    bases: I64
    """Where in `cells` each context begins: of numbers, signs, counts."""
    weights: I32
    """Rows of ROW weights in 1/65536."""
    lows: U32
    """Chances of bits that have no contexts, as in `cells`."""
    coder: I64


class Plane(NamedTuple):
    """What the kernel keeps of the blocks around it."""

    planes: I64
    """(plane, 3): its first block, its columns, its rows."""
    steps: I64
    """(plane, place): quantization."""
    down: I64
    """(plane, place): what a coefficient must be for each 1/256 of what is missing at the upper edge."""
    across: I64
    """The same, at the left edge."""
    counts: I32
    """(block): coefficients of its first section that are not zero."""
    edges: I64
    """(row mod 2, column, 16): at the lower edge of a block, by frequency across; at its right edge, by that down."""


class Desk(NamedTuple):
    """What is known of one block."""

    told: I32
    near: I32
    """(place, with a border): sizes of the coefficients next to it in the block."""
    around: I32
    """(place): sizes of the same coefficient in the blocks around."""
    beyond: I32
    """(place): the same in blocks further away, or of other planes."""
    missing: I64
    """16: at the upper edge by frequency across, at the left one by that down, what known coefficients leave over."""


def _steps(starts: tuple[int, ...], count: int) -> I32:
    return (np.searchsorted(starts, np.arange(count), side="right") - 1).astype(np.int32)


@cache
def fixed() -> Fixed:
    """Made once."""
    table = chances()
    inner = [place for place in ZIGZAG if place & 7 and place >> 3]
    order = [*inner, *range(1, 8), *range(8, 64, 8), 0]
    return Fixed(
        table.squash,
        table.stretch,
        table.reciprocal,
        _steps(_LEVEL_STARTS, EXPECTED_MAX + 1),
        _steps(_FINE_STARTS, EXPECTED_MAX + 1),
        _steps(_LEFT_STARTS, 64),
        np.array([size.bit_length() for size in range(256)], np.int32),
        np.array([WIDER * (2 + (place >> 3)) + 2 + (place & 7) for place in range(64)], np.int64),
        np.array(order, np.int64),
        np.array((_OWN_EDGE, _FAR_EDGE), np.int64),
    )


def new_model() -> Model:
    """A model that has seen nothing."""
    sizes = [CLASSES * SLOTS * cells for cells in _NUMBER_CELLS]
    sizes += [CLASSES * cells for cells in _SIGN_CELLS]
    sizes += [CLASSES * BELOW_SLOTS * cells for cells in _BELOW_CELLS]
    sizes += [CLASSES * COUNT_SLOTS * SECTIONS * cells for cells in _COUNT_CELLS]
    bases = np.cumsum([0, *sizes], dtype=np.int64)
    return Model(
        np.full(bases[-1], _HALF, np.uint32),
        bases[:-1],
        np.full(ROW * CLASSES * ROWS_PER_CLASS, _START_WEIGHT, np.int32),
        np.full(256, _HALF, np.uint32),
        np.zeros(4, np.int64),
    )


def new_plane(picture: Picture) -> Plane:
    """Nothing seen of a picture yet."""
    planes, blocks = np.zeros((len(picture.components), 3), np.int64), 0
    for number, one in enumerate(picture.components):
        planes[number] = blocks, one.columns, one.rows
        blocks += one.columns * one.rows
    steps, places = np.array(picture.tables, np.int64), np.arange(64)
    own = np.array(_OWN_EDGE, np.int64)
    return Plane(
        planes,
        steps,
        (1 << _INVERSE_BITS) // (own[places >> 3] * steps),
        (1 << _INVERSE_BITS) // (own[places & 7] * steps),
        np.zeros(blocks + 1, np.int32),
        np.zeros((2, int(planes[:, 1].max()), 16), np.int64),
    )


def new_desk() -> Desk:
    """An empty one."""
    told, around, beyond = np.zeros((3, 64), np.int32)
    return Desk(told, np.zeros(WIDER * WIDER, np.int32), around, beyond, np.zeros(16, np.int64))
