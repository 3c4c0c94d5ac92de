"""Which literals of a block hold a piece of text, found in as few streams and columns as can be.

Numbers are compared as numbers: the digits d of a piece of n digits occur in a value where the value, cut off at some
digit, ends in d. Texts are looked for in their streams as they are; only other kinds are written out.
"""

import re

import numpy as np

from lithify.codecs.array_types import I64, U8, Bools
from lithify.codecs.kernel import kernel, wide
from lithify.codecs.logs import numbers
from lithify.codecs.logs.columns import FIXED, PREFIXED
from lithify.codecs.logs.layout import Layout
from lithify.codecs.logs.literals import literals
from lithify.codecs.logs.pieces import Piece
from lithify.codecs.logs.scan import ADDRESS, NUMBER, NUMBER_DIGITS_MAX, TIME
from lithify.codecs.logs.streams import Stream
from lithify.codecs.logs.times import time_like

_ADDRESS_DIGITS_MAX = 3


def literals_with(layout: Layout, piece: Piece, *, in_texts: bool) -> Bools | None:
    """Which literals hold the piece; None: none does. Raises Truncated, Corrupt or LimitExceeded.

    in_texts  whether those that are texts may hold it
    """
    found: list[I64] = []
    for stream in (Stream.GROUPS, Stream.WORDS):
        if in_texts and layout.packed.has(stream):
            found += _in_texts(layout, piece, stream)
    kinds = set(layout.shapes.kind.tolist())
    if piece.is_number and NUMBER in kinds and len(piece.text) <= NUMBER_DIGITS_MAX:
        found += _in_numbers(layout, int(piece.text), len(piece.text))
    if columns := _columns_to_write(layout, piece):
        found += _in_columns(layout, piece, columns)
    if not found:
        return None
    marked = np.zeros(int(layout.first_literal[-1]), np.bool_)
    marked[np.concatenate(found)] = True
    return marked


def _in_texts(layout: Layout, piece: Piece, stream: Stream) -> list[I64]:
    """The literals of a stream of texts that hold the piece."""
    text = piece.folded(layout.packed.get(stream))
    mine = np.flatnonzero(layout.text_stream == stream)
    if piece.text not in text or not len(mine):
        return []
    lines = _lines_with(piece.text, text, np.flatnonzero(np.frombuffer(text, np.uint8) == ord("\n")))
    first = layout.place_in_stream(stream)
    column = mine[np.searchsorted(first[mine], lines, side="right") - 1]
    within = lines - first[column]
    fits = within < layout.literal_counts[column]  # there may be texts behind those that are shown
    literal: I64 = (layout.first_literal[column] + within)[fits]
    return [literal]


def _lines_with(run: bytes, text: bytes, line_ends: I64) -> I64:
    """The numbers of the lines of a text that hold a run."""
    places = [found.start() for found in re.finditer(re.escape(run) + rb"[^\n]*", text)]
    return np.searchsorted(line_ends, places)


def _columns_to_write(layout: Layout, piece: Piece) -> list[int]:
    """The columns, and behind them the series, whose literals have to be written out to be looked through."""
    kind, columns = layout.shapes.kind, layout.columns
    forms = {form: piece.fits(time_like(form)) for form in np.unique(columns.time_form[kind == TIME]).tolist()}
    wanted = (kind == TIME) & np.isin(columns.time_form, [form for form, fits in forms.items() if fits])
    if piece.is_address or (piece.is_number and len(piece.text) <= _ADDRESS_DIGITS_MAX):
        wanted |= kind == ADDRESS
    if piece.is_hexadecimal:
        wanted |= layout.text_stream == Stream.HEX
    of_series = [forms[form] for form in columns.series_form]
    wanted = np.append(wanted, np.array(of_series, np.bool_))
    if not wanted.any():
        return []  # before literals are counted, for which codes are unpacked
    found: list[int] = np.flatnonzero(wanted & (layout.literal_counts > 0)).tolist()
    return found


def _in_columns(layout: Layout, piece: Piece, columns: list[int]) -> list[I64]:
    """The literals of these columns that hold the piece."""
    which = np.concatenate([np.arange(*layout.first_literal[column : column + 2]) for column in columns])
    arena, at = literals(layout, which)
    text = piece.folded(arena.tobytes())
    return [which[np.unique(_lines_with(piece.text, text, at[1:] - 1))]] if piece.text in text else []


def _in_numbers(layout: Layout, number: int, digits: int) -> list[I64]:
    """The literals that are numbers and show these digits: `number`, with leading zeros up to so many."""
    columns = layout.numbers.columns[layout.shapes.kind[layout.numbers.columns] == NUMBER]
    if layout.index is not None:
        columns = columns[layout.index.digits[columns] >= digits]
    wanted = layout.plans_of(columns.tolist())
    data, data_at = layout.values.bytes(wanted)
    aside = layout.packed.has(Stream.ESCAPES)
    wanted &= numbers.greatest(data, data_at, layout.numbers.at, layout.numbers.plans, wanted, aside) >= number
    columns = columns[wanted[layout.plan_of[columns]]]
    found = np.empty(int(layout.literal_counts[columns].sum()), np.int64)
    n = _find_numbers(
        layout.values.some(wanted), columns, layout.value_at, layout.first_literal, layout.columns.form,
        layout.columns.digits, number, digits, found,
    )  # fmt: skip
    return [found[:n]] if n else []


@kernel
def _find_numbers(
    values: I64, columns: I64, value_at: I64, first_literal: I64, form: U8, digits: I64, number: int, length: int,
    found: I64,
) -> int:  # fmt: skip
    power = wide(1)
    for _ in range(length):
        power *= 10
    n = 0
    for c in columns:
        width = wide(digits[c]) if form[c] == FIXED else wide(form[c] != PREFIXED)  # a digit at least, for a zero
        least = power if form[c] == PREFIXED else power // 10  # less has too few digits; the prefix shows none
        for i in range(first_literal[c + 1] - first_literal[c]):
            left = values[value_at[c] + i]
            cut = 0
            while left >= least or cut + length <= width:
                if left % power == number:
                    found[n] = first_literal[c] + i
                    n += 1
                    break
                left //= 10
                cut += 1
    return n
