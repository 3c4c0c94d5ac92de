"""Pictures that were drawn: most pixels are as those around them, and what is not was often seen before.

Where all neighbours are alike, how far that goes on is one number. Elsewhere a pixel is guessed to be what stood last
where six, then where three neighbours were the same, then to be as the one above or at the left; each guess is one bit.
Only what none foretells is told in shades. One kernel for both directions (FORMAT.md, drawn).
"""

from typing import NamedTuple

import numpy as np

from lithify.codecs.array_types import I64, U8, U16, U32
from lithify.codecs.kernel import inlined, once, unsigned, wide
from lithify.codecs.span_coder import UNIT_BYTES, UNITS_PER_BIT_MAX, State, begun, coded, ended, grown, room, units_of

PADDING = 2
"""Pixels that stand around a picture on each side and above."""
_SEEN_BITS = 14
_SURE_MAX = 7
_SPREAD, _SPREAD_2, _WORD = 0x1E35A7BD, 0x2C1B3C6D, 0xFFFFFFFF
_FAST, _SLOW = 4, 7
_P_MIN = 32
_EVEN = 32768

# Chances.
_GOES_ON = 0  # to the end of the row above's: by how long that is
_SHORTER = 32  # how much: the length of the number, its second bit
_AS_SIX, _AS_THREE, _AS_ABOVE, _AS_LEFT = 128, 640, 1152, 1216
"""Whether a pixel is what it was when six neighbours were the same, by how sure that is, and which of them are alike;
and so on."""
_SHADES = 1280
_SHADE_CHANCES = 64
_NOT_ZERO, _NEGATIVE, _LENGTH, _BITS = 0, 4, 8, 16
_CHANCES = _SHADES + 4 * _SHADE_CHANCES
_LENGTH_BITS_MAX = 32
_SHADE_DECISIONS = 18
_DECISIONS_MAX = 2 * _LENGTH_BITS_MAX + 4 + 4 * _SHADE_DECISIONS
_UNITS_MIN = 64
_BEHIND = 1024
"""Units of zeros behind a stream, before whose end its rows must have begun."""


class Drawn(NamedTuple):
    """A model: what it has learnt."""

    chances: U32
    """One that learns fast, in the high 16 bits, and one that learns slowly."""
    seen: I64
    """(neighbours, hash): the pixel that came last where six, or three, neighbours were such, and above its 32 bits how
    often it was right; 0: none."""
    coder: I64
    """The state of the coder between rows."""


def new_drawn() -> Drawn:
    """A model of any picture."""
    return Drawn(
        np.full(_CHANCES, _EVEN << 16 | _EVEN, np.uint32),
        np.zeros((2, 1 << _SEEN_BITS), np.int64),
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
def _plain_bits(units: U16, state: State, bits: int, decoding: bool, told: int) -> tuple[int, State]:
    value = wide(0)
    for j in range(bits - 1, -1, -1):
        bit, state = coded(units, state, wide(_EVEN), decoding, told >> j & 1)
        value = value << 1 | bit
    return value, state


@once
def _code_number(
    chances: U32, units: U16, state: State, at: int, most: int, decoding: bool, told: int
) -> tuple[int, State]:
    """A number below `most`: the length of the number above it, then its bits below the top one."""
    above, length = told + 1, wide(0)
    while most >> (length + 1):
        more, state = _bit(chances, at + length, units, state, decoding, wide(above >> (length + 1) != 0))
        if more == 0:
            break
        length += 1
    value, left = wide(1), length
    if length > 0:
        bit, state = _bit(chances, at + 32 + length, units, state, decoding, above >> (length - 1) & 1)
        value, left = wide(2) | bit, length - 1
    below, state = _plain_bits(units, state, left, decoding, above & ((wide(1) << left) - 1))
    return (value << left | below) - 1, state


@once
def _code_shade(chances: U32, units: U16, state: State, at: int, decoding: bool, told: int) -> tuple[int, State]:
    """A number from -128 to 127: whether it is zero, which way, the length of its size, and its bits."""
    bit, state = _bit(chances, at + _NOT_ZERO, units, state, decoding, wide(told != 0))
    if bit == 0:
        return wide(0), state
    negative, state = _bit(chances, at + _NEGATIVE, units, state, decoding, wide(told < 0))
    size, length = abs(told), wide(0)
    while length < 7:
        bit, state = _bit(chances, at + _LENGTH + length, units, state, decoding, wide(size >> (length + 1) != 0))
        if bit == 0:
            break
        length += 1
    found, left = wide(1), length
    if length > 0:
        bit, state = _bit(chances, at + _BITS + 2 * length, units, state, decoding, size >> (length - 1) & 1)
        found, left = wide(2) | bit, length - 1
    below, state = _plain_bits(units, state, left, decoding, size & ((wide(1) << left) - 1))
    found = found << left | below
    return (-found if negative else found), state


@inlined
def _channel(pixel: int, c: int) -> int:
    return pixel >> 8 * c & 255


@once
def _code_colour(
    chances: U32, units: U16, state: State, channels: int, w: int, n: int, nw: int, decoding: bool, told: int
) -> tuple[int, State]:
    """A pixel by its shades: green first, where there is such; red and blue are off about as much."""
    colour, off = wide(0), wide(0)
    for k in range(channels):
        c = 1 - k if channels > 2 and k < 2 else k
        left, above, corner = _channel(w, c), _channel(n, c), _channel(nw, c)
        guess = min(max(left + above - corner, min(left, above)), max(left, above))
        if channels > 2 and 0 < k < 3:
            guess = (guess + off) & 255
        rest = ((_channel(told, c) - guess + 128) & 255) - 128
        at = _SHADES + k * _SHADE_CHANCES + wide(off != 0)
        rest, state = _code_shade(chances, units, state, at, decoding, rest)
        if k == 0:
            off = rest
        colour |= ((guess + rest) & 255) << 8 * c
    return colour, state


@once
def code_drawn(
    pixels: U32, first: int, channels: int, chances: U32, seen: I64, coder: I64, units: U16, decoding: bool
) -> int:
    """Code pixels (row, column), PADDING more on each side and above, from row `first` on; gives the row there is no
    room for, or -1 if no picture has such a stream."""
    height, end = pixels.shape[0], pixels.shape[1] - PADDING
    row_units = (end - PADDING) * _DECISIONS_MAX * UNITS_PER_BIT_MAX
    state = (wide(coder[0]), wide(coder[1]), wide(coder[2])) if first > PADDING else begun(units, decoding)
    for y in range(first, height):
        coder[0], coder[1], coder[2] = state
        if state[2] + row_units > len(units):
            return -1 if decoding else y
        pixels[y, 0] = pixels[y, 1] = pixels[y - 1, PADDING]
        pixels[y - 1, end] = pixels[y - 1, end + 1] = pixels[y - 1, end - 1]
        x, flat = wide(PADDING), wide(0)  # up to `flat` the row above is known to go on as it does here
        while x < end:
            at = unsigned(x)
            w, ww, n = wide(pixels[y, unsigned(x - 1)]), wide(pixels[y, unsigned(x - 2)]), wide(pixels[y - 1, at])
            nw, ne = wide(pixels[y - 1, unsigned(x - 1)]), wide(pixels[y - 1, unsigned(x + 1)])
            nn = wide(pixels[y - 2, at])
            if w == n and n == nw and n == ne:
                if x >= flat:
                    flat = x + 1
                    while flat < end and wide(pixels[y - 1, unsigned(flat + 1)]) == w:
                        flat += 1
                most = flat - x
                run = wide(0)
                if not decoding:
                    while run < most and wide(pixels[y, unsigned(x + run)]) == w:
                        run += 1
                steps = wide(0)
                while most >> (steps + 1):
                    steps += 1
                ends, state = _bit(chances, _GOES_ON + steps, units, state, decoding, wide(run != most))
                if ends:
                    run, state = _code_number(chances, units, state, wide(_SHORTER), most, decoding, run)
                    if run >= most:
                        return -1
                else:
                    run = most
                if decoding:
                    for i in range(x, x + run):
                        pixels[y, unsigned(i)] = w
                x += run
                if not ends:
                    continue
                # the pixel here is another one: as none of its neighbours
                at = unsigned(x)
                nn, ww = wide(pixels[y - 2, at]), w
                ne = wide(pixels[y - 1, unsigned(x + 1)])
            actual = wide(pixels[y, at])
            three = (w * _SPREAD + n * _SPREAD_2 + (ne << 7)) & _WORD
            three = three * _SPREAD_2 & _WORD
            six = (three + nw * _SPREAD + (ww ^ nn << 3) * _SPREAD_2) & _WORD
            in_six = unsigned((six * _SPREAD & _WORD) >> (32 - _SEEN_BITS))
            in_three = unsigned(three >> (32 - _SEEN_BITS))
            alike = wide(w == n) | wide(n == ne) << 1 | wide(w == nw) << 2 | wide(n == nw) << 3
            by_six, by_three = wide(seen[0, in_six]), wide(seen[1, in_three])
            pixel, found = by_six & _WORD, wide(0)
            if by_six:
                context = (by_six >> 32) << 4 | alike
                found, state = _bit(chances, _AS_SIX + context, units, state, decoding, wide(actual == pixel))
            missed_six = by_six != 0 and found == 0
            if found == 0 and by_three and (by_six == 0 or by_three & _WORD != by_six & _WORD):
                pixel = by_three & _WORD
                context = (by_three >> 32) << 4 | alike
                context += 128 * wide(missed_six)
                found, state = _bit(chances, _AS_THREE + context, units, state, decoding, wide(actual == pixel))
            if found == 0:
                pixel = n
                found, state = _bit(chances, _AS_ABOVE + alike, units, state, decoding, wide(actual == pixel))
            if found == 0 and w != n:
                pixel = w
                found, state = _bit(chances, _AS_LEFT + alike, units, state, decoding, wide(actual == pixel))
            if found == 0:
                pixel, state = _code_colour(chances, units, state, channels, w, n, nw, decoding, actual)
            if decoding:
                pixels[y, at] = pixel
            seen[0, in_six] = _next_seen(by_six, pixel)
            seen[1, in_three] = _next_seen(by_three, pixel)
            x += 1
    coder[0], coder[1], coder[2] = state
    return wide(height)


@inlined
def _next_seen(before: int, pixel: int) -> int:
    """What is remembered when this pixel came: it is the surer the oftener it came in a row."""
    if before and before & _WORD == pixel:
        return min(before >> 32, wide(_SURE_MAX - 1)) + 1 << 32 | pixel
    return wide(1) << 32 | pixel


def encode_drawn(picture: U8) -> bytes:
    """The stream of a picture of shape (height, width, channels), 1 to 4 of these."""
    model, pixels = new_drawn(), _padded(picture)
    row_units = picture.shape[1] * _DECISIONS_MAX * UNITS_PER_BIT_MAX
    units, row = room(_UNITS_MIN), PADDING
    while (row := code_drawn(pixels, row, picture.shape[2], *model, units, False)) < len(pixels):
        units = grown(units, len(units) + row_units)
    value, span, place = model.coder.tolist()
    return ended(units, (value, span, place)).ljust(UNIT_BYTES * (place - _BEHIND // 2), b"\0")


def decode_drawn(stream: bytes, height: int, width: int, channels: int) -> U8 | None:
    """The picture of a stream; None: no picture has such a one."""
    model = new_drawn()
    pixels = np.zeros((height + PADDING, width + 2 * PADDING), np.uint32)
    units = units_of(stream, _BEHIND + width * _DECISIONS_MAX * UNITS_PER_BIT_MAX)
    if code_drawn(pixels, PADDING, channels, *model, units, True) < 0:
        return None
    shades = pixels.astype("<u4", copy=False).view(np.uint8).reshape(height + PADDING, width + 2 * PADDING, 4)
    return shades[PADDING:, PADDING:-PADDING, :channels]


def _padded(picture: U8) -> U32:
    """Pixels as numbers, the first channel lowest, with room around."""
    height, width, channels = picture.shape
    four = np.zeros((height, width, 4), np.uint8)
    four[:, :, :channels] = picture
    pixels = np.zeros((height + PADDING, width + 2 * PADDING), np.uint32)
    pixels[PADDING:, PADDING:-PADDING] = four.view("<u4")[:, :, 0]
    return pixels
