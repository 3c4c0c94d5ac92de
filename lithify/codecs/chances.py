"""Numbers that never change: chances and their logarithms, and which history of bits follows which."""

from functools import cache
from typing import NamedTuple

import numpy as np

from lithify.codecs.array_types import I32, U8
from lithify.codecs.histories import histories

LIMIT = 2815  # stretched chances: ln(p / (1 - p)) in 1/256, from -11 to 11
COUNT_MAX = 255
"""How often a chance is moved by ever smaller steps; later ones are as small as the last."""


class Chances(NamedTuple):
    """What the kernel looks up."""

    squash: I32
    stretch: I32
    follow: U8
    """The history after a history and a bit: 2 * history + bit."""
    reciprocal: I32
    """By how often a chance was moved: 65536 / (n + 1.5)."""


def squash_table() -> list[int]:
    """65536 / (1 + e^-x) for x in 1/256, from -LIMIT to LIMIT."""
    return sigmoids(256, LIMIT)


def sigmoids(unit: int, most: int) -> list[int]:
    """65536 / (1 + e^-x) for x in 1/unit, from -most to most: powers of e^(1/unit) in 64 binary digits."""
    one = 1 << 64
    root, term, n = 0, one, 0
    while term:
        root += term
        n += 1
        term //= unit * n
    upper, power = [], one
    for _ in range(most + 1):
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
