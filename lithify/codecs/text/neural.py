"""A small neural network that reads along: from the bytes so far, in integers, what it expects of each bit of the next.

Gated linear recurrences (after minGRU) between layers of squared rectifiers; what goes in are embeddings of the last
bytes, and of hashes of the last two to four, of the word under way and of the word before. What comes out are two
opinions about every bit: what the mixers should add to what they know, and what the network thinks by itself. The last
layer goes on learning from the text at hand.

All numbers are integers, so sums are the same in whatever order they are taken: activations have 8 bits, weights 7, and
the largest sum that weights could make is proved to fit when they are loaded (network.py). FORMAT.md says what each
number means.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lithify.codecs.array_types import I32, I64, U8
from lithify.codecs.chances import LIMIT
from lithify.codecs.kernel import bare, inlined, wide
from lithify.codecs.text.contexts import BEFORE, WORD, byte_at, hash_two

I8 = npt.NDArray[np.int8]

HASHED = 5
"""Hashes that choose a row of an embedding: of two, three, four bytes, of the word under way, of the word before."""
OPINIONS = 2
TO_ADD, ALONE = range(OPINIONS)

ACTIVATION_MAX = 127
SIGMOID_AT_ZERO = 512
"""The table of sigmoids goes from -8 to 8, in 1/64."""

SIGMOID_UNIT = 64
SUM_SHIFT = 24
"""Sums are multiplied by the scale of their row, in 1/2^24."""
NORM_SHIFT, OUT_SHIFT, SQUARE_NARROW = 20, 24, 20
"""In what the factors count that make eight bits of normalised numbers, of states, of squares."""
_STATE_SHIFT = 6  # the residual counts in 1/2^10, states in 1/2^16
_SQUARE_SHIFT = 10
HEAD_WIDTH_MAX = 256
_HEAD_MAX = (1 << 23) - 1  # 7 bits more, less 8, 256 times: 30 bits
_HEAD_RATE = 60
"""How fast the last layer learns from a text. On the first 30 KB of eight texts, and short ones, the network wins
4.29 % with 0, 4.54 % with 15, 4.88 % with 60, 5.03 % with 120, but of prose less with 120 than with 60."""


class Network(NamedTuple):
    """What was trained, in integers; never written. Rows of all layers stand one after another."""

    hashed: I8
    """(row, column): the embeddings of all hashes, one table behind the other."""
    hashed_rows: I64
    """How many rows each table has, powers of two."""
    bytes_: I8
    classes: I8
    weights_in: I8
    scale_in: I32
    weights_gates: I8
    """Per layer: how much of the state is replaced, by what, how much of it shows."""
    scale_gates: I32
    bias_gates: I32
    weights_out: I8
    scale_out: I32
    weights_up: I8
    scale_up: I32
    weights_down: I8
    scale_down: I32
    narrow_gates: I32
    """By what a layer's inputs are multiplied before they become 8 bits, per column."""
    narrow_out: I32
    narrow_up: I32
    narrow_down: I32
    narrow_head: I32
    head: I8
    scale_head: I32
    bias_head: I32
    sigmoid: I32


class Reader(NamedTuple):
    """A network at some place in a text."""

    network: Network
    states: I64
    residual: I64
    given: I8
    sums: I32
    head: I32
    """(2 × node, column): the last layer, which learns."""
    said: I64


def new_reader(network: Network) -> Reader:
    """A network that has read nothing."""
    width = len(network.weights_in)
    layers = len(network.weights_out) // width
    head = (network.head.astype(np.int64) * network.scale_head[:, None]) >> 8
    return Reader(
        network=network,
        states=np.zeros(layers * width, np.int64),
        residual=np.zeros(width, np.int64),
        given=np.zeros(max(network.weights_in.shape[1], width, network.weights_down.shape[1]), np.int8),
        sums=np.zeros(max(3 * width, network.weights_down.shape[1]), np.int32),
        head=np.clip(head, -_HEAD_MAX, _HEAD_MAX).astype(np.int32),
        said=np.zeros(OPINIONS, np.int64),
    )


@bare
def _products(weights: I8, first: int, rows: int, given: I8, sums: I32) -> None:
    """Some rows of a matrix times what is given. 32 bits hold every sum (network.py)."""
    for row in range(rows):
        total = np.int32(0)
        for k in range(weights.shape[1]):
            total = np.int32(total + np.int32(np.int32(weights[first + row, k]) * np.int32(given[k])))
        sums[row] = total


@inlined
def _scaled(total: int, scale: int) -> int:
    return (wide(total) * wide(scale) + (1 << (SUM_SHIFT - 1))) >> SUM_SHIFT


@inlined
def _narrowed(number: int, factor: int, shift: int) -> int:
    return min(max((number * wide(factor) + (1 << (shift - 1))) >> shift, -ACTIVATION_MAX), ACTIVATION_MAX)


@inlined
def _root(number: int) -> int:
    """The square root, rounded down, of a number below 2^62."""
    root, bit = wide(0), wide(1) << 60
    while bit > number:
        bit >>= 2
    while bit:
        if number >= root + bit:
            number -= root + bit
            root = (root >> 1) + bit
        else:
            root >>= 1
        bit >>= 2
    return root


@bare
def _normalise(residual: I64, narrow: I32, first: int, given: I8) -> None:
    """The residual, divided by its root mean square, in 8 bits."""
    total = wide(0)
    for k in range(len(residual)):
        total += residual[k] * residual[k]
    factor = (wide(1) << 38) // _root((total // len(residual) + 1) << 12)
    for k in range(len(residual)):
        given[k] = _narrowed((residual[k] * factor) >> 20, narrow[first + k], NORM_SHIFT)


@inlined
def _sigmoid(table: I32, x: int) -> int:
    return wide(table[min(max(x, -SIGMOID_AT_ZERO), SIGMOID_AT_ZERO) + SIGMOID_AT_ZERO])


@inlined
def hash_of(table: int, four: int, memory: I64) -> int:
    """What chooses the row of an embedding: the last four bytes, the latest lowest, and what is remembered."""
    if table == 0:
        return hash_two(50, four & 0xFFFF)
    if table == 1:
        return hash_two(51, four & 0xFFFFFF)
    if table == 2:
        return hash_two(55, four)
    if table == 3:
        return hash_two(hash_two(53, memory[WORD]), wide(0) if memory[WORD] else four & 255)
    return hash_two(54, memory[BEFORE])


@bare
def _embed(n: Network, given: I8, data: U8, at: int, memory: I64, text_class: int) -> None:
    """Lay the embeddings of what stands before `at` side by side."""
    one = byte_at(data, at - 1)
    four = one | byte_at(data, at - 2) << 8 | byte_at(data, at - 3) << 16 | byte_at(data, at - 4) << 24
    k, first = wide(0), wide(0)
    for table in range(HASHED):
        row = first + (hash_of(table, four, memory) & (n.hashed_rows[table] - 1))
        first += n.hashed_rows[table]
        for column in range(n.hashed.shape[1]):
            given[k] = n.hashed[row, column]
            k += 1
    for column in range(n.bytes_.shape[1]):
        given[k] = n.bytes_[one, column]
        k += 1
    for column in range(n.classes.shape[1]):
        given[k] = n.classes[text_class, column]
        k += 1


@bare
def _remember(n: Network, states: I64, given: I8, sums: I32, layer: int) -> None:
    """The recurrence: every state goes some of the way to what is new, and shows as far as its gate lets it."""
    width = len(n.weights_in)
    for k in range(width):
        row = 3 * width * layer + k
        share = _sigmoid(n.sigmoid, _scaled(sums[k], n.scale_gates[row]) + wide(n.bias_gates[row]))
        new = _scaled(sums[width + k], n.scale_gates[row + width]) << _STATE_SHIFT
        row += 2 * width
        shown = _sigmoid(n.sigmoid, _scaled(sums[2 * width + k], n.scale_gates[row]) + wide(n.bias_gates[row]))
        state = states[width * layer + k]
        state += (share * (new - state) + (1 << 15)) >> 16
        states[width * layer + k] = state
        given[k] = _narrowed((state * shown) >> 16, n.narrow_out[width * layer + k], OUT_SHIFT)


@bare
def read_on(r: Reader, data: U8, at: int, memory: I64, text_class: int) -> None:
    """Take in the byte before `at`; what is expected of the next one lies in `given` afterwards."""
    n, residual, given, sums = r.network, r.residual, r.given, r.sums
    width = len(residual)
    hidden = n.weights_down.shape[1]
    _embed(n, given, data, at, memory, text_class)
    _products(n.weights_in, 0, width, given, sums)
    for k in range(width):
        residual[k] = _scaled(sums[k], n.scale_in[k])
    for layer in range(len(r.states) // width):
        _normalise(residual, n.narrow_gates, width * layer, given)
        _products(n.weights_gates, 3 * width * layer, 3 * width, given, sums)
        _remember(n, r.states, given, sums, layer)
        _products(n.weights_out, width * layer, width, given, sums)
        for k in range(width):
            residual[k] += _scaled(sums[k], n.scale_out[width * layer + k])
        _normalise(residual, n.narrow_up, width * layer, given)
        _products(n.weights_up, hidden * layer, hidden, given, sums)
        for k in range(hidden):
            positive = max(_scaled(sums[k], n.scale_up[hidden * layer + k]), 0)
            given[k] = _narrowed(
                (positive * positive) >> _SQUARE_SHIFT, n.narrow_down[hidden * layer + k], SQUARE_NARROW
            )
        _products(n.weights_down, width * layer, width, given, sums)
        for k in range(width):
            residual[k] += _scaled(sums[k], n.scale_down[width * layer + k])
    _normalise(residual, n.narrow_head, 0, given)


@inlined
def _opinion(head: I32, row: int, given: I8) -> int:
    total = np.int32(0)
    for k in range(head.shape[1]):
        total = np.int32(total + np.int32(np.int32(head[row, k] * np.int32(given[k])) >> np.int32(8)))
    return wide(total) >> 8


@bare
def say(r: Reader, partial: int) -> None:
    """Both opinions about the next bit, as stretched chances."""
    for opinion in range(OPINIONS):
        row = 256 * opinion + partial
        said = _opinion(r.head, row, r.given) + wide(r.network.bias_head[row])
        r.said[opinion] = min(max(said, -LIMIT), LIMIT)


@inlined
def _taught(head: I32, row: int, given: I8, error: int) -> None:
    step = np.int32((error * _HEAD_RATE) >> 8)
    for k in range(head.shape[1]):
        change = np.int32(np.int32(np.int32(np.int32(given[k]) * step) + np.int32(256)) >> np.int32(9))
        head[row, k] = min(max(np.int32(head[row, k] + change), np.int32(-_HEAD_MAX)), np.int32(_HEAD_MAX))


@bare
def learn(r: Reader, partial: int, error_mixed: int, error_alone: int) -> None:
    """The last layer learns: by how much the mixed chance, and its own, were off."""
    _taught(r.head, partial, r.given, error_mixed)
    _taught(r.head, 256 + partial, r.given, error_alone)
