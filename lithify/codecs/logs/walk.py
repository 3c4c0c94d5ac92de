"""The walk over a block's slots that the decoder makes: of each slot, which literal it shows."""

import numpy as np

from lithify.codecs.logs import pool
from lithify.codecs.logs.arrays import I32, I64, U8
from lithify.codecs.logs.kernel import bare, wide
from lithify.codecs.logs.layout import Layout
from lithify.errors import Corrupt


def walk(layout: Layout) -> I32:
    """The literal that each slot shows. Raises Corrupt where a code leads nowhere."""
    kind, columns, coded = layout.shapes.kind, layout.columns, layout.coded
    kinds = pool.classes(kind)
    kinds[~columns.pooled] = pool.UNPOOLED
    mem = pool.memory(len(kinds), int(np.diff(layout.slot_at)[columns.pooled].sum()))
    bits = int(mem.tables.shape[1]).bit_length() - 1
    shown = np.empty(int(layout.slot_at[-1]), np.int32)
    literal_of = np.empty(coded.new_values, np.int32)
    next_literal = layout.first_literal.copy()
    of_series = np.where(columns.series >= 0, len(kind) + columns.series, np.arange(len(kind)))
    right = _walk(
        shown, literal_of, layout.lines.template, layout.shapes.template_column, layout.slot_at, columns.source, kinds,
        layout.shapes.role, pool.rings(kind, layout.shapes.role), coded.codes, coded.far, *mem, bits, next_literal,
        of_series,
        np.zeros(len(layout.lines.counts), np.int64), np.empty((pool.CLASSES, coded.new_values), np.int32),
        np.zeros(pool.CLASSES, np.int64),
    )  # fmt: skip
    if not right:
        raise Corrupt("a block's codes lead to values that are not there")
    return shown


@bare
def _walk(
    shown: I32, literal_of: I32, line_template: I32, template_column: I64, slot_at: I64, source: I64, kinds: U8,
    role: I32, ring: I32, codes: U8, far: I64, tables: I32, last: I32, order: U8, score: I32, rings: I32,
    ring_used: I32, context: I32, guess: I32, places: I64, bits: int, next_literal: I64, counter: I64,
    rows: I64, of_class: I32, newest: I64,
) -> bool:  # fmt: skip
    """Without numba's bounds checks: the layout's counts were compared, and what a code leads to is compared here."""
    known, n_far = 0, 0
    for line in range(len(line_template)):
        t = line_template[line]
        if t < 0:
            continue
        row = rows[t]
        rows[t] = row + 1
        context[2] = -1
        for c in range(template_column[t], template_column[t + 1]):
            slot = slot_at[c] + row
            if source[c] != c:
                shown[slot] = shown[slot_at[source[c]] + row]
                continue
            if kinds[c] == pool.UNPOOLED:
                shown[slot] = next_literal[counter[c]]
                next_literal[counter[c]] += 1
                continue
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
                place = wide(ring_used[ring[c]])
            elif code == pool.FAR:
                back = newest[kinds[c]] - 1 - far[n_far]
                n_far += 1
                if back < 0:
                    return False
                value = wide(of_class[kinds[c], back])
            else:
                place = code - pool.RECENT
                if place >= ring_used[ring[c]]:
                    return False
                value = wide(rings[ring[c], place])
            if value < 0:
                return False
            if place < 0:
                place = pool.place_in_ring(rings, ring_used, ring[c], value)
            shown[slot] = literal_of[value]
            pool.remember(
                tables, last, order, score, rings, ring_used, context, guess, places, c, ring[c], place, value
            )  # fmt: skip
    return True
