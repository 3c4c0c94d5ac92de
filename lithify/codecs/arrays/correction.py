"""What is still wrong with a guess: what it is to be corrected by, a least square of what experts and neighbours tell.

The experts' shares say who was right nearby; this says on whom to lean more than that, and how much of the last errors
comes back.
"""

import numpy as np

from lithify.codecs.array_types import F32, I32
from lithify.codecs.arrays.model import SAMPLES, TELLING
from lithify.codecs.arrays.remainders import within
from lithify.codecs.kernel import bare, inlined, unsigned, wide
from lithify.codecs.vectors import (
    LANES,
    all_of,
    all_real,
    greater,
    last_lane,
    lesser,
    pair_products,
    real_total,
    reals,
    reals_of,
    row_of,
    set_reals,
    set_row,
)

_FORGOTTEN = 6
"""With every 32 values a 64th of what was known."""
_TELLING_MAX, _FINE = 80, 5
"""In 1/32 of what is usual: what is farther off tells no more. 32 products of such numbers, 64 times, fit 32 bits."""
_CHANGE_MAX = 1 << 25
_WEIGHT_MAX = 1 << 18
_STEP_MAX = np.float32(1 << 18)
_UNIT = np.float32(1 << 16)
_WEIGHTED = np.float32(1 / (1 << 12))
_DAMPING = np.float32(1 / 1024)
_RIDGE, _RIDGE_LEAST = 7, 1 << 14
"""Weights are drawn to 0 by a 128th of the largest moment and by so much, that few samples are not believed."""


@inlined
def beside_usual(changes: I32, energy: int, most: int) -> I32:
    """Changes in 1/32 of what is usual, at most so many."""
    some = lesser(greater(changes, all_of(-_CHANGE_MAX)), all_of(_CHANGE_MAX))
    some = (some << all_of(_FINE)) >> all_of(energy)
    return lesser(greater(some, all_of(-most)), all_of(most))


@inlined
def keep_in_pairs(samples: I32, at: int, sample: I32, second: int) -> None:
    """The first of a pair as it is, the second beside it."""
    if second:
        sample = (row_of(samples, at) & all_of(0xFFFF)) | (sample << all_of(16))
    set_row(samples, at, sample)


@inlined
def telling(changes: I32, energy: int) -> I32:
    """What changes tell of a guess."""
    return beside_usual(changes, energy, _TELLING_MAX)


@inlined
def correction(weights: I32, told_by: I32, energy: int) -> int:
    """By how much the guess is to be corrected, in 1/16."""
    told = real_total(reals(row_of(weights, 0)) * reals(told_by)) * _WEIGHTED
    return (wide(told) << energy) >> (_FINE + 4)


@inlined
def keep_sample(samples: I32, number: int, told_by: I32, missed: int, energy: int) -> None:
    """Keep what told of a guess, and by how much it missed."""
    keep_in_pairs(samples, (number >> 1) * LANES, told_by | telling(last_lane(missed), energy), number & 1)


@bare
def learn_correction(samples: I32, moments: I32, weights: I32, pulls: F32) -> None:
    """Take in what the last samples tell, and move the weights a step towards the least squares (Gauss-Seidel)."""
    most = wide(1)
    for i in range(TELLING + 1):
        lane = wide(i if i < TELLING else LANES - 1)
        found = all_of(0)
        for at in range(0, SAMPLES // 2 * LANES, LANES):
            found = found + pair_products(row_of(samples, at), all_of(wide(samples[unsigned(at + lane)])))
        row = i * LANES
        known = row_of(moments, row)
        set_row(moments, row, known + found - (known >> all_of(_FORGOTTEN)))
        if i < TELLING:
            most = max(most, wide(moments[unsigned(row + i)]))
    ridge = np.float32((most >> _RIDGE) + _RIDGE_LEAST)
    set_reals(pulls, 0, reals(row_of(moments, TELLING * LANES)) * all_real(_UNIT))
    for i in range(TELLING):
        weight = all_real(np.float32(weights[unsigned(i)]))
        set_reals(pulls, 0, reals_of(pulls, 0) - reals(row_of(moments, i * LANES)) * weight)
    for i in range(TELLING):
        own = np.float32(moments[unsigned(i * LANES + i)])
        before = wide(weights[unsigned(i)])
        pull = pulls[unsigned(i)] - ridge * np.float32(before)
        step = pull * (np.float32(1) / (own + own * _DAMPING + ridge))
        after = within(before + wide(min(max(step, -_STEP_MAX), _STEP_MAX)), _WEIGHT_MAX)
        weights[unsigned(i)] = after
        moved = all_real(np.float32(after - before))
        set_reals(pulls, 0, reals_of(pulls, 0) - reals(row_of(moments, i * LANES)) * moved)
