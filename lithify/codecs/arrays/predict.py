"""Integers on a grid, one after another: predicted by their neighbours in space and time, and what differs is coded."""

import numpy as np

from lithify.codecs.array_types import I16, I32, I64, U8
from lithify.codecs.arrays.model import (
    ALONE,
    BOTTOM,
    CONTEXT_BITS,
    DECISIONS,
    EXPERTS,
    FIRST,
    LEFT,
    MIXER_SETS,
    REGRESSORS,
    RIGHT,
    SAMPLES,
    SECOND,
    SMOOTH_EXPERTS,
    TOP,
    Model,
    Tables,
    new_model,
    tables,
)
from lithify.codecs.arrays.remainders import SIDES, code_number, level_of, token_of, within
from lithify.codecs.arrays.tally import commonness, count
from lithify.codecs.bit_coder import BYTES_PER_BIT_MAX, HIGH, LOW, POSITION, begin, ended
from lithify.codecs.chances import Chances, chances
from lithify.codecs.kernel import bare, inlined, narrow, unsigned, wide

_WEIGHT_MAX = 1 << 19
_VALUE_BYTES_MAX = 100 * BYTES_PER_BIT_MAX
_FAST, _SLOW = 3, 6
_SAMPLE_MAX = 8191
"""The sum of 32 products of such numbers fits 32 bits."""
VALUE_MAX = (1 << 29) - 1
_ONE = 1 << 16
_GUESS_MAX = VALUE_MAX << 4
UNCOUNTED = range(0)


@inlined
def _median(a: int, b: int, c: int) -> int:
    """MED: a + b - c within a and b."""
    return max(min(a, b), min(max(a, b), a + b - c))


@inlined
def _near(x: int, scale: int) -> int:
    """A difference of -4 to 3 steps, as 0 to 7."""
    return min(max((x * scale + (_ONE >> 1)) >> 16, -4), 3) + 4


@inlined
def _rung(ladder: I32, guess: int) -> int:
    """The place in a table of what stands nearest to a guess, in 1/16."""
    low, high = wide(0), wide(len(ladder)) - 1
    while low < high:
        middle = (low + high) >> 1
        if (wide(ladder[unsigned(middle)]) + wide(ladder[unsigned(middle + 1)])) << 3 < guess:
            low = middle + 1
        else:
            high = middle
    return low


@inlined
def _scale(ladder: I32, rung: int) -> int:
    """How many places there are to a step around a rung, in 1/65536."""
    below, above = max(rung - 1, 0), min(rung + 1, wide(len(ladder)) - 1)
    gap = ((wide(ladder[unsigned(above)]) - wide(ladder[unsigned(below)])) << 4) // max(above - below, 1)
    return (_ONE << 4) // max(gap, 1)


@inlined
def _side(x: int, energy: int) -> int:
    """On which side of 0 something is, beside what is usual: 0 far below, 1 below, 2 near, 3 above, 4 far above."""
    usual = (energy >> 1) + 2
    return wide(x > usual) + wide(x > 4 * usual) + wide(x >= -usual) + wide(x >= -4 * usual)


@inlined
def _sides(a: int, b: int, c: int, energy: int, octave: int) -> int:
    """Three sides and how large errors are, below 875."""
    return ((_side(a, energy) * 5 + _side(b, energy)) * 5 + _side(c, energy)) * 7 + octave


@bare
def _learn(samples: I16, products: I32, moments: I64, weights: I64, n: int) -> None:
    """Take in what the last samples tell, and move the weights a step towards the least squares (Gauss-Seidel)."""
    count = samples.shape[1]  # loops of a length that compilers know are unrolled instead of made vectors
    for i in range(n + 1):
        row = i if i < n else REGRESSORS
        for j in range(min(i + 1, n)):
            total = narrow(0)
            for s in range(count):
                total = narrow(total + narrow(narrow(samples[unsigned(row), s]) * narrow(samples[unsigned(j), s])))
            products[unsigned(row), unsigned(j)] = total
            if i < n:
                products[unsigned(j), unsigned(row)] = total
    for i in range(n + 1):
        row = i if i < n else REGRESSORS
        for j in range(n):
            total = wide(products[unsigned(row), unsigned(j)])
            fast, slow = wide(moments[0, unsigned(row), unsigned(j)]), wide(moments[1, unsigned(row), unsigned(j)])
            moments[0, unsigned(row), unsigned(j)] = fast + total - (fast >> _FAST)
            moments[1, unsigned(row), unsigned(j)] = slow + total - (slow >> _SLOW)
    for w in range(2):
        most = wide(1)
        for i in range(n):
            most = max(most, moments[w, unsigned(i), unsigned(i)])
        shift = wide(0)
        while most >> shift >= 1 << 30:
            shift += 1
        ridge = (most >> shift >> 20) + 1
        for i in range(n):
            pull = (moments[w, REGRESSORS, unsigned(i)] >> shift) << 16
            for j in range(n):
                pull -= (moments[w, unsigned(i), unsigned(j)] >> shift) * weights[w, unsigned(j)]
            own = moments[w, unsigned(i), unsigned(i)] >> shift
            pull += own * weights[w, unsigned(i)]
            weights[w, unsigned(i)] = within(pull // (own + (own >> 10) + ridge), _WEIGHT_MAX)


@bare
def run(
    m: Model,
    t: Tables,
    c: Chances,
    values: I32,
    mask: U8,
    frames: int,
    rows: int,
    columns: int,
    lag: int,
    lag2: int,
    edged: bool,
    ladder: I32,
    first: int,
    stream: U8,
    decoding: bool,
) -> int:
    """Encode the values to `stream`, or decode them from it. Gives the bytes written; -1: no room.

    ladder   where each value stands, in order, if values are places in a table: they are predicted by where they stand.
             Empty: they stand where they are
    first    the least number, if they are counted: the model then has a tally
    """
    work, errors, pe = m.work, m.errors, m.expert_errors
    levels, shares = t.levels, t.shares
    squash, stretch, reciprocal = c.squash, c.stretch, c.reciprocal
    maps, mixer, extra, inputs, bases = m.maps, m.mixer, m.extra, m.inputs, m.bases
    experts, g, samples, weights = m.experts, m.differences, m.samples, m.weights
    coder, tally, common = m.coder, m.tally, m.common
    begin(coder, stream, decoding)
    rungs, counted = wide(len(ladder)), wide(len(tally)) - 1
    asked = EXPERTS if edged else SMOOTH_EXPERTS
    sharpness = 2 if edged else 1
    width = columns + LEFT + RIGHT
    size = (rows + TOP + BOTTOM) * width
    filled = wide(0)
    number = wide(0)
    for f in range(frames):
        has1, has2 = f >= lag, f >= lag2
        o1 = lag * size if has1 else wide(0)
        o2 = lag2 * size if has2 else o1
        n = SECOND if has2 else FIRST if has1 else ALONE
        for y in range(rows):
            start = f * size + (y + TOP) * width + LEFT
            for k in range(1, LEFT + 1):
                if y > 0:
                    work[start - k] = work[start - width]
                    errors[start - k] = errors[start - width]
                elif has1:
                    work[start - k] = work[start - o1]
                    errors[start - k] = errors[start - o1]
            if y == 0 and has1:
                for x in range(-LEFT, columns + RIGHT):
                    for k in range(1, TOP + 1):
                        work[start + x - k * width] = work[start + x - o1]
                        errors[start + x - k * width] = errors[start + x - o1]
            now = (f * rows + y) & 1
            before = 1 - now
            for x in range(columns):
                here = start + x
                if not decoding and coder[POSITION] + _VALUE_BYTES_MAX > len(stream):
                    return -1
                if y == 0 and not has1:
                    for k in range(3):
                        work[unsigned(here - width + k)] = work[unsigned(here - 1)]
                        work[unsigned(here - 2 * width + k)] = work[unsigned(here - 1)]
                        errors[unsigned(here - width + k)] = errors[unsigned(here - 1)]
                        errors[unsigned(here - 2 * width + k)] = errors[unsigned(here - 1)]
                w, north = wide(work[unsigned(here - 1)]), wide(work[unsigned(here - width)])
                if mask[unsigned(number)]:
                    work[unsigned(here)] = (w + north) >> 1
                    errors[unsigned(here)] = (
                        abs(wide(errors[unsigned(here - 1)])) + abs(wide(errors[unsigned(here - width)]))
                    ) >> 1
                    for k in range(asked):
                        pe[unsigned(k), unsigned(now), unsigned(x + LEFT)] = pe[
                            unsigned(k), unsigned(now), unsigned(x + LEFT - 1)
                        ]
                    number += 1
                    continue
                ww = wide(work[unsigned(here - 2)])
                above = here - width
                nw, ne, nee = (
                    wide(work[unsigned(above - 1)]),
                    wide(work[unsigned(above + 1)]),
                    wide(work[unsigned(above + 2)]),
                )
                nww = wide(work[unsigned(above - 2)])
                nn, nne = wide(work[unsigned(above - width)]), wide(work[unsigned(above - width + 1)])
                ew, en = wide(errors[unsigned(here - 1)]), wide(errors[unsigned(above)])
                enw, ene = wide(errors[unsigned(above - 1)]), wide(errors[unsigned(above + 1)])
                eww, enn = wide(errors[unsigned(here - 2)]), wide(errors[unsigned(above - width)])
                there = here - o1
                centre, cw = wide(work[unsigned(there)]), wide(work[unsigned(there - 1)])
                ec, es = ene, wide(0)
                g[0] = north - nw
                g[1] = nw - w
                g[2] = ne - north
                g[3] = nee - ne
                g[4] = w - ww
                g[5] = north - nn
                g[6] = nw - nww
                g[7] = ne - nne
                g[8] = ew >> 2
                g[9] = en >> 2
                g[10] = ene >> 2
                g[11] = enw >> 2
                if has1:
                    ec, es = wide(errors[unsigned(there)]), wide(errors[unsigned(there + width)])
                    ce, cn = wide(work[unsigned(there + 1)]), wide(work[unsigned(there - width)])
                    cs, cnw = wide(work[unsigned(there + width)]), wide(work[unsigned(there - width - 1)])
                    cne, csw = wide(work[unsigned(there - width + 1)]), wide(work[unsigned(there + width - 1)])
                    cse = wide(work[unsigned(there + width + 1)])
                    g[11] = ec >> 2
                    g[12] = centre - cw
                    g[13] = ce - centre
                    g[14] = cn - centre
                    g[15] = cs - centre
                    g[16] = cnw - cw
                    g[17] = cne - ce
                    g[18] = csw - cw
                    g[19] = cse - ce
                    g[20] = cw - w
                    if has2:
                        far = here - o2
                        g[21] = wide(work[unsigned(far)]) - centre
                        g[22] = wide(work[unsigned(far - 1)]) - cw
                        g[23] = wide(work[unsigned(far - width)]) - cn
                        g[24] = wide(work[unsigned(far + 1)]) - ce
                        g[25] = wide(work[unsigned(far + width)]) - cs
                # What each expert expects, in 1/16.
                fast, slow = wide(0), wide(0)
                for i in range(n):
                    fast += weights[0, unsigned(i)] * g[unsigned(i)]
                    slow += weights[1, unsigned(i)] * g[unsigned(i)]
                experts[0] = within((w << 4) + (fast >> 12), _GUESS_MAX)
                experts[1] = within((w << 4) + (slow >> 12), _GUESS_MAX)
                experts[2] = _median(w, north, nw) << 4
                if has1:
                    experts[3] = (centre + _median(w - cw, north - cn, nw - cnw)) << 4
                    experts[4] = centre << 4
                else:
                    experts[3] = ((w + north) << 3) + ((ne - nw) << 2)
                    experts[4] = w << 4
                if edged:
                    experts[5] = north << 4
                    experts[6] = (w + ne) << 3
                # Who was right nearby counts more.
                best = wide(1 << 30)
                column = x + LEFT
                for k in range(asked):
                    near = (
                        2 * wide(pe[unsigned(k), unsigned(now), unsigned(column - 1)])
                        + 2 * wide(pe[unsigned(k), unsigned(before), unsigned(column)])
                        + wide(pe[unsigned(k), unsigned(now), unsigned(column - 2)])
                    )
                    near += (
                        wide(pe[unsigned(k), unsigned(before), unsigned(column - 1)])
                        + 2 * wide(pe[unsigned(k), unsigned(before), unsigned(column + 1)])
                        + wide(pe[unsigned(k), unsigned(before), unsigned(column + 2)])
                    )
                    inputs[unsigned(k)] = level_of(levels, near)
                    best = min(best, wide(inputs[unsigned(k)]))
                total, pulled = wide(0), wide(0)
                for k in range(asked):
                    share = wide(shares[min((wide(inputs[unsigned(k)]) - best) * sharpness, 32)])
                    total += share
                    pulled += share * (experts[unsigned(k)] - experts[2])
                guess = within(experts[2] + pulled // total, _GUESS_MAX)
                base = (guess + 8) >> 4
                place, scale = base, wide(_ONE)
                if rungs:
                    base = _rung(ladder, guess)
                    place = wide(ladder[unsigned(base)])
                    scale = _scale(ladder, base)
                part = within(((guess - (place << 4)) * scale) >> 16, 8)
                part = min(part, 7)
                # How far off it may be, and to which side.
                space = (4 * (abs(ew) + abs(en)) + 2 * (abs(ene) + abs(enw) + abs(eww) + abs(enn))) >> 4
                time = space
                if has1:
                    time = 4 * abs(ec) + abs(es) + abs(wide(errors[unsigned(there + 1)]))
                    time += abs(wide(errors[unsigned(there - 1)])) + abs(wide(errors[unsigned(there - width)]))
                    time >>= 3
                energy = (3 * space + time) >> 2
                lg = level_of(levels, energy) >> 2
                usual = (energy * scale) >> 16
                le = level_of(levels, usual)
                half = min(le >> 1, 63)
                octave = min(le >> 4, 6)
                own = energy >> 1
                bases[0] = _sides(ene, enw, eww, energy, octave) * DECISIONS
                sides = (_side(experts[0] - guess, own) * 5 + _side(experts[1] - guess, own)) * 5
                bases[1] = (1 << CONTEXT_BITS) + ((sides + _side(es, energy)) * 7 + octave) * DECISIONS
                bases[2] = (2 << CONTEXT_BITS) + half * SIDES * DECISIONS
                bases[3] = (3 << CONTEXT_BITS) + _sides(ew, en, ec, energy, octave) * DECISIONS
                bases[4] = (4 << CONTEXT_BITS) + _sides(
                    experts[2] - guess, experts[3] - guess, experts[4] - guess, energy, octave
                ) * DECISIONS
                near = (_near(w - place, scale) * 8 + _near(north - place, scale)) * 8 + _near(centre - place, scale)
                bases[5] = (5 << CONTEXT_BITS) + near * DECISIONS
                bases[6] = (6 << CONTEXT_BITS) + (
                    (_near(nw - place, scale) * 8 + _near(ne - place, scale)) * 8 + _near(ww - place, scale)
                ) * DECISIONS
                same = (
                    wide(w == north)
                    | wide(north == ne) << 1
                    | wide(w == nw) << 2
                    | wide(centre == w) << 3
                    | wide(place == w) << 4
                    | wide(place == north) << 5
                    | wide(ww == w) << 6
                    | wide(nn == north) << 7
                )
                if has1:
                    same |= wide(centre == ce) << 8 | wide(centre == cs) << 9
                bases[7] = (7 << CONTEXT_BITS) + same * DECISIONS
                bases[8] = (8 << CONTEXT_BITS) + (
                    min(level_of(levels, abs(base)), 127) * 8 + min(le >> 3, 7)
                ) * DECISIONS
                second = same & 15
                if counted > 0:
                    second = wide(common[unsigned(here - 1)]) << 2 | wide(common[unsigned(above)])
                expected = token_of((usual * 11) >> 8)
                told = wide(0) if decoding else wide(values[unsigned(number)]) - base
                r = code_number(
                    inputs, bases, maps, mixer, extra, min(le >> 2, MIXER_SETS - 1), second, coder, stream,
                    squash, stretch, reciprocal, decoding, told, expected, part, tally, base - first,
                )  # fmt: skip
                value = within(base + r, VALUE_MAX)
                if rungs:
                    value = min(max(value, 0), rungs - 1)
                if counted > 0:
                    value = min(max(value, first), first + counted - 1)
                    common[unsigned(here)] = commonness(tally, value - first)
                    count(tally, value - first)
                if decoding:
                    values[unsigned(number)] = value
                # Learn.
                if rungs:
                    value = wide(ladder[unsigned(value)])
                work[unsigned(here)] = value
                fine = value << 4
                errors[unsigned(here)] = within(fine - guess, 1 << 30)
                for k in range(asked):
                    pe[unsigned(k), unsigned(now), unsigned(column)] = min(abs(fine - experts[unsigned(k)]), 1 << 28)
                for i in range(n):
                    samples[unsigned(i), unsigned(filled)] = within((g[unsigned(i)] << 5) >> lg, _SAMPLE_MAX)
                samples[REGRESSORS, unsigned(filled)] = within(((value - w) << 5) >> lg, _SAMPLE_MAX)
                filled += 1
                if filled == SAMPLES:
                    _learn(samples, m.products, m.moments, weights, n)
                    filled = wide(0)
                number += 1
            for k in range(RIGHT):
                work[start + columns + k] = work[start + columns - 1]
                errors[start + columns + k] = errors[start + columns - 1]
                for e in range(asked):
                    pe[e, now, LEFT + columns + k] = pe[e, now, LEFT + columns - 1]
            for e in range(asked):
                pe[e, before, 0] = pe[e, now, LEFT]
                pe[e, before, 1] = pe[e, now, LEFT]
        start = f * size + (rows + TOP - 1) * width
        for x in range(width):
            work[start + width + x] = work[start + x]
            errors[start + width + x] = errors[start + x]
    return wide(coder[POSITION])


def encode_integers(
    values: I32,
    mask: U8,
    lags: tuple[int, int] = (1, 2),
    edged: bool = False,
    ladder: I32 | None = None,
    counted: range = UNCOUNTED,
) -> bytes | None:
    """The stream of a block (frames, rows, columns); None if it would be longer than the block.

    lags     how many frames before are the first and the second past
    edged    whether the experts for fields with edges are asked too
    ladder   of values that are places in a table: where each stands, in order, from 0 to 2^16
    counted  which numbers are counted, all that occur or none; within the ladder if there is one
    """
    frames, rows, columns = mask.shape
    model = new_model(frames, rows, columns, len(counted))
    stream = np.zeros(values.size * 4 + 1000, np.uint8)
    written = _run(model, values.reshape(-1).copy(), mask, lags, edged, ladder, counted, stream, False)
    if written < 0:
        return None
    return ended(stream[:written].tobytes(), int(model.coder[LOW]), int(model.coder[HIGH]))


def decode_integers(
    stream: bytes,
    mask: U8,
    lags: tuple[int, int] = (1, 2),
    edged: bool = False,
    ladder: I32 | None = None,
    counted: range = UNCOUNTED,
) -> I32:
    """The values of a block; those that are masked are 0."""
    values = np.zeros(mask.size, np.int32)
    frames, rows, columns = mask.shape
    model = new_model(frames, rows, columns, len(counted))
    _run(model, values, mask, lags, edged, ladder, counted, np.frombuffer(stream, np.uint8).copy(), True)
    return values.reshape(mask.shape)


def _run(
    model: Model,
    values: I32,
    mask: U8,
    lags: tuple[int, int],
    edged: bool,
    ladder: I32 | None,
    counted: range,
    stream: U8,
    decoding: bool,
) -> int:
    rungs = np.zeros(0, np.int32) if ladder is None else ladder
    frames, rows, columns = mask.shape
    return run(
        model, tables(), chances(), values, mask.reshape(-1), frames, rows, columns, *lags, edged, rungs, counted.start,
        stream, decoding,
    )  # fmt: skip
