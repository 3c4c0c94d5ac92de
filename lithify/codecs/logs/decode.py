"""A block of lines, decoded as far as it is asked for. Trusts nothing."""

from functools import cached_property

import numpy as np

from lithify.codecs.logs.arrays import I32, I64, U8, U32
from lithify.codecs.logs.copying import STEP, copy
from lithify.codecs.logs.kernel import bare, kernel, wide
from lithify.codecs.logs.layout import Layout
from lithify.codecs.logs.literals import Literals, literals
from lithify.codecs.logs.scan import LINE_BYTES_MAX, find_lines
from lithify.codecs.logs.streams import Packed, Stream
from lithify.codecs.logs.walk import walk
from lithify.errors import Corrupt

_LINES_BYTES = 1 << 24  # room for lines that are asked for one by one


def decode_block(packed: Packed, length: int) -> bytes:
    """The `length` bytes of a block. Raises Truncated, Corrupt or LimitExceeded."""
    return Block(Layout(packed, length)).text()


class Block:
    """A block and what is known of it so far."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout

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
    def shown(self) -> I32:
        """The literal that each slot shows."""
        return walk(self.layout)

    @cached_property
    def line_row(self) -> I32:
        """Of each line, how many lines before it have its template (or have none, if it has none)."""
        return _rows(self.layout.lines.template, self.layout.template_count)

    def text(self) -> bytes:
        """The whole block. Raises Truncated, Corrupt or LimitExceeded."""
        out = np.empty(self.layout.length + STEP, np.uint8)
        ends = self._render(np.arange(self.layout.line_count, dtype=np.int64), out)
        written = int(ends[-1]) if len(ends) else 0
        if written != self.layout.length:
            raise Corrupt(f"a block gives {written} bytes, the chunk table says {self.layout.length}")
        return out[:written].tobytes()

    def lines(self, numbers: I64) -> list[bytes]:
        """The lines of these numbers, without their line ends. Raises Truncated, Corrupt or LimitExceeded."""
        found = []
        longest = int(np.diff(self.left_at).max(initial=0)) + LINE_BYTES_MAX + 1
        at_once = max(1, _LINES_BYTES // longest)
        for first in range(0, len(numbers), at_once):
            some = numbers[first : first + at_once]
            out = np.empty(longest * len(some) + STEP, np.uint8)
            ends = self._render(some, out).tolist()
            data = out[: ends[-1]].tobytes()
            found += [data[start:end].removesuffix(b"\n") for start, end in zip([0, *ends[:-1]], ends, strict=True)]
        return found

    def _render(self, lines: I64, out: U8) -> I64:
        shapes = self.layout.shapes
        ends = np.empty(len(lines), np.int64)
        fits = _render(
            lines, out, self.layout.lines.template, self.line_row, self.layout.unfinished, self.left, self.left_at,
            shapes.text, shapes.piece_start, shapes.piece_at, shapes.template_column, self.layout.slot_at,
            self.layout.columns.source, self.shown, *self.literals, ends,
        )  # fmt: skip
        if not fits:
            raise Corrupt(f"{len(lines)} lines of a block are longer than {len(out) - STEP} bytes")
        return ends


@kernel
def _rows(line_template: I32, templates: int) -> I32:
    counts = np.zeros(templates + 1, np.int32)
    out = np.empty(len(line_template), np.int32)
    for line in range(len(line_template)):
        t = line_template[line]
        out[line] = counts[t]
        counts[t] += 1
    return out


@bare
def _render(
    lines: I64, out: U8, line_template: I32, line_row: I32, unfinished: bool, left: U8, left_at: U32,
    text: U8, piece_start: I64, piece_at: I64, template_column: I64, slot_at: I64, source: I64, shown: I32,
    arena: U8, literal_at: I64, ends: I64,
) -> bool:  # fmt: skip
    """Write lines one after another, and to `ends` where each ends; False if there is no room for one."""
    at = 0
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
        for c in range(template_column[t], template_column[t + 1]):
            if at < 0:
                break
            i = wide(shown[slot_at[source[c]] + row])
            at = copy(out, at, arena, literal_at[i], literal_at[i + 1] - 1)
            piece += 1
            if at >= 0:
                at = copy(out, at, text, piece_start[piece], piece_start[piece + 1])
        if at < 0 or at >= len(out):
            return False
        if line < len(line_template) - 1 or not unfinished:
            out[at] = 10
            at += 1
        ends[k] = at
    return True
