"""What a text costs: the bits that the model spends on each of its bytes, found without writing any.

A byte is worth what its eight bits are: minus the logarithm of the chance that each was given before it was known. That
is what the arithmetic coder would spend, to a few bytes in all (Shannon; Rissanen and Langdon), so that sums over lines
or stretches say where a text is as its readers expect, and where it surprises. Costs are whole numbers, in 1/65536 bit:
their sums are the same in whatever order.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lithify import limits
from lithify.codecs.array_types import I64, U16
from lithify.codecs.text.classes import TextClass
from lithify.codecs.text.mixing import weigh_text
from lithify.codecs.text.proof import proved_for

BIT = 1 << 16
"""What one bit costs."""
_SUMMED_AT_ONCE = 64 * limits.KIB
_PIECE_BYTES = 8 * limits.KIB

Floats = npt.NDArray[np.float64]


class Lines(NamedTuple):
    """Where the lines of a text begin, how long they are with their ends, and what they cost."""

    starts: I64
    lengths: I64
    costs: I64

    def excess(self) -> Floats:
        """Per line, by how much it costs more than so many bytes of the whole text do on average."""
        length = self.lengths.sum()
        return self.costs - self.lengths * (self.costs.sum() / length) if length else np.zeros(0)


@dataclass(frozen=True)
class Costs:
    """A text, weighed."""

    text: bytes
    text_class: TextClass
    per_byte: I64

    @property
    def bits(self) -> float:
        """What the whole costs."""
        return float(self.per_byte.sum()) / BIT

    @cached_property
    def lines(self) -> Lines:
        """The lines; bytes behind the last line end are one too."""
        text = np.frombuffer(self.text, np.uint8)
        ends = np.flatnonzero(text == ord("\n")) + 1
        if len(text) and (not len(ends) or ends[-1] < len(text)):
            ends = np.append(ends, len(text))
        starts = np.concatenate(([0], ends[:-1])) if len(ends) else ends
        return Lines(starts, ends - starts, self._sums(starts))

    def stretches(self, length: int) -> list[float]:
        """Bits per byte of one stretch of `length` bytes after another; the last may be shorter."""
        starts = np.arange(0, len(self.per_byte), length)
        lengths = np.diff(starts, append=len(self.per_byte))
        return [float(bits) for bits in self._sums(starts) / (lengths * BIT)]

    def _sums(self, starts: I64) -> I64:
        return np.add.reduceat(self.per_byte, starts) if len(starts) else np.zeros(0, np.int64)


def weigh(text: bytes, told: Callable[[int], None] = lambda _: None) -> Costs:
    """What a text costs in the class that fits it best, and alone: as one group, behind no primer.

    text  any bytes; half a megabyte a second, 90 bytes of memory for each
    told  hears several times a second how many bytes are done

    Raises Unsound when this installation does not compute what it must.
    """
    text_class = _class_of(text)
    return Costs(text, text_class, costs_of(weigh_text(text, proved_for(text_class), text_class, told)))


def _class_of(text: bytes) -> TextClass:
    """The class in which a piece from the middle is cheapest; the codec asks for the same, in whole bytes."""
    start = max(0, (len(text) - _PIECE_BYTES) // 2)
    piece = text[start : start + _PIECE_BYTES]
    return min(TextClass, key=lambda one: int(costs_of(weigh_text(piece, proved_for(one), one)).sum()))


def costs_of(given: U16) -> I64:
    """The costs of bytes whose bits were given these chances, in 1/65536."""
    costs = np.empty(len(given) // 8, np.int64)
    for at in range(0, len(costs), _SUMMED_AT_ONCE):
        costs[at : at + _SUMMED_AT_ONCE] = _worth()[given[8 * at : 8 * (at + _SUMMED_AT_ONCE)]].reshape(-1, 8).sum(1)
    return costs


@cache
def _worth() -> I64:
    """The cost of a bit, by its chance."""
    worth = np.zeros(65536, np.int64)
    worth[1:] = np.rint((16 - np.log2(np.arange(1, 65536))) * BIT)
    return worth
