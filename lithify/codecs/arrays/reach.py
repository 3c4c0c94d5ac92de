"""How far the predictor looks for what tells of a value."""

from functools import cache
from typing import NamedTuple

import numpy as np

from lithify.codecs.array_types import I64

Place = tuple[int, int]
"""Rows down from a value and columns to the right."""


class Reach(NamedTuple):
    """How many neighbours a guess is made of, and how many rows and columns stand around every frame for it."""

    top: int
    bottom: int
    left: int
    right: int
    alone: int
    """Regressors in a frame without a past,"""
    first: int
    """with one,"""
    second: int
    """with two."""
    lanes: int
    """Of the vectors that hold them; the last lane has what they are to tell."""

    def framed(self, frames: int, rows: int, columns: int) -> int:
        """How many values a block has with all that stands around its frames."""
        return frames * (rows + self.top + self.bottom) * (columns + self.left + self.right)


NEAR = Reach(top=2, bottom=1, left=2, right=2, alone=12, first=21, second=26, lanes=32)
FAR = Reach(top=5, bottom=2, left=5, right=4, alone=43, first=46, second=46, lanes=48)
"""Wider in space, and to the mean of the frames before."""

_SPACE, _PAST, _RING = 12, 32, 7
"""Lanes of what tells of the same frame without a past, and with one, and how much of the ring is asked then."""
_NEAREST, _FARTHEST = 5, 25
"""Squares of distances."""
_KNOWN = ((0, -2), *((-1, right) for right in range(-2, 3)), (-2, 0), (-2, 1))
"""Whom those tell of that look near."""
_BEYOND = ((0, 2), (2, 0), (0, -2), (-2, 0))


def far_places(width: int, past: int) -> I64:
    """Which places regressors are the differences of, from a value on.

    width   values from a row of the framed block to the next
    past    values from a frame to its past, 0 without one
    Gives (which place of the two, lane of FAR).
    """
    found = np.zeros((2, FAR.lanes), np.int64)
    told = [(place, 0) for place in _ring()]
    if past:
        told = [*told[:_RING], *((place, past) for place in _BEYOND)]
    for lane, (place, back) in enumerate(told, _PAST if past else _SPACE):
        found[:, lane] = [down * width + right - back for down, right in (place, _nearer(*place))]
    return found


@cache
def _ring() -> tuple[Place, ...]:
    """Those farther off that are coded before a value: from the nearest, then from the highest, then from the left."""
    places = [(down, right) for down in range(-FAR.top, 1) for right in range(-FAR.left, FAR.right + 1)]
    coded = [(down, right) for down, right in places if (down or right < 0) and (down, right) not in _KNOWN]
    near = [place for place in coded if _NEAREST <= place[0] ** 2 + place[1] ** 2 <= _FARTHEST]
    return tuple(sorted(near, key=lambda place: place[0] ** 2 + place[1] ** 2))


def _nearer(down: int, right: int) -> Place:
    """The place a step nearer."""
    if abs(right) > abs(down):
        return down, right - (1 if right > 0 else -1)
    return down - (1 if down > 0 else -1), right
