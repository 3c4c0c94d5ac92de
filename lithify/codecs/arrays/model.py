"""What the predictor knows while it goes through a block: its arrays, and how large they are."""

from functools import cache
from typing import NamedTuple

import numpy as np

from lithify.codecs.array_types import F32, I32, I64, U8, U32
from lithify.codecs.arrays.two_streams import STATES
from lithify.codecs.vectors import LANES, NINE

TOP, BOTTOM, LEFT, RIGHT = 2, 1, 2, 2
"""Rows and columns around every frame, so that each value has neighbours."""

ALONE, FIRST, SECOND = 12, 21, 26
"""What a guess is made of, in a frame without a past, with one, with two."""
REGRESSORS = SECOND
BOTH = 2 * LANES
"""Two vectors, that hold the regressors of a value; the last lane has what they are to tell."""
TARGET = BOTH - 1
SAMPLES = 32
"""How many values are coded with one set of weights."""
WINDOW = (REGRESSORS + 1) * BOTH
"""The moments of one of two windows: a row of both vectors for each regressor, and one for what they are to tell."""
EXPERTS = 7
SMOOTH_EXPERTS = 5
"""So many are asked about smooth fields; all about fields with edges, where few are right and the rest far off."""
CONTEXTS = NINE
DECISIONS = 16
"""For each context these chances lie in one line of memory, as caches fetch it."""
CONTEXT_BITS = 14
MIXER_SETS = 16
TOKENS = 72
SIDES_COUNT, HALF_AS_USUAL = LANES, 2 * LANES
CHANCE_BITS, COUNT_BITS = 23, 8
_EVEN = 1 << 30
"""A chance of one half that was never moved."""
_WEIGHT = 65536 // 4
_CONSTANT = 256
_LINE = 64


class Model(NamedTuple):
    """All that the kernel reads and writes. Tables of vectors are flat, and begin where a line of memory does."""

    work: I32
    """Values of the block, framed; what is masked has the value that was guessed."""
    errors: I32
    """What each value was above its guess, in 1/16, framed."""
    expert_errors: I32
    """(row parity, column, expert) in 1/16."""
    asked: I32
    """All bits of the experts that are asked."""
    samples: I32
    """(pair of samples, regressor or target): the first in the lower 16 bits, the second in the upper ones."""
    moments: I32
    """(which of two windows, regressor or target, regressor)"""
    weights: I32
    """(which of two windows, regressor) in 1/65536."""
    pulls: F32
    """(which of two windows, regressor): what weights leave of the moments of the target."""
    steps: F32
    """(which of two windows, regressor): by how much of that a weight is moved."""
    maps: I32
    """(context, its value, decision): a chance in 1/2^23, and in the lowest 8 bits how often it was moved."""
    mixer: I32
    """(which of two sets, decision, row, input)"""
    constant: I32
    """Three vectors: the inputs behind those of the contexts (one that never changes, and what is counted), what sides
    count in one, and for whom half is usual."""
    extra: U32
    bases: I64
    coder: I64
    tally: I32
    """How often each number occurred, as sums (Fenwick's tree); empty: they are not counted."""
    common: U8
    """How common each number was, framed, if they are counted."""


@cache
def levels() -> U8:
    """The level of 0 to 4095. Made once."""
    found = np.zeros(4096, np.uint8)
    for value in range(4096):
        bits = (value + 1).bit_length() - 1
        found[value] = 4 * bits + (((value + 1) << 2 >> bits) & 3)
    return found


def new_model(frames: int, rows: int, columns: int, *, edged: bool = False, counted: int = 0) -> Model:
    """Nothing seen yet; so many different numbers are counted."""
    width = columns + LEFT + RIGHT
    framed = frames * (rows + TOP + BOTTOM) * width
    tables = 2 if counted else 1
    asked, constant = _aligned(LANES, 0), _aligned(3 * LANES, 0)
    asked[: EXPERTS if edged else SMOOTH_EXPERTS] = -1
    constant[CONTEXTS] = _CONSTANT
    constant[SIDES_COUNT : SIDES_COUNT + 12] = np.repeat([25, 5, 1], 4)
    constant[[HALF_AS_USUAL + 1, HALF_AS_USUAL + 5]] = -1
    return Model(
        work=np.zeros(framed, np.int32),
        errors=np.zeros(framed, np.int32),
        expert_errors=_aligned(2 * width * LANES, 0),
        asked=asked,
        samples=_aligned(SAMPLES // 2 * BOTH, 0),
        moments=_aligned(2 * WINDOW, 0),
        weights=_aligned(2 * BOTH, 0),
        pulls=_aligned(2 * BOTH, 0).view(np.float32),
        steps=_aligned(2 * BOTH, 0).view(np.float32),
        maps=_aligned(tables * CONTEXTS << CONTEXT_BITS, _EVEN),
        mixer=_aligned(tables * 2 * DECISIONS * MIXER_SETS * LANES, _WEIGHT),
        constant=constant,
        extra=np.full(TOKENS * 2, 1 << 31, np.uint32),
        bases=np.zeros(CONTEXTS, np.int64),
        coder=np.zeros(STATES, np.int64),
        tally=np.zeros(counted + 1 if counted else 0, np.int32),
        common=np.zeros(framed if counted else 0, np.uint8),
    )


def _aligned(count: int, value: int) -> I32:
    """So many numbers that begin where a line of memory does: no vector then lies in two."""
    room = np.empty(count + _LINE // 4, np.int32)
    start = -room.ctypes.data % _LINE // 4
    found = room[start : start + count]
    found[:] = value
    return found
