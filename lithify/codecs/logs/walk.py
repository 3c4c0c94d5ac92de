"""The walk over a block's pooled slots that the decoder makes: of each slot, which literal it shows.

Only what is pooled has to be walked. In any other column, row n shows literal n; of line times, line n of the series.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from lithify.codecs.array_types import I32, I64, U8
from lithify.codecs.kernel import bare, wide
from lithify.codecs.logs import pool
from lithify.codecs.logs.layout import Layout
from lithify.errors import Corrupt

Array = npt.NDArray[Any]
_KNOWN, _FARS, _LINE = range(3)


class _Course(NamedTuple):
    """The lines to walk over, and what is known of their pooled slots."""

    line_template: I32
    walked: I64
    """The columns that are pooled."""
    walked_at: I64
    """The first of them of each template; one more entry at the end."""
    slot_at: I64
    kinds: U8
    role: I32
    ring: I32
    known_as: I64
    """By what number the memory knows each column."""
    codes: U8
    far: I64
    next_literal: I64


def _course(layout: Layout) -> _Course:
    kind, walked = layout.shapes.kind, np.flatnonzero(layout.columns.pooled)
    return _Course(
        layout.lines.template,
        walked,
        np.searchsorted(walked, layout.shapes.template_column),
        layout.slot_at[:-1],
        pool.classes(kind),
        layout.role,
        pool.rings(kind, layout.role),
        np.arange(len(kind)),
        layout.coded.codes,
        layout.coded.far,
        layout.first_literal[: len(kind)].copy(),
    )


def _joined(first: _Course, second: _Course, literals: int) -> _Course:
    """One course behind the other, which shows so many literals."""
    template, moved = second.line_template, len(first.walked_at) - 1
    second = second._replace(
        line_template=np.where(template < 0, -1, template + moved).astype(np.int32),
        walked=second.walked + len(first.kinds),
        walked_at=second.walked_at + len(first.walked),
        slot_at=second.slot_at + len(first.codes),
        next_literal=second.next_literal + literals,
    )
    first = first._replace(walked_at=first.walked_at[:-1])
    pairs: Iterator[tuple[Array, Array]] = zip(first, second, strict=True)
    return _Course(*map(np.concatenate, pairs))


class Walk:
    """A walk from the first line on, as far as it is asked to go."""

    def __init__(self, layout: Layout, *, behind: Layout | None = None) -> None:
        """`behind` is a block that is walked before: its columns are the first of this one, its literals come first."""
        first, course = behind or layout, _course(layout)
        values = int(layout.coded.new.sum())
        self._lines_before = self._slots_before = 0
        if behind is not None:
            course = _joined(_course(behind), course, int(behind.first_literal[-1]))
            values += int(behind.coded.new.sum())
            self._lines_before, self._slots_before = behind.line_count, len(behind.coded.codes)
        memory = pool.memory(len(layout.shapes.kind), int(np.diff(first.slot_at)[first.columns.pooled].sum()))
        self._shown: I32 = np.empty(len(course.codes), np.int32)
        self._at = np.zeros(3, np.int64)
        self._state = (
            self._shown, np.empty(values, np.int32), *course, *memory, int(memory.tables.shape[1]).bit_length() - 1,
            np.zeros(len(course.walked_at) - 1, np.int64), np.empty((pool.CLASSES, values), np.int32),
            np.zeros(pool.CLASSES, np.int64), self._at,
        )  # fmt: skip

    def upto(self, line: int) -> I32:
        """Walk at least the lines before this one; gives the literal that each pooled slot of these shows.

        Raises Corrupt where a code leads nowhere.
        """
        line += self._lines_before
        if line > self._at[_LINE] and not _walk(line, *self._state):
            raise Corrupt("a block's codes lead to values that are not there")
        return self._shown[self._slots_before :]


@bare
def _walk(
    stop: int, shown: I32, literal_of: I32, line_template: I32, walked: I64, walked_at: I64, slot_at: I64, kinds: U8,
    role: I32, ring: I32, known_as: I64, codes: U8, far: I64, next_literal: I64, tables: I32, last: I32, order: U8,
    score: I32, rings: I32, ring_used: I32, context: I32, guess: I32, places: I64, bits: int, rows: I64,
    of_class: I32, newest: I64, at: I64,
) -> bool:  # fmt: skip
    """Without numba's bounds checks: the layout's counts were compared, and what a code leads to is compared here."""
    known, n_far = wide(at[_KNOWN]), wide(at[_FARS])
    for line in range(at[_LINE], stop):
        t = line_template[line]
        if t < 0:
            continue
        row = rows[t]
        rows[t] = row + 1
        context[2] = -1
        for k in range(walked_at[t], walked_at[t + 1]):
            c = walked[k]
            slot, own = slot_at[c] + row, known_as[c]
            pool.make_guesses(tables, last, context, guess, places, own, role[c], bits)
            code = wide(codes[slot])
            value = wide(-1)
            place = wide(-1)
            if code < pool.NEW:
                value = pool.guess_at(order, guess, own, code)
            elif code == pool.NEW:
                value = wide(known)
                literal_of[value] = next_literal[c]
                next_literal[c] += 1
                of_class[kinds[c], newest[kinds[c]]] = value
                newest[kinds[c]] += 1
                known += 1
                place = wide(pool.RING_VALUES)
            elif code == pool.FAR:
                back = newest[kinds[c]] - 1 - far[n_far]
                n_far += 1
                if back < 0:
                    return False
                value = wide(of_class[kinds[c], back])
            else:
                place = code - pool.RECENT
                value = pool.value_in_ring(rings, ring_used, ring[c], place)
            if value < 0:
                return False
            if place < 0:
                place = pool.place_in_ring(rings, ring_used, ring[c], value)
            shown[slot] = literal_of[value]
            pool.remember(
                tables, last, order, score, rings, ring_used, context, guess, places, own, ring[c], place, value
            )  # fmt: skip
    at[_KNOWN], at[_FARS], at[_LINE] = known, n_far, stop
    return True
