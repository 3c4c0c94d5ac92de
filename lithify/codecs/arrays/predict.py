"""Integers on a grid, one after another: predicted by their neighbours in space and time, and what differs is coded."""

import numpy as np

from lithify.codecs.array_types import I32, I64, U8
from lithify.codecs.arrays.model import (
    BOTTOM,
    CONTEXT_BITS,
    DECISIONS,
    EXPERTS,
    LEFT,
    MIXER_SETS,
    REGRESSORS,
    RIGHT,
    SAMPLES,
    SMOOTH_EXPERTS,
    TOP,
    Model,
    Tables,
    new_model,
    tables,
)
from lithify.codecs.arrays.remainders import SIDES, code_number, level_of, token_of, within
from lithify.codecs.bit_coder import BYTES_PER_BIT_MAX, HIGH, LOW, POSITION, begin, ended
from lithify.codecs.chances import Chances, chances
from lithify.codecs.kernel import bare, inlined, wide

_WEIGHT_MAX = 1 << 19
_VALUE_BYTES_MAX = 100 * BYTES_PER_BIT_MAX
_FAST, _SLOW = 3, 6
VALUE_MAX = (1 << 29) - 1
_GUESS_MAX = VALUE_MAX << 4


@inlined
def _median(a: int, b: int, c: int) -> int:
    """MED: a + b - c within a and b."""
    return max(min(a, b), min(max(a, b), a + b - c))


@inlined
def _near(x: int) -> int:
    """A difference from -4 to 3, as 0 to 7."""
    return min(max(x, -4), 3) + 4


@bare
def _learn(samples: I32, moments: I64, weights: I64, n: int) -> None:
    """Take in what the last samples tell, and move the weights towards the least squares (Gauss-Seidel)."""
    for i in range(n + 1):
        row = i if i < n else REGRESSORS
        for j in range(min(i + 1, n)):
            total = wide(0)
            for s in range(SAMPLES):
                total += wide(samples[row, s]) * wide(samples[j, s])
            for w in range(2):
                moment = moments[w, row, j]
                moment += total - (moment >> (_FAST if w == 0 else _SLOW))
                moments[w, row, j] = moment
                if i < n:
                    moments[w, j, row] = moment
    for w in range(2):
        most = wide(1)
        for i in range(n):
            most = max(most, moments[w, i, i])
        shift = wide(0)
        while most >> shift >= 1 << 30:
            shift += 1
        ridge = (most >> shift >> 20) + 1
        for _ in range(2):
            for i in range(n):
                pull = (moments[w, REGRESSORS, i] >> shift) << 16
                for j in range(n):
                    pull -= (moments[w, i, j] >> shift) * weights[w, j]
                own = moments[w, i, i] >> shift
                pull += own * weights[w, i]
                weights[w, i] = within(pull // (own + (own >> 10) + ridge), _WEIGHT_MAX)


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
    stream: U8,
    decoding: bool,
) -> int:
    """Encode the values to `stream`, or decode them from it. Gives the bytes written; -1: no room."""
    work, errors, pe = m.work, m.errors, m.expert_errors
    levels, shares = t.levels, t.shares
    squash, stretch, reciprocal = c.squash, c.stretch, c.reciprocal
    maps, mixer, extra, inputs, at, bases = m.maps, m.mixer, m.extra, m.inputs, m.at, m.bases
    experts, g, samples, weights = m.experts, m.differences, m.samples, m.weights
    coder = m.coder
    begin(coder, stream, decoding)
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
        n = 20 if has2 else (17 if has1 else 8)
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
                        work[here - width + k] = work[here - 1]
                        work[here - 2 * width + k] = work[here - 1]
                        errors[here - width + k] = errors[here - 1]
                        errors[here - 2 * width + k] = errors[here - 1]
                w, north = wide(work[here - 1]), wide(work[here - width])
                if mask[number]:
                    work[here] = (w + north) >> 1
                    errors[here] = (wide(errors[here - 1]) + wide(errors[here - width])) >> 1
                    for k in range(asked):
                        pe[k, now, x + LEFT] = pe[k, now, x + LEFT - 1]
                    number += 1
                    continue
                ww = wide(work[here - 2])
                nw, ne, nee = wide(work[here - width - 1]), wide(work[here - width + 1]), wide(work[here - width + 2])
                nww = wide(work[here - width - 2])
                nn, nne = wide(work[here - 2 * width]), wide(work[here - 2 * width + 1])
                g[0] = north - nw
                g[1] = nw - w
                g[2] = ne - north
                g[3] = nee - ne
                g[4] = w - ww
                g[5] = north - nn
                g[6] = nw - nww
                g[7] = ne - nne
                there = here - o1
                centre, cw = wide(work[there]), wide(work[there - 1])
                if has1:
                    ce, cn, cs = wide(work[there + 1]), wide(work[there - width]), wide(work[there + width])
                    cnw, cne = wide(work[there - width - 1]), wide(work[there - width + 1])
                    csw, cse = wide(work[there + width - 1]), wide(work[there + width + 1])
                    g[8] = centre - cw
                    g[9] = ce - centre
                    g[10] = cn - centre
                    g[11] = cs - centre
                    g[12] = cnw - cw
                    g[13] = cne - ce
                    g[14] = csw - cw
                    g[15] = cse - ce
                    g[16] = cw - w
                    if has2:
                        far = here - o2
                        d = wide(work[far])
                        g[17] = d - centre
                        g[18] = wide(work[far - 1]) - cw
                        g[19] = wide(work[far - width]) - cn
                # What each expert expects, in 1/16.
                fast, slow = wide(0), wide(0)
                for i in range(n):
                    fast += weights[0, i] * g[i]
                    slow += weights[1, i] * g[i]
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
                        2 * wide(pe[k, now, column - 1])
                        + 2 * wide(pe[k, before, column])
                        + wide(pe[k, now, column - 2])
                    )
                    near += (
                        wide(pe[k, before, column - 1])
                        + 2 * wide(pe[k, before, column + 1])
                        + wide(pe[k, before, column + 2])
                    )
                    inputs[k] = level_of(levels, near)
                    best = min(best, wide(inputs[k]))
                total, pulled = wide(0), wide(0)
                for k in range(asked):
                    share = wide(shares[min((wide(inputs[k]) - best) * sharpness, 32)])
                    total += share
                    pulled += share * (experts[k] - experts[2])
                guess = within(experts[2] + pulled // total, _GUESS_MAX)
                ew, en = wide(errors[here - 1]), wide(errors[here - width])
                spread = abs(experts[0] - experts[1])
                base = (guess + 8) >> 4
                part = guess - (base << 4)
                # How far off it may be.
                es = 4 * ew + 4 * en + 2 * (wide(errors[here - width + 1]) + wide(errors[here - width - 1]))
                es = (es + 2 * (wide(errors[here - 2]) + wide(errors[here - 2 * width]))) >> 4
                et = es
                if has1:
                    et = 4 * wide(errors[there]) + wide(errors[there + 1]) + wide(errors[there + width])
                    et = (et + wide(errors[there - 1]) + wide(errors[there - width])) >> 3
                energy = (3 * es + et) >> 2
                ls, lt = min(level_of(levels, es), 127), min(level_of(levels, et), 127)
                le = level_of(levels, energy)
                lw, ln = level_of(levels, ew), level_of(levels, en)
                lx = level_of(levels, spread)
                la = min(
                    level_of(
                        levels, abs(north - nw) + abs(w - nw) + abs(ne - north) + (abs(centre - cw) if has1 else 0)
                    ),
                    127,
                )
                rw = min(max((lw - le >> 1) + 4, 0), 7)
                rn = min(max((ln - le >> 1) + 4, 0), 7)
                rx = min(max((lx - le >> 1) + 6, 0), 15)
                rt = min(max((lt - ls >> 1) + 4, 0), 7)
                half = min(le >> 1, 63)
                bases[0] = ls * DECISIONS
                bases[1] = (1 << CONTEXT_BITS) + lt * DECISIONS
                bases[2] = (2 << CONTEXT_BITS) + half * SIDES * DECISIONS
                bases[3] = (3 << CONTEXT_BITS) + (min(half >> 1, 15) * 64 + rw * 8 + rn) * DECISIONS
                bases[4] = (4 << CONTEXT_BITS) + (half * 16 + rx) * DECISIONS
                bases[5] = (5 << CONTEXT_BITS) + (la * 8 + rt) * DECISIONS
                near = (_near(w - base) * 8 + _near(north - base)) * 8 + _near(centre - base)
                bases[6] = (6 << CONTEXT_BITS) + near * DECISIONS
                bases[7] = (7 << CONTEXT_BITS) + (
                    (_near(nw - base) * 8 + _near(ne - base)) * 8 + _near(ww - base)
                ) * DECISIONS
                same = (
                    wide(w == north)
                    | wide(north == ne) << 1
                    | wide(w == nw) << 2
                    | wide(centre == w) << 3
                    | wide(base == w) << 4
                    | wide(base == north) << 5
                    | wide(ww == w) << 6
                    | wide(nn == north) << 7
                )
                if has1:
                    same |= wide(centre == ce) << 8 | wide(centre == cs) << 9
                bases[8] = (8 << CONTEXT_BITS) + same * DECISIONS
                bases[9] = (9 << CONTEXT_BITS) + (
                    min(level_of(levels, abs(base)), 127) * 8 + min(le >> 3, 7)
                ) * DECISIONS
                expected = token_of((energy * 11) >> 8)
                told = wide(0) if decoding else wide(values[number]) - base
                r = code_number(
                    inputs, bases, at, maps, mixer, extra, min(le >> 2, MIXER_SETS - 1), same & 15, coder, stream,
                    squash, stretch, reciprocal, decoding, told, expected, part,
                )  # fmt: skip
                value = within(base + r, VALUE_MAX)
                if decoding:
                    values[number] = value
                # Learn.
                work[here] = value
                fine = value << 4
                errors[here] = min(abs(fine - guess), (1 << 30))
                for k in range(asked):
                    pe[k, now, column] = min(abs(fine - experts[k]), 1 << 28)
                lg = le >> 2
                for i in range(n):
                    samples[i, filled] = within((g[i] << 10) >> lg, 1 << 20)
                samples[REGRESSORS, filled] = within(((value - w) << 10) >> lg, 1 << 20)
                filled += 1
                if filled == SAMPLES:
                    _learn(samples, m.moments, weights, n)
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


def encode_integers(values: I32, mask: U8, lags: tuple[int, int] = (1, 2), edged: bool = False) -> bytes | None:
    """The stream of a block (frames, rows, columns); None if it would be longer than the block.

    lags    how many frames before are the first and the second past
    edged   whether the experts for fields with edges are asked too
    """
    frames, rows, columns = values.shape
    model = new_model(frames, rows, columns)
    stream = np.zeros(values.size * 4 + 1000, np.uint8)
    written = run(
        model,
        tables(),
        chances(),
        values.reshape(-1).copy(),
        mask.reshape(-1),
        frames,
        rows,
        columns,
        *lags,
        edged,
        stream,
        False,
    )
    if written < 0:
        return None
    return ended(stream[:written].tobytes(), int(model.coder[LOW]), int(model.coder[HIGH]))


def decode_integers(stream: bytes, mask: U8, lags: tuple[int, int] = (1, 2), edged: bool = False) -> I32:
    """The values of a block; those that are masked are 0."""
    frames, rows, columns = mask.shape
    model = new_model(frames, rows, columns)
    values = np.zeros(mask.size, np.int32)
    run(
        model,
        tables(),
        chances(),
        values,
        mask.reshape(-1),
        frames,
        rows,
        columns,
        *lags,
        edged,
        np.frombuffer(stream, np.uint8).copy(),
        True,
    )
    return values.reshape(mask.shape)
