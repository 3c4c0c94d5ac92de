"""Sound, sample by sample: what a cascade of predictors says comes next, and how far it is off, mixed and coded.

First stage: the weights that would have predicted the last moments best, in least squares, over the channel's own past
and that of its partner; solved anew every few frames. Then three sign-LMS filters, each predicting what the one before
left over (the cascade of Monkey's Audio, and of Sac by Lombard). What is left is coded bit by bit with chances mixed
from six contexts.

Encoder and decoder run the same kernel. Integers throughout but for the least squares, which use the four operations of
IEEE 754 doubles, each rounded, in the order that stands here: FORMAT.md is the format. Without `fastmath` numba neither
reorders nor fuses them.

The kernel is compiled without checks of its indices. Each is in bounds by how it is made: masked, clamped, or counted.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lithify.codecs.array_types import I32, I64, U8, U32
from lithify.codecs.bit_coder import BYTES_PER_BIT_MAX, HIGH, LOW, POSITION, begin, code_bit, ended
from lithify.codecs.chances import COUNT_MAX, LIMIT, Chances, chances
from lithify.codecs.kernel import bare, inlined, wide

F64 = npt.NDArray[np.float64]

TAPS = 32
"""Of the first stage: the channel's own past, and its partner's."""
LAGS = 40
RING = 64
STAGES = 3
REACH = 256
"""The longest filter."""
BUFFER = REACH + 4096
BEFORE = RING
"""Zeros before the first sample."""
WEIGHT_BITS = 14
CONTEXTS = 6
STEPS = 24
LEVELS = 32
CELLS = LEVELS * LEVELS * STEPS
_LONGEST = 40
_BEYOND_BITS = 36
_SIZE_MAX = 1 << 34
_NEAR = 11
_MIXED_BITS = 16
_RATE_SHIFT = 14
_MIX_STEP = 800
_MIXING_START = 65536 // 3
_HALF = 32768
_CHANCE_MIN = 16
_LOW_ROWS = 16
_COUNT_BITS = 10
_BITS_PER_SAMPLE_MAX = _LONGEST + _BEYOND_BITS + 36
ROOM = _BITS_PER_SAMPLE_MAX * BYTES_PER_BIT_MAX + 8
"""Bytes that one sample takes at most."""

OWN, EVERY, FADING, LONG, MIDDLE, SHORT, LONG_STEP, MIDDLE_STEP, SHORT_STEP = range(9)


class Preset(NamedTuple):
    """How fast the predictors adapt."""

    own: int
    """Taps on the channel's own past, of TAPS; the others are its partner's."""
    every: int
    """Frames between two solutions."""
    fading: int
    """The weight of the past falls by 1 / fading with every frame."""
    long: int
    middle: int
    short: int
    """Taps of the filters."""
    long_step: int
    middle_step: int
    short_step: int


PRESETS = (
    Preset(20, 16, 350, 256, 32, 16, 8, 6, 8),
    Preset(20, 8, 180, 256, 32, 16, 8, 6, 8),
    Preset(20, 32, 900, 256, 32, 16, 2, 2, 2),
    Preset(24, 64, 500, 32, 16, 8, 8, 6, 8),
)
"""By number, as payloads name them."""


class Model(NamedTuple):
    """All that adapts."""

    products: F64
    """channel, channel, frame mod RING, lag from LAGS - 1 down to 0: faded sums of products of samples."""
    matrix: F64
    target: F64
    solution: F64
    inverse: F64
    first: I64
    """channel, tap: weights of the first stage in 1/65536."""
    filters: I32
    """channel, stage, tap: weights in 1/2^WEIGHT_BITS."""
    errors: I32
    signs: I32
    """channel, stage, place: what each stage had to predict, and how its weights move for that."""
    shares: I64
    """channel, stage: how much of each prediction is believed, in 1/65536."""
    chances: U32
    """CELLS for each context: a chance in 1/2^22 above, how often it was moved in the lowest 10 bits."""
    mixing: I64
    """row, context: weights in 1/65536."""
    lows: U32
    cells: I64
    stretched: I64
    said: I64
    means: I64
    """channel: quick, middling and slow averages of how far predictions were off, in 1/256."""
    last: I64
    coder: I64


def new_model(channels: int) -> Model:
    """A model that has heard nothing."""
    half = (1 << 21) << _COUNT_BITS
    return Model(
        products=np.zeros((channels, channels, RING, LAGS)),
        matrix=np.zeros((TAPS, TAPS)),
        target=np.zeros(TAPS),
        solution=np.zeros(TAPS),
        inverse=np.zeros(TAPS),
        first=np.zeros((channels, TAPS), np.int64),
        filters=np.zeros((channels, STAGES, REACH), np.int32),
        errors=np.zeros((channels, STAGES, BUFFER), np.int32),
        signs=np.zeros((channels, STAGES, BUFFER), np.int32),
        shares=np.full((channels, STAGES), 65536, np.int64),
        chances=np.full(CONTEXTS * CELLS, half, np.uint32),
        mixing=np.full((STEPS * STEPS, CONTEXTS), _MIXING_START, np.int64),
        lows=np.full(_LOW_ROWS * (LEVELS + 2), half, np.uint32),
        cells=np.zeros(CONTEXTS, np.int64),
        stretched=np.zeros(CONTEXTS, np.int64),
        said=np.zeros(STAGES + 1, np.int64),
        means=np.zeros((channels, 3), np.int64),
        last=np.zeros((channels, 2), np.int64),
        coder=np.zeros(4, np.int64),
    )


@inlined
def octaves(value: int) -> int:
    """Four times the logarithm of a number of up to 48 bits, to base 2; 0 for 0, 1 for 1."""
    if value < 1:
        return wide(0)
    bits, rest = wide(0), value
    if rest >= 1 << 32:
        rest >>= 32
        bits += 32
    if rest >= 1 << 16:
        rest >>= 16
        bits += 16
    if rest >= 1 << 8:
        rest >>= 8
        bits += 8
    if rest >= 1 << 4:
        rest >>= 4
        bits += 4
    if rest >= 1 << 2:
        rest >>= 2
        bits += 2
    if rest >= 2:
        bits += 1
    return 4 * bits + (((value << 2) >> bits) & 3) + 1


@inlined
def _within(value: int, least: int, most: int) -> int:
    return min(max(value, least), most)


@inlined
def _sign(value: int) -> int:
    return wide(value > 0) - wide(value < 0)


@inlined
def _approach(cells: U32, at: int, bit: int, reciprocal: I32) -> None:
    """A chance moves by 1 / (n + 1.5) of its way to the bit the n-th time, later by the least such step."""
    both = wide(cells[at])
    count = both & ((1 << _COUNT_BITS) - 1)
    chance = both >> _COUNT_BITS
    chance += ((((bit << 22) - bit) - chance) * reciprocal[count]) >> 16
    if count < COUNT_MAX:
        count += 1
    cells[at] = chance << _COUNT_BITS | count


@bare
def remember(products: F64, samples: I32, frame: int, channels: int, fading: int) -> None:
    """Take a frame into the sums of products."""
    keep = 1.0 - 1.0 / float(fading)
    now, before = frame & (RING - 1), (frame - 1) & (RING - 1)
    for a in range(channels):
        x = float(samples[a, BEFORE + frame])
        for b in range(channels):
            start = BEFORE + frame - LAGS + 1
            for k in range(LAGS):
                products[a, b, now, k] = keep * products[a, b, before, k] + x * float(samples[b, start + k])


@bare
def normal_equations(m: Model, frame: int, channel: int, channels: int, own: int) -> None:
    """The sums that the weights for `channel` at `frame` follow from: an upper triangle, and what it should give."""
    products, matrix, target = m.products, m.matrix, m.target
    partner = channels - 1 - channel
    lead = wide(channel == 0)  # the first channel of a frame is coded before its partner's sample is known
    for i in range(TAPS):
        i_own = i < own
        a = i + 1 if i_own else lead + i - own
        ca = channel if i_own else partner
        for j in range(i, TAPS):
            j_own = j < own
            b = j + 1 if j_own else lead + j - own
            cb = channel if j_own else partner
            if a <= b:
                matrix[i, j] = products[ca, cb, (frame - 1 - a) & (RING - 1), LAGS - 1 - (b - a)]
            else:
                matrix[i, j] = products[cb, ca, (frame - 1 - b) & (RING - 1), LAGS - 1 - (a - b)]
        matrix[i, i] = matrix[i, i] * 1.0000001 + 10.0
        target[i] = products[channel, ca, (frame - 1) & (RING - 1), LAGS - 1 - a]


@bare
def solve(matrix: F64, target: F64, solution: F64, inverse: F64) -> bool:
    """Gauss on a symmetric matrix of which the upper triangle is given; False if it has no sound solution."""
    for k in range(TAPS):
        pivot = matrix[k, k]
        if not pivot > 0.001:
            return False
        one = 1.0 / pivot
        inverse[k] = one
        for i in range(k + 1, TAPS):
            factor = matrix[k, i] * one
            for j in range(i, TAPS):
                matrix[i, j] -= factor * matrix[k, j]
            target[i] -= factor * target[k]
    for k in range(TAPS - 1, -1, -1):
        left = target[k]
        for i in range(k + 1, TAPS):
            left -= matrix[k, i] * solution[i]
        solution[k] = left * inverse[k]
    return True


@bare
def adapt_first(m: Model, frame: int, channel: int, channels: int, own: int) -> None:
    """New weights for the first stage, unless there are none to be had."""
    normal_equations(m, frame, channel, channels, own)
    if not solve(m.matrix, m.target, m.solution, m.inverse):
        return
    for i in range(TAPS):
        weight = m.solution[i] * 65536.0
        weight = min(max(weight, -2147483000.0), 2147483000.0)
        m.first[channel, i] = wide(np.floor(weight + 0.5))


@bare
def filtered(filters: I32, errors: I32, channel: int, stage: int, place: int, taps: int) -> int:
    """What a filter makes of the errors before `place`. 32 bits that may wrap, the same everywhere."""
    total = np.int32(0)
    start = place - taps
    for k in range(taps):
        total = np.int32(total + np.int32(filters[channel, stage, k] * errors[channel, stage, start + k]))
    return (wide(total) + (1 << (WEIGHT_BITS - 1))) >> WEIGHT_BITS


@bare
def adapt_filter(filters: I32, signs: I32, channel: int, stage: int, place: int, taps: int, way: int) -> None:
    """A filter's weights move one step `way`."""
    start = place - taps
    step = np.int32(way)
    for k in range(taps):
        filters[channel, stage, k] = np.int32(
            filters[channel, stage, k] + np.int32(step * signs[channel, stage, start + k])
        )


@inlined
def _first(m: Model, samples: I32, frame: int, channel: int, channels: int, own: int) -> int:
    """What the first stage predicts."""
    total = wide(_HALF)
    here = BEFORE + frame
    for i in range(own):
        total += m.first[channel, i] * wide(samples[channel, here - 1 - i])
    if own < TAPS:
        partner = channels - 1 - channel
        newest = here - wide(channel == 0)
        for i in range(TAPS - own):
            total += m.first[channel, own + i] * wide(samples[partner, newest - i])
    return total >> 16


@bare
def coded(coder: I64, stream: U8, p: int, decoding: bool, told: int) -> int:
    """One bit; a function of its own, for it is called from four places and would be compiled four times."""
    return code_bit(coder, stream, p, decoding, told)


@bare
def code_error(m: Model, t: Chances, stream: U8, decoding: bool, channel: int, channels: int, told: int) -> int:
    """How far the prediction is off: coded if it is told, else decoded."""
    squash, stretch, reciprocal = t.squash, t.stretch, t.reciprocal
    means, last, cells, stretched, mixing, coder = m.means, m.last, m.cells, m.stretched, m.mixing, m.coder
    size = abs(told)
    # The size in units of 2^k, so that there are two to four on average.
    k, mean = wide(0), (means[channel, 0] + means[channel, 2]) >> 9
    while mean > 0:
        mean >>= 1
        k += 1
    quick = _within(octaves(means[channel, 0]) - 4 * k, 0, LEVELS - 1)
    middling = _within(octaves(means[channel, 1]) - 4 * k, 0, LEVELS - 1)
    slow = _within(octaves(means[channel, 2]) - 4 * k, 0, LEVELS - 1)
    one = min(last[channel, 0] >> k, _NEAR)
    two = min(last[channel, 1] >> k, _NEAR)
    other = wide(0)
    if channels > 1:
        partner = 1 - channel
        other = _within(octaves(last[partner, 0] << 8) - octaves(means[partner, 2]) + 16, 0, LEVELS - 1)
    scale = min(k, STEPS - 1)
    base_0 = quick * STEPS
    base_1 = CELLS + (slow * LEVELS + quick) * STEPS
    base_2 = 2 * CELLS + (one * (_NEAR + 1) + two) * STEPS
    base_3 = 3 * CELLS + (other * LEVELS + slow) * STEPS
    base_4 = 4 * CELLS + (middling * LEVELS + slow) * STEPS
    base_5 = 5 * CELLS + (scale * LEVELS + min(one + two, LEVELS - 1)) * STEPS
    high = wide(0)
    while high < _LONGEST:
        step = min(high, STEPS - 1)
        cells[0], cells[1], cells[2] = base_0 + step, base_1 + step, base_2 + step
        cells[3], cells[4], cells[5] = base_3 + step, base_4 + step, base_5 + step
        row = step * STEPS + scale
        dot = wide(0)
        for i in range(CONTEXTS):
            stretched[i] = stretch[wide(m.chances[cells[i]]) >> 20]
            dot += stretched[i] * mixing[row, i]
        x = _within(dot >> _MIXED_BITS, -LIMIT, LIMIT)
        p = wide(squash[x + LIMIT])
        bit = coded(coder, stream, _within(p, _CHANCE_MIN, 65536 - _CHANCE_MIN), decoding, wide(size >> k > high))
        error = (bit << 16) - p
        for i in range(CONTEXTS):
            mixing[row, i] += (stretched[i] * error + (1 << (_RATE_SHIFT - 1))) >> _RATE_SHIFT
            _approach(m.chances, cells[i], bit, reciprocal)
        if bit == 0:
            break
        high += 1
    if high == _LONGEST:
        beyond = (size >> k) - _LONGEST
        high = wide(0)
        for i in range(_BEYOND_BITS - 1, -1, -1):
            high = high << 1 | coded(coder, stream, _HALF, decoding, (beyond >> i) & 1)
        high += _LONGEST
    # What is below a unit.
    low = wide(0)
    group = min(high, _LOW_ROWS - 1) * (LEVELS + 2)
    for i in range(k - 1, -1, -1):
        bit = (size >> i) & 1
        if i >= k - 2:
            cell = group + (quick if i == k - 1 else LEVELS + low)
            p = _within(wide(m.lows[cell]) >> 16, _CHANCE_MIN, 65536 - _CHANCE_MIN)
            bit = coded(coder, stream, p, decoding, bit)
            _approach(m.lows, cell, bit, reciprocal)
        else:
            bit = coded(coder, stream, _HALF, decoding, bit)
        low = low << 1 | bit
    size = _within(high << k | low, 0, _SIZE_MAX)
    if size and coded(coder, stream, _HALF, decoding, wide(told < 0)):
        return -size
    return size


@inlined
def _learn(m: Model, channel: int, sample: int, error: int, place: int, setting: I64, coarse: int) -> None:
    """What a sample teaches about the next of its channel."""
    said, means, shares = m.said, m.means, m.shares
    size = abs(error)
    means[channel, 0] += ((size << 8) - means[channel, 0]) >> 4
    means[channel, 1] += ((size << 8) - means[channel, 1]) >> 2
    means[channel, 2] += ((size << 8) - means[channel, 2]) >> 7
    m.last[channel, 1] = m.last[channel, 0]
    m.last[channel, 0] = size
    mean = means[channel, 2] >> 8
    off = sample - said[0]
    for stage in range(STAGES):
        kept = _within(off >> coarse, -32767, 32767)
        level = wide(0)
        far, step = abs(off), setting[LONG_STEP + stage]
        if far > 3 * mean:
            level = 2 * step
        elif 3 * far > mean:
            level = step
        elif far > 0:
            level = step >> 1
        m.errors[channel, stage, place] = kept
        m.signs[channel, stage, place] = level if off > 0 else -level
        shares[channel, stage] += _MIX_STEP * _sign(error) * _sign(said[stage + 1])
        off -= said[stage + 1]
        if off:
            adapt_filter(m.filters, m.signs, channel, stage, place, setting[LONG + stage], _sign(off))


@bare
def turn_back(errors: I32, signs: I32, channels: int) -> None:
    """Move the ends of both buffers to their beginnings."""
    for c in range(channels):
        for stage in range(STAGES):
            for k in range(REACH):
                errors[c, stage, k] = errors[c, stage, BUFFER - REACH + k]
                signs[c, stage, k] = signs[c, stage, BUFFER - REACH + k]


@bare
def run(
    m: Model, t: Chances, samples: I32, stream: U8, decoding: bool, setting: I64, least: int, most: int, coarse: int
) -> int:
    """Encode `samples` to `stream`, or decode `stream` to `samples`.

    samples  (channel, BEFORE + frame): one channel or two, all from `least` to `most`; zeros before the first
    setting  the numbers of a Preset
    coarse   bits that the filters do without

    Gives the bytes written; -1 if the stream has no room for them.
    """
    channels, frames = samples.shape[0], samples.shape[1] - BEFORE
    own = setting[OWN] if channels > 1 else wide(TAPS)
    every, fading = setting[EVERY], setting[FADING]
    said, shares, coder = m.said, m.shares, m.coder
    begin(coder, stream, decoding)
    place = wide(REACH)
    for frame in range(frames):
        if not decoding and coder[POSITION] + channels * ROOM > len(stream):
            return -1
        if frame and (frame % every == 0 or (frame < 512 and frame & 3 == 0)):
            for channel in range(channels):
                adapt_first(m, frame, channel, channels, own)
        for channel in range(channels):
            said[0] = _first(m, samples, frame, channel, channels, own)
            whole = said[0] << 16
            for stage in range(STAGES):
                taps = setting[LONG + stage]
                said[stage + 1] = filtered(m.filters, m.errors, channel, stage, place, taps) << coarse
                whole += said[stage + 1] * shares[channel, stage]
            prediction = _within((whole + _HALF) >> 16, least, most)
            told = wide(samples[channel, BEFORE + frame]) - prediction
            error = code_error(m, t, stream, decoding, channel, channels, told)
            sample = prediction + error
            if decoding:
                sample = _within(sample, least, most)
                samples[channel, BEFORE + frame] = sample
            _learn(m, channel, sample, error, place, setting, coarse)
        remember(m.products, samples, frame, channels, fading)
        place += 1
        if place == BUFFER:
            turn_back(m.errors, m.signs, channels)
            place = wide(REACH)
    return wide(coder[POSITION])


# --- doors ------------------------------------------------------------------------------------------------


def encode_sound(samples: I32, preset: int, least: int, most: int, coarse: int) -> bytes | None:
    """The stream of one channel or two, (channel, frame); None if it is longer than the samples as 32 bits."""
    channels, frames = samples.shape
    padded = np.zeros((channels, BEFORE + frames), np.int32)
    padded[:, BEFORE:] = samples
    stream = np.zeros(4 * samples.size + channels * ROOM + 64, np.uint8)
    model = new_model(channels)
    setting = np.array(PRESETS[preset], np.int64)
    written = run(model, chances(), padded, stream, False, setting, least, most, coarse)
    if written < 0:
        return None
    return ended(stream[:written].tobytes(), int(model.coder[LOW]), int(model.coder[HIGH]))


def decode_sound(stream: bytes, channels: int, frames: int, preset: int, least: int, most: int, coarse: int) -> I32:
    """The samples (channel, frame) of a stream. Bytes that no encoder wrote give some samples or other."""
    padded = np.zeros((channels, BEFORE + frames), np.int32)
    setting = np.array(PRESETS[preset], np.int64)
    run(
        new_model(channels),
        chances(),
        padded,
        np.frombuffer(bytearray(stream), np.uint8),
        True,
        setting,
        least,
        most,
        coarse,
    )
    return padded[:, BEFORE:]
