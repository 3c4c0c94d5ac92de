"""The model as FORMAT.md tells it, in operations that numpy and torch both have: slow, and the measure of all others.

With numpy every product is made in 64-bit whole numbers. With torch it runs on whatever device torch has, products in
single precision (of whole numbers below 2^24, so exactly), everything else in 64-bit whole numbers, which no device
rounds. No exponential, root or normalisation of a library is used.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from lithify.codecs.array_types import I32, I64
from lithify.codecs.text.lm.model import ExactModel, Gain, Matrix
from lithify.codecs.text.lm.tables import falling_powers, sigmoids

_UNIT_BITS, _KEY_BITS, _PRODUCT_BITS, _SHIFT_MAX = 16, 11, 24, 62
_RESIDUAL_MAX, _PART_MAX, _LOGIT_MAX = (1 << 30) - 1, (1 << 25) - 1, (1 << 29) - 1

_WIDE_ROWS = 4096

Whole = Any
"""An array of 64-bit whole numbers, of numpy or of torch."""


class NumpyOperations:
    """Arrays of numpy."""

    floor = staticmethod(np.floor_divide)
    where = staticmethod(np.where)
    join = staticmethod(np.concatenate)

    @staticmethod
    def whole(array: Any) -> Whole:
        """Given numbers."""
        return np.asarray(array, np.int64)

    @staticmethod
    def back(x: Whole) -> I64:
        """Found numbers, as numpy has them."""
        return np.asarray(x)

    @staticmethod
    def most(x: Whole) -> Whole:
        """The largest of each row."""
        return x.max(axis=-1, keepdims=True)

    @staticmethod
    def total(x: Whole) -> Whole:
        """The sum of each row."""
        return x.sum(axis=-1, keepdims=True)

    @staticmethod
    def bound(x: Whole, least: int, most: int) -> Whole:
        """Each number, or the limit that it passes."""
        return np.clip(x, least, most)

    @staticmethod
    def guess_root(x: Whole) -> Whole:
        """Near the square root."""
        return np.sqrt(x.astype(np.float64)).astype(np.int64)

    @staticmethod
    def turn(x: Whole, axes: tuple[int, ...]) -> Whole:
        """The axes in another order."""
        return x.transpose(axes)

    @staticmethod
    def sums(x: Whole, y: Whole) -> Whole:
        """Rows by columns, of sums below 2^53."""
        return x @ y

    @staticmethod
    def product(rows: Whole, weights: Any, pieces: int) -> Whole:
        """Rows by rows of weights, of which a few are made wide at a time."""
        starts = range(0, len(weights), _WIDE_ROWS)
        return np.concatenate([rows @ weights[at : at + _WIDE_ROWS].T.astype(np.int64) for at in starts], axis=1)

    @staticmethod
    def weights(array: Any) -> Any:
        """As `product` takes them."""
        return array


class TorchOperations:
    """Tensors of torch, on any device."""

    def __init__(self, device: str = "cpu") -> None:
        """Products are made in single precision, nothing shorter."""
        import torch

        torch.backends.cuda.matmul.allow_tf32 = False
        self._torch, self._device = torch, device

    def floor(self, x: Whole, y: Whole) -> Whole:
        return self._torch.div(x, y, rounding_mode="floor")

    def where(self, condition: Any, x: Whole, y: Whole) -> Whole:
        return self._torch.where(condition, x, y)

    def join(self, arrays: Any, axis: int) -> Whole:
        return self._torch.cat(list(arrays), dim=axis)

    def whole(self, array: Any) -> Whole:
        return self._torch.as_tensor(np.asarray(array, np.int64), device=self._device)

    def back(self, x: Whole) -> I64:
        return np.asarray(x.cpu().numpy())

    def most(self, x: Whole) -> Whole:
        return x.amax(dim=-1, keepdim=True)

    def total(self, x: Whole) -> Whole:
        return x.sum(dim=-1, keepdim=True)

    def bound(self, x: Whole, least: int, most: int) -> Whole:
        return x.clamp(least, most)

    def guess_root(self, x: Whole) -> Whole:
        return x.to(self._torch.float64).sqrt().to(self._torch.int64)

    def turn(self, x: Whole, axes: tuple[int, ...]) -> Whole:
        return x.permute(axes)

    def sums(self, x: Whole, y: Whole) -> Whole:
        wide = self._torch.float64
        return (x.to(wide) @ y.to(wide)).to(self._torch.int64)

    def product(self, rows: Whole, weights: Any, pieces: int) -> Whole:
        size, torch = -(-rows.shape[1] // pieces), self._torch
        starts = range(0, rows.shape[1], size)
        narrow = rows.to(torch.float32)
        return sum((narrow[:, at : at + size] @ weights[:, at : at + size].T).to(torch.int64) for at in starts)

    def weights(self, array: Any) -> Any:
        return self._torch.as_tensor(np.array(array, np.float32), device=self._device)


@dataclass
class _Rounded:
    rows: Whole
    mantissa: Whole
    exponent: Whole


class PlainEngine:
    """The same as engine.Engine."""

    def __init__(self, model: ExactModel, streams: int, operations: Any = NumpyOperations) -> None:
        """Bring the model to where it is reckoned with."""
        self._model, self._shape, self._streams, self._do = model, model.shape, streams, operations
        whole = operations.whole
        self._powers, self._sigmoids = whole(falling_powers(24)), whole(sigmoids())
        self._cosines, self._sines = whole(model.cosines), whole(model.sines)
        self._matrices = {
            id(matrix): (operations.weights(matrix.weights), whole(matrix.scales), matrix.pieces)
            for layer in model.layers
            for matrix in (layer.qkv, layer.out, layer.gate_up, layer.down)
        }
        head = model.head
        self._matrices[id(head)] = operations.weights(head.weights), whole(head.scales), head.pieces
        self._memory: list[tuple[Whole, Whole, Whole]] = []
        self.position = 0

    def begin(self) -> None:
        """Forget what was read."""
        self.position, self._memory = 0, []

    def read(self, tokens: I64, *, telling: bool = True) -> I32 | None:
        """As engine.Engine.read."""
        steps = tokens.shape[1]
        lines = self._do.whole(self._model.embedding[tokens.reshape(-1)])
        residual = lines << (_UNIT_BITS - self._shape.embedding_bits)
        for number in range(self._shape.layers):
            residual = self._pass(number, residual, steps)
        self.position += steps
        if not telling:
            return None
        last = self._normalised(residual, self._model.last)
        found = self._do.bound(self._worth(last, self._model.head), -_LOGIT_MAX, _LOGIT_MAX)
        told: I64 = self._do.back(found)
        return told.astype(np.int32).reshape(self._streams, steps, -1)

    def _pass(self, number: int, residual: Whole, steps: int) -> Whole:
        layer, do = self._model.layers[number], self._do
        rounded = self._normalised(residual, layer.attention)
        parts = do.bound(self._worth(rounded, layer.qkv), -_PART_MAX, _PART_MAX)
        found = self._rounded(self._attended(number, parts, steps), _UNIT_BITS)
        residual = do.bound(residual + self._worth(found, layer.out), -_RESIDUAL_MAX, _RESIDUAL_MAX)
        rounded = self._normalised(residual, layer.inner)
        parts = do.bound(self._worth(rounded, layer.gate_up), -_PART_MAX, _PART_MAX)
        a, b = parts[:, : self._shape.inner], parts[:, self._shape.inner :]
        found = self._rounded(self._shifted((a * self._open_share(a) >> 8) * b, _UNIT_BITS), _PRODUCT_BITS)
        return do.bound(residual + self._worth(found, layer.down), -_RESIDUAL_MAX, _RESIDUAL_MAX)

    # --- numbers ------------------------------------------------------------------------------------------

    @staticmethod
    def _shifted(x: Whole, by: Any) -> Whole:
        one = by * 0 + 1
        return (x + ((one << by) >> 1)) >> by

    @staticmethod
    def _bits_of(x: Whole) -> Whole:
        """The length of numbers that are not negative."""
        return sum(((x >> count) > 0) * 1 for count in range(62))

    def _rounded(self, values: Whole, bits: int) -> _Rounded:
        do = self._do
        most = do.most(abs(values))
        cut = do.bound(self._bits_of(most) - 15, 0, 62)
        top = self._shifted(most, cut)
        times = do.floor(top * 0 + (self._shape.activation_max << 24), do.bound(top, 1, 1 << 40))
        rows = (self._shifted(values, cut) * times + (1 << 23)) >> 24
        return _Rounded(rows, top, cut - bits)

    def _normalised(self, residual: Whole, gain: Gain) -> _Rounded:
        do, width = self._do, residual.shape[1]
        cut = do.bound(self._bits_of(do.most(abs(residual))) - 15, 0, 62)
        y = self._shifted(residual, cut)
        epsilon = (cut * 0 + self._shape.epsilon) >> (2 * cut)
        mean = do.floor((do.total(y * y) + width * epsilon) << 16, cut * 0 + width)
        found = self._rounded(y * do.whole(gain.gain), 0)
        worth = do.floor(found.mantissa << 24, do.bound(self._root(mean), 1, 1 << 40))
        over = do.bound(self._bits_of(worth) - 15, 0, 62)
        return _Rounded(found.rows, self._shifted(worth, over), found.exponent + over - 16 - gain.bits)

    def _root(self, x: Whole) -> Whole:
        guess = self._do.guess_root(x)
        for near in (guess + 1, guess, guess - 1):
            guess = self._do.where(near * near > x, near - 1, guess)
        return guess

    def _worth(self, rounded: _Rounded, matrix: Matrix) -> Whole:
        weights, scales, pieces = self._matrices[id(matrix)]
        sums = self._do.product(rounded.rows, weights, pieces)
        by = self._do.bound(matrix.bits - rounded.exponent - _UNIT_BITS, 0, _SHIFT_MAX)
        return self._shifted(sums * rounded.mantissa * scales, by)

    def _open_share(self, x: Whole) -> Whole:
        do, size = self._do, abs(x)
        at = do.bound(size >> 8, 0, 4095)
        low, high = self._sigmoids[at], self._sigmoids[at + 1]
        share = do.where(size >= 1 << 20, at * 0 + (1 << 16), low + (((high - low) * (size & 255) + 128) >> 8))
        return do.where(x >= 0, share, (1 << 16) - share)

    def _raised(self, less: Whole) -> Whole:
        whole = less >> 16
        found = self._powers[(less >> 4) & 4095] >> self._do.bound(whole, 0, 25)
        return self._do.where(whole < 25, found, found * 0)

    # --- attention ----------------------------------------------------------------------------------------

    def _attended(self, number: int, parts: Whole, steps: int) -> Whole:
        """(streams × steps, all parts) to (streams × steps, all heads)."""
        shape, do = self._shape, self._do
        parts = parts.reshape(self._streams, steps, -1, shape.head_width)
        ends = (shape.heads, shape.heads + shape.key_heads)
        queries, query_cuts = self._turned(parts[:, :, : ends[0]])
        keys, key_cuts = self._turned(parts[:, :, ends[0] : ends[1]])
        new = keys, key_cuts, parts[:, :, ends[1] :]
        if self.position:
            new = tuple(do.join(pair, 1) for pair in zip(self._memory[number], new, strict=True))
            self._memory[number] = new
        else:
            self._memory.append(new)
        # From here on (streams, key heads, heads that share one, steps, positions).
        keys, key_cuts, values = (do.turn(one, (0, 2, 1, 3))[:, :, None] for one in new)
        groups = (self._streams, steps, shape.key_heads, -1)
        queries = do.turn(queries.reshape(*groups, shape.head_width), (0, 2, 3, 1, 4))
        query_cuts = do.turn(query_cuts.reshape(*groups, 1), (0, 2, 3, 1, 4))
        dots = do.sums(queries, do.turn(keys, (0, 1, 2, 4, 3)))
        by = _UNIT_BITS - query_cuts - do.turn(key_cuts, (0, 1, 2, 4, 3))
        scores = do.where(by > 0, self._shifted(dots, do.bound(by, 0, 62)), dots << do.bound(-by, 0, 62))
        positions = do.whole(np.arange(self.position + steps))
        later = positions[None, :] > positions[self.position :, None]
        scores = do.where(later, scores * 0 - (1 << 61), scores)
        weights = self._raised(do.most(scores) - scores) >> 9
        total = do.total(weights)
        found = do.floor(2 * do.sums(weights, values) + total, 2 * total)
        return do.turn(found, (0, 3, 1, 2, 4)).reshape(self._streams * steps, -1)

    def _turned(self, heads: Whole) -> tuple[Whole, Whole]:
        half, do = self._shape.head_width // 2, self._do
        steps = heads.shape[1]
        cos = self._cosines[self.position : self.position + steps][None, :, None]
        sin = self._sines[self.position : self.position + steps][None, :, None]
        a, b = heads[..., :half], heads[..., half:]
        turned = do.join([self._shifted(a * cos - b * sin, 14), self._shifted(b * cos + a * sin, 14)], -1)
        cut = do.bound(self._bits_of(do.most(abs(turned))) - _KEY_BITS, 0, 62)
        return do.bound(self._shifted(turned, cut), -(1 << 62), (1 << _KEY_BITS) - 1), cut
