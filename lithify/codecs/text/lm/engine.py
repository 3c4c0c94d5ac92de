"""The model at work on the processor: whole numbers from end to end, in kernels.py.

A product of whole numbers whose sums stay below 2^24 is the same in single precision, in whatever order it is added up:
so it can be left to a library of matrices instead of a loop of our own. The loop is the default: it reads a quarter of
the bytes, needs no copy of the model, and is as fast (FORMAT.md).
"""

from dataclasses import dataclass
from typing import Literal
from weakref import WeakKeyDictionary

import numpy as np

from lithify.codecs.array_types import I32, I64
from lithify.codecs.text.lm import kernels
from lithify.codecs.text.lm.array_types import F32, I16
from lithify.codecs.text.lm.model import ExactModel, Gain, Layer, Matrix
from lithify.codecs.text.lm.tables import falling_powers, sigmoids

Product = Literal["loop", "float32", "float64"]


@dataclass(frozen=True)
class Rounded:
    """Rows of activations; one is worth mantissa × 2^exponent."""

    rows: I16
    mantissa: I64
    exponent: I64


class _Product:
    """Multiplies with one matrix."""

    def __init__(self, matrix: Matrix, way: Product) -> None:
        self.scales = matrix.scales.astype(np.int64)
        self.bits = matrix.bits
        self._weights = matrix.weights
        self._way = way
        self._wide: list[F32] | None = None
        self._pieces = matrix.pieces

    def __call__(self, rows: I16) -> I32:
        """(rows, columns) to (rows, outputs)."""
        if self._way == "loop":
            out = np.empty((len(rows), len(self._weights)), np.int32)
            kernels.products(rows, self._weights, out)
            return out
        if self._way == "float64":
            return (rows.astype(np.float64) @ self._weights.T.astype(np.float64)).astype(np.int32)
        return self._in_single(rows)

    def _in_single(self, rows: I16) -> I32:
        size = -(-rows.shape[1] // self._pieces)
        starts = range(0, rows.shape[1], size)
        if self._wide is None:
            self._wide = [self._weights[:, at : at + size].T.astype(np.float32) for at in starts]
        out = np.zeros((len(rows), len(self._weights)), np.int32)
        for at, weights in zip(starts, self._wide, strict=True):
            out += (rows[:, at : at + size].astype(np.float32) @ weights).astype(np.int32)
        return out


def _product(matrix: Matrix, way: Product) -> _Product:
    """The same for as long as the matrix is there: single precision takes four times the room, and a while."""
    known = _PRODUCTS.setdefault(matrix, {})
    if way not in known:
        known[way] = _Product(matrix, way)
    return known[way]


_PRODUCTS: WeakKeyDictionary[Matrix, dict[Product, _Product]] = WeakKeyDictionary()


class _Block:
    """One layer: its matrices, and what it remembers of earlier positions."""

    def __init__(self, model: ExactModel, layer: Layer, streams: int, way: Product) -> None:
        shape = model.shape
        self.attention, self.inner = layer.attention, layer.inner
        self.qkv, self.out = _product(layer.qkv, way), _product(layer.out, way)
        self.gate_up, self.down = _product(layer.gate_up, way), _product(layer.down, way)
        room = (streams, shape.key_heads, shape.context, shape.head_width)
        self.keys = np.zeros(room, np.int16)
        self.key_cuts = np.zeros(room[:3], np.int32)
        self.values = np.zeros(room, np.int32)


class Engine:
    """Says for several streams at once what may come next; each is as if it were alone."""

    def __init__(self, model: ExactModel, streams: int, way: Product = "loop") -> None:
        """Make room for so many streams.

        way  how products are made: they are the same in every way
        """
        self._model, self._shape = model, model.shape
        self._blocks = [_Block(model, layer, streams, way) for layer in model.layers]
        self._head = _product(model.head, way)
        self._powers, self._sigmoids = falling_powers(24), sigmoids()
        self._streams, self._largest = streams, model.shape.activation_max
        self.position = 0
        """How many tokens of each stream have been read."""
        shape = model.shape
        self._query = np.zeros(shape.head_width, np.int16)
        self._scores = np.zeros(shape.context, np.int64)
        self._line = np.zeros(max(shape.width, shape.queries, shape.inner), np.int64)

    def begin(self) -> None:
        """Forget what was read."""
        self.position = 0

    def read(self, tokens: I64, *, telling: bool = True) -> I32 | None:
        """Read the next tokens of each stream: (streams, steps), at most as many as there are positions left.

        return  if `telling`: (streams, steps, vocabulary): logarithms of base 2, in units of 2^-16, without their sum
        """
        steps = tokens.shape[1]
        assert tokens.shape[0] == self._streams
        assert self.position + steps <= self._shape.context
        residual = self._embedded(tokens.reshape(-1))
        for block in self._blocks:
            self._pass(block, residual)
        self.position += steps
        if not telling:
            return None
        last = self._normalised(residual, self._model.last)
        found = np.empty((len(residual), self._shape.vocabulary), np.int32)
        sums = self._head(last.rows)
        kernels.logits(sums, last.mantissa, last.exponent, self._head.scales, self._head.bits, found)
        return found.reshape(self._streams, steps, -1)

    def _embedded(self, tokens: I64) -> I64:
        shift = kernels.UNIT_BITS - self._shape.embedding_bits
        return np.left_shift(self._model.embedding[tokens].astype(np.int64), shift)

    def _pass(self, block: _Block, residual: I64) -> None:
        shape, model = self._shape, self._model
        rounded = self._normalised(residual, block.attention)
        sums = block.qkv(rounded.rows)
        given = (sums, rounded.mantissa, rounded.exponent, block.qkv.scales, block.qkv.bits, shape.heads, self.position)
        turns = (model.cosines, model.sines)
        kernels.remember(*given, *turns, block.keys, block.key_cuts, block.values)
        found = _room(len(residual), shape.queries)
        kernels.attend(
            *given, *turns, block.keys, block.key_cuts, block.values, self._powers, self._largest,
            found.rows, found.mantissa, found.exponent, self._query, self._scores, self._line,
        )  # fmt: skip
        self._add(residual, block.out, found)
        rounded = self._normalised(residual, block.inner)
        sums = block.gate_up(rounded.rows)
        found = _room(len(residual), shape.inner)
        kernels.gate(
            sums, rounded.mantissa, rounded.exponent, block.gate_up.scales, block.gate_up.bits, self._sigmoids,
            self._largest,
            found.rows, found.mantissa, found.exponent, self._line,
        )  # fmt: skip
        self._add(residual, block.down, found)

    def _normalised(self, residual: I64, gain: Gain) -> Rounded:
        out = _room(*residual.shape)
        kernels.normalise(
            residual,
            gain.gain,
            gain.bits,
            self._shape.epsilon,
            self._largest,
            out.rows,
            out.mantissa,
            out.exponent,
            self._line,
        )
        return out

    @staticmethod
    def _add(residual: I64, product: _Product, rounded: Rounded) -> None:
        kernels.add(residual, product(rounded.rows), rounded.mantissa, rounded.exponent, product.scales, product.bits)


def _room(rows: int, width: int) -> Rounded:
    return Rounded(np.empty((rows, width), np.int16), np.empty(rows, np.int64), np.empty(rows, np.int64))
