"""A block that goes on behind the primer's: its lines have the primer's templates where they can, and its values may
be the primer's.

All columns of the primer are columns of the block, in the same order and with the same roles; then come those of the
block's own templates. So what the walk over values that come back and the coders learnt of a column goes on.
"""

from functools import cached_property

import numpy as np

from lithify.codecs.array_types import I64
from lithify.codecs.logs import numbers
from lithify.codecs.logs.cluster import TEMPLATES_MAX
from lithify.codecs.logs.columns import FIXED
from lithify.codecs.logs.columns import TEXT as TEXT_FORM
from lithify.codecs.logs.decode import Block
from lithify.codecs.logs.layout import Layout, Lines
from lithify.codecs.logs.literals import Literals
from lithify.codecs.logs.mixing import Learnt
from lithify.codecs.logs.order import (
    LINE_FAR,
    code_segments,
    from_planes,
    lines_near,
    number_segments,
    plane_segments,
    stable_names,
)
from lithify.codecs.logs.records import TaughtColumns
from lithify.codecs.logs.scan import MIXED, NUMBER, TIME
from lithify.codecs.logs.shapes import Shapes, read_shapes
from lithify.codecs.logs.streams import LEARNT_BYTES_MAX, Packed, Stream, Unpacked
from lithify.codecs.logs.symbols import Segments
from lithify.codecs.logs.values import Plans
from lithify.codecs.logs.walk import Walk
from lithify.errors import Corrupt, LimitExceeded


class Leader:
    """The primer's block as those know it that go on behind it: what its streams teach, each when asked for."""

    def __init__(self, block: Block, text: bytes, packed: Packed) -> None:
        self.block, self.text, self.packed = block, text, packed
        self.layout = block.layout
        self._columns: dict[Stream, TaughtColumns | None] = {}

    # What a stream teaches (streams.py, `Teaching`).

    def has(self, *streams: Stream) -> bool:
        """Whether any of these streams is there."""
        return self.packed.has(*streams)

    def get(self, stream: Stream) -> bytes:
        """The bytes of a stream, as a text that others go on behind."""
        return self._table if stream == Stream.COLUMNS else self.packed.get(stream)

    def learnt(self, stream: Stream) -> Learnt:
        """What the end of a stream teaches about texts that go on behind it."""
        return self._learnt_table if stream == Stream.COLUMNS else self.packed.learnt(stream)

    def columns(self, stream: Stream) -> TaughtColumns | None:
        """What a stream of columns teaches about columns that go on behind them; None: it does not, or is not there."""
        if stream not in self._columns:
            data, segments = self._taught(stream)
            self._columns[stream] = TaughtColumns(data, segments) if data else None
        return self._columns[stream]

    def _taught(self, stream: Stream) -> tuple[bytes, Segments]:
        """A stream of columns, and how it falls into columns whose names are those of any block's."""
        layout = self.layout
        if stream == Stream.LINES:
            return lines_near(layout.lines.template).tobytes(), Segments.one(layout.line_count)
        if stream == Stream.FAR:
            segments = plane_segments(len(layout.coded.far), 4)
            return self.packed.get(stream, segments), segments
        if stream == Stream.CODES:
            segments = code_segments(layout.shapes, layout.role, np.diff(layout.slot_at), layout.columns.told)
            return self.packed.get(stream, segments), segments
        if stream not in range(Stream.WIDTH_1, Stream.LOW_BITS):
            return b"", Segments.one(0)
        widths, counts = layout.numbers.plans[:, numbers.PLAN_WIDTH], np.diff(layout.numbers.at)
        data = self.packed.get(stream, number_segments(widths, counts, layout.number_names)[stream])
        names = stable_names(layout.role, layout.numbers.columns, layout.columns.series_form)
        return data, number_segments(widths, counts, names)[stream]

    @cached_property
    def _table(self) -> bytes:
        """The table of columns with a 0 for each least value: those of blocks are counted from the primer's."""
        kind, columns, plans = self.layout.shapes.kind, self.layout.columns, len(self.layout.numbers.plans)
        equal = columns.equal
        has_digits = ((kind == NUMBER) & (columns.form == FIXED)) | ((kind == MIXED) & (columns.form != TEXT_FORM))
        size = len(kind) + 2 * int(equal.sum()) + int((has_digits & ~equal).sum()) + 2 * int((kind == TIME).sum())
        return self.packed.get(Stream.COLUMNS)[: size + plans] + bytes(plans)

    @cached_property
    def _learnt_table(self) -> Learnt:
        return Learnt(self._table[-LEARNT_BYTES_MAX:])

    # What is known of its templates, values and numbers.

    @cached_property
    def templates(self) -> bytes:
        """The text of its templates."""
        return self.packed.get(Stream.TEMPLATES)

    @cached_property
    def slots(self) -> int:
        """Of how many slots the codes were walked."""
        return int(np.diff(self.layout.slot_at)[self.layout.columns.pooled].sum())

    def plans_of(self, columns: I64, forms: list[int]) -> I64:
        """Which of its plans is that of each of these columns, and of each series of line times; -1: none is."""
        known = self.layout.numbers.columns
        found = np.full(max(len(self.layout.shapes.kind), int(columns.max(initial=-1)) + 1), -1, np.int64)
        found[known] = np.arange(len(known))
        series = {form: len(known) + n for n, form in enumerate(self.layout.columns.series_form)}
        return np.array([*found[columns].tolist(), *(series.get(form, -1) for form in forms)], np.int64)

    def base(self, plan: int, how: int) -> int:
        """What least values of columns with one of its plans are counted from: its last value, or its least."""
        at = self.layout.numbers.at
        if how == numbers.DELTA and at[plan + 1] > at[plan]:
            return int(self.layout.values.all()[at[plan + 1] - 1])
        return int(self.layout.numbers.plans[plan, numbers.PLAN_LEAST])

    def bases(self, columns: I64, forms: list[int], how: I64) -> I64:
        """The same for each column, and each series, that is so written; 0 for those that the primer does not know."""
        plans = self.plans_of(columns, forms).tolist()
        return np.array([0 if k < 0 else self.base(k, h) for k, h in zip(plans, how.tolist(), strict=True)], np.int64)


class Following(Layout):
    """A block behind the primer's."""

    def __init__(self, packed: Packed | Unpacked, length: int, leader: Leader) -> None:
        super().__init__(packed, length)
        self.leader = leader
        self._known = leader.layout.template_count
        self.template_count += self._known
        if self.template_count > TEMPLATES_MAX:
            raise LimitExceeded(f"{self.template_count} templates with the primer's; the limit is {TEMPLATES_MAX}")

    @cached_property
    def lines(self) -> Lines:
        near = np.frombuffer(self.packed.get(Stream.LINES), np.uint8)
        if len(near) != self.line_count:
            raise Corrupt(f"{len(near)} lines have a template, there are {self.line_count}")
        chosen = near.astype(np.int32)
        is_far = near == LINE_FAR
        chosen[is_far] += from_planes(self.packed.get(Stream.LINES_FAR), int(is_far.sum()), 2, "line").astype(np.int32)
        if int(chosen.max(initial=0)) > self.template_count:
            raise Corrupt(f"a line has template {chosen.max()} of {self.template_count}")
        counts = np.bincount(chosen, minlength=self.template_count + 1).astype(np.int64)
        if int(counts[1 + self._known :].min(initial=1)) == 0:
            raise Corrupt("a template that the primer does not have has no line")
        return Lines(chosen - 1, counts[1:], int(counts[0]))

    @cached_property
    def shapes(self) -> Shapes:
        own = self.packed.get(Stream.TEMPLATES)
        return read_shapes(self.leader.templates + own, self.template_count)

    @cached_property
    def numbers(self) -> Plans:
        found = super().numbers
        how = found.plans[:, numbers.PLAN_HOW]
        found.plans[:, numbers.PLAN_LEAST] += self.leader.bases(found.columns, self.columns.series_form, how)
        return found

    @cached_property
    def number_names(self) -> I64:
        return stable_names(self.role, self.numbers.columns, self.columns.series_form)


class FollowingBlock(Block):
    """A block behind the primer's, decoded as a whole."""

    layout: Following

    @cached_property
    def walk(self) -> Walk:
        return Walk(self.layout, behind=self.layout.leader.layout)

    @cached_property
    def first_literal(self) -> I64:
        return self.layout.first_literal + len(self.layout.leader.block.literals.at) - 1

    @cached_property
    def literals(self) -> Literals:
        known, own = self.layout.leader.block.literals, super().literals
        end = int(known.at[-1])
        return Literals(np.concatenate((known.arena[:end], own.arena)), np.concatenate((known.at, own.at[1:] + end)))
