"""Lines of a block that may hold a text, found without writing out the others.

A text that somebody looks for is cut into runs of letters and runs of digits. No such run is ever cut by the border of
a slot, so a line can only hold the text if each of its runs lies in a static piece of the line's template or in one of
the line's values. The longest run is looked for in both; only lines that have it are candidates.
"""

import re
from collections.abc import Sequence

import numpy as np

from lithify.codecs.lines import ChunkLines, Needle, Template
from lithify.codecs.logs.arrays import I32, I64, Bools
from lithify.codecs.logs.decode import Block
from lithify.codecs.logs.encode import find_templates
from lithify.codecs.logs.filter import may_have
from lithify.codecs.logs.kernel import kernel
from lithify.codecs.logs.layout import Layout
from lithify.codecs.logs.scan import ADDRESS, GROUP, MIXED, NUMBER, TIME, WORD
from lithify.codecs.logs.streams import Packed, Stream

_RUN = re.compile(rb"[A-Za-z_\x80-\xff]+|[0-9]+")
_SLOT_NAMES = {WORD: "word", NUMBER: "number", MIXED: "id", ADDRESS: "ip", TIME: "time", GROUP: "text"}
_LETTERS_OF_TIMES = b"janfebmaraprmayjunjulaugsepoctnovdec t"


class BlockLines(ChunkLines):
    """The lines of a block that is stored as templates and columns."""

    def __init__(self, packed: Packed, length: int) -> None:
        """Reads how many lines there are, no more. Raises Truncated, Corrupt or LimitExceeded."""
        self._layout = Layout(packed, length)
        self._block = Block(self._layout)
        self.whole = not self._layout.unfinished
        self.newlines = self._layout.line_count - self._layout.unfinished

    def candidates(self, needle: Needle) -> Sequence[int]:
        found = np.zeros(self._layout.line_count, np.bool_)
        for group in needle.any_of:
            run = max((run for literal in group for run in _RUN.findall(literal)), key=len, default=b"")
            if not run:
                return range(self._layout.line_count)
            mine = self._with_run(run, ignore_case=needle.ignore_case)
            if mine is not None:
                found |= mine
        numbers: list[int] = np.flatnonzero(found).tolist()
        return numbers

    def text(self, numbers: Sequence[int]) -> list[bytes]:
        return self._block.lines(np.array(numbers, np.int64))

    def time_range(self) -> tuple[int, int] | None:
        return self._layout.span

    def _with_run(self, run: bytes, *, ignore_case: bool) -> Bools | None:
        """Which lines have a run of letters or of digits in them; None: none has."""
        wanted = run.lower() if ignore_case else run
        shapes = self._templates_with(wanted, ignore_case=ignore_case)
        in_slots = self._slots_may_have(wanted, ignore_case=ignore_case)
        in_left = self._texts_may_have(wanted, (Stream.LEFT,), ignore_case=ignore_case)
        if not shapes.any() and not in_slots and not in_left:
            return None
        found: Bools = np.append(shapes, False)[self._layout.lines.template]
        if in_left:
            found[self._layout.lines.template < 0] = self._left_with(wanted, ignore_case=ignore_case)
        if in_slots:
            literals = self._literals_with(wanted, ignore_case=ignore_case)
            if literals.any():
                _mark_lines(
                    found, literals, self._layout.lines.template, self._block.line_row,
                    self._layout.shapes.template_column, self._layout.slot_at, self._layout.columns.source,
                    self._block.shown,
                )  # fmt: skip
        return found

    def _literals_with(self, run: bytes, *, ignore_case: bool) -> Bools:
        """Which literals have the run in them."""
        arena, at = self._block.literals
        text = arena.tobytes()
        places = [found.start() for found in re.finditer(re.escape(run), text.lower() if ignore_case else text)]
        found = np.zeros(len(at) - 1, np.bool_)
        found[np.searchsorted(at, places, side="right") - 1] = True
        return found

    def _templates_with(self, run: bytes, *, ignore_case: bool) -> Bools:
        """Which templates have the run in a static piece."""
        text = self._layout.packed.get(Stream.TEMPLATES)
        if run not in (text.lower() if ignore_case else text):
            return np.zeros(self._layout.template_count, np.bool_)
        templates = text.split(b"\n")[:-1]
        return np.array([run in (t.lower() if ignore_case else t) for t in templates], np.bool_)

    def _slots_may_have(self, run: bytes, *, ignore_case: bool) -> bool:
        """Whether any value may hold the run; looks at as little as can be."""
        kinds = set(np.unique(self._layout.shapes.kind).tolist())
        if run[0] in b"0123456789":
            return bool(kinds - {WORD, GROUP}) or self._texts_may_have(run, _TEXTS, ignore_case=ignore_case)
        if TIME in kinds and run.lower() in _LETTERS_OF_TIMES:
            return True
        return self._hexes_may_have(run) or self._texts_may_have(run, _TEXTS, ignore_case=ignore_case)

    def _hexes_may_have(self, run: bytes) -> bool:
        return all(c in b"abcdefABCDEF" for c in run) and bool(self._layout.packed.get(Stream.HEX))

    def _texts_may_have(self, run: bytes, streams: tuple[Stream, ...], *, ignore_case: bool) -> bool:
        """Whether a text of these streams has the run; the filter spares unpacking them."""
        if not self._layout.packed.has(*streams) or not may_have(self._layout.packed.get(Stream.FILTER), run):
            return False
        for stream in streams:
            text = self._layout.packed.get(stream)
            if run in (text.lower() if ignore_case else text):
                return True
        return False

    def _left_with(self, run: bytes, *, ignore_case: bool) -> list[bool]:
        text = self._block.left.tobytes()
        lines = (text.lower() if ignore_case else text).split(b"\n")
        return [run in line for line in lines[: len(self._block.left_at) - 1]]


_TEXTS = (Stream.GROUPS, Stream.WORDS)


@kernel
def _mark_lines(
    found: Bools, literals: Bools, line_template: I32, line_row: I32, template_column: I64, slot_at: I64, source: I64,
    shown: I32,
) -> None:  # fmt: skip
    """Mark the lines that show one of these literals."""
    for line in range(len(line_template)):
        t = line_template[line]
        if t < 0 or found[line]:
            continue
        for c in range(template_column[t], template_column[t + 1]):
            if source[c] == c and literals[shown[slot_at[c] + line_row[line]]]:
                found[line] = True
                break


def templates(packed: Packed, length: int) -> list[Template]:
    """The templates of a block with counts and examples. Raises Truncated, Corrupt or LimitExceeded."""
    layout = Layout(packed, length)
    chosen = layout.lines.template
    first = np.full(layout.template_count, -1, np.int64)
    lines = np.flatnonzero(chosen >= 0)[::-1]
    first[chosen[lines]] = lines  # of lines with one template the last assignment, which is the first line, stays
    examples = Block(layout).lines(first)
    texts = layout.packed.get(Stream.TEMPLATES).split(b"\n")[: len(layout.shapes.piece_at) - 1]
    return [
        Template(_readable(text), int(count), example)
        for text, count, example in zip(texts, layout.lines.counts, examples, strict=True)
    ]


def templates_of_text(data: bytes) -> list[Template]:
    """The templates of a block that is kept without any, found now."""
    return [
        Template(_readable(text.removesuffix(b"\n")), count, example.removesuffix(b"\n"))
        for text, count, example in find_templates(data)
    ]


_PART = re.compile(rb"\x07(.)|([\x01-\x06])|([^\x01-\x07]+)", re.DOTALL)


def _readable(template: bytes) -> str:
    """A template for people: `<number>` for a slot."""
    pieces = []
    for escaped, slot, text in _PART.findall(template):
        pieces.append(
            f"<{_SLOT_NAMES[slot[0] - 1]}>" if slot else (escaped or text).decode("utf-8", "backslashreplace")
        )
    return "".join(pieces)
