"""Rows of numbers told as differences before they were deflated: the predictors of TIFF, done and undone.

Predictor 2 tells each number less the one before it in its row, of the same sample; predictor 3 the bytes of floats,
all highest ones of a row first, each less the one before.
"""

from dataclasses import astuple, dataclass
from typing import Any, Self

import numpy as np

from lithify.codecs.array_types import U8
from lithify.codecs.arrays.wire import Reader, varint
from lithify.errors import Corrupt

NUMBERS, BYTES = 2, 3
_OCTETS = (1, 2, 4, 8)
_ROW_MAX = 1 << 26
_STEP_MAX = 1 << 16


@dataclass(frozen=True, slots=True)
class Rows:
    """How they were told.

    predictor  NUMBERS or BYTES
    octets     of a number
    big        1 if its highest byte comes first in the plain file, else 0; with NUMBERS in the stream, too
    count      numbers in a row
    step       how many numbers before it the one is that a number is told by: samples of a pixel
    """

    predictor: int
    octets: int
    big: int
    count: int
    step: int

    def is_possible(self, length: int) -> bool:
        """Whether `length` bytes can be such rows."""
        return (
            self.predictor in (NUMBERS, BYTES)
            and self.octets in _OCTETS
            and self.big in (0, 1)
            and 1 <= self.step <= _STEP_MAX
            and 1 <= self.count <= _ROW_MAX
            and self.count % self.step == 0
            and length % (self.count * self.octets) == 0
        )

    def undone(self, data: bytes) -> bytes:
        """The numbers of rows that were told so. Raises Corrupt."""
        self._check(len(data))
        if self.predictor == NUMBERS:
            told = np.frombuffer(data, self._dtype).reshape(-1, self.count // self.step, self.step)
            return np.cumsum(told, axis=1, dtype=self._native).astype(self._dtype).tobytes()
        planes: U8 = np.frombuffer(data, np.uint8).reshape(-1, self._row_bytes // self.step, self.step)
        highest_first = np.cumsum(planes, axis=1, dtype=np.uint8).reshape(-1, self.octets, self.count)
        return self._ordered(highest_first).transpose(0, 2, 1).tobytes()

    def done(self, plain: bytes) -> bytes:
        """The rows of numbers. Raises Corrupt."""
        self._check(len(plain))
        if self.predictor == NUMBERS:
            numbers = np.frombuffer(plain, self._dtype).astype(self._native)
            rows = numbers.reshape(-1, self.count // self.step, self.step)
            return np.diff(rows, axis=1, prepend=self._native.type(0)).astype(self._dtype).tobytes()
        octets: U8 = np.frombuffer(plain, np.uint8).reshape(-1, self.count, self.octets)
        planes = np.ascontiguousarray(self._ordered(octets.transpose(0, 2, 1)))
        rows = planes.reshape(-1, self._row_bytes // self.step, self.step)
        return np.diff(rows, axis=1, prepend=np.uint8(0)).tobytes()

    def _ordered(self, planes: U8) -> U8:
        """Planes of bytes, highest first, as the plain file has them; and the other way."""
        return planes if self.big else planes[:, ::-1]

    @property
    def _row_bytes(self) -> int:
        return self.count * self.octets

    @property
    def _dtype(self) -> np.dtype[Any]:
        return np.dtype(f"{'>' if self.big else '<'}u{self.octets}")

    @property
    def _native(self) -> np.dtype[Any]:
        return self._dtype.newbyteorder("=")

    def _check(self, length: int) -> None:
        if not self.is_possible(length):
            raise Corrupt(f"array payload: {length} bytes are no rows of {self.count} numbers of {self.octets} bytes")

    def pack(self) -> bytes:
        """Its fields."""
        return b"".join(map(varint, astuple(self)))

    @classmethod
    def read(cls, reader: Reader) -> Self:
        """What `pack` wrote. Raises Corrupt or Truncated."""
        fields = [reader.varint(most) for most in (BYTES, _OCTETS[-1], 1, _ROW_MAX, _STEP_MAX)]
        return cls(*fields)
