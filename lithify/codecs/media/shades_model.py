"""Pictures whose numbers are shades: each is near its neighbours, and how near is what those before it tell.

Four simple guesses are weighed by how well each did around here, a filter that learns corrects what they make, and what
is left is told in bits whose chances adapt. Nothing is mixed: some 60 ns a sample. One kernel for both directions
(FORMAT.md, shades).
"""

from typing import NamedTuple

import numpy as np

from lithify.codecs.array_types import I16, I32, I64, U8, U16, U32
from lithify.codecs.kernel import inlined, once, unsigned, wide
from lithify.codecs.span_coder import UNIT_BYTES, UNITS_PER_BIT_MAX, State, begun, coded, ended, grown, room, units_of

EDGE = 2
"""Samples on each side, and rows above, that a picture's edges are guessed from."""
GUESSES, TAPS = 4, 12
LEVELS = (1, 2, 3, 4, 6, 8, 11, 15, 21, 27, 36, 48, 62, 82, 108, 141, 184, 241, 315, 412, 539, 704, 919)
"""From which unrest on a context is another one."""
_UNREST_MAX = 1023
_NEAR = 4
_CONTEXTS = (len(LEVELS) + 1) * _NEAR
_BITS = 64
"""Chances of a context: whether a rest is 0, its sign, its length, its bits."""
_SIGN_AT, _LENGTH_AT, _BITS_AT = 2, 4, 16
_LENGTH_MAX = 8
_DECISIONS_MAX = 3 + 2 * _LENGTH_MAX
_P_MIN = 32
_EVEN = 32768
_FAST, _SLOW = 5, 7
_STEP = 2048
_CORRECTION_MAX = 1 << 14
_BIAS_COUNT_MAX = 256
_SHADE_MAX = 255
_UNITS_MIN = 64
_BEHIND = 1024
"""Units of zeros behind a stream, before whose end its rows must have begun."""


class Shades(NamedTuple):
    """A model: what it has learnt, and what it remembers of the last two rows."""

    rests: I32
    """(row mod 2, column, channel): how far each guess was off."""
    misses: I32
    """(row mod 2, guess, channel, column): the same of the four simple ones."""
    weights: I64
    """(channel, tap)"""
    chances: U32
    """One that learns fast, in the high 16 bits, and one that learns slowly."""
    bias: I64
    """(context, sum of what guesses were off by; how many)"""
    levels: I32
    """The context by unrest."""
    trust: I32
    """The weight of a guess by how far it was off lately."""
    taps: I64
    coder: I64
    """The state of the coder between rows."""


def new_shades(width: int, channels: int) -> Shades:
    """A model for pictures of so many columns and channels."""
    contexts = channels * _CONTEXTS
    return Shades(
        np.zeros((2, width + 2 * EDGE, channels), np.int32),
        np.zeros((2, GUESSES, channels, width + 2 * EDGE), np.int32),
        np.zeros((channels, TAPS), np.int64),
        np.full(contexts * _BITS, _EVEN << 16 | _EVEN, np.uint32),
        np.zeros((contexts, 2), np.int64),
        np.searchsorted(LEVELS, np.arange(_UNREST_MAX + 1), side="right").astype(np.int32),
        np.array([65536 // (miss * miss + 8) + 1 for miss in range(_UNREST_MAX + 1)], np.int32),
        np.zeros(TAPS, np.int64),
        np.zeros(3, np.int64),
    )


@inlined
def _bit(chances: U32, at: int, units: U16, state: State, decoding: bool, told: int) -> tuple[int, State]:
    """One bit by the mean of two chances that learn from it."""
    both = wide(chances[unsigned(at)])
    fast, slow = both >> 16, both & 0xFFFF
    p = min(max((fast + slow) >> 1, _P_MIN), 65536 - _P_MIN)
    bit, state = coded(units, state, p, decoding, told)
    fast += (65535 - fast) >> _FAST if bit else -(fast >> _FAST)
    slow += (65535 - slow) >> _SLOW if bit else -(slow >> _SLOW)
    chances[unsigned(at)] = fast << 16 | slow
    return bit, state


@inlined
def _code_rest(
    chances: U32, base: int, half: int, units: U16, state: State, decoding: bool, told: int
) -> tuple[int, State]:
    """How far a guess is off: whether at all, which way, the length of that number, and its bits."""
    bit, state = _bit(chances, base + half, units, state, decoding, wide(told != 0))
    if bit == 0:
        return wide(0), state
    negative, state = _bit(chances, base + _SIGN_AT + half, units, state, decoding, wide(told < 0))
    size, length = abs(told), wide(0)
    while length < _LENGTH_MAX:
        more = wide(size >> (length + 1) != 0)
        bit, state = _bit(chances, base + _LENGTH_AT + length, units, state, decoding, more)
        if bit == 0:
            break
        length += 1
    found, at = wide(1), base + _BITS_AT + 4 * length
    if length > 0:
        bit, state = _bit(chances, at, units, state, decoding, size >> (length - 1) & 1)
        found = found << 1 | bit
    if length > 1:
        bit, state = _bit(chances, at + 1 + bit, units, state, decoding, size >> (length - 2) & 1)
        found = found << 1 | bit
    for j in range(length - 3, -1, -1):
        bit, state = coded(units, state, wide(_EVEN), decoding, size >> j & 1)
        found = found << 1 | bit
    return (-found if negative else found), state


@inlined
def _top_bit(value: int) -> int:
    """Its place, of a positive number below 2^32: no loop, whose end nobody foretells."""
    sixteen = wide(value > 65535) << 4
    value >>= sixteen
    eight = wide(value > 255) << 3
    value >>= eight
    four = wide(value > 15) << 2
    value >>= four
    two = wide(value > 3) << 1
    value >>= two
    return sixteen + eight + four + two + wide(value > 1)


@inlined
def _missed(misses: I32, line: int, guess: int, c: int, x: int) -> int:
    """How far a simple guess was off at the left, and above."""
    total = wide(misses[line, guess, c, x - 1]) + wide(misses[1 - line, guess, c, x])
    total += wide(misses[1 - line, guess, c, x - 1]) + wide(misses[1 - line, guess, c, x + 1])
    return min(total, _UNREST_MAX)


@once
def _edges(picture: I16, rests: I32, misses: I32, y: int) -> None:
    """Rows go on beyond their ends as they were."""
    line, end = y & 1, picture.shape[1] - EDGE
    for c in range(picture.shape[2]):
        picture[y, 0, c] = picture[y, 1, c] = picture[y - 1, EDGE, c]
        picture[y - 1, end, c] = picture[y - 1, end + 1, c] = picture[y - 1, end - 1, c]
        rests[line, 1, c] = rests[1 - line, EDGE, c]
        rests[1 - line, end, c] = rests[1 - line, end - 1, c]
        for k in range(GUESSES):
            misses[line, k, c, 0] = misses[line, k, c, 1] = misses[1 - line, k, c, EDGE]
            misses[1 - line, k, c, end] = misses[1 - line, k, c, end - 1]


@once
def code_shades(
    picture: I16,
    first: int,
    rests: I32,
    misses: I32,
    weights: I64,
    chances: U32,
    bias: I64,
    levels: I32,
    trust: I32,
    taps: I64,
    coder: I64,
    units: U16,
    decoding: bool,
) -> int:
    """Code a picture, EDGE wider on each side and above, from row `first` on; gives the row there is no room for."""
    height, width, channels = picture.shape[0], picture.shape[1] - 2 * EDGE, picture.shape[2]
    state = (wide(coder[0]), wide(coder[1]), wide(coder[2])) if first > EDGE else begun(units, decoding)
    for y in range(first, height):
        coder[0], coder[1], coder[2] = state
        if state[2] + width * channels * _DECISIONS_MAX * UNITS_PER_BIT_MAX > len(units):
            return -1 if decoding else y
        line = y & 1
        _edges(picture, rests, misses, y)
        for x in range(EDGE, width + EDGE):
            last = wide(0)
            for c in range(channels):
                w, ww, n = wide(picture[y, x - 1, c]), wide(picture[y, x - 2, c]), wide(picture[y - 1, x, c])
                nw, ne, nn = wide(picture[y - 1, x - 1, c]), wide(picture[y - 1, x + 1, c]), wide(picture[y - 2, x, c])
                nne = wide(picture[y - 2, x + 1, c])
                guess_0, guess_1, guess_2, guess_3 = w + ne - n, w + n - nw, n + ne - nne, (w + n + 1) >> 1
                trust_0 = wide(trust[_missed(misses, line, 0, c, x)])
                trust_1 = wide(trust[_missed(misses, line, 1, c, x)])
                trust_2 = wide(trust[_missed(misses, line, 2, c, x)])
                trust_3 = wide(trust[_missed(misses, line, 3, c, x)])
                total = trust_0 * guess_0 + trust_1 * guess_1 + trust_2 * guess_2 + trust_3 * guess_3
                weighed = 8 * total // (trust_0 + trust_1 + trust_2 + trust_3)
                # what the filter makes of the neighbours, as they differ from that, and of the channels before
                taps[0], taps[1], taps[2], taps[3] = (
                    8 * w - weighed,
                    8 * n - weighed,
                    8 * nw - weighed,
                    8 * ne - weighed,
                )
                taps[4], taps[5] = 8 * ww - weighed, 8 * nn - weighed
                if c:
                    here, before = wide(picture[y, x, 0]), wide(picture[y, x, c - 1])
                    taps[6], taps[7] = 8 * (here - picture[y, x - 1, 0]), 8 * (here - picture[y - 1, x, 0])
                    taps[8], taps[9] = 8 * (before - picture[y, x - 1, c - 1]), 8 * (before - picture[y - 1, x, c - 1])
                else:
                    taps[6], taps[7] = 8 * nne - weighed, wide(0)
                    taps[8], taps[9] = wide(0), wide(0)
                taps[10], taps[11] = 8 * picture[y - 1, x + 2, c] - weighed, 8 * picture[y - 1, x - 2, c] - weighed
                correction, power = wide(0), wide(16)
                for k in range(TAPS):
                    correction += taps[k] * weights[c, k]
                    power += abs(taps[k])
                correction = min(max(correction >> 16, -_CORRECTION_MAX), _CORRECTION_MAX)
                # how much is going on here, and what that has come to before
                unrest = abs(w - nw) + abs(n - nw) + abs(n - ne) + wide(rests[1 - line, x - 1, c])
                unrest += 2 * (wide(rests[line, x - 1, c]) + wide(rests[1 - line, x, c])) + rests[1 - line, x + 1, c]
                near = wide(last >= 2) + wide(last >= 5) + wide(last >= 12)
                context = (c * (len(LEVELS) + 1) + levels[min(unrest, _UNREST_MAX)]) * _NEAR + near
                eighths = weighed + correction + bias[context, 0] // max(bias[context, 1], 1)
                least, most = wide(0), wide(_SHADE_MAX)
                if channels > 2 and 0 < c < 3:
                    least = -wide(picture[y, x, 0])
                    most += least
                guess = min(max((eighths + 4) >> 3, least), most)
                shade = wide(picture[y, x, c])
                half = eighths >> 2 & 1
                rest, state = _code_rest(chances, context * _BITS, half, units, state, decoding, shade - guess)
                shade = guess + rest
                if shade < least or shade > most:
                    return -1
                picture[y, x, c] = shade
                last = abs(rest)
                rests[line, x, c] = last
                misses[line, 0, c, x], misses[line, 1, c, x] = abs(guess_0 - shade), abs(guess_1 - shade)
                misses[line, 2, c, x], misses[line, 3, c, x] = abs(guess_2 - shade), abs(guess_3 - shade)
                bias[context, 0] += 8 * shade - eighths
                bias[context, 1] += 1
                if bias[context, 1] >= _BIAS_COUNT_MAX:
                    bias[context, 0] >>= 1
                    bias[context, 1] >>= 1
                pull = (8 * shade - weighed - correction) * _STEP
                shift = _top_bit(power)
                for k in range(TAPS):
                    weights[c, k] += (taps[k] * pull) >> 2 * shift
    coder[0], coder[1], coder[2] = state
    return wide(height)


def encode_shades(picture: U8) -> bytes:
    """The stream of a picture of shape (height, width, channels), 1 to 4 of these."""
    _, width, channels = picture.shape
    model, planes = new_shades(width, channels), _planes(picture)
    row_units = width * channels * _DECISIONS_MAX * UNITS_PER_BIT_MAX
    units, row = room(_UNITS_MIN), EDGE
    while (row := _coded(model, planes, row, units, decoding=False)) < len(planes):
        units = grown(units, len(units) + row_units)
    value, span, place = model.coder.tolist()
    return ended(units, (value, span, place)).ljust(UNIT_BYTES * (place - _BEHIND // 2), b"\0")


def decode_shades(stream: bytes, height: int, width: int, channels: int) -> U8 | None:
    """The picture of a stream; None: no picture has such a one."""
    model = new_shades(width, channels)
    planes = np.zeros((height + EDGE, width + 2 * EDGE, channels), np.int16)
    row_units = width * channels * _DECISIONS_MAX * UNITS_PER_BIT_MAX
    if _coded(model, planes, EDGE, units_of(stream, _BEHIND + row_units), decoding=True) < 0:
        return None
    return _picture(planes)


def _coded(model: Shades, planes: I16, row: int, units: U16, *, decoding: bool) -> int:
    reached: int = code_shades(
        planes, row, model.rests, model.misses, model.weights, model.chances, model.bias, model.levels, model.trust,
        model.taps, model.coder, units, decoding,
    )  # fmt: skip
    return reached


def _planes(picture: U8) -> I16:
    """The channels in the order they are coded, with room around; red and blue less green."""
    height, width, channels = picture.shape
    planes = np.zeros((height + EDGE, width + 2 * EDGE, channels), np.int16)
    inner = planes[EDGE:, EDGE:-EDGE]
    inner[:] = picture
    if channels > 2:
        inner[:, :, 0], inner[:, :, 1] = picture[:, :, 1], picture[:, :, 0]
        inner[:, :, 1:3] -= inner[:, :, :1]
    return planes


def _picture(planes: I16) -> U8:
    """The channels as they were."""
    inner = planes[EDGE:, EDGE:-EDGE].copy()
    if inner.shape[2] > 2:
        inner[:, :, 1:3] += inner[:, :, :1]
        inner[:, :, :2] = inner[:, :, 1::-1].copy()
    return inner.astype(np.uint8)
