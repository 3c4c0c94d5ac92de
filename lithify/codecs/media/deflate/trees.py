"""Lengths of Huffman codes as encoders choose them: two ways that agree in what a block costs, and rarely in the codes.

The way of zlib takes the two rarest nodes from a heap, the shallower first where they are as frequent. The other sorts
symbols once and merges two queues, leaves first (Moffat and Katajainen); libdeflate, 7-Zip, miniz and Go do that.
"""

import numpy as np

from lithify.codecs.array_types import I32, I64
from lithify.codecs.kernel import once, wide

HEAPED, SORTED = 0, 1
_NODES = 573
_HEAP, _PARENT, _DEPTH, _LENGTH, _BITS = 0, 600, 1200, 1800, 2400
TREE_SCRATCH = 2432


@once
def _sink(s: I64, weights: I64, size: int, start: int) -> None:
    """Let the node at `start` of the heap sink to where it belongs."""
    k = start
    node = s[_HEAP + k]
    child = k << 1
    while child <= size:
        other = s[_HEAP + child]
        if child < size:
            sibling = s[_HEAP + child + 1]
            if weights[sibling] < weights[other] or (
                weights[sibling] == weights[other] and s[_DEPTH + sibling] <= s[_DEPTH + other]
            ):
                child += 1
                other = sibling
        if weights[node] < weights[other] or (
            weights[node] == weights[other] and s[_DEPTH + node] <= s[_DEPTH + other]
        ):
            break
        s[_HEAP + k] = other
        k = child
        child <<= 1
    s[_HEAP + k] = node


@once
def _heaped(s: I64, weights: I64, count: int, bits_max: int, lengths: I32, at: int, highest: int) -> None:
    """As zlib does; `highest` is the last symbol that has a weight."""
    size = wide(0)
    for i in range(count):
        if weights[i]:
            size += 1
            s[_HEAP + size] = i
            s[_DEPTH + i] = 0
    for i in range(size >> 1, 0, -1):
        _sink(s, weights, size, i)
    node, lowest = count, wide(_NODES)
    while size >= 2:
        first = s[_HEAP + 1]
        s[_HEAP + 1] = s[_HEAP + size]
        size -= 1
        _sink(s, weights, size, 1)
        second = s[_HEAP + 1]
        lowest -= 2
        s[_HEAP + lowest + 1], s[_HEAP + lowest] = first, second
        weights[node] = weights[first] + weights[second]
        s[_DEPTH + node] = max(s[_DEPTH + first], s[_DEPTH + second]) + 1
        s[_PARENT + first] = node
        s[_PARENT + second] = node
        s[_HEAP + 1] = node
        node += 1
        _sink(s, weights, size, 1)
    lowest -= 1
    s[_HEAP + lowest] = s[_HEAP + 1]
    for i in range(16):
        s[_BITS + i] = 0
    overflow = wide(0)
    s[_LENGTH + s[_HEAP + lowest]] = 0
    for h in range(lowest + 1, _NODES):
        n = s[_HEAP + h]
        bits = s[_LENGTH + s[_PARENT + n]] + 1
        if bits > bits_max:
            bits = wide(bits_max)
            overflow += 1
        s[_LENGTH + n] = bits
        if n > highest:
            continue
        s[_BITS + bits] += 1
        lengths[at + n] = bits
    if overflow == 0:
        return
    while overflow > 0:
        bits = wide(bits_max - 1)
        while s[_BITS + bits] == 0:
            bits -= 1
        s[_BITS + bits] -= 1
        s[_BITS + bits + 1] += 2
        s[_BITS + bits_max] -= 1
        overflow -= 2
    h = wide(_NODES)
    for bits in range(bits_max, 0, -1):
        left = s[_BITS + bits]
        while left:
            h -= 1
            n = s[_HEAP + h]
            if n > highest:
                continue
            lengths[at + n] = bits
            left -= 1


@once
def _sorted(s: I64, weights: I64, count: int, bits_max: int, lengths: I32, at: int) -> None:
    """By two queues: symbols in the order of their weights, and sums in the order they were made."""
    used = wide(0)
    for i in range(count):
        if weights[i]:
            k = used
            while k > 0 and weights[s[_HEAP + k - 1]] > weights[i]:
                s[_HEAP + k] = s[_HEAP + k - 1]
                k -= 1
            s[_HEAP + k] = i
            used += 1
    leaf, first, made = wide(0), wide(0), wide(0)
    while made < used - 1:
        total = wide(0)
        for _ in range(2):
            if leaf < used and (first == made or weights[s[_HEAP + leaf]] <= s[_LENGTH + first]):
                total += weights[s[_HEAP + leaf]]
                leaf += 1
            else:
                total += s[_LENGTH + first]
                s[_PARENT + first] = made
                first += 1
        s[_LENGTH + made] = total
        made += 1
    for i in range(16):
        s[_BITS + i] = 0
    s[_BITS + 1] = 2
    s[_DEPTH + made - 1] = 0
    for node in range(made - 2, -1, -1):
        bits = s[_DEPTH + s[_PARENT + node]] + 1
        s[_DEPTH + node] = bits
        if bits >= bits_max:
            bits = wide(bits_max - 1)
            while s[_BITS + bits] == 0:
                bits -= 1
        s[_BITS + bits] -= 1
        s[_BITS + bits + 1] += 2
    k = wide(0)
    for bits in range(bits_max, 0, -1):
        for _ in range(s[_BITS + bits]):
            lengths[at + s[_HEAP + k]] = bits
            k += 1


@once
def code_lengths(s: I64, weights: I64, count: int, bits_max: int, how: int, lengths: I32, at: int) -> int:
    """The lengths of `count` symbols by their weights (with room for as many sums); the last one used, and one more."""
    used, highest = wide(0), wide(-1)
    for i in range(count):
        lengths[at + i] = 0
        if weights[i]:
            used += 1
            highest = wide(i)
    while used < 2:
        node = wide(0)
        if highest < 2:
            highest += 1
            node = highest
        weights[node] = 1
        used += 1
    if how == HEAPED:
        _heaped(s, weights, count, bits_max, lengths, at, highest)
    else:
        _sorted(s, weights, count, bits_max, lengths, at)
    return highest + 1


def new_tree_scratch() -> I64:
    """Room for one tree."""
    return np.zeros(TREE_SCRATCH, np.int64)
