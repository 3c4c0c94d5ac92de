"""What the predictor knows while it goes through a block: its arrays, and how large they are."""

from functools import cache
from math import isqrt
from typing import NamedTuple

import numpy as np

from lithify.codecs.array_types import I16, I32, I64, U8, U32

TOP, BOTTOM, LEFT, RIGHT = 2, 1, 2, 2
"""Rows and columns around every frame, so that each value has neighbours."""

ALONE, FIRST, SECOND = 12, 21, 26
"""What a guess is made of, in a frame without a past, with one, with two."""
REGRESSORS = SECOND
SAMPLES = 32
"""How many values are coded with one set of weights."""
EXPERTS = 7
SMOOTH_EXPERTS = 5
"""So many are asked about smooth fields; all about fields with edges, where few are right and the rest far off."""
CONTEXTS = 9
INPUTS = 16
"""What is mixed: the contexts, a constant, and zeros, so that they fill whole vectors."""
DECISIONS = 32
LEVELS = 128
"""Levels of energy, four to an octave."""
CONTEXT_BITS = 15
MIXER_SETS = 16
TOKENS = 72


class Tables(NamedTuple):
    """Numbers that never change."""

    levels: U8
    """The level of 0 to 4095."""
    shares: I32
    """How much an expert counts that is so many levels worse than the best, in 1/65536."""


class Model(NamedTuple):
    """All that the kernel reads and writes."""

    work: I32
    """Values of the block, framed; what is masked has the value that was guessed."""
    errors: I32
    """What each value was above its guess, in 1/16, framed."""
    expert_errors: I32
    """(expert, row parity, column) in 1/16."""
    samples: I16
    """(regressor or target, sample)"""
    products: I32
    """(regressor or target, regressor), summed over the samples."""
    moments: I64
    """(which of two windows, regressor or target, regressor)"""
    weights: I64
    """(which of two windows, regressor) in 1/65536."""
    maps: U32
    """(context, its value): a chance in 1/2^22 and how often it was moved."""
    mixer: I32
    extra: U32
    inputs: I32
    bases: I64
    experts: I64
    differences: I64
    coder: I64
    tally: I32
    """How often each number occurred, as sums (Fenwick's tree); empty: they are not counted."""
    common: U8
    """How common each number was, framed, if they are counted."""


@cache
def tables() -> Tables:
    """Made once."""
    levels = np.zeros(4096, np.uint8)
    for value in range(4096):
        bits = (value + 1).bit_length() - 1
        levels[value] = 4 * bits + (((value + 1) << 2 >> bits) & 3)
    shares = np.array([isqrt(1 << (32 - d)) for d in range(33)], np.int32)
    return Tables(levels, shares)


def new_model(frames: int, rows: int, columns: int, counted: int = 0) -> Model:
    """Nothing seen yet; so many different numbers are counted."""
    framed = frames * (rows + TOP + BOTTOM) * (columns + LEFT + RIGHT)
    width = columns + LEFT + RIGHT
    n = REGRESSORS
    mixer = np.full((2 * DECISIONS * MIXER_SETS, INPUTS), 65536 // 4, np.int32)
    return Model(
        work=np.zeros(framed, np.int32),
        errors=np.zeros(framed, np.int32),
        expert_errors=np.zeros((EXPERTS, 2, width), np.int32),
        samples=np.zeros((n + 1, SAMPLES), np.int16),
        products=np.zeros((n + 1, n), np.int32),
        moments=np.zeros((2, n + 1, n), np.int64),
        weights=np.zeros((2, n), np.int64),
        maps=np.full(CONTEXTS << CONTEXT_BITS, 1 << 31, np.uint32),
        mixer=mixer,
        extra=np.full(TOKENS * 2, 1 << 31, np.uint32),
        inputs=np.zeros(INPUTS, np.int32),
        bases=np.zeros(CONTEXTS, np.int64),
        experts=np.zeros(EXPERTS, np.int64),
        differences=np.zeros(n, np.int64),
        coder=np.zeros(4, np.int64),
        tally=np.zeros(counted + 1 if counted else 0, np.int32),
        common=np.zeros(framed if counted else 0, np.uint8),
    )
