"""Numbers that never change: chances and their logarithms, histories of bits, and what follows them."""

from functools import cache
from typing import NamedTuple

import numpy as np

from lithify.codecs.array_types import I32, U8

LIMIT = 2815  # stretched chances: ln(p / (1 - p)) in 1/256, from -11 to 11
COUNT_MAX = 255
"""How often a chance is moved by ever smaller steps; later ones are as small as the last."""

_SMALLER_LARGER_MAX = (46, 40, 14, 8, 6, 5)
"""A history counts zeros and ones; by the smaller count, what the larger may be."""
_LAST_BIT_KNOWN = 17
"""Histories of both bits and at most so many know the last bit."""
History = tuple[int, int, int]


class Chances(NamedTuple):
    """What the kernel looks up."""

    squash: I32
    stretch: I32
    follow: U8
    """The history after a history and a bit: 2 * history + bit."""
    reciprocal: I32
    """By how often a chance was moved: 65536 / (n + 1.5)."""


def squash_table() -> list[int]:
    """65536 / (1 + e^-x) for x in 1/256, from -LIMIT to LIMIT: powers of e^(1/256) in 64 binary digits."""
    one = 1 << 64
    root, term, n = 0, one, 0
    while term:
        root += term
        n += 1
        term //= 256 * n
    upper, power = [], one
    for _ in range(LIMIT + 1):
        upper.append(min((power << 16) // (one + power), 65535))
        power = power * root >> 64
    return [65536 - p for p in reversed(upper[1:])] + upper


def stretch_table(squash: list[int]) -> list[int]:
    """The inverse for p in 1/4096: the least x whose chance is not below the middle of what p stands for."""
    out, x = [], 0
    for p in range(4096):
        while x < 2 * LIMIT and squash[x] < 16 * p + 8:
            x += 1
        out.append(x - LIMIT)
    return out


def _followed(history: History, bit: int) -> History:
    """The history after one more bit: its count grows, the other is forgotten in part, both are kept within bounds."""
    counts = [history[0], history[1]]
    counts[bit] += 1
    other = counts[1 - bit]
    counts[1 - bit] = other if other < 6 else 5 if other == 6 else 6 if other == 7 else 7
    while min(counts) >= len(_SMALLER_LARGER_MAX) or max(counts) > _SMALLER_LARGER_MAX[min(counts)]:
        small, large = (1, 0) if counts[0] >= counts[1] else (0, 1)
        if counts[small] >= 2:
            counts[large] = (counts[large] * (counts[small] - 1) + counts[small] // 2) // counts[small]
            counts[small] -= 1
        else:
            counts[large] -= 1
    zeros, ones = counts
    return zeros, ones, bit if zeros and ones and zeros + ones <= _LAST_BIT_KNOWN else 0


@cache
def histories() -> tuple[list[History], list[int]]:
    """All histories in the order they can first be reached, and which follows which."""
    found: list[History] = [(0, 0, 0)]
    number = {found[0]: 0}
    follow = []
    for history in found:
        for bit in (0, 1):
            after = _followed(history, bit)
            if after not in number:
                number[after] = len(found)
                found.append(after)
            follow.append(number[after])
    return found, follow


@cache
def chances() -> Chances:
    """Made once."""
    squash = squash_table()
    return Chances(
        np.array(squash, np.int32),
        np.array(stretch_table(squash), np.int32),
        np.array(histories()[1], np.uint8),
        np.array([65536 * 2 // (2 * n + 3) for n in range(COUNT_MAX + 1)], np.int32),
    )
