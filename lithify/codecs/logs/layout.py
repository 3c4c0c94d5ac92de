"""What a block's small streams say: its templates, its columns, and where the values of each column lie."""

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np

from lithify.codecs.array_types import I32, I64, U8, U16, Bools
from lithify.codecs.logs import numbers, pool
from lithify.codecs.logs.cluster import TEMPLATES_MAX
from lithify.codecs.logs.columns import FIXED, HEX_UPPER, TEXT
from lithify.codecs.logs.index import Index, read_index
from lithify.codecs.logs.order import (
    HEAD_SPAN,
    HEAD_UNFINISHED,
    LINE_FAR,
    code_segments,
    from_planes,
    line_times,
    number_names,
    plane_segments,
)
from lithify.codecs.logs.scan import ADDRESS, GROUP, MIXED, NUMBER, NUMBER_DIGITS_MAX, TIME, WORD
from lithify.codecs.logs.shapes import Shapes, read_shapes, roles
from lithify.codecs.logs.span import Span
from lithify.codecs.logs.streams import Stream, Streams, get_varint
from lithify.codecs.logs.times import FORMATS, FRACTIONS
from lithify.codecs.logs.values import Plans, Values
from lithify.errors import Corrupt, LimitExceeded, Truncated

_MODES = 1 << 5
NUMERIC = (NUMBER, ADDRESS, TIME)
"""Kinds of columns whose values are numbers."""


class Lines(NamedTuple):
    """Which template each line has (-1: none), how many lines each has, and how many have none."""

    template: I32
    counts: I64
    left: int


class Columns(NamedTuple):
    """How the values of each column are written."""

    source: I64
    """The column whose values it shows: itself, or an equal one before it in its template."""
    equal: Bools
    """Whether it is another."""
    pooled: Bools
    told: Bools
    """Whether its codes are in the stream; else they are all 0."""
    form: U8
    digits: I64
    time_form: U16
    series: I64
    """The series of line times it belongs to; -1: none."""
    series_form: list[int]


class Codes(NamedTuple):
    """The pool's codes."""

    codes: U8
    far: I64
    new: I64
    """How many literals that makes of each column."""


class Layout:
    """A block, each part read when asked for. Raises Truncated, Corrupt or LimitExceeded where parts do not fit."""

    def __init__(self, packed: Streams, length: int) -> None:
        self.packed = packed
        self.length = length
        head = packed.get(Stream.HEAD)
        if not head or head[0] > HEAD_UNFINISHED | HEAD_SPAN:
            raise Corrupt("the head of a block has no flags, or some that are not known")
        self.unfinished = bool(head[0] & HEAD_UNFINISHED)
        self.line_count, at = get_varint(head, 1)
        self.template_count, at = get_varint(head, at)
        self.span: Span | None = None
        if head[0] & HEAD_SPAN:
            earliest, at = get_varint(head, at)
            length_ns, at = get_varint(head, at)
            earliest = (earliest >> 1) ^ -(earliest & 1)
            self.span = earliest, earliest + length_ns
        if at != len(head):
            raise Corrupt(f"the head of a block has {len(head)} bytes, {at} were expected")
        if self.line_count > length or self.template_count > min(self.line_count, TEMPLATES_MAX):
            raise LimitExceeded(f"{self.line_count} lines of {self.template_count} templates in {length} bytes")

    @cached_property
    def lines(self) -> Lines:
        near = np.frombuffer(self.packed.get(Stream.LINES), np.uint8)
        if len(near) != self.line_count:
            raise Corrupt(f"{len(near)} lines have a template, there are {self.line_count}")
        chosen = near.astype(np.int32)
        is_far = near == LINE_FAR
        far = from_planes(self.packed.get(Stream.LINES_FAR), int(is_far.sum()), 2, "line")
        chosen[is_far] += far.astype(np.int32)
        if int(chosen.max(initial=0)) > self.template_count:
            raise Corrupt(f"a line has template {chosen.max()} of {self.template_count}")
        counts = np.bincount(chosen, minlength=self.template_count + 1).astype(np.int64)
        if int(counts[:-1].min(initial=1)) == 0:
            raise Corrupt(f"template {int(counts.argmin())} has no line")
        if self.index is not None and (counts[:-1] != self.index.lines).any():
            raise Corrupt("the index of a block says that its templates have other lines")
        chosen[chosen == self.template_count] = -1
        return Lines(chosen, counts[:-1], int(counts[-1]))

    @cached_property
    def shapes(self) -> Shapes:
        return read_shapes(self.packed.get(Stream.TEMPLATES), self.template_count)

    @cached_property
    def role(self) -> I32:
        """What each column is."""
        return roles(self.shapes)

    @cached_property
    def slot_at(self) -> I64:
        """Where the slots of each column begin; one more entry at the end."""
        counts = self.lines.counts if self.index is None else self.index.lines
        rows = np.repeat(counts, np.diff(self.shapes.template_column))
        at = np.concatenate((np.zeros(1, np.int64), np.cumsum(rows)))
        if int(at[-1]) > self.length:
            raise LimitExceeded(f"{at[-1]} slots in {self.length} bytes")
        return at

    @cached_property
    def _table(self) -> "_Table":
        return _Table(self.packed.get(Stream.COLUMNS))

    @cached_property
    def columns(self) -> Columns:
        table, kind = self._table, self.shapes.kind
        count = len(kind)
        modes = table.bytes(count)
        pooled, zero, form = (
            (modes & 1).astype(np.bool_),
            (modes >> 1 & 1).astype(np.bool_),
            (modes >> 2 & 3).astype(np.uint8),
        )
        equal = (modes >> 4).astype(np.bool_)
        is_number, is_time = kind == NUMBER, kind == TIME
        if int(modes.max(initial=0)) >= _MODES or (pooled & (is_time | equal)).any() or (is_time & equal).any():
            raise Corrupt("a column has a mode that does not exist")
        if int(form.max(initial=0)) > HEX_UPPER:
            raise Corrupt("a column has a form that does not exist")
        source = np.arange(count)
        source[equal] -= from_planes(table.raw(2 * int(equal.sum())), int(equal.sum()), 2, "column")
        first = np.repeat(self.shapes.template_column[:-1], np.diff(self.shapes.template_column))
        if (source < first).any() or (kind[source] != kind).any() or equal[source].any():
            raise Corrupt("a column shows the values of one that it cannot be equal to")
        if (~np.isin(kind, NUMERIC) & ~pooled & ~equal).any():
            raise Corrupt("a column of texts is not pooled")
        is_hex = (kind == MIXED) & (form != TEXT)
        fixed = ((is_number & (form == FIXED)) | is_hex) & ~equal
        digits = np.zeros(count, np.int64)
        digits[fixed] = table.bytes(int(fixed.sum()))
        if (digits[is_number & fixed] > NUMBER_DIGITS_MAX).any() or (digits[is_hex] % 2).any():
            raise Corrupt("a column has a length that does not exist")
        time_form = np.zeros(count, np.uint16)
        times = int(is_time.sum())
        time_form[is_time] = from_planes(table.raw(2 * times), times, 2, "time")
        fraction = time_form % FRACTIONS
        if int(time_form.max(initial=0)) >= FORMATS or (fraction > 29).any() or np.isin(fraction, (10, 20)).any():
            raise Corrupt(f"there is no time format {time_form.max()}")
        series, series_form = line_times(self.shapes.template_column, kind, time_form)
        return Columns(source, equal, pooled, pooled & ~zero, form, digits, time_form, series, series_form)

    @cached_property
    def index(self) -> Index | None:
        """What the block says of itself for a search; None: nothing."""
        data = self.packed.get(Stream.INDEX)
        if not data:
            return None
        columns = self.columns
        found = read_index(data, self.template_count, self.shapes.kind, columns.told, columns.equal)
        rows = np.repeat(found.lines, np.diff(self.shapes.template_column))
        if int(found.lines.sum()) > self.line_count or (found.literals > rows).any():
            raise Corrupt("the index of a block says that there is more than the block has lines for")
        return found

    @cached_property
    def coded(self) -> Codes:
        lengths, told = np.diff(self.slot_at), self.columns.told
        segments = code_segments(self.shapes, self.role, lengths, told)
        codes = np.frombuffer(self.packed.get(Stream.CODES, segments), np.uint8)
        mine = np.repeat(told, lengths)
        if len(codes) != int(mine.sum()):
            raise Corrupt(f"{len(codes)} slots have a code, {int(mine.sum())} should")
        all_codes = np.zeros(int(self.slot_at[-1]), np.uint8)
        all_codes[mine] = codes
        count = int((codes == pool.FAR).sum())
        far = from_planes(self.packed.get(Stream.FAR, plane_segments(count, 4)), count, 4, "value")
        is_new = all_codes == pool.NEW
        counted = np.concatenate((np.zeros(1, np.int64), np.cumsum(is_new)))[self.slot_at]
        new = np.diff(counted)
        if self.index is not None and (new[told] != self.index.literals[told]).any():
            raise Corrupt("the index of a block says that its columns have other literals")
        return Codes(all_codes, far, new)

    @cached_property
    def literals(self) -> I64:
        """How many literals each column has."""
        lengths = np.diff(self.slot_at)
        alone = ~self.columns.pooled & ~self.columns.equal
        new: I64 = self.coded.new if self.index is None else self.index.literals
        literals: I64 = np.where(alone, lengths, new)
        return literals

    @cached_property
    def numbers(self) -> Plans:
        literals, series = self.literals, self.columns.series
        columns = np.flatnonzero(np.isin(self.shapes.kind, NUMERIC) & (series < 0) & (literals > 0))
        of_series = [int(literals[series == number].sum()) for number in range(len(self.columns.series_form))]
        sizes = np.array([*literals[columns].tolist(), *of_series], np.int64)
        how = self._table.bytes(len(sizes))
        plans = np.zeros((len(sizes), 5), np.int64)
        plans[:, numbers.PLAN_HOW], plans[:, numbers.PLAN_WIDTH] = how & 1, how >> 1
        if int(how.max(initial=0)) >> 1 > numbers.LOGARITHM:
            raise Corrupt(f"there is no width {int(how.max()) >> 1}")
        plans[:, numbers.PLAN_LEAST] = self._table.signed(len(sizes))
        self._table.end()
        return Plans(columns, np.concatenate((np.zeros(1, np.int64), np.cumsum(sizes))), plans)

    @cached_property
    def number_names(self) -> I64:
        """What tells the columns of numbers apart, and the series."""
        return number_names(self.role, self.numbers.columns, len(self.columns.series_form))

    @cached_property
    def values(self) -> Values:
        """All literals that are numbers."""
        return Values(self.packed, self.numbers, self.number_names, self.length)

    @cached_property
    def plan_of(self) -> I64:
        """The plan of each column's numbers (-1: it has none), and after the columns that of each series."""
        plan = np.full(len(self.shapes.kind), -1, np.int64)
        count = len(self.numbers.columns)
        plan[self.numbers.columns] = np.arange(count)
        return np.concatenate((plan, count + np.arange(len(self.columns.series_form))))

    @cached_property
    def value_at(self) -> I64:
        """Where in `values` the numbers begin of each column that has some, and after the columns of each series."""
        return self.numbers.at[self.plan_of]

    def plans_of(self, columns: Sequence[int]) -> Bools:
        """Which plans are those of these columns, or of series that are numbered behind the columns."""
        plans = self.plan_of[columns]
        wanted = np.zeros(len(self.numbers.plans), np.bool_)
        wanted[plans[plans >= 0]] = True
        return wanted

    @cached_property
    def literal_counts(self) -> I64:
        """How many literals each column has, but for line times, and then each series."""
        alone = np.where(self.columns.series < 0, self.literals, 0)
        of_series = self.numbers.at[len(self.numbers.columns) :]
        return np.concatenate((alone, np.diff(of_series)))

    @cached_property
    def text_stream(self) -> I64:
        """The stream that holds each column's literals where they are texts; -1: they are not."""
        kind, form = self.shapes.kind, self.columns.form
        streams = np.where((kind == WORD) | ((kind == MIXED) & (form == TEXT)), int(Stream.WORDS), -1)
        streams[kind == GROUP] = int(Stream.GROUPS)
        streams[(kind == MIXED) & (form != TEXT)] = int(Stream.HEX)
        return streams

    def place_in_stream(self, stream: Stream) -> I64:
        """Of each column of texts where its first begins in its stream: its number, or its byte in HEX."""
        sizes = self.literal_counts[: len(self.shapes.kind)] * (self.text_stream == stream)
        if stream == Stream.HEX:
            sizes = sizes * self.columns.digits // 2
        places: I64 = np.cumsum(sizes) - sizes
        return places

    @cached_property
    def first_literal(self) -> I64:
        """The number of the first literal of each column and of each series; one more entry at the end."""
        return np.concatenate((np.zeros(1, np.int64), np.cumsum(self.literal_counts)))


class _Table:
    """The column table, read section by section."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def raw(self, count: int) -> bytes:
        if self._at + count > len(self._data):
            raise Truncated(f"the table of columns ends after {len(self._data)} bytes")
        self._at += count
        return self._data[self._at - count : self._at]

    def bytes(self, count: int) -> U8:
        return np.frombuffer(self.raw(count), np.uint8)

    def signed(self, count: int) -> list[int]:
        found = []
        for _ in range(count):
            code, self._at = get_varint(self._data, self._at)
            found.append((code >> 1) ^ -(code & 1))
        return found

    def end(self) -> None:
        if self._at != len(self._data):
            raise Corrupt(f"the table of columns has {len(self._data)} bytes, {self._at} were expected")
