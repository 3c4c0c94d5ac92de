"""The walk over a block's pooled slots that the decoder makes: of each slot, which literal it shows.

Only what is pooled has to be walked. In any other column, row n shows literal n; of line times, line n of the series.
"""

import numpy as np

from lithify.codecs.logs import pool
from lithify.codecs.logs.arrays import I32, I64, U8
from lithify.codecs.logs.kernel import bare, wide
from lithify.codecs.logs.layout import Layout
from lithify.errors import Corrupt

_KNOWN, _FARS, _LINE = range(3)


class Walk:
    """A walk from the first line on, as far as it is asked to go."""

    def __init__(self, layout: Layout) -> None:
        shapes, columns, coded = layout.shapes, layout.columns, layout.coded
        self._lines = layout.lines.template
        values = int(coded.new[columns.pooled].sum())
        walked = np.flatnonzero(columns.pooled)
        counted = np.searchsorted(walked, shapes.template_column)
        memory = pool.memory(len(shapes.kind), int(np.diff(layout.slot_at)[columns.pooled].sum()))
        bits = int(memory.tables.shape[1]).bit_length() - 1
        self.shown: I32 = np.empty(int(layout.slot_at[-1]), np.int32)
        """The literal that each pooled slot shows, of the lines walked so far."""
        self._at = np.zeros(3, np.int64)
        self._state = (
            self.shown, np.empty(values, np.int32), self._lines, walked, counted, layout.slot_at,
            pool.classes(shapes.kind), layout.role, pool.rings(shapes.kind, layout.role), coded.codes, coded.far,
            *memory, bits, layout.first_literal.copy(), np.zeros(len(layout.lines.counts), np.int64),
            np.empty((pool.CLASSES, values), np.int32), np.zeros(pool.CLASSES, np.int64), self._at,
        )  # fmt: skip

    def upto(self, line: int) -> I32:
        """Walk at least the lines before this one; gives `shown`. Raises Corrupt where a code leads nowhere."""
        if line > self._at[_LINE] and not _walk(line, *self._state):
            raise Corrupt("a block's codes lead to values that are not there")
        return self.shown


@bare
def _walk(
    stop: int, shown: I32, literal_of: I32, line_template: I32, walked: I64, walked_at: I64, slot_at: I64, kinds: U8,
    role: I32, ring: I32, codes: U8, far: I64, tables: I32, last: I32, order: U8, score: I32, rings: I32,
    ring_used: I32, context: I32, guess: I32, places: I64, bits: int, next_literal: I64, rows: I64, of_class: I32,
    newest: I64, at: I64,
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
            slot = slot_at[c] + row
            pool.make_guesses(tables, last, context, guess, places, c, role[c], bits)
            code = wide(codes[slot])
            value = wide(-1)
            place = wide(-1)
            if code < pool.NEW:
                value = pool.guess_at(order, guess, c, code)
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
                tables, last, order, score, rings, ring_used, context, guess, places, c, ring[c], place, value
            )  # fmt: skip
    at[_KNOWN], at[_FARS], at[_LINE] = known, n_far, stop
    return True
