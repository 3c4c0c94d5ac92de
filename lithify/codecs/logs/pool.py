"""Values that come back: each slot says where its value can be found, or that it is new.

All pooled slots are walked in the order of the lines. Six guesses are made for each, from what stood before it in its
line and in its column; they are ranked by how often they were right in this column, so that the code is mostly 0. A
value that no guess has is looked for among the recent ones of its ring, then counted back from the newest of its class;
a new one is written out. Integer arithmetic only: the decoder walks the same way.
"""

from typing import NamedTuple

import numpy as np

from lithify.codecs.array_types import I32, I64, U8, U32, U64
from lithify.codecs.kernel import bare, inlined, kernel, unsigned, wide
from lithify.codecs.logs.scan import ADDRESS, MIXED, NUMBER, TIME

GUESSES = 6
NEW, RECENT, FAR = GUESSES, GUESSES + 1, 255
"""Codes: below NEW the rank of the right guess; RECENT + d: the value's place in its ring; FAR: further back."""
SKIPPED = 254
"""Never written: the code of a slot that was not looked at."""
RING_VALUES = 240
_STEP = 16  # so many values of a ring are compared at once
_RING_ROOM = _STEP + 2 * RING_VALUES
_USED, _END = range(2)
NUMBERS, TEXTS, ADDRESSES = range(3)
CLASSES = 3
UNPOOLED = 255
_TABLES = 4
_TABLE_BITS_MIN, _TABLE_BITS_MAX = 8, 18
_SCORE_SHIFT, _SCORE_GAIN = 5, 32
_RINGS_SHARED = 2


class Memory(NamedTuple):
    """What the walk remembers."""

    tables: I32
    """What followed, by hash of the context."""
    last: I32
    """The last value of each column."""
    order: U8
    """Each column's guesses, the best first."""
    score: I32
    ring: I32
    """The recent values of each ring, the last one last; what stands before them is dropped, or was never there."""
    ring_used: I32
    """How many values each ring has, and where they end."""
    context: I32
    """The value before, the one before that, the first of the line (-1: none)."""
    guess: I32
    """Room for the guesses of one slot, in the order of their kinds."""
    place: I64
    """Where the tables keep what follows here."""


def memory(columns: int, slots: int) -> Memory:
    """An empty memory for a number of columns and of pooled slots."""
    bits = min(max(slots.bit_length(), _TABLE_BITS_MIN), _TABLE_BITS_MAX)
    return Memory(
        np.full((_TABLES, 1 << bits), -1, np.int32),
        np.full(columns, -1, np.int32),
        np.tile(np.arange(GUESSES, dtype=np.uint8), (columns, 1)),
        np.zeros((columns, GUESSES), np.int32),
        np.full((columns + _RINGS_SHARED, _RING_ROOM), -1, np.int32),
        np.full((columns + _RINGS_SHARED, 2), (0, _STEP), np.int32),
        np.full(3, -1, np.int32),
        np.full(GUESSES, -1, np.int32),
        np.zeros(_TABLES, np.int64),
    )


def rings(kind: U8, role: I32) -> I32:
    """Each column's ring: one for all addresses, one for all mixed tokens, else its role's own."""
    own = role + np.int32(_RINGS_SHARED)
    own[kind == ADDRESS] = 0
    own[kind == MIXED] = 1
    return own


def classes(kind: U8) -> U8:
    """Each column's class of values; times are never pooled."""
    found = np.full(len(kind), TEXTS, np.uint8)
    found[kind == NUMBER] = NUMBERS
    found[kind == ADDRESS] = ADDRESSES
    found[kind == TIME] = UNPOOLED
    return found


@inlined
def _hashed(a: int, b: int, bits: int) -> int:
    key = (unsigned(a + 1) * unsigned(0x9E3779B97F4A7C15)) ^ (unsigned(b + 1) * unsigned(0xC2B2AE3D27D4EB4F))
    key ^= key >> unsigned(29)
    key *= unsigned(0xBF58476D1CE4E5B9)
    return wide(key >> unsigned(64 - bits))


# The kernels of the walk take arrays one by one and make none, so that numba need not count references to them
# (`_nrt=False`): counting, by atomic instructions at every call, took up to two thirds of the time.


@inlined
def make_guesses(
    tables: I32, last: I32, context: I32, guess: I32, place: I64, column: int, role: int, bits: int
) -> None:
    """Fill `guess` for the next slot of a column, and `place` with where the tables keep what follows."""
    before, earlier, first = wide(context[0]), wide(context[1]), wide(context[2])
    place[0] = _hashed(before, role, bits)
    place[1] = _hashed(before * 1000003 + earlier, role, bits)
    place[2] = _hashed(first, column, bits)
    place[3] = _hashed(wide(last[column]), column, bits)
    for k in range(_TABLES):
        guess[k] = tables[k, place[k]]
    guess[4] = last[column]
    guess[5] = before


@inlined
def _repeats(order: U8, guess: I32, column: int, rank: int) -> bool:
    """Whether the guess at a place of the column's order says nothing that an earlier one does not."""
    value = guess[order[column, rank]]
    if value < 0:
        return True
    for k in range(rank):
        if guess[order[column, k]] == value:
            return True
    return False


@inlined
def rank_of(order: U8, guess: I32, column: int, value: int) -> int:
    """The rank of the guess that is `value`, or -1."""
    rank = 0
    for k in range(GUESSES):
        if guess[order[column, k]] == value:
            return rank
        if not _repeats(order, guess, column, k):
            rank += 1
    return -1


@inlined
def guess_at(order: U8, guess: I32, column: int, rank: int) -> int:
    """The guess of a rank, or -1 if there are not so many."""
    for k in range(GUESSES):
        if _repeats(order, guess, column, k):
            continue
        if rank == 0:
            return wide(guess[order[column, k]])
        rank -= 1
    return wide(-1)


@inlined
def place_in_ring(ring: I32, ring_used: I32, number: int, value: int) -> int:
    """How many values of a ring are more recent; all of them if it is not there."""
    used, end = wide(ring_used[number, _USED]), wide(ring_used[number, _END])
    for place in range(0, used, _STEP):
        first = end - _STEP - place
        any_ = False
        for k in range(_STEP):  # without a way out, which lets the compiler compare all at once
            any_ |= ring[number, first + k] == value
        if any_:
            k = _STEP - 1
            while ring[number, first + k] != value:
                k -= 1
            return min(place + _STEP - 1 - k, used)
    return used


@inlined
def value_in_ring(ring: I32, ring_used: I32, number: int, place: int) -> int:
    """The value at a place of a ring, or -1 if it has not so many."""
    if place >= ring_used[number, _USED]:
        return wide(-1)
    return wide(ring[number, ring_used[number, _END] - 1 - place])


@inlined
def _move_to_front(ring: I32, ring_used: I32, number: int, place: int, value: int) -> None:
    """Make the value at a place of a ring the most recent; at the place behind the last, put it there first."""
    used, end = wide(ring_used[number, _USED]), wide(ring_used[number, _END])
    if place < used:
        for k in range(end - 1 - place, end - 1):
            ring[number, k] = ring[number, k + 1]
        ring[number, end - 1] = value
        return
    if end == _RING_ROOM:
        for k in range(RING_VALUES):
            ring[number, _STEP + k] = ring[number, end - RING_VALUES + k]
        end = wide(_STEP + RING_VALUES)
    ring[number, end] = value
    ring_used[number, _END] = end + 1
    ring_used[number, _USED] = min(used + 1, RING_VALUES)


@inlined
def remember(
    tables: I32, last: I32, order: U8, score: I32, ring: I32, ring_used: I32, context: I32, guess: I32, places: I64,
    column: int, number: int, place: int, value: int,
) -> None:  # fmt: skip
    """Take note of a slot's value, which stood at a place of its ring."""
    for k in range(GUESSES):
        old = score[column, k]
        score[column, k] = old - (old >> _SCORE_SHIFT) + (_SCORE_GAIN if guess[k] == value else 0)
    for k in range(GUESSES - 1, 0, -1):
        better, worse = order[column, k], order[column, k - 1]
        if score[column, better] > score[column, worse]:
            order[column, k], order[column, k - 1] = worse, better
    _move_to_front(ring, ring_used, number, place, value)
    for k in range(_TABLES):
        tables[k, places[k]] = value
    last[column] = value
    context[1], context[0] = context[0], value
    if context[2] < 0:
        context[2] = value


@kernel
def number_values(
    line_template: I32, template_column: I64, at: I64, kinds: U8, counts: I64, hashes: U64
) -> tuple[I32, int]:
    """Number equal values of a class in the order of the lines: each slot's (-1 if not pooled); how many there are."""
    out = np.full(at[-1], -1, np.int32)
    rows = np.zeros(len(counts), np.int64)
    size = 1024
    mask = size - 1
    table = np.full(size, -1, np.int32)
    known = np.empty(512, np.uint64)
    n = 0
    for line in range(len(line_template)):
        t = line_template[line]
        if t < 0:
            continue
        row = rows[t]
        rows[t] = row + 1
        for c in range(template_column[t], template_column[t + 1]):
            if kinds[c] == UNPOOLED:
                continue
            slot = at[c] + row
            key = hashes[slot] ^ unsigned(kinds[c])
            p = wide((key * unsigned(0x9E3779B97F4A7C15)) >> unsigned(36)) & mask
            while table[p] >= 0 and known[table[p]] != key:
                p = (p + 1) & mask
            found = table[p]
            if found < 0:
                if n == len(known):
                    known = np.concatenate((known, np.empty(n, np.uint64)))
                    size *= 2
                    mask = size - 1
                    table = np.full(size, -1, np.int32)
                    for k in range(n):
                        q = wide((known[k] * unsigned(0x9E3779B97F4A7C15)) >> unsigned(36)) & mask
                        while table[q] >= 0:
                            q = (q + 1) & mask
                        table[q] = k
                    p = wide((key * unsigned(0x9E3779B97F4A7C15)) >> unsigned(36)) & mask
                    while table[p] >= 0:
                        p = (p + 1) & mask
                found = table[p] = n
                known[n] = key
                n += 1
            out[slot] = found
    return out, n


@bare
def _code(
    tables: I32,
    last: I32,
    order: U8,
    score: I32,
    rings_: I32,
    ring_used: I32,
    context: I32,
    guess: I32,
    places: I64,
    bits: int,
    line_template: I32,
    template_column: I64,
    at: I64,
    kinds: U8,
    role: I32,
    ring: I32,
    numbers: I32,
    rank: I32,
    serial: I32,
    rows: I64,
    newest: I32,
    out: U8,
    far: U32,
    known_as: I64,
) -> int:
    """Fill `out` and `far`; gives how many are far."""
    n_far = 0
    values = 0
    for line in range(len(line_template)):
        t = line_template[line]
        if t < 0:
            if t < -1:
                rows[-2 - t] += 1
            continue
        row = rows[t]
        rows[t] = row + 1
        context[2] = -1
        for c in range(template_column[t], template_column[t + 1]):
            kind = kinds[c]
            if kind == UNPOOLED:
                continue
            slot = at[c] + row
            number = numbers[slot]
            own = known_as[c]
            make_guesses(tables, last, context, guess, places, own, role[c], bits)
            if rank[number] < 0:
                rank[number], serial[number] = newest[kind], values
                newest[kind] += 1
                values += 1
                out[slot] = NEW
                remember(
                    tables, last, order, score, rings_, ring_used, context, guess, places,
                    own, ring[c], wide(RING_VALUES), serial[number],
                )  # fmt: skip
                continue
            v = serial[number]
            hit = rank_of(order, guess, own, v)
            place = place_in_ring(rings_, ring_used, ring[c], v)
            if hit >= 0:
                out[slot] = hit
            elif place < ring_used[ring[c], _USED]:
                out[slot] = RECENT + place
            else:
                out[slot] = FAR
                far[n_far] = newest[kind] - 1 - rank[number]
                n_far += 1
            remember(
                tables, last, order, score, rings_, ring_used, context, guess, places, own, ring[c], place, v
            )  # fmt: skip
    return n_far


def code(
    line_template: I32,
    template_column: I64,
    at: I64,
    kinds: U8,
    role: I32,
    ring: I32,
    counts: I64,
    numbers: I32,
    values: int,
    known_as: I64 | None = None,
    room: int = 0,
) -> tuple[U8, U32]:
    """Codes of all slots, SKIPPED where not pooled; and how many values of the class are newer, for those that are FAR.

    line_template  lines with template -2 - t are passed over: to learn from a part of the lines what all would give
    known_as       by what number the memory knows each column; without it, by its own
    room           for how many pooled slots the memory is made; without it, for all
    """
    pooled = int(np.diff(at)[kinds != UNPOOLED].sum())
    own = np.arange(len(kinds)) if known_as is None else known_as
    mem = memory(int(own.max(initial=-1)) + 1, room or pooled)
    bits = int(mem.tables.shape[1]).bit_length() - 1
    rank, serial = np.full(values, -1, np.int32), np.full(values, -1, np.int32)
    out, far = np.full(int(at[-1]), SKIPPED, np.uint8), np.empty(pooled, np.uint32)
    n_far = _code(
        *mem, bits, line_template, template_column, at, kinds, role, ring, numbers, rank, serial,
        np.zeros(len(counts), np.int64), np.zeros(CLASSES, np.int32), out, far, own,
    )  # fmt: skip
    return out, far[:n_far].copy()
