"""Integers on a grid, one after another: predicted by their neighbours in space and time, and what differs is coded."""

import numpy as np

from lithify.codecs.array_types import I32, I64, U8, U32
from lithify.codecs.arrays.model import (
    BOTTOM,
    CONTEXT_BITS,
    CONTEXTS,
    DECISIONS,
    EXPERTS,
    INPUTS,
    LEFT,
    MIXER_SETS,
    REGRESSORS,
    RIGHT,
    SAMPLES,
    TOP,
    Model,
    Tables,
    new_model,
    tables,
)
from lithify.codecs.bit_coder import BYTES_PER_BIT_MAX, HIGH, LOW, POSITION, begin, code_bit, ended
from lithify.codecs.chances import COUNT_MAX, LIMIT, Chances, chances
from lithify.codecs.kernel import bare, inlined, unsigned, wide

_RATE = 2
_WEIGHT_MAX = 1 << 19
_COUNT_MASK = 1023
_VALUE_BYTES_MAX = 100 * BYTES_PER_BIT_MAX
_FAST, _SLOW = 3, 6
_FIRST, _ZERO, _SIGN, _DOWN = 20, 21, 22, 12
VALUE_MAX = (1 << 29) - 1


@inlined
def _level(levels: U8, value: int) -> int:
    """Four times the logarithm (base 2) of value + 1."""
    out = wide(0)
    if value >= 1 << 24:
        value >>= 20
        out += 80
    if value >= 4096:
        value >>= 12
        out += 48
    return out + wide(levels[unsigned(value)])


@inlined
def _within(x: int, most: int) -> int:
    return min(max(x, -most), most)


@inlined
def _median(a: int, b: int, c: int) -> int:
    """MED: a + b - c within a and b."""
    return max(min(a, b), min(max(a, b), a + b - c))


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
                own = (moments[w, i, i] >> shift)
                pull += own * weights[w, i]
                weights[w, i] = _within(pull // (own + (own >> 10) + ridge), _WEIGHT_MAX)


@inlined
def _code(
    m_inputs: I32, m_at: I64, maps: U32, mixer: I32, row: int, coder: I64, stream: U8, t_squash: I32, t_stretch: I32,
    reciprocal: I32, decoding: bool, told: int,
) -> int:
    """One decision, mixed from what its contexts say."""
    out = wide(0)
    for i in range(CONTEXTS):
        s = t_stretch[unsigned(wide(maps[unsigned(m_at[i])]) >> 20)]
        m_inputs[i] = s
        out += wide(s) * wide(mixer[unsigned(row), i])
    m_inputs[CONTEXTS] = 256
    out += 256 * wide(mixer[unsigned(row), CONTEXTS])
    p = wide(t_squash[unsigned(_within(out >> 16, LIMIT) + LIMIT)])
    p = min(max(p, 32), 65536 - 32)
    bit = code_bit(coder, stream, p, decoding, told)
    error = ((bit << 16) - p) * _RATE
    for i in range(INPUTS):
        mixer[unsigned(row), i] += np.int32((wide(m_inputs[i]) * error + (1 << 15)) >> 16)
    for i in range(CONTEXTS):
        both = wide(maps[unsigned(m_at[i])])
        n = both & _COUNT_MASK
        q = both >> 10
        q += ((((bit << 22) - bit) - q) * reciprocal[unsigned(n)]) >> 16
        if n < COUNT_MAX:
            n += 1
        maps[unsigned(m_at[i])] = q << 10 | n
    return bit


@bare
def run(
    m: Model, t: Tables, c: Chances, values: I32, mask: U8, frames: int, rows: int, columns: int, lag: int, lag2: int,
    stream: U8, decoding: bool,
) -> int:
    """Encode the values to `stream`, or decode them from it. Gives the bytes written; -1: no room."""
    work, errors, pe = m.work, m.errors, m.expert_errors
    levels, shares = t.levels, t.shares
    squash, stretch, reciprocal = c.squash, c.stretch, c.reciprocal
    maps, mixer, extra, inputs, at = m.maps, m.mixer, m.extra, m.inputs, m.at
    experts, g, samples, weights = m.experts, m.differences, m.samples, m.weights
    coder = m.coder
    begin(coder, stream, decoding)
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
            now, before = y & 1, 1 - (y & 1)
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
                    for k in range(EXPERTS):
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
                experts[0] = (w << 4) + (fast >> 12)
                experts[1] = (w << 4) + (slow >> 12)
                experts[2] = _median(w, north, nw) << 4
                if has1:
                    experts[3] = (centre + _median(w - cw, north - cn, nw - cnw)) << 4
                    experts[4] = centre << 4
                else:
                    experts[3] = ((w + north) << 3) + ((ne - nw) << 2)
                    experts[4] = w << 4
                # Who was right nearby counts more.
                best = wide(1 << 30)
                column = x + LEFT
                for k in range(EXPERTS):
                    near = 2 * wide(pe[k, now, column - 1]) + 2 * wide(pe[k, before, column]) + wide(pe[k, now, column - 2])
                    near += wide(pe[k, before, column - 1]) + wide(pe[k, before, column + 1])
                    inputs[k] = _level(levels, near)
                    best = min(best, wide(inputs[k]))
                total, pulled = wide(0), wide(0)
                for k in range(EXPERTS):
                    share = wide(shares[min(wide(inputs[k]) - best, 32)])
                    total += share
                    pulled += share * (experts[k] - experts[2])
                guess = experts[2] + pulled // total
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
                ls, lt, le = _level(levels, es), _level(levels, et), _level(levels, energy)
                lw, ln = _level(levels, ew), _level(levels, en)
                lx = _level(levels, spread)
                la = _level(levels, abs(north - nw) + abs(w - nw) + abs(ne - north) + (abs(centre - cw) if has1 else 0))
                rw = min(max((lw - le >> 1) + 4, 0), 7)
                rn = min(max((ln - le >> 1) + 4, 0), 7)
                rx = min(max((lx - le >> 1) + 6, 0), 15)
                rt = min(max((lt - ls >> 1) + 4, 0), 7)
                half = min(le >> 1, 63)
                b0 = ls * DECISIONS
                b1 = (min(lt, 127) * DECISIONS) + (1 << CONTEXT_BITS)
                b2 = (half * 16 * DECISIONS) + (2 << CONTEXT_BITS)
                b3 = ((min(half >> 1, 15) * 64 + rw * 8 + rn) * DECISIONS) + (3 << CONTEXT_BITS)
                b4 = ((half * 16 + rx) * DECISIONS) + (4 << CONTEXT_BITS)
                b5 = (min(la, 127) * 8 + rt) * DECISIONS + (5 << CONTEXT_BITS)
                b6 = ((min(max(w - base, -4), 3) + 4) * 8 + min(max(north - base, -4), 3) + 4) * 8
                b6 = (b6 + min(max(centre - base, -4), 3) + 4) * DECISIONS + (6 << CONTEXT_BITS)
                set_ = min(le >> 2, MIXER_SETS - 1)
                # How it differs.
                likely = (energy * 11) >> 8
                expected = wide(0)
                if likely < 4:
                    expected = likely
                else:
                    bits = wide(levels[min(likely, 4095)])  # replaced below for larger ones
                    bits = wide(2)
                    while likely >> (bits + 1):
                        bits += 1
                    expected = 2 * bits + ((likely >> (bits - 1)) & 1)
                r = wide(0)
                token = wide(0)
                size_ = wide(0)
                negative = wide(0)
                if not decoding:
                    r = wide(values[number]) - base
                    negative = wide(r < 0)
                    size_ = abs(r)
                    if size_ < 4:
                        token = size_
                    else:
                        bits = wide(2)
                        while size_ >> (bits + 1):
                            bits += 1
                        token = 2 * bits + ((size_ >> (bits - 1)) & 1)
                seen = wide(0)
                step = wide(0)
                up = wide(1)
                side = part + 8
                if expected <= 1:
                    d_ = wide(_ZERO)
                    at[0], at[1], at[2], at[3] = b0 + d_, b1 + d_, b2 + side * DECISIONS + d_, b3 + d_
                    at[4], at[5], at[6] = b4 + d_, b5 + d_, b6 + d_
                    if _code(inputs, at, maps, mixer, d_ * MIXER_SETS + set_, coder, stream, squash, stretch, reciprocal, decoding, wide(token > 0)):
                        d_ = wide(_SIGN)
                        at[0], at[1], at[2], at[3] = b0 + d_, b1 + d_, b2 + side * DECISIONS + d_, b3 + d_
                        at[4], at[5], at[6] = b4 + d_, b5 + d_, b6 + d_
                        negative = _code(inputs, at, maps, mixer, d_ * MIXER_SETS + set_, coder, stream, squash, stretch, reciprocal, decoding, negative)
                        seen = wide(1)
                        side = min(8 - part, 15) if negative else side
                    else:
                        up = wide(0)
                else:
                    d_ = wide(_FIRST)
                    at[0], at[1], at[2], at[3] = b0 + d_, b1 + d_, b2 + side * DECISIONS + d_, b3 + d_
                    at[4], at[5], at[6] = b4 + d_, b5 + d_, b6 + d_
                    up = _code(inputs, at, maps, mixer, d_ * MIXER_SETS + set_, coder, stream, squash, stretch, reciprocal, decoding, wide(token >= expected))
                    seen = expected if up else expected - 1
                    if not up:
                        while seen > 0:
                            d_ = _DOWN + min(step, 7)
                            at[0], at[1], at[2], at[3] = b0 + d_, b1 + d_, b2 + side * DECISIONS + d_, b3 + d_
                            at[4], at[5], at[6] = b4 + d_, b5 + d_, b6 + d_
                            if not _code(inputs, at, maps, mixer, d_ * MIXER_SETS + set_, coder, stream, squash, stretch, reciprocal, decoding, wide(token < seen)):
                                break
                            seen -= 1
                            step += 1
                if up:
                    while seen < 63:
                        d_ = min(step, 11)
                        at[0], at[1], at[2], at[3] = b0 + d_, b1 + d_, b2 + side * DECISIONS + d_, b3 + d_
                        at[4], at[5], at[6] = b4 + d_, b5 + d_, b6 + d_
                        if not _code(inputs, at, maps, mixer, d_ * MIXER_SETS + set_, coder, stream, squash, stretch, reciprocal, decoding, wide(token > seen)):
                            break
                        seen += 1
                        step += 1
                if expected > 1 and seen > 0:
                    d_ = wide(_SIGN)
                    at[0], at[1], at[2], at[3] = b0 + d_, b1 + d_, b2 + side * DECISIONS + d_, b3 + d_
                    at[4], at[5], at[6] = b4 + d_, b5 + d_, b6 + d_
                    negative = _code(inputs, at, maps, mixer, d_ * MIXER_SETS + set_, coder, stream, squash, stretch, reciprocal, decoding, negative)
                token = seen
                if token < 4:
                    size_ = token
                else:
                    bits = (token >> 1) - 1
                    found = 2 + (token & 1)
                    k = token
                    both = wide(extra[k])
                    p = min(max(both >> 16, 32), 65504)
                    bit = code_bit(coder, stream, p, decoding, (size_ >> (bits - 1)) & 1)
                    count = both & _COUNT_MASK
                    q = both >> 10
                    q += ((((bit << 22) - bit) - q) * reciprocal[count]) >> 16
                    extra[k] = q << 10 | min(count + 1, COUNT_MAX)
                    found = found << 1 | bit
                    for k in range(bits - 2, -1, -1):
                        found = found << 1 | code_bit(coder, stream, 32768, decoding, (size_ >> k) & 1)
                    size_ = found
                value = base - size_ if negative else base + size_
                if decoding:
                    value = _within(value, VALUE_MAX)
                    values[number] = value
                # Learn.
                work[here] = value
                fine = value << 4
                errors[here] = min(abs(fine - guess), (1 << 30))
                for k in range(EXPERTS):
                    pe[k, now, column] = min(abs(fine - experts[k]), 1 << 28)
                lg = le >> 2
                for i in range(n):
                    samples[i, filled] = _within((g[i] << 10) >> lg, 1 << 20)
                samples[REGRESSORS, filled] = _within(((value - w) << 10) >> lg, 1 << 20)
                filled += 1
                if filled == SAMPLES:
                    _learn(samples, m.moments, weights, n)
                    filled = wide(0)
                number += 1
            for k in range(RIGHT):
                work[start + columns + k] = work[start + columns - 1]
                errors[start + columns + k] = errors[start + columns - 1]
                for e in range(EXPERTS):
                    pe[e, now, LEFT + columns + k] = pe[e, now, LEFT + columns - 1]
            for e in range(EXPERTS):
                pe[e, before, 0] = pe[e, now, LEFT]
                pe[e, before, 1] = pe[e, now, LEFT]
        start = f * size + (rows + TOP - 1) * width
        for x in range(width):
            work[start + width + x] = work[start + x]
            errors[start + width + x] = errors[start + x]
    return wide(coder[POSITION])


def encode_integers(values: I32, mask: U8, lags: tuple[int, int] = (1, 2)) -> bytes | None:
    """The stream of a block (frames, rows, columns); None if it would be longer than the block."""
    frames, rows, columns = values.shape
    model = new_model(frames, rows, columns)
    stream = np.zeros(values.size * 4 + 1000, np.uint8)
    written = run(model, tables(), chances(), values.reshape(-1).copy(), mask.reshape(-1), frames, rows, columns, *lags, stream, False)
    if written < 0:
        return None
    return ended(stream[:written].tobytes(), int(model.coder[LOW]), int(model.coder[HIGH]))


def decode_integers(stream: bytes, mask: U8, lags: tuple[int, int] = (1, 2)) -> I32:
    """The values of a block; those that are masked are 0."""
    frames, rows, columns = mask.shape
    model = new_model(frames, rows, columns)
    values = np.zeros(mask.size, np.int32)
    run(model, tables(), chances(), values, mask.reshape(-1), frames, rows, columns, *lags, np.frombuffer(stream, np.uint8).copy(), True)
    return values.reshape(mask.shape)
