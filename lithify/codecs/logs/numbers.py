"""Columns of integers: as they are or as differences; byte by byte, or as a magnitude and the bits below it.

Bytes of equal weight stand together (planes, the highest first), column after column, in one stream per width, values
too wide for their column aside. Where the low bits look random, magnitudes get a stream and the bits are packed.
"""

import numpy as np

from lithify.codecs.array_types import I64, U8, Bools
from lithify.codecs.kernel import checked, kernel, unsigned, wide

PLAIN, DELTA = 0, 1
"""value - least · zigzag of the difference to the one before, the first to `least`."""
WIDTH_MAX = 8
LOGARITHM = 9
"""In place of a width: a magnitude and packed bits."""
PLAN_HOW, PLAN_LEAST, PLAN_WIDTH, PLAN_ESCAPES, PLAN_BITS = range(5)
_ESCAPE_BITS = 64  # what a value too wide for its column costs, roughly
_LOG_STEPS = 4096


@kernel
def zigzag(value: int) -> int:
    """0, -1, 1, -2 … as 0, 1, 2, 3 …"""
    return (value << 1) ^ (value >> 63)


@kernel
def unzigzag(code: int) -> int:
    """The inverse."""
    return ((code >> 1) & 0x7FFFFFFFFFFFFFFF) ^ -(code & 1)


@kernel
def bit_length(code: int) -> int:
    """Bits of a number taken as unsigned."""
    left = unsigned(code)
    n = 0
    if left >> unsigned(32):
        n += 32
        left >>= unsigned(32)
    if left >> unsigned(16):
        n += 16
        left >>= unsigned(16)
    if left >> unsigned(8):
        n += 8
        left >>= unsigned(8)
    while left:
        n += 1
        left >>= unsigned(1)
    return n


@kernel
def magnitude(code: int) -> tuple[int, int]:
    """The magnitude of a number, and how many of its low bits are not in it."""
    if 0 <= code < 8:
        return code, 0
    n = bit_length(code)
    return 8 + 4 * (n - 4) + wide((unsigned(code) >> unsigned(n - 3)) & unsigned(3)), n - 3


@kernel
def _logarithms() -> I64:
    """log2 of 0 to 4095 in 1/256 bits; for estimates only, never for decoding."""
    out = np.zeros(_LOG_STEPS, np.int64)
    for i in range(1, _LOG_STEPS):
        out[i] = wide(np.log2(i) * 256.0)
    return out


@kernel
def entropy(histogram: I64, total: int, logs: I64) -> int:
    """Bits of `total` symbols counted in a histogram, and of describing that; empties it."""
    bits, used = 0, 0
    whole, shift = total, 0
    while whole >= _LOG_STEPS:
        whole >>= 1
        shift += 256
    all_ = logs[whole] + shift
    for i in range(len(histogram)):
        count = histogram[i]
        if count == 0:
            continue
        histogram[i] = 0
        used += 1
        part, shift = count, 0
        while part >= _LOG_STEPS:
            part >>= 1
            shift += 256
        bits += count * (all_ - logs[part] - shift)
    return bits // 256 + 6 * used


@kernel
def _planes_bits(codes: I64, histogram: I64, logs: I64) -> int:
    most = wide(0)
    for v in codes:
        most |= v
    bits = 0
    for plane in range(8):
        if most >> (8 * plane) == 0:
            break
        for v in codes:
            histogram[(v >> (8 * plane)) & 255] += 1
        bits += entropy(histogram, len(codes), logs)
    return bits


@kernel
def _logarithm_bits(codes: I64, histogram: I64, logs: I64) -> int:
    bits = 0
    for v in codes:
        symbol, low = magnitude(v)
        histogram[symbol] += 1
        bits += low
    return bits + entropy(histogram, len(codes), logs)


@kernel
def _cheapest_width(codes: I64) -> tuple[int, int]:
    """The width in bytes that costs least, and how many values do not fit in it."""
    fits = np.zeros(WIDTH_MAX + 1, np.int64)
    for v in codes:
        w = (bit_length(v) + 7) // 8
        if 0 < w < WIDTH_MAX and v == (wide(1) << (8 * w)) - 1:
            w += 1  # all ones says that the value is elsewhere
        fits[w] += 1
    best, width, escapes, wider = wide(-1), 0, 0, 0
    for w in range(WIDTH_MAX, -1, -1):
        if w == 0 and wider:
            break
        cost = 8 * len(codes) * w + wider * _ESCAPE_BITS
        if best < 0 or cost < best:
            best, width, escapes = cost, w, wider
        wider += fits[w]
    return width, escapes


@kernel
def plan(values: I64, at: I64) -> I64:
    """For each column of `values`: PLAIN or DELTA, least, width, number of escapes, bits estimated."""
    out = np.zeros((len(at) - 1, 5), np.int64)
    logs = _logarithms()
    histogram = np.zeros(256, np.int64)
    for c in range(len(at) - 1):
        column = values[at[c] : at[c + 1]]
        n = len(column)
        if n == 0:
            continue
        least = column.min()
        codes = column - least
        bits = _planes_bits(codes, histogram, logs)
        if (codes == 0).all():
            out[c, PLAN_LEAST] = least
            continue
        delta = np.empty(n, np.int64)
        delta[0] = 0
        for i in range(1, n):
            delta[i] = zigzag(column[i] - column[i - 1])
        delta_bits = _planes_bits(delta, histogram, logs)
        plain_log, delta_log = _logarithm_bits(codes, histogram, logs), _logarithm_bits(delta, histogram, logs)
        how = PLAIN
        if min(delta_bits, delta_log) < min(bits, plain_log):
            how, least, codes, bits, plain_log = DELTA, column[0], delta, delta_bits, delta_log
        out[c, PLAN_HOW], out[c, PLAN_LEAST], out[c, PLAN_BITS] = how, least, min(bits, plain_log)
        if plain_log < bits:
            out[c, PLAN_WIDTH] = LOGARITHM
        else:
            out[c, PLAN_WIDTH], out[c, PLAN_ESCAPES] = _cheapest_width(codes)
    return out


@kernel
def too_wide(column: I64, how: int, least: int, width: int) -> int:
    """How many values of a column do not fit in a width, or, of those that are no magnitudes, are below the least."""
    if width == WIDTH_MAX:
        return 0
    n, before = 0, least
    for value in column:
        code = value - least
        if how == DELTA:
            code = zigzag(value - before)
            before = value
        if code < 0 or (width == 0 and code) or (0 < width < WIDTH_MAX and code >= (wide(1) << (8 * width)) - 1):
            n += 1
    return n


@kernel
def emit(values: I64, at: I64, plans: I64, out_at: I64, out: U8, escapes: I64, low_bits: U8) -> int:
    """Write each column to `out` from `out_at[column]` on, what does not fit to `escapes`, low bits to `low_bits`.

    Gives the number of low bits.
    """
    far, bit = 0, 0
    for c in range(len(at) - 1):
        n = at[c + 1] - at[c]
        w = plans[c, PLAN_WIDTH]
        if w == 0 or n == 0:
            continue
        escape = wide(-1) if w >= WIDTH_MAX else (wide(1) << (8 * w)) - 1
        before = plans[c, PLAN_LEAST]
        for i in range(n):
            v = values[at[c] + i]
            code = v - plans[c, PLAN_LEAST]
            if plans[c, PLAN_HOW] == DELTA:
                code = zigzag(v - before)
                before = v
            if w == LOGARITHM:
                symbol, low = magnitude(code)
                out[out_at[c] + i] = symbol
                for k in range(low - 1, -1, -1):
                    low_bits[bit >> 3] |= ((code >> k) & 1) << (7 - (bit & 7))
                    bit += 1
                continue
            if w < WIDTH_MAX and (code < 0 or code >= escape):
                escapes[far] = code
                far += 1
                code = escape
            for b in range(w):
                out[out_at[c] + b * n + i] = (code >> (8 * (w - 1 - b))) & 255
    return bit


@checked
def restore(data: U8, data_at: I64, at: I64, plans: I64, escapes: I64, low_bits: U8, wanted: Bools, out: I64) -> None:
    """The inverse of `emit` for the wanted columns; raises IndexError where something ends early.

    Of the others only what they take of `escapes` and `low_bits` is looked at.
    """
    far, bit = 0, 0
    for c in range(len(at) - 1):
        n = at[c + 1] - at[c]
        w, least = plans[c, PLAN_WIDTH], plans[c, PLAN_LEAST]
        escape = wide(-1) if w >= WIDTH_MAX else (wide(1) << (8 * w)) - 1
        if not wanted[c]:
            if w == LOGARITHM:
                for i in range(n):
                    symbol = wide(data[data_at[c] + i])
                    bit += (symbol - 4) // 4 if symbol >= 8 else 0
            elif 0 < w < WIDTH_MAX and far < len(escapes):
                for i in range(n):
                    aside = True
                    for b in range(w):
                        aside = aside and data[data_at[c] + b * n + i] == 255
                    far += aside
            continue
        before = least
        for i in range(n):
            code = wide(0)
            if w == LOGARITHM:
                symbol = wide(data[data_at[c] + i])
                code = symbol
                if symbol >= 8:
                    low = (symbol - 8) // 4 + 1
                    code = 4 + (symbol - 8) % 4
                    for _ in range(low):
                        code = (code << 1) | ((low_bits[bit >> 3] >> (7 - (bit & 7))) & 1)
                        bit += 1
            elif w:
                for b in range(w):
                    code = (code << 8) | data[data_at[c] + b * n + i]
                if code == escape and w < WIDTH_MAX:
                    code = escapes[far]
                    far += 1
            if plans[c, PLAN_HOW] == DELTA:
                before += unzigzag(code)
                out[at[c] + i] = before
            else:
                out[at[c] + i] = least + code


@kernel
def greatest(data: U8, data_at: I64, at: I64, plans: I64, wanted: Bools, aside: bool) -> I64:
    """No number of a wanted column is above this, by its highest bytes; the largest integer where they do not say.

    aside  whether any numbers stand aside
    """
    most = wide(0x7FFFFFFFFFFFFFFF)
    out = np.full(len(at) - 1, most, np.int64)
    for c in range(len(out)):
        n = at[c + 1] - at[c]
        w = plans[c, PLAN_WIDTH]
        if not wanted[c] or (plans[c, PLAN_HOW] == DELTA and w > 0):
            continue
        top = wide(0)
        if w > 0:
            for i in range(n):
                top = max(top, wide(data[data_at[c] + i]))
        if w == LOGARITHM:
            bits = top if top < 8 else (top - 8) // 4 + 4
            code = (wide(1) << bits) - 1 if bits < 62 else most
        elif w == WIDTH_MAX or (top == 255 and aside):
            continue
        else:
            code = ((top + 1) << (8 * (w - 1))) - 1 if w else wide(0)
        least = plans[c, PLAN_LEAST]
        if code < most - max(least, 0):
            out[c] = least + code
    return out
