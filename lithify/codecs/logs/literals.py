"""The literals of a block as texts: each value that is written out, once, in an arena that lines are copied from.

Literals are numbered column after column, then series after series, and each is followed by a line end.
"""

from typing import NamedTuple

import numpy as np

from lithify.codecs.logs.arrays import I64, U8, U32
from lithify.codecs.logs.columns import FIXED, HEX_LOWER, PREFIXED, TEXT
from lithify.codecs.logs.copying import STEP, copy
from lithify.codecs.logs.kernel import bare, unsigned, wide
from lithify.codecs.logs.layout import Layout
from lithify.codecs.logs.scan import ADDRESS, GROUP, MIXED, NUMBER, TIME, find_lines
from lithify.codecs.logs.streams import Stream
from lithify.codecs.logs.times import write_time
from lithify.errors import Corrupt

_SLACK_BYTES = 64
"""More than a number, a time or an address takes; `copy` may spoil so much."""


class Literals(NamedTuple):
    """Literal i is `arena[at[i] : at[i + 1] - 1]`."""

    arena: U8
    at: I64


def literals(layout: Layout) -> Literals:
    """All literals of a block. Raises Truncated, Corrupt or LimitExceeded."""
    count = int(layout.first_literal[-1])
    writer = _Writer(layout, count)
    kind, form, digits = layout.shapes.kind, layout.columns.form, layout.columns.digits
    wanted = layout.literal_counts
    for c in np.flatnonzero(wanted[: len(kind)]).tolist():
        if kind[c] == NUMBER:
            writer.numbers(wanted[c], int(form[c]), int(digits[c]))
        elif kind[c] == TIME:
            writer.times(wanted[c], int(layout.columns.time_form[c]))
        elif kind[c] == ADDRESS:
            writer.addresses(wanted[c])
        elif kind[c] == MIXED and form[c] != TEXT:
            writer.hexes(wanted[c], int(digits[c]), upper=form[c] != HEX_LOWER)
        else:
            writer.texts(wanted[c], Stream.GROUPS if kind[c] == GROUP else Stream.WORDS)
    for number, time_form in enumerate(layout.columns.series_form):
        writer.times(wanted[len(kind) + number], time_form)
    return Literals(writer.arena[: writer.end], writer.at)


class _Writer:
    """Fills the arena, column by column."""

    def __init__(self, layout: Layout, count: int) -> None:
        self._values = layout.values
        self._texts = {stream: np.frombuffer(layout.packed.get(stream), np.uint8) for stream in _TEXTS}
        self._texts_at = {stream: find_lines(text) for stream, text in self._texts.items()}
        self._next = dict.fromkeys(_TEXTS, 0)
        self._hexes = np.frombuffer(layout.packed.get(Stream.HEX), np.uint8)
        self._next_value = self._next_hex = self._done = 0
        # Every literal is shown at least once, so together they are no longer than the block.
        self.arena = np.empty(layout.length + count + 2 * _SLACK_BYTES, np.uint8)
        self.at = np.zeros(count + 1, np.int64)
        self.end = 0

    def numbers(self, count: int, form: int, digits: int) -> None:
        skipped, width = int(form == PREFIXED), digits if form == FIXED else 1
        self._close(count, _write_numbers(self.arena, self.end, self._some(count), skipped, width, self._ends(count)))

    def times(self, count: int, form: int) -> None:
        self._close(count, _write_times(self.arena, self.end, self._some(count), form, self._ends(count)))

    def addresses(self, count: int) -> None:
        self._close(count, _write_addresses(self.arena, self.end, self._some(count), self._ends(count)))

    def hexes(self, count: int, digits: int, *, upper: bool) -> None:
        first, letters = self._next_hex, 65 if upper else 97
        self._next_hex += count * digits // 2
        packed = self._hexes[first : self._next_hex]
        if len(packed) != count * digits // 2:
            raise Corrupt(f"hexadecimal texts end after {len(self._hexes)} bytes")
        self._close(count, _write_hexes(self.arena, self.end, packed, digits // 2, letters, self._ends(count)))

    def texts(self, count: int, stream: Stream) -> None:
        first = self._next[stream]
        self._next[stream] += count
        starts = self._texts_at[stream][first : self._next[stream] + 1]
        if len(starts) != count + 1:
            raise Corrupt(f"stream {stream.name} has {len(self._texts_at[stream]) - 1} texts, more are shown")
        self._close(count, _write_texts(self.arena, self.end, self._texts[stream], starts, self._ends(count)))

    def _some(self, count: int) -> I64:
        self._next_value += count
        return self._values[self._next_value - count : self._next_value]

    def _ends(self, count: int) -> I64:
        self._done += count
        return self.at[self._done - count + 1 : self._done + 1]

    def _close(self, count: int, end: int) -> None:
        if end < 0:
            raise Corrupt("the literals of a block are longer than the block, or below zero")
        self.end = end


_TEXTS = (Stream.GROUPS, Stream.WORDS)

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


assert STEP <= _SLACK_BYTES
