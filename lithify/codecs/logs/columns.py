"""How each column of slots is kept: in the pool or by itself, and how its literals are written.

A literal is a value written out: of a pooled column those that are new, of any other all. Choices are made by what the
column would cost, estimated from order-0 statistics.
"""

from typing import NamedTuple

import numpy as np

from lithify.codecs.logs import pool
from lithify.codecs.logs.arrays import I32, I64, U8, U32, U64, Bools
from lithify.codecs.logs.cluster import Clusters
from lithify.codecs.logs.kernel import kernel, unsigned, wide
from lithify.codecs.logs.numbers import PLAN_BITS, _logarithms, bit_length, entropy, plan
from lithify.codecs.logs.scan import MIXED, NUMBER, TIME
from lithify.codecs.logs.slots import Slots

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
        if kind[c] != NUMBER:
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


def choose(data: U8, slots: Slots, clusters: Clusters, role: I32, *, quick: bool) -> Columns:
    """The cheapest way to keep each column of a block; `quick` looks once where it otherwise looks twice."""
    count = len(slots.kind)
    form, digits, values = np.zeros(count, np.uint8), np.zeros(count, np.int64), slots.value.copy()
    _number_forms(slots.kind, slots.at, slots.length, values, form, digits)
    kinds, ring = pool.classes(slots.kind), pool.rings(slots.kind, role)
    source = _equal_columns(slots.template_column, slots.kind, slots.at, slots.hash)
    equal = source != np.arange(count)
    kinds[equal] = pool.UNPOOLED
    walk = clusters.line_template, slots.template_column, slots.at
    numbers, known = pool.number_values(*walk, kinds, clusters.counts, slots.hash)
    alone = plan(values, slots.at)[:, PLAN_BITS]
    _unpool_costly(slots, clusters, kinds, role, ring, numbers, known, alone, _POOL_MARGINS[quick:])
    codes, far = pool.code(*walk, kinds, role, ring, clusters.counts, numbers, known)
    pooled = kinds != pool.UNPOOLED
    literal = np.repeat(~pooled & ~equal, np.diff(slots.at)) | (codes == pool.NEW)
    _text_forms(data, slots.kind, slots.at, slots.start, slots.length, literal, form, digits)
    return Columns(pooled, codes, far, form, digits, literal, values, source)


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
