"""Integers on a grid, one after another: predicted by their neighbours in space and time, and what differs is coded."""

import numpy as np

from lithify.codecs.array_types import F32, I32, I64, U8
from lithify.codecs.arrays.correction import (
    beside_usual,
    correction,
    keep_in_pairs,
    keep_sample,
    learn_correction,
    telling,
)
from lithify.codecs.arrays.model import (
    CONTEXT_BITS,
    DECISIONS,
    EXPERTS,
    FEW,
    HALF_AS_USUAL,
    MIXER_SETS,
    SAMPLES,
    SIDES_COUNT,
    Model,
    levels,
    new_model,
)
from lithify.codecs.arrays.network import INPUT_MAX, LESSON, NO_TABLE, SEEN
from lithify.codecs.arrays.reach import NEAR, Reach
from lithify.codecs.arrays.refining import answer, moved_by, see, see_place, widened
from lithify.codecs.arrays.remainders import SIDES, code_number, level_of, token_of, within
from lithify.codecs.arrays.spread import expected_error, learn_spread, narrowness
from lithify.codecs.arrays.tally import commonness, count
from lithify.codecs.arrays.two_streams import joined, parted
from lithify.codecs.bit_coder import BYTES_PER_BIT_MAX, POSITION, begin
from lithify.codecs.chances import Chances, chances
from lithify.codecs.kernel import bare, inlined, unsigned, wide
from lithify.codecs.vectors import (
    LANES,
    above,
    all_of,
    all_real,
    behind_eight,
    behind_eleven,
    behind_ten,
    bits_of,
    differences,
    eight,
    folded,
    greater,
    lane_of,
    last_lane,
    least,
    lesser,
    pair_products,
    real_bits,
    real_total,
    reals,
    reals_of,
    row_of,
    set_reals,
    set_row,
    sixteen,
    ten,
    twelve,
)

_WEIGHT_MAX = 1 << 19
_VALUE_BYTES_MAX = 100 * BYTES_PER_BIT_MAX
_FAST, _SLOW, _FEW_SLOW = 3, 6, 5
_SAMPLE_MAX = 1023
"""32 products of such numbers, 64 times, fit 32 bits."""
_QUIET = 2
"""Samples are not made finer where errors are smaller than this power of two, in 1/16."""
VALUE_MAX = (1 << 29) - 1
_ONE = 1 << 16
_GUESS_MAX = VALUE_MAX << 4
_MEAN_TIMES = 16
_QUARTERS_MAX = 1 << 30
_NARROW_MAX = (1 << 31) - 1
UNCOUNTED = range(0)
_AWAY_MAX = 1 << 29
"""How far from its neighbour to the left an expert may expect a value, in 1/16."""
_ERROR_MAX = 1 << 27
_OFFSET_MAX = 1 << 30
"""What is reckoned from it fits 32 bits, whatever the correction was taught."""
_LEAST_OFF = 2
"""A guess is taken to be off by so many sixteenths of a step more than it is: it may be off by half a step."""
_STEP_MAX = np.float32(1 << 20)
_IN_QUARTERS, _LESSON_MAX = np.float32(4), np.float32(_AWAY_MAX >> 1)
_FAR, _NOT_SO_FAR = np.float32(_AWAY_MAX), np.float32(-_AWAY_MAX)
_WEIGHTED = np.float32(1 / 4096)
"""Weights in 1/65536 of whole steps make sixteenths of them."""
_DAMPING = np.float32(1 / 1024)
_UNIT = np.float32(_ONE)
_SINGLE_ONE, _SINGLE_HALVED, _SINGLE_RUNGS = 127 << 23, 23, 21
"""Bits of the single 1; where its exponent begins; and where quarters of an octave do."""


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
def _sides(errors: I32, usual: int, half: int, constant: I32, octave: int) -> I32:
    """Three sides each and how large errors are, below 875, in the first four.

    On which side of 0 something is, beside what is usual: 0 far below, 1 below, 2 near, 3 above, 4 far above.
    """
    far, half_far = min(4 * usual, _NARROW_MAX), min(4 * half, _NARROW_MAX)
    halved = row_of(constant, HALF_AS_USUAL)
    near_by = all_of(usual) - (all_of(usual - half) & halved)
    far_by = all_of(far) - (all_of(far - half_far) & halved)
    sides = above(errors, near_by) + above(errors, far_by) + all_of(2)
    sides = sides - above(all_of(0) - near_by, errors) - above(all_of(0) - far_by, errors)
    return folded(sides * row_of(constant, SIDES_COUNT)) * all_of(7) + all_of(octave)


@inlined
def _remember(moments: I32, at: int, products: I32, slowly: int) -> None:
    """A window takes products in and loses a part of what it had."""
    held = row_of(moments, at)
    set_row(moments, at, held + products - (held >> all_of(slowly)))


@inlined
def _pull_less(pulls: F32, at: int, moments: I32, row: int, weight: F32, vectors: int) -> None:
    """Take what a weight explains from what is left to explain."""
    for behind in range(0, vectors * LANES, LANES):
        left = reals_of(pulls, at + behind) - reals(row_of(moments, row + behind)) * weight
        set_reals(pulls, at + behind, left)


@bare
def _take_in(samples: I32, moments: I32, few_moments: I32, n: int, reach: Reach) -> None:
    """Take in what the last samples tell."""
    stride, target = reach.lanes, reach.second
    window = (target + 1) * stride
    for i in range(n + 1):
        lane, row = (wide(i), i * stride) if i < n else (stride - 1, target * stride)
        low, middle, high = all_of(0), all_of(0), all_of(0)
        for at in range(0, SAMPLES // 2 * stride, stride):
            one = all_of(wide(samples[unsigned(at + lane)]))
            low = low + pair_products(row_of(samples, at), one)
            if n > LANES:
                middle = middle + pair_products(row_of(samples, at + LANES), one)
            if n > 2 * LANES:
                high = high + pair_products(row_of(samples, at + 2 * LANES), one)
        _remember(moments, row, low, _FAST)
        _remember(moments, window + row, low, _SLOW)
        if n > LANES:
            _remember(moments, row + LANES, middle, _FAST)
            _remember(moments, window + row + LANES, middle, _SLOW)
        if n > 2 * LANES:
            _remember(moments, row + 2 * LANES, high, _FAST)
            _remember(moments, window + row + 2 * LANES, high, _SLOW)
        if i < FEW or i == n:
            _remember(few_moments, min(wide(i), FEW) * LANES, low, _FEW_SLOW)


@inlined
def _prepare(
    moments: I32,
    at: int,
    stride: int,
    target: int,
    n: int,
    vectors: int,
    weights: I32,
    pulls: F32,
    steps: F32,
    own: int,
) -> None:
    """How far each weight of a set is moved by what is left to explain, and that."""
    most = wide(1)
    for i in range(n):
        most = max(most, wide(moments[unsigned(at + i * (stride + 1))]))
    ridge = np.float32((most >> 20) + 1)
    for i in range(n):
        moment = np.float32(moments[unsigned(at + i * (stride + 1))])
        steps[unsigned(own + i)] = np.float32(1) / (moment + moment * _DAMPING + ridge)
    for behind in range(0, vectors * LANES, LANES):
        set_reals(pulls, own + behind, reals(row_of(moments, at + target * stride + behind)) * all_real(_UNIT))
    for i in range(n):
        weight = all_real(np.float32(weights[unsigned(own + i)]))
        _pull_less(pulls, own, moments, at + i * stride, weight, vectors)


@inlined
def _move(moments: I32, row: int, vectors: int, weights: I32, pulls: F32, steps: F32, own: int, i: int) -> None:
    """Move one weight, and take from what is left to explain what it explains now."""
    step = pulls[unsigned(own + i)] * steps[unsigned(own + i)]
    before = wide(weights[unsigned(own + i)])
    after = within(before + wide(min(max(step, -_STEP_MAX), _STEP_MAX)), _WEIGHT_MAX)
    weights[unsigned(own + i)] = after
    _pull_less(pulls, own, moments, row, all_real(np.float32(after - before)), vectors)


@bare
def _learn(
    samples: I32, moments: I32, few_moments: I32, weights: I32, pulls: F32, steps: F32, n: int, reach: Reach
) -> None:
    """Take in what the last samples tell, and move the weights a step towards the least squares (Gauss-Seidel)."""
    _take_in(samples, moments, few_moments, n, reach)
    stride, target = reach.lanes, reach.second
    window = (target + 1) * stride
    vectors = (wide(n) + LANES - 1) // LANES
    for own, at in ((wide(0), wide(0)), (stride, window)):
        _prepare(moments, at, stride, target, n, vectors, weights, pulls, steps, own)
    _prepare(few_moments, 0, LANES, FEW, FEW, 1, weights, pulls, steps, 2 * stride)
    for i in range(n):  # in turn: none waits for the other
        _move(moments, i * stride, vectors, weights, pulls, steps, 0, i)
        _move(moments, window + i * stride, vectors, weights, pulls, steps, stride, i)
        if i < FEW:
            _move(few_moments, i * LANES, 1, weights, pulls, steps, 2 * stride, i)


@inlined
def _kept_away(told: F32) -> int:
    """How far from its neighbour to the left a set of weights expects a value, in 1/16."""
    return wide(min(max(told * _WEIGHTED, _NOT_SO_FAR), _FAR))


@bare
def _forget(weights: I32, moments: I32, reach: Reach) -> None:
    """Lose what was learnt of regressors that mean something else in a frame with a past."""
    lanes, kept, rows = reach.lanes, NEAR.alone, reach.second + 1
    for i in range(kept, lanes):
        weights[i] = weights[lanes + i] = 0
    for row in range(2 * rows):
        first = wide(0) if kept <= row % rows and row % rows < reach.second else kept
        for at in range(row * lanes + first, (row + 1) * lanes):
            moments[at] = 0


@bare
def _take_mean(means: I64, kept: int, work: I32, start: int, size: int, times: int) -> None:
    """Take a frame into the mean of those before, of which it is the `times`-th."""
    share = 65536 // wide(min(times, _MEAN_TIMES))
    for i in range(size):
        held = means[kept + i]
        means[kept + i] = held + ((((wide(work[start + i]) << 8) - held) * share) >> 16)


@inlined
def _above_past(mean: int, past: int) -> int:
    """How far a mean, in 1/256, is above a value, in 1/4."""
    return within((mean - (past << 8)) >> 6, _QUARTERS_MAX)


@bare
def run(
    m: Model,
    levels: U8,
    c: Chances,
    values: I32,
    mask: U8,
    frames: int,
    rows: int,
    columns: int,
    lag: int,
    lag2: int,
    reach: Reach,
    ladder: I32,
    first_counted: int,
    stream: U8,
    plain: U8,
    decoding: bool,
) -> int:
    """Encode the values to `stream` and `plain`, or decode them from both. Gives the bytes written; -1: no room.

    ladder         where each value stands, in order, if values are places in a table: they are predicted by where they
                   stand. Empty: they stand where they are
    first_counted  the least number, if they are counted: the model then has a tally
    """
    work, errors, pe = m.work, m.errors, m.expert_errors
    squash, stretch, reciprocal = c.squash, c.stretch, c.reciprocal
    maps, mixer, constant, extra, bases = m.maps, m.mixer, m.constant, m.extra, m.bases
    samples, moments, few_moments = m.samples, m.moments, m.few_moments
    weights, pulls, steps = m.weights, m.pulls, m.steps
    means, stride = m.means, reach.lanes
    far = reach.lanes > 2 * LANES
    coder, tally, common = m.coder, m.tally, m.common
    begin(coder, stream, decoding)
    rungs, counted = wide(len(ladder)), wide(len(tally)) - 1
    asked = row_of(m.asked, 0)
    unasked = (asked ^ all_of(-1)) & all_of(0x7FFFFFFF)
    top, left, right = reach.top, reach.left, reach.right
    width = columns + left + right
    size = (rows + top + reach.bottom) * width
    taught, lessons, values_count = len(m.network) > 0, wide(len(m.lessons)) // LESSON, wide(len(mask))
    per_column, begun = (2 * INPUT_MAX << 16) // columns, wide(work[0])
    filled = wide(0)
    number = wide(0)
    for f in range(frames):
        has1, has2 = f >= lag, f >= lag2
        o1 = lag * size if has1 else wide(0)
        o2 = lag2 * size if has2 else o1
        n = reach.second if has2 else reach.first if has1 else reach.alone
        if far and f == lag:
            _forget(weights, moments, reach)
        apart = m.past_apart if has1 else m.apart
        mean_there = (f % lag) * size - f * size if far and has1 else wide(0)
        for y in range(rows):
            start = f * size + (y + top) * width + left
            down = 2 * INPUT_MAX * y // rows - INPUT_MAX
            for k in range(1, left + 1):
                if y > 0:
                    work[start - k] = work[start - width]
                    errors[start - k] = errors[start - width]
                elif has1:
                    work[start - k] = work[start - o1]
                    errors[start - k] = errors[start - o1]
            if y == 0 and has1:
                for x in range(-left, columns + right):
                    for k in range(1, top + 1):
                        work[start + x - k * width] = work[start + x - o1]
                        errors[start + x - k * width] = errors[start + x - o1]
            now = ((f * rows + y) & 1) * width * LANES
            before = width * LANES - now
            for x in range(columns):
                here = start + x
                if not decoding and coder[POSITION] + _VALUE_BYTES_MAX > len(stream):
                    return -1
                if y == 0 and not has1:
                    for row in range(here - top * width, here, width):
                        for k in range(right + 1):
                            work[unsigned(row + k)] = work[unsigned(here - 1)]
                            errors[unsigned(row + k)] = errors[unsigned(here - 1)]
                w, north = wide(work[unsigned(here - 1)]), wide(work[unsigned(here - width)])
                if mask[unsigned(number)]:
                    work[unsigned(here)] = (w + north) >> 1
                    errors[unsigned(here)] = (
                        abs(wide(errors[unsigned(here - 1)])) + abs(wide(errors[unsigned(here - width)]))
                    ) >> 1
                    set_row(pe, now + (x + left) * LANES, row_of(pe, now + (x + left - 1) * LANES))
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
                ce = cn = cs = cne = cse = centre
                cnw = csw = cw
                ec, es, last = ene, wide(0), enw
                if has1:
                    ec, es = wide(errors[unsigned(there)]), wide(errors[unsigned(there + width)])
                    ce, cn = wide(work[unsigned(there + 1)]), wide(work[unsigned(there - width)])
                    cs, cnw = wide(work[unsigned(there + width)]), wide(work[unsigned(there - width - 1)])
                    cne, csw = wide(work[unsigned(there - width + 1)]), wide(work[unsigned(there + width - 1)])
                    cse = wide(work[unsigned(there + width + 1)])
                    last = ec
                dc, dw, dn, de, ds = centre, cw, cn, ce, cs
                if has2:
                    older = here - o2
                    dc, dw = wide(work[unsigned(older)]), wide(work[unsigned(older - 1)])
                    dn, de = wide(work[unsigned(older - width)]), wide(work[unsigned(older + 1)])
                    ds = wide(work[unsigned(older + width)])
                g = sixteen(
                    north - nw, nw - w, ne - north, nee - ne, w - ww, north - nn, nw - nww, ne - nne,
                    ew >> 2, en >> 2, ene >> 2, last >> 2,
                    centre - cw if has1 else wide(0), ce - centre, cn - centre, cs - centre,
                )  # fmt: skip
                h = ten(cnw - cw, cne - ce, csw - cw, cse - ce, cw - w, dc - centre, dw - cw, dn - cn, de - ce, ds - cs)
                j = all_of(0)
                if far and has1:
                    mean = here + mean_there
                    h = h | behind_ten(
                        _above_past(means[unsigned(mean)], centre), _above_past(means[unsigned(mean - 1)], cw),
                        _above_past(means[unsigned(mean - width)], cn), _above_past(means[unsigned(mean + 1)], ce),
                        _above_past(means[unsigned(mean + width)], cs), wide(errors[unsigned(there + 1)]) >> 2,
                    )  # fmt: skip
                    j = differences(work, here, apart, 2 * LANES, stride + 2 * LANES) | behind_eleven(
                        es >> 2, wide(errors[unsigned(there - 1)]) >> 2, wide(errors[unsigned(there - width)]) >> 2
                    )
                elif far:
                    g = g | differences(work, here, apart, 0, stride)
                    h = differences(work, here, apart, LANES, stride + LANES)
                    j = differences(work, here, apart, 2 * LANES, stride + 2 * LANES)
                # What each expert expects, from the neighbour to the left on, in 1/16.
                first, second = reals(g), reals(h)
                told0 = reals(row_of(weights, 0)) * first + reals(row_of(weights, LANES)) * second
                told1 = reals(row_of(weights, stride)) * first + reals(row_of(weights, stride + LANES)) * second
                if far:
                    third = reals(j)
                    told0 = told0 + reals(row_of(weights, 2 * LANES)) * third
                    told1 = told1 + reals(row_of(weights, stride + 2 * LANES)) * third
                x0, x1 = _kept_away(real_total(told0)), _kept_away(real_total(told1))
                x7 = _kept_away(real_total(reals(row_of(weights, 2 * stride)) * first))
                x2 = within((_median(w, north, nw) - w) << 4, _AWAY_MAX)
                if has1:
                    x3 = within((centre + _median(w - cw, north - cn, nw - cnw) - w) << 4, _AWAY_MAX)
                    x4 = within((centre - w) << 4, _AWAY_MAX)
                else:
                    x3 = within(((north - w) << 3) + ((ne - nw) << 2), _AWAY_MAX)
                    x4 = wide(0)
                x5, x6 = within((north - w) << 4, _AWAY_MAX), within((ne - w) << 3, _AWAY_MAX)
                away = eight(x0, x1, x2, x3, x4, x5, x6, x7)
                # Who was right nearby counts more; behind them stands the guess itself.
                ours, above_ours = now + (x + left) * LANES, before + (x + left) * LANES
                near_errors = row_of(pe, ours - LANES) + row_of(pe, above_ours) + row_of(pe, above_ours + LANES)
                near_errors = near_errors + near_errors + row_of(pe, ours - 2 * LANES)
                near_errors = near_errors + row_of(pe, above_ours - LANES) + row_of(pe, above_ours + 2 * LANES)
                rung = (bits_of(reals(near_errors + all_of(1))) >> all_of(_SINGLE_RUNGS)) | unasked
                worse = rung - all_of(least(rung))
                share = real_bits((all_of(_SINGLE_ONE) - (worse << all_of(_SINGLE_HALVED))) & asked)
                offset = wide(real_total(share * reals(away)) / real_total(share))
                # How far off it may be.
                space = (4 * (abs(ew) + abs(en)) + 2 * (abs(ene) + abs(enw) + abs(eww) + abs(enn))) >> 4
                time = space
                if has1:
                    time = 4 * abs(ec) + abs(es) + abs(wide(errors[unsigned(there + 1)]))
                    time += abs(wide(errors[unsigned(there - 1)])) + abs(wide(errors[unsigned(there - width)]))
                    time >>= 3
                energy = (3 * space + 2 * time + 3 * (lane_of(near_errors, EXPERTS) // 9)) >> 3
                lg = max(level_of(levels, energy) >> 2, _QUIET)
                blended = within((w << 4) + offset, _GUESS_MAX)
                changes = sixteen(
                    x0 - offset, x1 - offset, x2 - offset, ew, en, ec, ene, enw, es, eww, enn,
                    wide(errors[unsigned(above - width + 1)]), wide(errors[unsigned(above - 2)]),
                    wide(errors[unsigned(above + 2)]), wide(errors[unsigned(here - o2)]) if has2 else wide(0),
                    wide(0),
                )  # fmt: skip
                told_by = telling(changes, lg)
                offset = within(offset + correction(m.told_weights, told_by, lg), _OFFSET_MAX)
                guess = within((w << 4) + offset, _GUESS_MAX)
                place = base = (guess + 8) >> 4
                scale = wide(_ONE)
                if rungs:
                    base = _rung(ladder, guess)
                    place, scale = wide(ladder[unsigned(base)]), _scale(ladder, base)
                lowest = (_LEAST_OFF << 16) // scale if rungs else wide(_LEAST_OFF)
                nearest = lane_of(near_errors, EXPERTS) // 9 + lowest
                parts = reals(greater(changes, all_of(0) - changes) | last_lane(nearest))
                first_expected = expected_error(m.spread, parts)
                first_guess, expected_off = guess, first_expected
                kept = lessons > 0 and number * lessons % values_count < lessons
                if taught or kept:
                    see(m.room, g, h, j, changes, first_expected, level_of(levels, wide(first_expected)), has1)
                    see_place(m.room, levels, guess >> 4, begun, down, ((x * per_column) >> 16) - INPUT_MAX)
                    if taught:
                        off, wider = answer(m.network, m.room)
                        offset = within(offset + moved_by(off, first_expected), _OFFSET_MAX)
                        guess = within((w << 4) + offset, _GUESS_MAX)
                        expected_off = widened(wider, first_expected)
                        energy = wide(min(expected_off, _FAR))
                        place = base = (guess + 8) >> 4
                        if rungs:
                            base = _rung(ladder, guess)
                            place, scale = wide(ladder[unsigned(base)]), _scale(ladder, base)
                part = within(((guess - (place << 4)) * scale) >> 16, 8)
                part = min(part, 7)
                narrow = narrowness(expected_off, scale)
                # And to which side.
                usual = (energy * scale) >> 16
                le = level_of(levels, usual)
                half = min(le >> 1, 63)
                octave = min(le >> 4, 6)
                sides = _sides(
                    twelve(
                        ene, x0 - offset, ew, x2 - offset, enw, x1 - offset, en, x3 - offset, eww, es, ec, x4 - offset
                    ),
                    (energy >> 1) + 2, (energy >> 2) + 2, constant, octave,
                )  # fmt: skip
                bases[0] = lane_of(sides, 0) * DECISIONS
                bases[1] = (1 << CONTEXT_BITS) + lane_of(sides, 1) * DECISIONS
                bases[2] = (2 << CONTEXT_BITS) + half * SIDES * DECISIONS
                bases[3] = (3 << CONTEXT_BITS) + lane_of(sides, 2) * DECISIONS
                bases[4] = (4 << CONTEXT_BITS) + lane_of(sides, 3) * DECISIONS
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
                second_set = same & 15
                if counted > 0:
                    second_set = wide(common[unsigned(here - 1)]) << 2 | wide(common[unsigned(above)])
                expected = token_of((usual * 11) >> 8)
                told = wide(0) if decoding else wide(values[unsigned(number)]) - base
                r = code_number(
                    bases, maps, mixer, constant, extra, min(le >> 2, MIXER_SETS - 1), second_set, coder, stream, plain,
                    squash, stretch, reciprocal, decoding, told, expected, part, tally, base - first_counted,
                    m.odds, ((guess - (place << 4)) * scale) >> 16, narrow,
                )  # fmt: skip
                value = within(base + r, VALUE_MAX)
                if rungs:
                    value = min(max(value, 0), rungs - 1)
                if counted > 0:
                    value = min(max(value, first_counted), first_counted + counted - 1)
                    common[unsigned(here)] = commonness(tally, value - first_counted)
                    count(tally, value - first_counted)
                if decoding:
                    values[unsigned(number)] = value
                # Learn.
                if rungs:
                    value = wide(ladder[unsigned(value)])
                work[unsigned(here)] = value
                errors[unsigned(here)] = within((value << 4) - blended, 1 << 30)
                missed = all_of(within((value - w) << 4, _AWAY_MAX)) - (away | behind_eight(offset))
                missed = lesser(greater(missed, all_of(0) - missed), all_of(_ERROR_MAX))
                held = row_of(pe, above_ours) + row_of(pe, above_ours + LANES) + row_of(pe, ours - LANES)
                set_row(pe, ours, (held + missed) >> all_of(2))
                at, odd = (filled >> 1) * stride, filled & 1
                target = beside_usual(last_lane(value - w), lg, _SAMPLE_MAX)
                keep_in_pairs(samples, at, beside_usual(g, lg, _SAMPLE_MAX), odd)
                if far:
                    keep_in_pairs(samples, at + LANES, beside_usual(h, lg, _SAMPLE_MAX), odd)
                    keep_in_pairs(samples, at + 2 * LANES, beside_usual(j, lg, _SAMPLE_MAX) | target, odd)
                else:
                    keep_in_pairs(samples, at + LANES, beside_usual(h, lg, _SAMPLE_MAX) | target, odd)
                if filled & 3 == 0:
                    off = within(abs((value << 4) - first_guess), _AWAY_MAX) + lowest
                    learn_spread(m.spread, parts, first_expected, off)
                if kept:
                    lesson = number * lessons // values_count * LESSON
                    set_row(m.lessons, lesson, row_of(m.room, 0))
                    set_row(m.lessons, lesson + LANES, row_of(m.room, LANES))
                    for pair in range(2 * LANES, SEEN):
                        m.lessons[unsigned(lesson + pair)] = m.room[pair]
                    m.lessons[unsigned(lesson + SEEN)] = within((value << 4) - first_guess, _AWAY_MAX)
                    m.lessons[unsigned(lesson + SEEN + 1)] = wide(min(first_expected, _LESSON_MAX) * _IN_QUARTERS)
                    m.lessons[unsigned(lesson + SEEN + 2)] = (_ONE << 4) // scale
                keep_sample(m.told_samples, filled, told_by, within((value << 4) - blended, _AWAY_MAX), lg)
                filled += 1
                if filled == SAMPLES:
                    _learn(samples, moments, few_moments, weights, pulls, steps, n, reach)
                    learn_correction(m.told_samples, m.told_moments, m.told_weights, m.told_pulls)
                    filled = wide(0)
                number += 1
            for k in range(right):
                work[start + columns + k] = work[start + columns - 1]
                errors[start + columns + k] = errors[start + columns - 1]
                set_row(pe, now + (left + columns + k) * LANES, row_of(pe, now + (left + columns - 1) * LANES))
            for k in range(left):
                set_row(pe, before + k * LANES, row_of(pe, now + left * LANES))
        start = f * size + (rows + top - 1) * width
        for x in range(width):
            for below in range(start + width, (f + 1) * size, width):
                work[below + x] = work[start + x]
                errors[below + x] = errors[start + x]
        if far and lag < frames:
            _take_mean(means, (f % lag) * size, work, f * size, size, f // lag + 1)
    return wide(coder[POSITION])


def encode_integers(
    values: I32,
    mask: U8,
    lags: tuple[int, int] = (1, 2),
    reach: Reach = NEAR,
    origin: int = 0,
    ladder: I32 | None = None,
    counted: range = UNCOUNTED,
    network: I32 = NO_TABLE,
    lessons: I32 = NO_TABLE,
) -> bytes | None:
    """The stream of a block (frames, rows, columns); None if it would be longer than the block.

    lags     how many frames before are the first and the second past
    origin   what stands around the block, and where it begins with what is masked: the first value is best
    ladder   of values that are places in a table: where each stands, in order, from 0 to 2^16
    counted  which numbers are counted, all that occur or none; within the ladder if there is one
    network  that refines guesses, as a table; only where they look far
    lessons  (lesson × LESSON) zeros, filled with what such a network can be taught by
    """
    model = new_model(
        *values.shape, reach=reach, lag=lags[0], origin=_place(origin, ladder), counted=len(counted), network=network,
        lessons=lessons,
    )  # fmt: skip
    stream, plain = np.zeros(values.size * 4 + 1000, np.uint8), np.zeros(values.size * 4 + 8, np.uint8)
    if _run(model, values.reshape(-1).copy(), mask, lags, reach, ladder, counted, stream, plain, False) < 0:
        return None
    return joined(model.coder, stream, plain)


def decode_integers(
    stream: bytes,
    mask: U8,
    lags: tuple[int, int] = (1, 2),
    reach: Reach = NEAR,
    origin: int = 0,
    ladder: I32 | None = None,
    counted: range = UNCOUNTED,
    network: I32 = NO_TABLE,
) -> I32:
    """The values of a block; those that are masked are 0. Raises Truncated or Corrupt."""
    values = np.zeros(mask.size, np.int32)
    model = new_model(
        *mask.shape, reach=reach, lag=lags[0], origin=_place(origin, ladder), counted=len(counted), network=network
    )  # fmt: skip
    _run(model, values, mask, lags, reach, ladder, counted, *parted(stream), True)
    return values.reshape(mask.shape)


def _place(value: int, ladder: I32 | None) -> int:
    """Where a value stands."""
    return value if ladder is None else int(ladder[value])


def _run(
    model: Model,
    values: I32,
    mask: U8,
    lags: tuple[int, int],
    reach: Reach,
    ladder: I32 | None,
    counted: range,
    stream: U8,
    plain: U8,
    decoding: bool,
) -> int:
    frames, rows, columns = mask.shape
    rungs = np.zeros(0, np.int32) if ladder is None else ladder
    return run(
        model, levels(), chances(), values, mask.reshape(-1), frames, rows, columns, *lags, reach, rungs,
        counted.start, stream, plain, decoding,
    )  # fmt: skip
