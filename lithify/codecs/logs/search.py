"""Lines of a block that may hold a text, found without writing out the others.

A text is cut into pieces (pieces.py), each of which lies whole in a static piece of a line's template or in one of the
line's values. Lines that have the first few pieces are candidates; what cannot hold one is not even unpacked.
"""

import re
from collections.abc import Sequence

import numpy as np

from lithify.codecs.array_types import I32, I64, Bools
from lithify.codecs.kernel import kernel
from lithify.codecs.lines import Candidates, ChunkLines, Needle, Template
from lithify.codecs.logs.decode import Block
from lithify.codecs.logs.encode import find_templates
from lithify.codecs.logs.filter import may_have
from lithify.codecs.logs.layout import Layout
from lithify.codecs.logs.occurrences import literals_with
from lithify.codecs.logs.pieces import Piece, pieces
from lithify.codecs.logs.scan import ADDRESS, GROUP, MIXED, NUMBER, TIME, WORD
from lithify.codecs.logs.streams import Kept, Packed, Stream

_SLOT_NAMES = {WORD: "word", NUMBER: "number", MIXED: "id", ADDRESS: "ip", TIME: "time", GROUP: "text"}
_FEW_LINES = 1024  # are compared faster than another piece is looked for
_DOTS = re.compile(rb"[0-9\x01-\x06]\.(?:[0-9]+|[\x02\x03])\.(?:[0-9]+|[\x02\x03])\.[0-9\x01-\x06]|\x05\.|\.\x05")
"""In a template: where numbers with dots between them may look like an address and be none."""
_RUN_FIRST = re.compile(rb"[A-Za-z0-9_\x80-\xff]*")


class BlockLines(ChunkLines):
    """The lines of a block that is stored as templates and columns."""

    def __init__(self, packed: Packed, length: int) -> None:
        """Reads how many lines there are, no more. Raises Truncated, Corrupt or LimitExceeded."""
        self._layout = Layout(Kept(packed), length)
        self._block = Block(self._layout)
        self.whole = not self._layout.unfinished
        self.newlines = self._layout.line_count - self._layout.unfinished
        self._asked = 0
        self._guessed = False

    def candidates(self, needle: Needle) -> Candidates:
        found = np.zeros(self._layout.line_count, np.bool_)
        self._guessed = False
        sure = len(needle.any_of) == 1
        for literals in needle.any_of:
            wanted = pieces(literals, ignore_case=needle.ignore_case)
            if not wanted:
                self._asked = self._layout.line_count
                return Candidates(range(self._layout.line_count), sure=not literals)
            sure = sure and len(literals) == len(wanted) == 1 and len(wanted[0].text) == len(literals[0])
            mine = self._with_all(wanted)
            if mine is not None:
                found |= mine
        numbers: list[int] = np.flatnonzero(found).tolist()
        self._asked = len(numbers)
        return Candidates(numbers, sure and not self._guessed)

    def text(self, numbers: Sequence[int]) -> list[bytes]:
        return self._block.lines(np.array(numbers, np.int64), of=self._asked)

    def time_range(self) -> tuple[int, int] | None:
        return self._layout.span

    def _with_all(self, wanted: Sequence[Piece]) -> Bools | None:
        """Which lines may have all of these pieces; None: none has."""
        if any(self._is_nowhere(piece) for piece in wanted):
            return None
        found: Bools | None = None
        for piece in wanted:
            mine = self._with(piece)
            if mine is None:
                return None
            found = mine if found is None else found & mine
            if int(found.sum()) <= _FEW_LINES:
                break
        return found

    def _is_nowhere(self, piece: Piece) -> bool:
        """Whether the filter says of a piece that could only be in texts that it is not."""
        if piece.is_numeric or (piece.is_hexadecimal and self._layout.packed.has(Stream.HEX)):
            return False
        return not self._may_be_in_texts(piece.text) and not self._may_be_cut(piece)

    def _may_be_in_texts(self, text: bytes) -> bool:
        return may_have(self._layout.packed.get(Stream.FILTER), text)

    def _may_be_cut(self, piece: Piece) -> bool:
        """Whether a time may end within the piece."""
        return any(self._may_be_in_texts(end) for end in piece.ends)

    def _with(self, piece: Piece) -> Bools | None:
        """Which lines may have the piece; None: none has."""
        packed = self._layout.packed
        in_texts = self._may_be_in_texts(piece.text)
        shapes = self._templates_with(piece) if in_texts or piece.is_address or self._may_be_cut(piece) else None
        left = piece.folded(packed.get(Stream.LEFT)) if in_texts else b""
        literals = literals_with(self._layout, piece, in_texts=in_texts)
        if (shapes is None or not shapes.any()) and piece.text not in left and literals is None:
            return None
        chosen = self._layout.lines.template
        found = np.zeros(len(chosen), np.bool_) if shapes is None else np.append(shapes, False)[chosen]
        if piece.text in left:
            lines = left.split(b"\n")[: len(self._block.left_at) - 1]
            found[chosen < 0] = [piece.text in line for line in lines]
        if literals is not None:
            found |= self._showing(literals)
        return found

    def _templates_with(self, piece: Piece) -> Bools:
        """Which templates have the piece in a static piece, or may have it in some other way than in one value."""
        templates = self._layout.packed.get(Stream.TEMPLATES).split(b"\n")[: self._layout.template_count]
        found = np.array([piece.text in piece.folded(template) for template in templates], np.bool_)
        maybe = np.zeros(len(found), np.bool_)
        if piece.is_address:
            maybe = np.array([_DOTS.search(template) is not None for template in templates], np.bool_)
        elif piece.ends:
            maybe = self._cutting(piece)
        self._guessed |= bool((maybe & ~found).any())
        return found | maybe

    def _cutting(self, piece: Piece) -> Bools:
        """Which templates have a time that may end within the piece."""
        shapes = self._layout.shapes
        found = np.zeros(self._layout.template_count, np.bool_)
        times = np.flatnonzero(shapes.kind == TIME)
        template = np.searchsorted(shapes.template_column, times, side="right") - 1
        text = shapes.text.tobytes()
        for t, after in zip(template.tolist(), (times + template + 1).tolist(), strict=True):
            start, end = int(shapes.piece_start[after]), int(shapes.piece_start[after + 1])
            rest = _RUN_FIRST.match(text, start, end)
            assert rest is not None
            is_last = after + 1 == shapes.piece_at[t + 1]
            if not rest[0] and (start < end or is_last):
                continue
            found[t] |= piece.is_cut_before(rest[0] if rest.end() < end or is_last else b"")
        return found

    def _showing(self, literals: Bools) -> Bools:
        """Which lines show one of these literals."""
        layout = self._layout
        wanted = np.flatnonzero(literals)
        column_of = np.searchsorted(layout.first_literal, wanted, side="right") - 1
        found = np.zeros(layout.line_count, np.bool_)
        count = len(layout.shapes.kind)
        pooled = False
        for column in np.unique(column_of).tolist():
            if column < count and layout.columns.pooled[column]:
                pooled = True
                continue
            rows = wanted[column_of == column] - layout.first_literal[column]
            found[self._lines_of(column)[rows]] = True
        if pooled:
            _mark_lines(
                found, literals, layout.lines.template, self._block.line_row, layout.shapes.template_column,
                layout.slot_at, layout.columns.pooled, self._block.walk.upto(layout.line_count),
            )  # fmt: skip
        return found

    def _lines_of(self, column: int) -> I64:
        """The line of each row of a column, or of each time of a series (numbered behind the columns)."""
        layout = self._layout
        series = column - len(layout.shapes.kind)
        if series < 0:
            template = int(np.searchsorted(layout.shapes.template_column, column, side="right")) - 1
            return np.flatnonzero(layout.lines.template == template)
        mine = np.flatnonzero(layout.columns.series == series)
        templates = np.zeros(layout.template_count + 1, np.bool_)
        templates[np.searchsorted(layout.shapes.template_column, mine, side="right") - 1] = True
        return np.flatnonzero(templates[layout.lines.template])


@kernel
def _mark_lines(
    found: Bools, literals: Bools, line_template: I32, line_row: I32, template_column: I64, slot_at: I64,
    pooled: Bools, shown: I32,
) -> None:  # fmt: skip
    """Mark the lines that show one of these literals in a pooled slot."""
    for line in range(len(line_template)):
        t = line_template[line]
        if t < 0 or found[line]:
            continue
        for c in range(template_column[t], template_column[t + 1]):
            if pooled[c] and literals[shown[slot_at[c] + line_row[line]]]:
                found[line] = True
                break


def templates(packed: Packed, length: int) -> list[Template]:
    """The templates of a block with counts and examples. Raises Truncated, Corrupt or LimitExceeded."""
    layout = Layout(packed, length)
    chosen = layout.lines.template
    first = np.full(layout.template_count, -1, np.int64)
    lines = np.flatnonzero(chosen >= 0)[::-1]
    first[chosen[lines]] = lines  # of lines with one template the last assignment, which is the first line, stays
    examples = Block(layout).lines(first, of=len(first))
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
