"""What the coder of JPEG coefficients adapts while it works, and the numbers that never change. No kernels here."""

from functools import cache
from typing import NamedTuple

import numpy as np

from lithify.codecs.array_types import I16, I32, I64, U8, U16
from lithify.codecs.chances import sigmoids
from lithify.codecs.media.jpeg_header import Picture
from lithify.codecs.media.jpeg_taught import taught

CLASSES = 2
"""Of planes: the first, and all others."""
KINDS = 64 * CLASSES
"""64 * class + place."""
SLOTS = 8
"""Of how many bits a size has: decisions that have cells of their own, and the last that of all others."""
BELOW_SLOTS = 8
"""The same of the bits below its first: that one by how many it has, 2 to 8; the next by 3 to 6 and the one before."""
INNER_SLOTS, EDGE_SLOTS = 64, 16
"""Decisions of how many coefficients of a section are not zero."""
LEVELS = 16
FINE_LEVELS = 32
ZONES = 16
SECTIONS = 4
"""Of a block: what has both frequencies, those across only, those down only, and what has none (DC)."""
START_OF_SECTION = (0, 49, 56, 63, 64)
SIDES = 17
"""Of a prediction: its level up to 8, with its sign."""

_SIZES = (
    KINDS * 32 * SLOTS,
    CLASSES * ZONES * 8 * 8 * SLOTS,
    KINDS * LEVELS * 8 * SLOTS,
    CLASSES * SECTIONS * SIDES * SIDES,
    KINDS * SIDES * 8,
    KINDS * BELOW_SLOTS,
    CLASSES * SECTIONS * SIDES * BELOW_SLOTS,
    CLASSES * 64 * INNER_SLOTS,
    CLASSES * LEVELS * LEVELS * INNER_SLOTS,
    CLASSES * SECTIONS * LEVELS * EDGE_SLOTS,
    CLASSES * SECTIONS * LEVELS * LEVELS * EDGE_SLOTS,
)
_BASES = tuple(sum(_SIZES[:n]) for n in range(len(_SIZES) + 1))
(
    BY_LEFT, BY_ZONE, BY_EDGES,
    SIGN_BY_BOTH, SIGN_BY_PLACE, BELOW_BY_PLACE, BELOW_BY_SIDE,
    INNER_BY_OTHERS, INNER_BY_AROUND, EDGE_BY_AROUND, EDGE_BY_BOTH,
    CELLS,
) = _BASES  # fmt: skip
"""Where the cells of each context begin, and how many there are."""
BORDER = 16
"""Places before the first, and behind the last, of a block; those next to a coefficient are there."""
CELL_BITS = 12
"""Of a cell, below 1/256 of the logarithm of the odds."""
LIMIT = 1951
"""Of the logarithm of the odds, in 1/256: beyond it a bit costs what the coder's least chance does."""
EXPECTED_MAX = 4095

_LEVEL_STARTS = (0, 1, 4, 8, 15, 25, 40, 63, 100, 155, 242, 375, 580, 896, 1383, 2135)
_FINE_STARTS = (
    0, 1, 2, 4, 5, 8, 11, 14, 19, 25, 32, 42, 54, 68, 87, 111, 140, 178, 225, 284, 359, 453, 571, 721, 909, 1146, 1445,
    1821, 2295, 2893, 3646,
)  # fmt: skip
_OWN_EDGE = (181, 248, 240, 232, 224, 216, 208, 200)
"""How much of each frequency shows at the edge where a block begins, in 1/256."""
_FAR_EDGE = (181, -272, 288, -304, 320, -336, 352, -368)
"""And beyond the edge where it ends."""
_INVERSE_BITS = 24
PREDICTED_BITS = 20
"""Predictions are in 1/16 of a step: four bits less."""


class Fixed(NamedTuple):
    """What the kernel looks up."""

    squash: U16
    """The chance of -LIMIT to LIMIT."""
    levels: U8
    """Of 0 to EXPECTED_MAX, LEVELS of them."""
    fine: U8
    """The same in FINE_LEVELS."""
    lengths: U8
    """Bits that the numbers below 256 have."""
    order: I64
    """The places of a block in the order in which they are coded, and one more."""
    edges: I64
    """0 to 7: _OWN_EDGE, 8 to 15: _FAR_EDGE."""


class Plane(NamedTuple):
    """What the kernel keeps of the blocks around it."""

    planes: I64
    """(plane, 3): its first block, its columns, its rows."""
    steps: I64
    """(64 * plane + place): quantization."""
    down: I64
    """(64 * plane + place): what a coefficient must be for each 1/256 of what is missing at the upper edge."""
    across: I64
    """The same, at the left edge."""
    shown: I64
    """(2, column): columns of the plane before, and of the first, that show the same piece of the picture."""
    counts: I32
    """(block): coefficients of its first section that are not zero."""
    edges: I64
    """(row mod 2, column, 16): at the lower edge of a block, by frequency across; at its right edge, by that down."""
    near: I16
    """(BORDER + place): sizes of the coefficients of one block that are known."""
    around: I32
    """(place): sizes of the same coefficient in the blocks around."""
    missing: I64
    """16: at the upper edge by frequency across, at the left one by that down, what known coefficients leave over."""


def _steps(starts: tuple[int, ...], count: int) -> U8:
    return (np.searchsorted(starts, np.arange(count), side="right") - 1).astype(np.uint8)


@cache
def fixed() -> Fixed:
    """Made once."""
    inner = sorted(
        (place for place in range(64) if place & 7 and place >> 3), key=lambda at: ((at & 7) + (at >> 3), at)
    )
    order = [*inner, *range(1, 8), *range(8, 64, 8), 0, 0]
    return Fixed(
        np.array(sigmoids(256, LIMIT), np.uint16),
        _steps(_LEVEL_STARTS, EXPECTED_MAX + 1),
        _steps(_FINE_STARTS, EXPECTED_MAX + 1),
        np.array([size.bit_length() for size in range(256)], np.uint8),
        np.array(order, np.int64),
        np.array(_OWN_EDGE + _FAR_EDGE, np.int64),
    )


def new_cells() -> I32:
    """Cells that have seen nothing of a picture, only what others taught them."""
    return taught(CELLS).copy()


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
        steps.reshape(-1),
        ((1 << _INVERSE_BITS) // (own[places >> 3] * steps)).reshape(-1),
        ((1 << _INVERSE_BITS) // (own[places & 7] * steps)).reshape(-1),
        np.zeros((2, int(planes[:, 1].max())), np.int64),
        np.zeros(blocks + 1, np.int32),
        np.zeros((2, int(planes[:, 1].max()), 16), np.int64),
        np.zeros(64 + 2 * BORDER, np.int16),
        np.zeros(64, np.int32),
        np.zeros(16, np.int64),
    )
