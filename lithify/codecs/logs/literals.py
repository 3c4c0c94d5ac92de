"""The literals of a block as texts: values that are written out, each once, in an arena that lines are copied from.

Literals are numbered column after column, then series after series, and each is followed by a line end.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from lithify.codecs.array_types import I64, U8, U32
from lithify.codecs.kernel import bare, unsigned, wide
from lithify.codecs.logs.columns import FIXED, HEX_UPPER, PREFIXED
from lithify.codecs.logs.copying import STEP, copy
from lithify.codecs.logs.layout import Layout
from lithify.codecs.logs.scan import ADDRESS, NUMBER, TIME, find_lines
from lithify.codecs.logs.streams import Stream
from lithify.codecs.logs.times import write_time
from lithify.errors import Corrupt

_SLACK_BYTES = 64
"""More than a number, a time or an address takes; `copy` may spoil so much."""
Rows = slice | I64
"""Which literals of a column: all, or those of these numbers."""


class Literals(NamedTuple):
    """Literal i, of those that were asked for, is `arena[at[i] : at[i + 1] - 1]`."""

    arena: U8
    at: I64


def literals(layout: Layout, which: I64 | None = None) -> Literals:
    """All literals of a block, or those of ascending numbers. Raises Truncated, Corrupt or LimitExceeded."""
    if which is None:
        count, columns, values = int(layout.first_literal[-1]), list(_all_columns(layout)), layout.values.all()
    else:
        count, columns = len(which), list(_some_columns(layout, which))
        values = layout.values.some(layout.plans_of([column for column, *_ in columns]))
    writer = _Writer(layout, values, count)
    for column, rows, wanted in columns:
        writer.write(column, rows, wanted)
    return Literals(writer.arena[: writer.end], writer.at)


def _all_columns(layout: Layout) -> Iterator[tuple[int, Rows, int]]:
    """Each column, and each series behind them, that has literals: which of them, and how many."""
    for column in np.flatnonzero(layout.literal_counts).tolist():
        count = int(layout.literal_counts[column])
        yield column, slice(count), count


def _some_columns(layout: Layout, which: I64) -> Iterator[tuple[int, Rows, int]]:
    column_of = np.searchsorted(layout.first_literal, which, side="right") - 1
    columns, first = np.unique(column_of, return_index=True)
    for column, (start, end) in zip(columns.tolist(), pairwise([*first.tolist(), len(which)]), strict=True):
        yield column, which[start:end] - layout.first_literal[column], end - start


class _Writer:
    """Fills the arena, column by column."""

    def __init__(self, layout: Layout, values: I64, count: int) -> None:
        self._layout, self._values = layout, values
        self._hexes_at = layout.place_in_stream(Stream.HEX)
        self._texts: dict[Stream, _Texts] = {}
        self._done = 0
        # Every literal is shown at least once, so together they are no longer than the block.
        self.arena = np.empty(layout.length + count + 2 * _SLACK_BYTES, np.uint8)
        self.at = np.zeros(count + 1, np.int64)
        self.end = 0

    def write(self, column: int, rows: Rows, count: int) -> None:
        """Some literals of a column, or of a series (numbered behind the columns)."""
        self._done += count
        ends = self.at[self._done - count + 1 : self._done + 1]
        end = self._write(column, rows, ends)
        if end < 0:
            raise Corrupt("the literals of a block are longer than the block, or below zero")
        self.end = end

    def _write(self, column: int, rows: Rows, ends: I64) -> int:
        layout, columns = self._layout, self._layout.columns
        series = column - len(layout.shapes.kind)
        if series >= 0:
            return _write_times(self.arena, self.end, self._numbers(column, rows), columns.series_form[series], ends)
        kind, form, digits = int(layout.shapes.kind[column]), int(columns.form[column]), int(columns.digits[column])
        if kind == NUMBER:
            skipped, width = int(form == PREFIXED), digits if form == FIXED else 1
            return _write_numbers(self.arena, self.end, self._numbers(column, rows), skipped, width, ends)
        if kind == TIME:
            return _write_times(self.arena, self.end, self._numbers(column, rows), int(columns.time_form[column]), ends)
        if kind == ADDRESS:
            return _write_addresses(self.arena, self.end, self._numbers(column, rows), ends)
        stream = Stream(int(layout.text_stream[column]))
        if stream == Stream.HEX:
            letters = 65 if form == HEX_UPPER else 97
            return _write_hexes(self.arena, self.end, self._hexes(column, rows), digits // 2, letters, ends)
        if stream not in self._texts:
            self._texts[stream] = _Texts(layout, stream)
        return self._texts[stream].write(self.arena, self.end, column, rows, ends)

    def _numbers(self, column: int, rows: Rows) -> I64:
        first, count = int(self._layout.value_at[column]), int(self._layout.literal_counts[column])
        return self._values[first : first + count][rows]

    def _hexes(self, column: int, rows: Rows) -> U8:
        size, count = int(self._layout.columns.digits[column]) // 2, int(self._layout.literal_counts[column])
        packed = np.frombuffer(self._layout.packed.get(Stream.HEX), np.uint8)
        first = int(self._hexes_at[column])
        if len(packed) < first + count * size:
            raise Corrupt(f"hexadecimal texts end after {len(packed)} bytes")
        found: U8 = packed[first : first + count * size].reshape(count, size)[rows].reshape(-1)
        return found


class _Texts:
    """A stream of texts, each ended by a line end."""

    def __init__(self, layout: Layout, stream: Stream) -> None:
        self._text = np.frombuffer(layout.packed.get(stream), np.uint8)
        self._starts = find_lines(self._text)
        self._first = layout.place_in_stream(stream)
        self._counts = layout.literal_counts
        self._name = stream.name

    def write(self, arena: U8, at: int, column: int, rows: Rows, ends: I64) -> int:
        first, count = int(self._first[column]), int(self._counts[column])
        starts = self._starts[first : first + count + 1]
        if len(starts) != count + 1:
            raise Corrupt(f"stream {self._name} has {len(self._starts) - 1} texts, more are shown")
        if isinstance(rows, slice):
            return _write_texts(arena, at, self._text, starts, ends)
        return _write_some_texts(arena, at, self._text, starts, rows, ends)


# No kernel here raises, and the inner loops call nothing that takes arrays: numba then counts references at every step,
# which took most of a decoder's time.


@bare
def _write_numbers(arena: U8, at: int, values: I64, skipped: int, width: int, ends: I64) -> int:
    """At least `width` digits of each, without the first `skipped`."""
    for i in range(len(values)):
        left = values[i]
        if left < 0 or at + _SLACK_BYTES > len(arena):
            return -1
        count = 1
        rest = unsigned(left)
        while rest >= 10:
            rest //= unsigned(10)
            count += 1
        if count <= skipped:
            return -1
        count = max(count - skipped, width)
        rest = unsigned(left)
        for p in range(at + count - 1, at - 1, -1):
            tens = rest // unsigned(10)
            arena[p] = np.uint8(48) + np.uint8(rest - tens * unsigned(10))
            rest = tens
        at += count
        arena[at] = 10
        at += 1
        ends[i] = at
    return at


@bare
def _write_times(arena: U8, at: int, values: I64, form: int, ends: I64) -> int:
    for i in range(len(values)):
        if at + _SLACK_BYTES > len(arena):
            return -1
        at = write_time(arena, at, form, values[i])
        arena[at] = 10
        at += 1
        ends[i] = at
    return at


@bare
def _write_addresses(arena: U8, at: int, values: I64, ends: I64) -> int:
    for i in range(len(values)):
        if at + _SLACK_BYTES > len(arena):
            return -1
        for shift in range(24, -1, -8):
            part = (values[i] >> shift) & 255
            if part >= 100:
                arena[at] = 48 + part // 100
                at += 1
            if part >= 10:
                arena[at] = 48 + part // 10 % 10
                at += 1
            arena[at] = 48 + part % 10
            arena[at + 1] = 46
            at += 2
        arena[at - 1] = 10
        ends[i] = at
    return at


@bare
def _write_hexes(arena: U8, at: int, packed: U8, size: int, letters: int, ends: I64) -> int:
    for i in range(len(ends)):
        if at + 2 * size + _SLACK_BYTES > len(arena):
            return -1
        for p in range(i * size, (i + 1) * size):
            high, low = wide(packed[p] >> 4), wide(packed[p] & 15)
            arena[at] = high + (48 if high < 10 else letters - 10)
            arena[at + 1] = low + (48 if low < 10 else letters - 10)
            at += 2
        arena[at] = 10
        at += 1
        ends[i] = at
    return at


@bare
def _write_texts(arena: U8, at: int, texts: U8, starts: U32, ends: I64) -> int:
    first, end = wide(starts[0]), wide(starts[-1])
    if end > first and texts[end - 1] != 10:
        return -1
    for i in range(len(ends)):
        ends[i] = at + wide(starts[i + 1]) - first
    if at + (end - first) + _SLACK_BYTES > len(arena):
        return -1
    return copy(arena, at, texts, first, end)


@bare
def _write_some_texts(arena: U8, at: int, texts: U8, starts: U32, rows: I64, ends: I64) -> int:
    for i in range(len(rows)):
        first, end = wide(starts[rows[i]]), wide(starts[rows[i] + 1])
        if at + (end - first) + _SLACK_BYTES > len(arena) or texts[end - 1] != 10:
            return -1
        at = copy(arena, at, texts, first, end)
        ends[i] = at
    return at


assert STEP <= _SLACK_BYTES
