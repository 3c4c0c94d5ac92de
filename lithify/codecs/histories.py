"""Histories: what bits a context has seen, in one of 253 states. The models of logs and of texts count by them."""

from functools import cache

_SMALLER_LARGER_MAX = (46, 40, 14, 8, 6, 5)
"""A history counts zeros and ones; by the smaller count, what the larger may be."""
LAST_BIT_KNOWN = 17
"""Histories of both bits and at most so many know the last bit."""
History = tuple[int, int, int]
"""How many zeros and ones, and the last bit where it is known."""


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
    return zeros, ones, bit if zeros and ones and zeros + ones <= LAST_BIT_KNOWN else 0


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
