"""A small network that has learnt what guesses of an array get wrong: how wrong one is, and how far it may be off.

What regressors and errors around a value say goes through two layers of hidden units (max(0, x)) to two outputs.
Numbers are whole, weights in 1/64, so it says the same everywhere. The encoder teaches it (`training.py`), and weights
are written in front of the blocks.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lithify.codecs.array_types import I32
from lithify.codecs.arrays.wire import Reader, varint
from lithify.errors import Corrupt

LANES = 16
"""Those of vectors (codecs/vectors.py), which readers of headers need not load."""
INPUTS = 4 * LANES + 4
"""Four vectors, and where a value stands."""
UNITS = 2 * LANES
UNITS_MAX = 4 * UNITS
"""Hidden units of both layers come by so many, and there are at most so many."""
SEEN = INPUTS // 2
"""Inputs are kept in pairs: those of two vectors that stand in the same place, then the rest as they follow."""
HIDDEN_AT = 3 * LANES
"""Behind them stand hidden units, beginning where a vector does."""
OUTPUTS = 2
LESSON = SEEN + 3
"""Numbers in a lesson: what was seen, in pairs; what a guess missed a value by, in 1/16; the error that was expected,
in 1/64; how far numbers stand apart, in 1/16."""
INPUT_ONE, HIDDEN_ONE, WEIGHT_ONE = 32, 128, 64
"""What stands for 1."""
INPUT_MAX, HIDDEN_MAX, WEIGHT_MAX = 8 * INPUT_ONE, 32 * HIDDEN_ONE - 1, 32 * WEIGHT_ONE - 1
"""Sums of 128 products of hidden units and weights fit 32 bits."""
OFF_MAX, WIDER_MAX = 16, 3
"""A guess is moved by at most so many times the expected error, and that made larger or smaller by so many octaves."""
_LENGTH_MAX = 1 << 20


@dataclass(frozen=True, eq=False)
class Network:
    """Weights in 1/64."""

    first: I32
    """(input, hidden unit)"""
    second: I32
    """(hidden unit or, last, what is always 1; hidden unit of the second layer)"""
    last: I32
    """(hidden unit of the second layer or, last, what is always 1; output)"""

    def pack(self) -> bytes:
        """As `read_network` reads it."""
        from lithify.codecs.arrays.values import encode_inner

        weights = np.concatenate([layer.reshape(-1) for layer in (self.first, self.second, self.last)])
        packed = encode_inner(weights.astype(np.int16))
        units = (self.first.shape[1] // UNITS - 1) | (self.second.shape[1] // UNITS - 1) << 2
        return bytes([units]) + varint(len(packed)) + packed

    @cached_property
    def table(self) -> I32:
        """As kernels read it: two numbers of units, then what each layer begins with and its weights in pairs."""
        heads = np.zeros(LANES, np.int32)
        heads[:OUTPUTS] = self.first.shape[1], self.second.shape[1]
        last = np.zeros((len(self.last), LANES), np.int32)
        last[:, :OUTPUTS] = self.last
        placed = self.first[4 * LANES :]
        parts = [heads, _in_pairs(self.first[: 4 * LANES]), _paired(placed[::2], placed[1::2])]
        for layer in (self.second, last):
            parts += [layer[-1] * HIDDEN_ONE, _in_pairs(layer[:-1])]
        return np.concatenate([part.reshape(-1) for part in parts]).astype(np.int32)


NO_TABLE = np.zeros(0, np.int32)


def read_network(reader: Reader) -> Network:
    """The inverse of `pack`. Raises Truncated or Corrupt."""
    from lithify.codecs.arrays.values import decode_inner

    units = reader.byte()
    if units >> 4:
        raise Corrupt(f"array payload: a network of 0x{units:02x} units, which does not exist")
    hidden = UNITS * ((units & 3) + 1), UNITS * ((units >> 2) + 1)
    count = sum(rows * columns for rows, columns in shapes_of(hidden))
    weights = decode_inner(reader.take(reader.varint(_LENGTH_MAX)), count, np.dtype(np.int16)).astype(np.int32)
    if np.abs(weights).max() > WEIGHT_MAX:
        raise Corrupt(f"array payload: a network with a weight of {np.abs(weights).max()}, at most {WEIGHT_MAX}")
    return Network(*layers_of(weights, hidden))


def shapes_of(units: tuple[int, int]) -> tuple[tuple[int, int], ...]:
    """Of the weights of layers, with so many hidden units."""
    first, second = units
    return (INPUTS, first), (first + 1, second), (second + 1, OUTPUTS)


def layers_of(row: np.ndarray, units: tuple[int, int]) -> list[np.ndarray]:
    """A row of weights as the layers that it has the numbers of."""
    shapes = shapes_of(units)
    ends = np.cumsum([rows * columns for rows, columns in shapes])[:-1]
    return [part.reshape(shape) for part, shape in zip(np.split(row, ends), shapes, strict=True)]


def _in_pairs(weights: I32) -> I32:
    """Those of numbers that stand side by side in vectors of units: number l with number l + 16, by 32."""
    pairs = weights.reshape(-1, 2, LANES, weights.shape[1])
    return _paired(pairs[:, 0], pairs[:, 1])


def _paired(one: I32, other: I32) -> I32:
    return np.asarray((one & 0xFFFF) | (other << 16), np.int32)
