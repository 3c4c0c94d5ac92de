"""A block of lines, decoded as far as it is asked for. Trusts nothing."""

from functools import cached_property

import numpy as np

from lithify.codecs.array_types import I32, I64, U8, U32, Bools
from lithify.codecs.kernel import bare, kernel, wide
from lithify.codecs.logs.copying import STEP, copy
from lithify.codecs.logs.layout import Layout
from lithify.codecs.logs.literals import Literals, literals
from lithify.codecs.logs.scan import find_lines
from lithify.codecs.logs.streams import Packed, Stream
from lithify.codecs.logs.walk import Walk
from lithify.errors import Corrupt


def decode_block(packed: Packed, length: int) -> bytes:
    """The `length` bytes of a block. Raises Truncated, Corrupt or LimitExceeded."""
    return Block(Layout(packed, length)).text()


class Block:
    """A block and what is known of it so far."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._lines_written = 0

    @cached_property
    def left(self) -> U8:
        """The lines of no template, one after another."""
        return np.frombuffer(self.layout.packed.get(Stream.LEFT), np.uint8)

    @cached_property
    def left_at(self) -> U32:
        """Where each of them begins; one more entry at the end."""
        starts = find_lines(self.left)
        if len(starts) - 1 != self.layout.lines.left:
            raise Corrupt(f"{len(starts) - 1} lines have no template, there should be {self.layout.lines.left}")
        last_is_left = self.layout.line_count > 0 and self.layout.lines.template[-1] < 0
        if len(self.left) and (self.left[-1] != 10) != (last_is_left and self.layout.unfinished):
            raise Corrupt("the last line without a template ends as it should not")
        return starts

    @cached_property
    def literals(self) -> Literals:
        """Every value that is written out."""
        return literals(self.layout)

    @cached_property
    def first_literal(self) -> I64:
        """By what number `literals` has the first of each column and of each series."""
        return self.layout.first_literal

    @cached_property
    def walk(self) -> Walk:
        """Which literal each pooled slot shows."""
        return Walk(self.layout)

    @cached_property
    def line_row(self) -> I32:
        """Of each line, how many lines before it have its template (or have none, if it has none)."""
        return _rows(self.layout.lines.template, np.arange(self.layout.template_count + 1))

    @cached_property
    def line_serial(self) -> I32:
        """Of each line, how many lines before it have their time in the series that its own is in."""
        series, template_column = self.layout.columns.series, self.layout.shapes.template_column
        with_time = np.flatnonzero(series >= 0)
        of_template = np.full(self.layout.template_count + 1, len(self.layout.columns.series_form))
        of_template[np.searchsorted(template_column, with_time, side="right") - 1] = series[with_time]
        return _rows(self.layout.lines.template, of_template)

    def text(self) -> bytes:
        """The whole block. Raises Truncated, Corrupt or LimitExceeded."""
        lines = np.arange(self.layout.line_count, dtype=np.int64)
        ends, out = self._written(lines, self.left_at, self.shown_in(lines), self.literals, self.layout.length)
        written = int(ends[-1]) if len(ends) else 0
        if written != self.layout.length:
            raise Corrupt(f"a block gives {written} bytes, the chunk table says {self.layout.length}")
        return out[:written].tobytes()

    def lines(self, numbers: I64, *, of: int) -> list[bytes]:
        """The lines of these numbers, without their line ends. Raises Truncated, Corrupt or LimitExceeded.

        of  how many may be asked for in all, one time after another
        """
        shown = self.shown_in(numbers)
        self._lines_written += len(numbers)
        if self._lines_written > _FEW_LINES and max(of, self._lines_written) * _FEW >= self.layout.line_count:
            found = self.literals
        else:
            which, places = np.unique(shown, return_inverse=True)
            found, shown = literals(self.layout, which.astype(np.int64)), places.astype(np.int32)
        templates = self.layout.lines.template[numbers]
        left_at = self.left_at if (templates < 0).any() else _NO_STARTS  # which spares unpacking lines nobody wants
        room = self._room(numbers, left_at, shown, found)
        ends, out = self._written(numbers, left_at, shown, found, room)
        data = out[: int(ends[-1]) if len(ends) else 0].tobytes()
        unfinished = self.layout.unfinished & (numbers == self.layout.line_count - 1)
        starts, stops = [0, *ends[:-1].tolist()], (ends - ~unfinished).tolist()  # without the line end, if it has one
        return [data[start:stop] for start, stop in zip(starts, stops, strict=False)]

    def shown_in(self, lines: I64) -> I32:
        """The literals that the slots of these lines show, line after line."""
        shapes, columns, layout = self.layout.shapes, self.layout.columns, self.layout
        templates = layout.lines.template[lines]
        slots = np.append(np.diff(shapes.template_column), 0)[templates]
        out = np.empty(int(slots.sum()), np.int32)
        series = columns.series >= 0
        of_series = np.where(series, len(shapes.kind) + columns.series, np.arange(len(shapes.kind)))
        walked = self.walk.upto(int(lines.max()) + 1) if len(lines) and columns.pooled.any() else np.zeros(0, np.int32)
        serial = self.line_serial if series.any() else self.line_row
        _shown(
            lines, layout.lines.template, self.line_row, serial, shapes.template_column, columns.source, columns.pooled,
            series, self.first_literal[of_series], layout.slot_at, walked, out,
        )  # fmt: skip
        return out

    def _room(self, lines: I64, left_at: U32, shown: I32, found: Literals) -> int:
        """How many bytes these lines have; no more than the block, of which each is a part."""
        shapes, templates = self.layout.shapes, self.layout.lines.template[lines]
        static = np.append(np.diff(shapes.piece_start[shapes.piece_at]), 0)[templates]
        left = np.diff(left_at)[self.line_row[lines[templates < 0]]]
        room = int(static.sum()) + len(lines) + int(np.diff(found.at)[shown].sum()) + int(left.sum())
        return min(room, self.layout.length)

    def _written(self, lines: I64, left_at: U32, shown: I32, found: Literals, room: int) -> tuple[I64, U8]:
        """Where each of these lines ends, and their bytes.

        left_at  where the lines of no template begin; needed only if any of those is among these
        """
        shapes = self.layout.shapes
        ends, out = np.empty(len(lines), np.int64), np.empty(room + STEP, np.uint8)
        fits = _render(
            lines, out, self.layout.lines.template, self.line_row, self.layout.unfinished,
            self.left if len(left_at) > 1 else _NO_BYTES, left_at, shapes.text, shapes.piece_start, shapes.piece_at,
            shapes.template_column, shown, *found, ends,
        )  # fmt: skip
        if not fits:
            raise Corrupt(f"{len(lines)} lines of a block are longer than {room} bytes")
        return ends, out


# For the first lines, and for so small a part of a block's, the literals they show are written out for them alone.
_FEW_LINES, _FEW = 64, 16
_NO_BYTES, _NO_STARTS = np.zeros(0, np.uint8), np.zeros(1, np.uint32)


@kernel
def _rows(line_template: I32, number: I64) -> I32:
    """Of each line, how many lines before it have a template of the same number; -1 counts as the last template."""
    counts = np.zeros(number.max() + 1, np.int32)
    out = np.empty(len(line_template), np.int32)
    for line in range(len(line_template)):
        k = number[line_template[line]]
        out[line] = counts[k]
        counts[k] += 1
    return out


@bare
def _shown(
    lines: I64, line_template: I32, line_row: I32, line_serial: I32, template_column: I64, source: I64, pooled: Bools,
    series: Bools, first: I64, slot_at: I64, walked: I32, out: I32,
) -> None:  # fmt: skip
    n = 0
    for k in range(len(lines)):
        line = lines[k]
        t = line_template[line]
        if t < 0:
            continue
        row = wide(line_row[line])
        for c in range(template_column[t], template_column[t + 1]):
            s = source[c]
            if pooled[s]:
                out[n] = walked[slot_at[s] + row]
            else:
                out[n] = first[s] + (wide(line_serial[line]) if series[s] else row)
            n += 1


@bare
def _render(
    lines: I64, out: U8, line_template: I32, line_row: I32, unfinished: bool, left: U8, left_at: U32,
    text: U8, piece_start: I64, piece_at: I64, template_column: I64, shown: I32, arena: U8, literal_at: I64, ends: I64,
) -> bool:  # fmt: skip
    """Write lines one after another, and to `ends` where each ends; False if there is no room for one."""
    at, n = 0, 0
    for k in range(len(lines)):
        line = lines[k]
        t, row = line_template[line], line_row[line]
        if t < 0:
            at = copy(out, at, left, wide(left_at[row]), wide(left_at[row + 1]))
            if at < 0:
                return False
            ends[k] = at
            continue
        piece = piece_at[t]
        at = copy(out, at, text, piece_start[piece], piece_start[piece + 1])
        for _ in range(template_column[t], template_column[t + 1]):
            i = wide(shown[n])
            n += 1
            piece += 1
            if at >= 0:
                at = copy(out, at, arena, literal_at[i], literal_at[i + 1] - 1)
            if at >= 0:
                at = copy(out, at, text, piece_start[piece], piece_start[piece + 1])
        if at < 0 or at >= len(out):
            return False
        if line < len(line_template) - 1 or not unfinished:
            out[at] = 10
            at += 1
        ends[k] = at
    return True
