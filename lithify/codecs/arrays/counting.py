"""Whether it is worth counting how often which number occurs: some must come far more often than those around them."""

from math import log

import numpy as np

from lithify.codecs.array_types import Bools

_AROUND = 9
_FEW = 1000
"""Fewer numbers than that tell nothing."""


def uneven_bits(integers: np.ndarray, valid: Bools, span_max: int) -> float:
    """How many bits a number costs less, at the most, if it is known how often each occurs beside its neighbours.

    integers   (frames, rows, columns); those that equal the one before are left out: they cost little either way
    span_max   0 bits is the answer if the numbers span more
    """
    new = valid[..., 1:] & valid[..., :-1] & (integers[..., 1:] != integers[..., :-1])
    numbers = integers[..., 1:][new]
    if len(numbers) < _FEW or int(numbers.max()) - int(numbers.min()) >= span_max:
        return 0.0
    counts = np.bincount(numbers - numbers.min()).astype(np.float64)
    around = _around(counts) / _around(np.ones(len(counts)))
    used = counts > 0
    found = float((counts[used] * np.log2(counts[used] / around[used])).sum()) / len(numbers)
    by_chance = np.count_nonzero(used) / (2 * log(2) * len(numbers))
    return found - by_chance


def _around(counts: np.ndarray) -> np.ndarray:
    """The sum of some counts on either side of each."""
    found: np.ndarray = np.convolve(counts, np.ones(_AROUND))[_AROUND // 2 :][: len(counts)]
    return found
