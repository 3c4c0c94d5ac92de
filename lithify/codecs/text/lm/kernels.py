"""What happens between two products of matrices, as machine code: whole numbers only, each row for itself.

FORMAT.md says what each of them reckons; plain.py says the same in other words, and the tests compare the two.
"""

import numpy as np

from lithify.codecs.array_types import I32, I64, U32
from lithify.codecs.kernel import bare, inlined, wide
from lithify.codecs.text.lm.array_types import I8, I16

UNIT_BITS = 16
"""What flows from block to block is in units of 2^-16."""
RESIDUAL_MAX = (1 << 30) - 1
PART_MAX = (1 << 25) - 1
LOGIT_MAX = (1 << 29) - 1
SHIFT_MAX = 62
KEY_BITS = 11
PRODUCT_BITS = 24
"""Of what goes into the last matrix of a block."""


@inlined
def bits_of(x: int) -> int:
    """The length of a number that is not negative."""
    count = wide(0)
    while x > 0:
        x >>= 1
        count += 1
    return count


@inlined
def shifted(x: int, by: int) -> int:
    """x / 2^by, rounded; halves go up."""
    return (x + ((wide(1) << by) >> 1)) >> by


@inlined
def within(x: int, most: int) -> int:
    """The nearest number from -most to most."""
    return min(max(x, -most), most)


@inlined
def root(x: int) -> int:
    """The whole part of the square root: a guess in floating point, put right."""
    found = wide(np.sqrt(float(x)))
    while found * found > x:
        found -= 1
    while (found + 1) * (found + 1) <= x:
        found += 1
    return found


@inlined
def rounded_row(values: I64, bits: int, largest: int, out: I16, mantissa: I64, exponent: I64, row: int) -> None:
    """Whole numbers up to `largest` in proportion to a row, and what one is worth."""
    most = wide(0)
    for i in range(len(values)):
        most = max(most, abs(values[i]))
    cut = max(bits_of(most) - 15, 0)
    top = shifted(most, cut)
    times = (wide(largest) << 24) // max(top, 1)
    for i in range(len(values)):
        out[row, i] = (shifted(values[i], cut) * times + (1 << 23)) >> 24
    mantissa[row] = top
    exponent[row] = cut - bits


@bare
def normalise(
    residual: I64,
    gain: I16,
    gain_bits: int,
    epsilon: int,
    largest: int,
    out: I16,
    mantissa: I64,
    exponent: I64,
    line: I64,
) -> None:
    """Each row divided by the root of its mean square, times the gain."""
    width = residual.shape[1]
    for row in range(len(residual)):
        most = wide(0)
        for i in range(width):
            most = max(most, abs(residual[row, i]))
        cut = max(bits_of(most) - 15, 0)
        squares = wide(0)
        for i in range(width):
            y = shifted(residual[row, i], cut)
            squares += y * y
            line[i] = y * gain[i]
        mean = ((squares + width * (epsilon >> (2 * cut))) << 16) // width
        scale = max(root(mean), 1)
        rounded_row(line[:width], 0, largest, out, mantissa, exponent, row)
        whole = (mantissa[row] << 24) // scale
        over = max(bits_of(whole) - 15, 0)
        mantissa[row] = shifted(whole, over)
        exponent[row] += over - 16 - gain_bits


@inlined
def worth(sum_: int, mantissa: int, exponent: int, scale: int, scale_bits: int) -> int:
    """A sum of products, in units of 2^-16."""
    by = min(max(scale_bits - exponent - UNIT_BITS, 0), SHIFT_MAX)
    return shifted(sum_ * mantissa * scale, by)


@bare
def products(rows: I16, weights: I8, out: I32) -> None:
    """Sums of products of each row with each row of weights: for few rows, when weights are read once."""
    for j in range(len(weights)):
        line = weights[j]
        for row in range(len(rows)):
            total = np.int32(0)
            for i in range(len(line)):
                total += np.int32(rows[row, i]) * np.int32(line[i])
            out[row, j] = total


@bare
def add(residual: I64, sums: I32, mantissa: I64, exponent: I64, scales: I64, scale_bits: int) -> None:
    """What a block found, added to what flows past it."""
    for row in range(len(residual)):
        for i in range(residual.shape[1]):
            more = worth(wide(sums[row, i]), mantissa[row], exponent[row], scales[i], scale_bits)
            residual[row, i] = within(residual[row, i] + more, RESIDUAL_MAX)


@bare
def logits(sums: I32, mantissa: I64, exponent: I64, scales: I64, scale_bits: int, out: I32) -> None:
    """Logarithms of base 2 of what each token has for it."""
    for row in range(len(sums)):
        for i in range(sums.shape[1]):
            found = worth(wide(sums[row, i]), mantissa[row], exponent[row], scales[i], scale_bits)
            out[row, i] = within(found, LOGIT_MAX)


@inlined
def turned(
    sums: I32, at: int, mantissa: int, exponent: int, scales: I64, scale_bits: int, cos: I16, sin: I16, out: I16
) -> int:
    """One head of queries or keys, turned by its position, to 12 bits with a sign; gives how many bits were cut."""
    half = len(cos)
    most = wide(0)
    for step in range(2):
        cut = max(bits_of(most) - KEY_BITS, 0)
        for i in range(half):
            a = within(worth(wide(sums[at + i]), mantissa, exponent, scales[at + i], scale_bits), PART_MAX)
            b = within(
                worth(wide(sums[at + half + i]), mantissa, exponent, scales[at + half + i], scale_bits), PART_MAX
            )
            x = shifted(a * cos[i] - b * sin[i], 14)
            y = shifted(b * cos[i] + a * sin[i], 14)
            if step == 0:
                most = max(most, abs(x), abs(y))
            else:
                out[i] = min(shifted(x, cut), (1 << KEY_BITS) - 1)
                out[half + i] = min(shifted(y, cut), (1 << KEY_BITS) - 1)
    return max(bits_of(most) - KEY_BITS, 0)


@bare
def remember(
    sums: I32, mantissa: I64, exponent: I64, scales: I64, scale_bits: int, heads: int, first: int,
    cosines: I16, sines: I16, keys: I16, key_cuts: I32, values: I32,
) -> None:  # fmt: skip
    """Keys and values of new positions, put behind those that are there.

    sums   a row per stream and position, in this order: queries, keys, values
    first  the position of the first
    keys   (streams, key heads, positions, width); values alike; key_cuts without width
    """
    streams, key_heads, _, width = keys.shape
    steps = len(sums) // streams
    for row in range(len(sums)):
        stream, position = row // steps, first + row % steps
        for head in range(key_heads):
            at = (heads + head) * width
            key_cuts[stream, head, position] = turned(
                sums[row], at, mantissa[row], exponent[row], scales, scale_bits, cosines[position], sines[position],
                keys[stream, head, position],
            )  # fmt: skip
            at += key_heads * width
            for i in range(width):
                found = worth(wide(sums[row, at + i]), mantissa[row], exponent[row], scales[at + i], scale_bits)
                values[stream, head, position, i] = within(found, PART_MAX)


@bare
def attend(
    sums: I32, mantissa: I64, exponent: I64, scales: I64, scale_bits: int, heads: int, first: int,
    cosines: I16, sines: I16, keys: I16, key_cuts: I32, values: I32, powers: U32, largest: int,
    out: I16, out_mantissa: I64, out_exponent: I64, query: I16, scores: I64, line: I64,
) -> None:  # fmt: skip
    """What each head finds at the positions up to its own; then as `rounded_row`."""
    streams, key_heads, _, width = keys.shape
    steps = len(sums) // streams
    for row in range(len(sums)):
        stream, position = row // steps, first + row % steps
        for head in range(heads):
            group = head // (heads // key_heads)
            cut = turned(
                sums[row], head * width, mantissa[row], exponent[row], scales, scale_bits, cosines[position],
                sines[position], query,
            )  # fmt: skip
            most = wide(-(1 << 62))
            for j in range(position + 1):
                key = keys[stream, group, j]
                dot = np.int32(0)
                for i in range(width):
                    dot += np.int32(query[i]) * np.int32(key[i])
                by = UNIT_BITS - cut - key_cuts[stream, group, j]
                score = shifted(wide(dot), by) if by > 0 else wide(dot) << -by
                scores[j] = score
                most = max(most, score)
            found = line[head * width : (head + 1) * width]
            found[:] = 0
            total = wide(0)
            for j in range(position + 1):
                weight = raised(powers, most - scores[j]) >> 9
                if weight > 0:
                    total += weight
                    value = values[stream, group, j]
                    for i in range(width):
                        found[i] += wide(value[i]) * weight
            for i in range(width):
                found[i] = (2 * found[i] + total) // (2 * total)
        rounded_row(line[: heads * width], UNIT_BITS, largest, out, out_mantissa, out_exponent, row)


@inlined
def raised(powers: U32, less: int) -> int:
    """2^24 / 2^less, of a number in units of 2^-16 that is not negative."""
    whole = less >> 16
    return wide(powers[(less >> 4) & 4095]) >> whole if whole < 25 else wide(0)


@bare
def gate(
    sums: I32, mantissa: I64, exponent: I64, scales: I64, scale_bits: int, sigmoids: I32, largest: int,
    out: I16, out_mantissa: I64, out_exponent: I64, line: I64,
) -> None:  # fmt: skip
    """One half of the sums, let through as far as the other says (SiLU); then as `rounded_row`."""
    inner = out.shape[1]
    for row in range(len(sums)):
        for i in range(inner):
            a = within(worth(wide(sums[row, i]), mantissa[row], exponent[row], scales[i], scale_bits), PART_MAX)
            b = within(
                worth(wide(sums[row, inner + i]), mantissa[row], exponent[row], scales[inner + i], scale_bits),
                PART_MAX,
            )
            line[i] = shifted((a * open_share(sigmoids, a) >> 8) * b, UNIT_BITS)
        rounded_row(line[:inner], PRODUCT_BITS, largest, out, out_mantissa, out_exponent, row)


@inlined
def open_share(sigmoids: I32, x: int) -> int:
    """65536 / (1 + e^-x) of a number in units of 2^-16, between two entries of the table in proportion."""
    size = abs(x)
    if size >= 1 << 20:
        share = wide(1 << 16)
    else:
        at = size >> 8
        share = sigmoids[at] + (((sigmoids[at + 1] - sigmoids[at]) * (size & 255) + 128) >> 8)
    return share if x >= 0 else (1 << 16) - share
