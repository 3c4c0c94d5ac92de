"""Templates as text and as pieces, and which columns of different templates play the same role."""

from typing import NamedTuple

import numpy as np

from lithify.codecs.array_types import I32, I64, U8
from lithify.codecs.kernel import kernel
from lithify.codecs.logs.cluster import COLUMNS_MAX
from lithify.errors import Corrupt, LimitExceeded

ESCAPE_BYTE = 7
"""In a template, the byte after it stands for itself; bytes 1 to 6 are the kinds of slots."""
_TAIL_BYTES = 12  # of what stands before a slot say what it is
_TAIL_LETTERS_MIN = 3  # fewer letters say nothing


class Shapes(NamedTuple):
    """Static pieces: template t has the pieces `piece_at[t]` to `piece_at[t + 1]`, a slot after each but the last."""

    text: U8
    piece_start: I64
    piece_at: I64
    kind: U8
    """Kind of token, per column."""
    template_column: I64
    """Each template's first column; one more entry at the end."""


def read_shapes(packed: bytes, expected: int) -> Shapes:
    """The templates that a text says. Raises Corrupt if there are not so many, LimitExceeded if they are too wide."""
    count, text, piece_start, piece_at, kind = _split_templates(np.frombuffer(packed, np.uint8), expected)
    template_column = piece_at - np.arange(expected + 1)
    if count != expected:
        raise Corrupt(f"there are {count} templates, {expected} were expected")
    if len(kind) > COLUMNS_MAX:
        raise LimitExceeded(f"a block has {len(kind)} columns; the limit is {COLUMNS_MAX}")
    return Shapes(text, piece_start, piece_at, kind, template_column)


def roles(shapes: Shapes) -> I32:
    """Of each column what it is: columns of one role share what is learnt of their values.

    Columns of one kind behind the same words have one role; where no word stands before it, a column has its own.
    """
    text, piece_start, piece_at, kind, template_column = shapes.text.tobytes(), *shapes[1:]
    known: dict[tuple[int, bytes], int] = {}
    out = np.empty(len(kind), np.int32)
    template = np.repeat(np.arange(len(piece_at) - 1), np.diff(template_column))
    pieces = np.arange(len(kind)) + template  # each template has one piece more than columns
    starts, ends = piece_start[pieces].tolist(), piece_start[pieces + 1].tolist()
    for c, (start, end, what) in enumerate(zip(starts, ends, kind.tolist(), strict=True)):
        tail = text[max(start, end - _TAIL_BYTES) : end]
        if len(tail) - len(tail.translate(None, _LETTERS)) < _TAIL_LETTERS_MIN:
            tail = b"%d" % c
        out[c] = known.setdefault((what, tail), len(known))
    return out


_LETTERS = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


@kernel
def _split_templates(text: U8, most: int) -> tuple[int, U8, I64, I64, U8]:
    """How many templates; their text without escapes, where its pieces begin, each template's first; slots' kinds."""
    marks = 1
    for c in text:
        marks += 1 <= c <= 10
    out = np.empty(len(text), np.uint8)
    start = np.empty(marks + 1, np.int64)
    kind = np.empty(marks, np.uint8)
    at = np.zeros(most + 1, np.int64)
    n, pieces, slots, templates, i = 0, 0, 0, 0, 0
    start[0] = 0
    open_ = False
    while i < len(text) and templates <= most:
        c = text[i]
        i += 1
        open_ = True
        if c == ESCAPE_BYTE:
            if i == len(text) or text[i] == 10:
                break  # which leaves the template open
            out[n] = text[i]
            n += 1
            i += 1
        elif 1 <= c < ESCAPE_BYTE:
            kind[slots] = c - 1
            slots += 1
            pieces += 1
            start[pieces] = n
        elif c == 10:
            pieces += 1
            start[pieces] = n
            templates += 1
            open_ = False
            if templates <= most:
                at[templates] = pieces
        else:
            out[n] = c
            n += 1
    if open_:
        templates = most + 1
    return templates, out[:n].copy(), start[: pieces + 1].copy(), at, kind[:slots].copy()
