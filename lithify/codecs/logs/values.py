"""The numbers of a block, each column's restored when it is asked for: a search wants few of them."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from lithify.codecs.array_types import I64, U8, Bools
from lithify.codecs.logs import numbers
from lithify.codecs.logs.order import number_segments, places
from lithify.codecs.logs.streams import STREAMS_BYTES_FREE, STREAMS_BYTES_PER_BYTE, Stream, Streams
from lithify.errors import Corrupt, LimitExceeded, Truncated

_ALL_WIDTHS = range(1, numbers.LOGARITHM + 1)


class Plans(NamedTuple):
    """Literals that are numbers: the columns that have some, then the series; where each begins, and its plan."""

    columns: I64
    at: I64
    plans: I64


class Values:
    """All literals that are numbers, column after column, then series after series."""

    def __init__(self, packed: Streams, planned: Plans, names: I64, length: int) -> None:
        """Raises LimitExceeded if there would be more than a block of this length has.

        names  what tells the columns apart, and the series (order.number_names)
        """
        self._packed, self._planned = packed, planned
        widths, counts = planned.plans[:, numbers.PLAN_WIDTH], np.diff(planned.at)
        self._bytes_at, self._ends = places(widths, counts)
        if int(self._ends[-1]) > STREAMS_BYTES_PER_BYTE * length + STREAMS_BYTES_FREE:
            raise LimitExceeded(f"a block of {length} bytes has numbers of {self._ends[-1]}")
        self._segments = number_segments(widths, counts, names)
        self._unpacked: set[int] = set()
        self._restored = np.zeros(len(widths), np.bool_)
        self._bytes = np.empty(int(self._ends[-1]), np.uint8)
        self._values = np.empty(int(planned.at[-1]), np.int64)

    def all(self) -> I64:
        """Every one. Raises Truncated or Corrupt, for streams that nothing needs too."""
        self._unpack(_ALL_WIDTHS)
        return self.some(np.ones(len(self._restored), np.bool_))

    def some(self, wanted: Bools) -> I64:
        """The same, with the numbers of the wanted plans filled in; the others may be anything."""
        wanted = wanted & ~self._restored
        if not wanted.any():
            return self._values
        plans, at = self._planned.plans, self._planned.at
        width = plans[:, numbers.PLAN_WIDTH]
        narrow = np.flatnonzero(wanted & (width > 0) & (width < numbers.WIDTH_MAX))
        aside = self._aside if len(narrow) else np.zeros(0, np.int64)
        needed = wanted.copy()
        if len(aside):  # which numbers stand aside is told by the bytes of all before them
            needed[: narrow[-1]] |= width[: narrow[-1]] < numbers.WIDTH_MAX
        data, data_at = self.bytes(needed)
        low_bits = np.frombuffer(self._packed.get(Stream.LOW_BITS), np.uint8)
        try:
            numbers.restore(data, data_at, at, plans, aside, low_bits, wanted, self._values)
        except IndexError as error:
            raise Truncated("numbers that stand aside, or bits, end early") from error
        self._restored |= wanted
        return self._values

    def bytes(self, wanted: Bools) -> tuple[U8, I64]:
        """What the numbers of the wanted plans are restored from, and where each plan's bytes begin."""
        self._unpack(set(self._planned.plans[wanted, numbers.PLAN_WIDTH].tolist()))
        return self._bytes, self._bytes_at

    @property
    def _aside(self) -> I64:
        """The numbers that are too wide for their columns."""
        data = np.frombuffer(self._packed.get(Stream.ESCAPES), np.uint8)
        if len(data) % 8:
            raise Corrupt(f"{len(data)} bytes of numbers that stand aside")
        return np.ascontiguousarray(data.reshape(8, -1).T).view(">i8").astype(np.int64).reshape(-1)

    def _unpack(self, widths: Iterable[int]) -> None:
        for width in sorted(set(widths) - self._unpacked - {0}):
            stream = Stream(Stream.WIDTH_1 + width - 1)
            data = self._packed.get(stream, self._segments[stream])
            start, end = int(self._ends[width - 2] if width > 1 else 0), int(self._ends[width - 1])
            if len(data) != end - start:
                raise Corrupt(f"numbers of width {width} have {len(data)} bytes, {end - start} were expected")
            self._bytes[start:end] = np.frombuffer(data, np.uint8)
            self._unpacked.add(width)
