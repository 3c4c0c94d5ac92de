"""What the predictor knows while it goes through a block: its arrays, and how large they are."""

from functools import cache
from typing import NamedTuple

import numpy as np

from lithify.codecs.array_types import F32, I32, I64, U8, U32
from lithify.codecs.arrays.network import HIDDEN_AT, NO_TABLE, UNITS_MAX
from lithify.codecs.arrays.reach import FAR, NEAR, Reach, far_places
from lithify.codecs.arrays.spread import odds
from lithify.codecs.arrays.two_streams import STATES
from lithify.codecs.vectors import LANES, NINE

SAMPLES = 32
"""How many values are coded with one set of weights."""
FEW = 12
"""Regressors of the third set of weights: those of a frame without a past, near."""
EXPERTS = 8
CONTEXTS = NINE
DECISIONS = 16
"""For each context these chances lie in one line of memory, as caches fetch it."""
CONTEXT_BITS = 14
MIXER_SETS = 16
TOKENS = 72
TELLING = 15
"""So many things tell what is still wrong with a guess."""
SIDES_COUNT, HALF_AS_USUAL = LANES, 2 * LANES
CHANCE_BITS, COUNT_BITS = 23, 8
_EVEN = 1 << 30
"""A chance of one half that was never moved."""
_WEIGHT = 65536 // 4
_CONSTANT = 256
_RATE_AT_FIRST = 8 << 16
_LINE = 64


class Model(NamedTuple):
    """All that the kernel reads and writes. Tables of vectors are flat, and begin where a line of memory does."""

    work: I32
    """Values of the block, framed; what is masked has the value that was guessed."""
    errors: I32
    """What each value was above its blended guess, before the correction, in 1/16, framed."""
    means: I64
    """What a place had in frames before, in 1/256, framed: as many frames as the first past is off; if it looks far."""
    apart: I64
    """(which of two, lane): how far from a value stand those whose difference a regressor is, if it looks far."""
    past_apart: I64
    """The same of frames with a past."""
    expert_errors: I32
    """(row parity, column, expert) in 1/16: what is held of their errors, and behind them of that of the guess."""
    asked: I32
    """All bits of the experts that are asked."""
    samples: I32
    """(pair of samples, regressor or target): the first in the lower 16 bits, the second in the upper ones."""
    moments: I32
    """(which of two windows, regressor or target, regressor)"""
    few_moments: I32
    """(regressor of the third set or target, regressor)"""
    weights: I32
    """(which set, regressor) in 1/65536."""
    pulls: F32
    """(which set, regressor): what weights leave of the moments of the target."""
    steps: F32
    """(which set, regressor): by how much of that a weight is moved."""
    maps: I32
    """(context, its value, decision): a chance in 1/2^23, and in the lowest 8 bits how often it was moved."""
    mixer: I32
    """(which of two sets, decision, row, input); behind them the rate of each row."""
    constant: I32
    """Three vectors: the inputs behind those of the contexts (one that never changes, and what is counted), what sides
    count in one, and for whom half is usual."""
    extra: U32
    bases: I64
    coder: I64
    tally: I32
    """How often each number occurred, as sums (Fenwick's tree); empty: they are not counted."""
    told_samples: I32
    """(pair of samples, what tells or target), as samples."""
    told_moments: I32
    """(what tells or target, what tells)"""
    told_weights: I32
    """(what tells) in 1/65536: by how much a guess is to be corrected."""
    told_pulls: F32
    spread: F32
    """Weights of what tells how far off a guess will be."""
    odds: I32
    """Tables of a logistic distribution."""
    network: I32
    """Weights of a network on top of guesses; empty: there is none."""
    room: I32
    """What it sees and its hidden units, in pairs."""
    lessons: I32
    """(lesson, what was seen and came of it): what such a network could be taught by, if that is to be kept."""
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


def new_model(
    frames: int,
    rows: int,
    columns: int,
    *,
    reach: Reach = NEAR,
    lag: int = 1,
    origin: int = 0,
    counted: int = 0,
    network: I32 = NO_TABLE,
    lessons: I32 = NO_TABLE,
) -> Model:
    """Nothing seen yet but where values begin; so many different numbers are counted."""
    width = columns + reach.left + reach.right
    size = (rows + reach.top + reach.bottom) * width
    framed = frames * size
    tables = 2 if counted else 1
    asked, constant = _aligned(LANES, 0), _aligned(3 * LANES, 0)
    asked[:EXPERTS] = -1
    constant[CONTEXTS] = _CONSTANT
    constant[SIDES_COUNT : SIDES_COUNT + 12] = np.repeat([25, 5, 1], 4)
    constant[[HALF_AS_USUAL + 1, HALF_AS_USUAL + 5]] = -1
    sets = tables * 2 * DECISIONS * MIXER_SETS
    mixer = _aligned(sets * (LANES + 1), _WEIGHT)
    mixer[sets * LANES :] = _RATE_AT_FIRST
    return Model(
        work=np.full(framed, origin, np.int32),
        errors=np.zeros(framed, np.int32),
        means=np.zeros(lag * size if reach == FAR and lag < frames else 0, np.int64),
        apart=far_places(width, 0).reshape(-1),
        past_apart=far_places(width, lag * size).reshape(-1),
        expert_errors=_aligned(2 * width * LANES, 0),
        asked=asked,
        samples=_aligned(SAMPLES // 2 * reach.lanes, 0),
        moments=_aligned(2 * (reach.second + 1) * reach.lanes, 0),
        few_moments=_aligned((FEW + 1) * LANES, 0),
        weights=_aligned(3 * reach.lanes, 0),
        pulls=_aligned(3 * reach.lanes, 0).view(np.float32),
        steps=_aligned(3 * reach.lanes, 0).view(np.float32),
        maps=_aligned(tables * CONTEXTS << CONTEXT_BITS, _EVEN),
        mixer=mixer,
        constant=constant,
        extra=np.full(TOKENS * 2, 1 << 31, np.uint32),
        bases=np.zeros(CONTEXTS, np.int64),
        coder=np.zeros(STATES, np.int64),
        tally=np.zeros(counted + 1 if counted else 0, np.int32),
        told_samples=_aligned(SAMPLES // 2 * LANES, 0),
        told_moments=_aligned((TELLING + 1) * LANES, 0),
        told_weights=_aligned(LANES, 0),
        told_pulls=_aligned(LANES, 0).view(np.float32),
        spread=np.full(LANES, 1 / LANES, np.float32),
        odds=odds(),
        network=network,
        room=_aligned(HIDDEN_AT + UNITS_MAX, 0),
        lessons=lessons,
        common=np.zeros(framed if counted else 0, np.uint8),
    )


def _aligned(count: int, value: int) -> I32:
    """So many numbers that begin where a line of memory does: no vector then lies in two."""
    room = np.empty(count + _LINE // 4, np.int32)
    start = -room.ctypes.data % _LINE // 4
    found = room[start : start + count]
    found[:] = value
    return found
