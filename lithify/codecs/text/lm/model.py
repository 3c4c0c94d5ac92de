"""A language model in whole numbers: the arrays of a model file, and that no sum of theirs overflows."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from lithify.codecs.array_types import U8, U16
from lithify.codecs.text.lm.array_types import I8, I16
from lithify.codecs.text.lm.shape import HEAD_BYTES, Section, Shape, read_shape
from lithify.errors import Corrupt, LimitExceeded

WEIGHT_MAX = 63
EXACT = 1 << 24
"""Whole numbers up to here are exact in single precision, sums of them too, in whatever order."""
SUM_MAX = (1 << 31) - 1
PIECES_MAX = 1024


@dataclass(frozen=True)
class Gain:
    """What a normalised row is multiplied with: whole numbers in units of 2^-bits."""

    gain: I16
    bits: int


@dataclass(frozen=True, eq=False)
class Matrix:
    """Weights of 7 bits, one row for each output, with a scale for each row in units of 2^-bits."""

    weights: I8
    scales: U16
    bits: int
    activation_max: int

    @property
    def pieces(self) -> int:
        """Into how many stretches of equal length rows are cut, so that every sum over one is below EXACT."""
        columns, most = self.weights.shape[1], self.activation_max
        for pieces in range(1, PIECES_MAX + 1):
            size = -(-columns // pieces)
            if size * most * WEIGHT_MAX < EXACT or self._largest_sum(size) * most < EXACT:
                return pieces
        raise LimitExceeded(f"a matrix of {columns} columns, in {PIECES_MAX} pieces, has sums beyond {EXACT}")

    def _largest_sum(self, size: int) -> int:
        most = 0
        for start in range(0, self.weights.shape[1], size):
            piece = np.abs(self.weights[:, start : start + size].astype(np.int16))
            most = max(most, int(piece.sum(axis=1, dtype=np.int64).max()))
        return most


@dataclass(frozen=True)
class Layer:
    """One block."""

    attention: Gain
    qkv: Matrix
    out: Matrix
    inner: Gain
    gate_up: Matrix
    down: Matrix


@dataclass(frozen=True, eq=False)
class ExactModel:
    """A model, checked."""

    shape: Shape
    tokens: tuple[bytes, ...]
    """What each token says; nothing, if it is never written."""
    tokenizer: bytes
    cosines: I16
    sines: I16
    embedding: I16
    layers: tuple[Layer, ...]
    last: Gain
    head: Matrix
    proof: bytes
    """What it says of some tokens, as a SHA-256."""


def read_model(data: memoryview) -> ExactModel:
    """The model in the bytes of a model file; its arrays lie in them. Raises Truncated, Corrupt or LimitExceeded."""
    shape, proof = read_shape(data)
    arrays = {section.name: _array(data, section) for section in shape.sections()}

    def gain(name: str) -> Gain:
        return Gain(arrays[f"{name}.gain"], int(arrays[f"{name}.gain_bits"][0]))

    def matrix(name: str) -> Matrix:
        weights = arrays[f"{name}.weights"]
        if weights.min() < -WEIGHT_MAX or weights.max() > WEIGHT_MAX:
            raise Corrupt(f"the language model has weights beyond {WEIGHT_MAX} in {name}")
        if weights.shape[1] * WEIGHT_MAX * shape.activation_max > SUM_MAX:
            raise LimitExceeded(f"the language model has sums of {weights.shape[1]} products in {name}")
        return Matrix(weights, arrays[f"{name}.scales"], int(arrays[f"{name}.scale_bits"][0]), shape.activation_max)

    def layer(number: int) -> Layer:
        return Layer(
            attention=gain(f"{number}.attention"),
            qkv=matrix(f"{number}.qkv"),
            out=matrix(f"{number}.out"),
            inner=gain(f"{number}.inner"),
            gate_up=matrix(f"{number}.gate_up"),
            down=matrix(f"{number}.down"),
        )

    return ExactModel(
        shape=shape,
        tokens=_tokens(arrays["token_lengths"], arrays["token_text"]),
        tokenizer=arrays["tokenizer"].tobytes(),
        cosines=arrays["cosines"],
        sines=arrays["sines"],
        embedding=arrays["embedding"],
        layers=tuple(map(layer, range(shape.layers))),
        last=gain("last"),
        head=matrix("head"),
        proof=proof,
    )


def _array(data: memoryview, section: Section) -> Any:
    count = int(np.prod(section.dimensions, dtype=np.int64))
    found = np.frombuffer(data, section.kind, count, section.offset).reshape(section.dimensions)
    found.flags.writeable = False  # kernels are made for arrays like these
    return found


def _tokens(lengths: U16, text: U8) -> tuple[bytes, ...]:
    ends = np.cumsum(lengths, dtype=np.int64)
    if ends[-1] != len(text):
        raise Corrupt(f"the tokens of the language model have {ends[-1]} bytes, and there are {len(text)}")
    whole = text.tobytes()
    return tuple(whole[end - length : end] for end, length in zip(ends.tolist(), lengths.tolist(), strict=True))


def file_pieces(shape: Shape, arrays: dict[str, Any], proof: bytes) -> Iterator[bytes]:
    """The bytes of a model file, one array after another."""
    yield shape.head(proof)
    at = HEAD_BYTES
    for section in shape.sections():
        yield bytes(section.offset - at)
        data = np.ascontiguousarray(arrays[section.name], section.kind)
        assert data.shape == section.dimensions, f"{section.name} is {data.shape}, not {section.dimensions}"
        yield data.tobytes()
        at = section.end
