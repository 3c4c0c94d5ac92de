"""How each column of slots is kept: in the pool or by itself, and how its literals are written.

A literal is a value written out: of a pooled column those that are new, of any other all. Choices are made by what the
column would cost, estimated from order-0 statistics.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lithify.codecs.array_types import I32, I64, U8, U32, U64, Bools
from lithify.codecs.kernel import kernel, unsigned, wide
from lithify.codecs.logs import pool
from lithify.codecs.logs.cluster import Clusters
from lithify.codecs.logs.numbers import PLAN_BITS, _logarithms, bit_length, entropy, plan
from lithify.codecs.logs.scan import MIXED, NUMBER, TIME
from lithify.codecs.logs.slots import Slots

if TYPE_CHECKING:
    from lithify.codecs.logs.layout import Columns as Known

CANONICAL, FIXED, PREFIXED = range(3)
"""Forms of numbers: no leading zeros · all of one length · a 1 before the digits keeps their leading zeros."""
TEXT, HEX_LOWER, HEX_UPPER = range(3)
"""Forms of texts; hexadecimal ones are all of one, even, length."""
_HEX_DIGITS_MIN = 4
_POOL_MARGINS = (1.25, 1.0)  # the second round is without the hopeless columns, which stand between others' values
_SAMPLE_LINES_MIN, _SAMPLE_RUN, _SAMPLE_PART = 32_768, 512, 4


class Columns(NamedTuple):
    """What was chosen for the slots of a block."""

    pooled: Bools
    codes: U8
    """Of every slot; 0 where not pooled."""
    far: U32
    form: U8
    digits: I64
    """Length of FIXED numbers and of hexadecimal texts."""
    literal: Bools
    """Of every slot: whether its value is written out."""
    values: I64
    """The slots' values, with prefixed numbers changed."""
    source: I64
    """The earlier column of its template that each column is equal to; itself if there is none."""


@kernel
def _number_forms(kind: U8, at: I64, length: U32, values: I64, form: U8, digits: I64) -> None:
    for c in range(len(kind)):
        if kind[c] != NUMBER or at[c] == at[c + 1]:
            continue
        canonical, fixed = True, True
        first = length[at[c]]
        for i in range(at[c], at[c + 1]):
            n, left = 1, values[i]
            while left >= 10:
                left //= 10
                n += 1
            canonical = canonical and n == length[i]
            fixed = fixed and first == length[i]
        if canonical:
            form[c] = CANONICAL
        elif fixed:
            form[c], digits[c] = FIXED, first
        else:
            form[c] = PREFIXED
            for i in range(at[c], at[c + 1]):
                power = wide(1)
                for _ in range(length[i]):
                    power *= 10
                values[i] += power


@kernel
def _equal_columns(template_column: I64, kind: U8, at: I64, hashes: U64) -> I64:
    """Of each column the first of its template with the same text in every row (by hash: the block is proved later)."""
    source = np.arange(len(kind))
    key = np.zeros(len(kind), np.uint64)
    for t in range(len(template_column) - 1):
        for c in range(template_column[t], template_column[t + 1]):
            if kind[c] == TIME:
                continue
            h = unsigned(kind[c]) + unsigned(1)
            for i in range(at[c], at[c + 1]):
                h = (h ^ hashes[i]) * unsigned(0x9E3779B97F4A7C15)
                h ^= h >> unsigned(32)
            key[c] = h
            for other in range(template_column[t], c):
                if key[other] == h and source[other] == other:
                    source[c] = other
                    break
    return source


@kernel
def _text_forms(data: U8, kind: U8, at: I64, start: U32, length: U32, literal: Bools, form: U8, digits: I64) -> None:
    for c in range(len(kind)):
        if kind[c] != MIXED:
            continue
        lower, upper, first = True, True, wide(0)
        for i in range(at[c], at[c + 1]):
            if not literal[i]:
                continue
            n = wide(length[i])
            if first == 0:
                first = n
            if n != first or n < _HEX_DIGITS_MIN or n % 2:
                lower = upper = False
                break
            for p in range(start[i], start[i] + n):
                b = data[p]
                if b < 48 or (b > 57 and b < 65) or b > 102 or (b > 70 and b < 97):
                    lower = upper = False
                elif b >= 97:
                    upper = False
                elif b >= 65:
                    lower = False
            if not (lower or upper):
                break
        if first and (lower or upper):
            form[c], digits[c] = HEX_LOWER if lower else HEX_UPPER, first


@kernel
def _pool_bits(kinds: U8, at: I64, codes: U8, far_bits: int, alone: I64) -> tuple[I64, I64]:
    """What the coded slots of each column cost in the pool, and what they would cost by themselves, in bits."""
    out, by_themselves = np.zeros(len(kinds), np.int64), np.zeros(len(kinds), np.int64)
    logs = _logarithms()
    histogram = np.zeros(32, np.int64)
    for c in range(len(kinds)):
        if kinds[c] == pool.UNPOOLED:
            continue
        n, extra, new = 0, 0, 0
        for i in range(at[c], at[c + 1]):
            code = wide(codes[i])
            n += code != pool.SKIPPED
            if code == pool.SKIPPED:
                continue
            if code < pool.RECENT:
                histogram[code] += 1
                new += code == pool.NEW
            elif code == pool.FAR:
                histogram[31] += 1
                extra += far_bits
            else:
                size = bit_length(code - pool.RECENT + 1)
                histogram[pool.RECENT + size] += 1
                extra += size - 1
        if n:
            out[c] = entropy(histogram, n, logs) + extra + alone[c] * new // (at[c + 1] - at[c])
            by_themselves[c] = alone[c] * n // (at[c + 1] - at[c])
    return out, by_themselves


class Before(NamedTuple):
    """What stands before a block whose first columns are those of its primer."""

    slots: Slots
    line_template: I32
    columns: "Known"
    far: int
    """How many values were far."""
    room: int
    """For how many slots the memory is made."""


def choose(
    data: U8, slots: Slots, clusters: Clusters, role: I32, *, quick: bool, before: Before | None = None
) -> Columns:
    """The cheapest way to keep each column of a block; `quick` looks once where it otherwise looks twice."""
    count = len(slots.kind)
    form, digits, values = np.zeros(count, np.uint8), np.zeros(count, np.int64), slots.value.copy()
    _number_forms(slots.kind, slots.at, slots.length, values, form, digits)
    kinds, ring = pool.classes(slots.kind), pool.rings(slots.kind, role)
    source = _equal_columns(slots.template_column, slots.kind, slots.at, slots.hash)
    if before is not None:
        _keep_as_before(slots, before, source, form, digits, values)
    equal = source != np.arange(count)
    kinds[equal] = pool.UNPOOLED
    alone = plan(values, slots.at)[:, PLAN_BITS]
    if before is None:
        walk = clusters.line_template, slots.template_column, slots.at
        numbers, known = pool.number_values(*walk, kinds, clusters.counts, slots.hash)
        _unpool_costly(slots, clusters, kinds, role, ring, numbers, known, alone, _POOL_MARGINS[quick:])
        codes, far = pool.code(*walk, kinds, role, ring, clusters.counts, numbers, known)
    else:
        codes, far = _code_behind(slots, clusters, kinds, role, ring, alone, before)
    pooled = kinds != pool.UNPOOLED
    literal = np.repeat(~pooled & ~equal, np.diff(slots.at)) | (codes == pool.NEW)
    _text_forms(data, slots.kind, slots.at, slots.start, slots.length, literal, form, digits)
    if before is not None:
        many = len(before.columns.pooled)
        written = np.concatenate((np.zeros(1, np.int64), np.cumsum(literal)))
        unused = np.flatnonzero(np.diff(written[slots.at])[:many] == 0)
        form[unused], digits[unused] = before.columns.form[unused], before.columns.digits[unused]
    return Columns(pooled, codes, far, form, digits, literal, values, source)


def _keep_as_before(slots: Slots, before: Before, source: I64, form: U8, digits: I64, values: I64) -> None:
    """Columns without rows are equal to what they were equal to before; numbers have the form they had, if they can."""
    many = len(before.columns.pooled)
    empty = np.diff(slots.at)[:many] == 0
    source[:many][empty] = before.columns.source[empty]
    for c in np.flatnonzero((slots.kind[:many] == NUMBER) & ~empty).tolist():
        mine = slice(int(slots.at[c]), int(slots.at[c + 1]))
        if before.columns.form[c] == FIXED and (slots.length[mine] == before.columns.digits[c]).all():
            if form[c] == CANONICAL:
                form[c], digits[c] = FIXED, before.columns.digits[c]
        elif before.columns.form[c] == PREFIXED and form[c] != PREFIXED:
            form[c], digits[c] = PREFIXED, 0
            values[mine] += 10 ** slots.length[mine].astype(np.int64)


def _code_behind(
    slots: Slots, clusters: Clusters, kinds: U8, role: I32, ring: I32, alone: I64, before: Before
) -> tuple[U8, U32]:
    """The codes of a block that is walked behind another, whose numbers are pooled where that one's were.

    One walk over both: the block's columns stand behind those before it, and the memory knows both by the same numbers.
    """
    count, many, first = len(kinds), len(before.columns.pooled), int(before.slots.at[-1])
    alone_before = ~before.columns.pooled & (before.columns.source == np.arange(many))
    kinds[:many][(slots.kind[:many] == NUMBER) & alone_before] = pool.UNPOOLED
    kinds_before = pool.classes(slots.kind)
    kinds_before[:many][~before.columns.pooled] = pool.UNPOOLED
    lines = clusters.line_template[len(before.line_template) :]
    template = np.concatenate((before.line_template, np.where(lines < 0, -1, lines + len(clusters.counts))))
    template_column = np.concatenate((slots.template_column[:-1], count + slots.template_column))
    walk = template.astype(np.int32), template_column, np.concatenate((before.slots.at[:-1], first + slots.at))
    counts = np.tile(clusters.counts, 2)
    hashes = np.concatenate((before.slots.hash, slots.hash))
    numbers, known = pool.number_values(*walk, np.concatenate((kinds_before, kinds)), counts, hashes)

    def coded() -> tuple[U8, U32]:
        codes, far = pool.code(
            *walk, np.concatenate((kinds_before, kinds)), np.tile(role, 2), np.tile(ring, 2), counts, numbers, known,
            np.tile(np.arange(count), 2), before.room,
        )  # fmt: skip
        return codes[first:].copy(), far[before.far :]

    new = many + np.flatnonzero(slots.kind[many:] == NUMBER)
    if len(new):
        cost, by_themselves = _pool_bits(kinds, slots.at, coded()[0], max(known, 2).bit_length(), alone)
        kinds[new[cost[new] > by_themselves[new]]] = pool.UNPOOLED
    return coded()


def _unpool_costly(
    slots: Slots,
    clusters: Clusters,
    kinds: U8,
    role: I32,
    ring: I32,
    numbers: I32,
    known: int,
    alone: I64,
    margins: tuple[float, ...],
) -> None:
    """Take numbers that are cheaper by themselves out of the pool, going by a part of the lines."""
    lines = clusters.line_template.copy()
    if len(lines) > _SAMPLE_LINES_MIN:
        passed = np.arange(len(lines)) // _SAMPLE_RUN % _SAMPLE_PART != 0
        lines[passed & (lines >= 0)] = -2 - lines[passed & (lines >= 0)]
    is_number = slots.kind == NUMBER
    for margin in margins:
        codes, _ = pool.code(lines, slots.template_column, slots.at, kinds, role, ring, clusters.counts, numbers, known)
        cost, by_themselves = _pool_bits(kinds, slots.at, codes, max(known, 2).bit_length(), alone)
        kinds[is_number & (cost > by_themselves * margin)] = pool.UNPOOLED
