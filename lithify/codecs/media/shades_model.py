"""Pictures whose numbers are shades: each is near its neighbours, and how near is what those before it tell.

A filter that learns corrects a simple guess, and what is left is told by one of sixteen tokens, whose chances adapt by
how much is going on around, and a few plain bits. Nothing is mixed or divided: some 25 ns a sample. A coder with one
number (rANS) tells tokens in one step each; it writes backwards, a band of rows at a time. One kernel for both
directions (FORMAT.md, shades).

papers  J. Duda, "Asymmetric numeral systems", arXiv 1311.2540; F. Giesen, "Interleaved entropy coders", arXiv 1402.3392
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lithify.codecs.array_types import I16, I32, I64, U8, U32, U64
from lithify.codecs.kernel import inlined, once, unsigned, wide

EDGE = 2
"""Samples on each side, and rows above, that a picture's edges are guessed from."""
TAPS = 12
LEVELS = (1, 2, 3, 4, 6, 8, 11, 15, 21, 27, 36, 48, 62, 82, 108, 141, 184, 241, 315, 412, 539, 704, 919)
"""From which unrest on a context is another one."""
_UNREST_MAX = 1023
_CONTEXTS = 2 * (len(LEVELS) + 1)
_POWER_MAX = 2 + TAPS * 510
_CORRECTION_MAX = 1 << 12
_SHADE_MAX = 255
BAND_SAMPLES = 65536
"""Of a band, unless a row has more."""
_WORD_BYTES = 4

TOKENS, _FAR_TOKENS = 16, 6
TOKEN_SIZES = ((4, 1), (6, 1), (8, 2), (12, 2), (16, 3), (24, 3), (32, 5), (64, 6), (128, 7))
"""Of tokens from the sixth on: the least size of a rest, and bits of how much it is more."""
NEAR_TOKENS = (0, -1, -2, 2, -3, 3)
"""Rests of the tokens before; that of the last is 1. The first and the last never become rare, as no other does."""
_FAR_SIZES = tuple(size for size, _ in TOKEN_SIZES)
_CHANCE_BITS = 15
_CHANCES = 1 << _CHANCE_BITS
_STEP, _SLOWNESS = 254, 7
_WORDS = 8
"""Of a context: four bounds of tokens in each, of 16 bits; the last bound; and room, so that each has a cache line."""
_LEAST = 1 << 31
"""Of the coder's number, between samples."""


def _lanes(numbers: Sequence[int]) -> list[np.uint64]:
    """Numbers of 16 bits, four in a word, the first lowest."""
    return [np.uint64(sum(n << 16 * k for k, n in enumerate(numbers[at : at + 4]))) for at in range(0, len(numbers), 4)]


_ONES, _GUARDS, _LOWS = _lanes([1] * 4 + [_CHANCES] * 4 + [255] * 4)
_INDICES_0, _INDICES_1, _INDICES_2, _INDICES_3 = _lanes(range(TOKENS))
_ONE, _TWO, _THREE = np.uint64(1), np.uint64(2), np.uint64(3)
_BY_7, _BY_15, _BY_16, _BY_32, _COUNT = (np.uint64(n) for n in (_SLOWNESS, 15, 16, 32, 31))
_MOVES: U64 = np.array(
    _lanes([_STEP * (other > token) for token in range(TOKENS) for other in range(TOKENS)]), np.uint64
)
"""By token: what its bounds, those above it, move up by."""
_LEVEL: I32 = np.searchsorted(LEVELS, np.arange(_UNREST_MAX + 1), side="right").astype(np.int32)
_SHIFTS: U8 = np.array([2 * (max(power, 1).bit_length() - 1) for power in range(_POWER_MAX + 1)], np.uint8)
_TOKEN_BITS: I32 = np.array([0] * _FAR_TOKENS + [1 + bits for _, bits in TOKEN_SIZES] + [0], np.int32)
_TOKEN_BASE: I32 = np.array([*NEAR_TOKENS, *_FAR_SIZES, 1], np.int32)
_FAR: I32 = np.array(np.searchsorted(_FAR_SIZES, np.arange(_SHADE_MAX + 1), side="right") + _FAR_TOKENS - 1, np.int32)
_TOKEN_OF: I32 = np.array(
    [
        _FAR[abs(rest)] if abs(rest) > 3 else TOKENS - 1 if rest == 1 else NEAR_TOKENS.index(rest)
        for rest in range(-_SHADE_MAX, _SHADE_MAX + 1)
    ],
    np.int32,
)
"""By rest, from the least on."""


def _fresh_bounds() -> U64:
    """Of each context, before anything was learnt: rests that are the rarer the larger they are."""
    words: list[np.uint64] = []
    for level in (0, *LEVELS):
        spread, left, often = 8 + 8 * level // 7, 1 << 24, [0] * TOKENS
        for size in range(_SHADE_MAX + 1):
            for rest in {size, -size}:
                often[_TOKEN_OF[rest + _SHADE_MAX]] += left
            left = left * spread // (spread + 16)
        bounds = [(_CHANCES - TOKENS) * sum(often[:token]) // sum(often) for token in range(TOKENS + 1)]
        words += _lanes(bounds + [0] * (4 * _WORDS - len(bounds))) * 2
    return np.array(words, np.uint64)


_FRESH = _fresh_bounds()


class Shades(NamedTuple):
    """A model: what it has learnt, and what it remembers of the last two rows."""

    rests: I32
    """(row mod 2, channel, column): how far each guess was off."""
    weights: I64
    """(channel, tap)"""
    bounds: U64
    """Of each context: for each token how often those before it came, in 1/32768, less its index."""
    coder: I64
    """The coder's number, and the word that comes next."""


def new_shades(width: int, channels: int) -> Shades:
    """A model for pictures of so many columns and channels."""
    return Shades(
        np.zeros((2, channels, width + 2 * EDGE), np.int32),
        np.zeros((channels, TAPS), np.int64),
        np.tile(_FRESH, channels),
        np.zeros(2, np.int64),
    )


@inlined
def _bound(bounds: U64, base: int, token: int) -> int:
    """How often tokens before this one come in a context, in 1/32768."""
    return (wide(bounds[base + unsigned(token >> 2)] >> unsigned((token & 3) << 4)) & 0xFFFF) + token


@inlined
def _token_at(bounds: U64, base: int, target: int) -> int:
    """The last token whose bound is not above a number, four of them compared at once."""
    aims = unsigned(target) * _ONES | _GUARDS
    reached = ((aims - bounds[base] - _INDICES_0) & _GUARDS) >> _BY_15
    reached += ((aims - bounds[base + _ONE] - _INDICES_1) & _GUARDS) >> _BY_15
    reached += ((aims - bounds[base + _TWO] - _INDICES_2) & _GUARDS) >> _BY_15
    reached += ((aims - bounds[base + _THREE] - _INDICES_3) & _GUARDS) >> _BY_15
    reached += reached >> _BY_32
    return wide((reached + (reached >> _BY_16)) & _COUNT) - 1


@inlined
def _learn(bounds: U64, base: int, token: int) -> None:
    """A token came: the bounds above it move up, those up to it down."""
    moves = unsigned(4 * token)
    bounds[base] = bounds[base] + _MOVES[moves] - (bounds[base] >> _BY_7 & _LOWS)
    bounds[base + _ONE] = bounds[base + _ONE] + _MOVES[moves + _ONE] - (bounds[base + _ONE] >> _BY_7 & _LOWS)
    bounds[base + _TWO] = bounds[base + _TWO] + _MOVES[moves + _TWO] - (bounds[base + _TWO] >> _BY_7 & _LOWS)
    bounds[base + _THREE] = bounds[base + _THREE] + _MOVES[moves + _THREE] - (bounds[base + _THREE] >> _BY_7 & _LOWS)


@once
def _edges(planes: I16, rests: I32, y: int) -> None:
    """Rows go on beyond their ends as they were."""
    line, end = y & 1, planes.shape[2] - EDGE
    for c in range(planes.shape[0]):
        planes[c, y, 0] = planes[c, y, 1] = planes[c, y - 1, EDGE]
        planes[c, y - 1, end] = planes[c, y - 1, end + 1] = planes[c, y - 1, end - 1]
        rests[line, c, 1] = rests[1 - line, c, EDGE]
        rests[1 - line, c, end] = rests[1 - line, c, end - 1]


@once
def code_shades(
    planes: I16,
    first: int,
    behind: int,
    rests: I32,
    weights: I64,
    bounds: U64,
    coder: I64,
    words: U32,
    records: I64,
    decoding: bool,
) -> bool:
    """Code the rows from `first` up to before `behind` of planes (channel, row, column) with EDGE around.

    words    decoding: the stream, with as many words behind it as the rows have samples
    records  encoding: of each sample the bound of its token, how often it comes, its plain bits and their number
    return   False: no picture has such rows
    """
    channels, end = planes.shape[0], planes.shape[2] - EDGE
    number, place, count = wide(coder[0]), wide(coder[1]), wide(0)
    for y in range(first, behind):
        line = y & 1
        _edges(planes, rests, y)
        for x in range(EDGE, end):
            at, before, further = unsigned(x), unsigned(x - 1), unsigned(x + 1)
            for c in range(channels):
                w, ww = wide(planes[c, y, before]), wide(planes[c, y, unsigned(x - 2)])
                n, nn, nne = wide(planes[c, y - 1, at]), wide(planes[c, y - 2, at]), wide(planes[c, y - 2, further])
                nw, ne = wide(planes[c, y - 1, before]), wide(planes[c, y - 1, further])
                nww, nee = wide(planes[c, y - 1, unsigned(x - 2)]), wide(planes[c, y - 1, unsigned(x + 2)])
                simple = min(max(w + n - nw, min(w, n)), max(w, n))
                # what the filter makes of the neighbours, as they differ from that, and of the channels before
                tap_0, tap_1, tap_2, tap_3 = w - simple, n - simple, nw - simple, ne - simple
                tap_4, tap_5, tap_10, tap_11 = ww - simple, nn - simple, nee - simple, nww - simple
                tap_6, tap_7, tap_8, tap_9 = nne - simple, wide(0), wide(0), wide(0)
                if c:
                    here, last = wide(planes[0, y, at]), wide(planes[c - 1, y, at])
                    tap_6, tap_7 = here - planes[0, y, before], here - planes[0, y - 1, at]
                    tap_8, tap_9 = last - planes[c - 1, y, before], last - planes[c - 1, y - 1, at]
                learnt = weights[c]
                correction = tap_0 * learnt[0] + tap_1 * learnt[1] + tap_2 * learnt[2] + tap_3 * learnt[3]
                correction += tap_4 * learnt[4] + tap_5 * learnt[5] + tap_6 * learnt[6] + tap_7 * learnt[7]
                correction += tap_8 * learnt[8] + tap_9 * learnt[9] + tap_10 * learnt[10] + tap_11 * learnt[11]
                power = wide(2) + abs(tap_0) + abs(tap_1) + abs(tap_2) + abs(tap_3) + abs(tap_4) + abs(tap_5)
                power += abs(tap_6) + abs(tap_7) + abs(tap_8) + abs(tap_9) + abs(tap_10) + abs(tap_11)
                eighths = 8 * simple + min(max(correction >> 13, -_CORRECTION_MAX), wide(_CORRECTION_MAX))
                # how much is going on here
                unrest = abs(w - nw) + abs(n - nw) + abs(n - ne) + wide(rests[1 - line, c, before])
                unrest += 2 * (wide(rests[line, c, before]) + wide(rests[1 - line, c, at]))
                unrest += wide(rests[1 - line, c, further])
                context = c * _CONTEXTS + 2 * wide(_LEVEL[unsigned(min(unrest, _UNREST_MAX))]) + (eighths >> 2 & 1)
                base = unsigned(_WORDS * context)
                least, most = wide(0), wide(_SHADE_MAX)
                if channels > 2 and 0 < c < 3:
                    least = -wide(planes[0, y, at])
                    most += least
                guess = min(max((eighths + 4) >> 3, least), most)
                if decoding:
                    target = number & (_CHANCES - 1)
                    token = _token_at(bounds, base, target)
                    start = _bound(bounds, base, token)
                    number = (_bound(bounds, base, token + 1) - start) * (number >> _CHANCE_BITS) + target - start
                    if number < _LEAST:
                        number = number << 32 | wide(words[unsigned(place)])
                        place += 1
                    bits = wide(_TOKEN_BITS[unsigned(token)])
                    plain = number & ((wide(1) << bits) - 1)
                    number >>= bits
                    if number < _LEAST:
                        number = number << 32 | wide(words[unsigned(place)])
                        place += 1
                    rest = wide(_TOKEN_BASE[unsigned(token)]) + (plain >> 1)
                    rest = -rest if plain & 1 else rest
                    shade = guess + rest
                    if shade < least or shade > most:
                        return False
                    planes[c, y, at] = shade
                else:
                    shade = wide(planes[c, y, at])
                    rest = shade - guess
                    token = wide(_TOKEN_OF[unsigned(rest + _SHADE_MAX)])
                    token_bits = wide(_TOKEN_BITS[unsigned(token)])
                    plain = (abs(rest) - wide(_TOKEN_BASE[unsigned(token)])) << 1 | wide(rest < 0)
                    plain = plain if token_bits else wide(0)
                    start = _bound(bounds, base, token)
                    often = _bound(bounds, base, token + 1) - start
                    records[unsigned(count)] = start << 32 | often << 16 | plain << 4 | token_bits
                    count += 1
                _learn(bounds, base, token)
                rests[line, c, at] = abs(rest)
                pull = (8 * shade - eighths) << 8
                shift = wide(_SHIFTS[unsigned(power)])
                learnt[0] += tap_0 * pull >> shift
                learnt[1] += tap_1 * pull >> shift
                learnt[2] += tap_2 * pull >> shift
                learnt[3] += tap_3 * pull >> shift
                learnt[4] += tap_4 * pull >> shift
                learnt[5] += tap_5 * pull >> shift
                learnt[6] += tap_6 * pull >> shift
                learnt[7] += tap_7 * pull >> shift
                learnt[8] += tap_8 * pull >> shift
                learnt[9] += tap_9 * pull >> shift
                learnt[10] += tap_10 * pull >> shift
                learnt[11] += tap_11 * pull >> shift
    coder[0], coder[1] = number, place
    return True


@once
def write_records(records: I64, count: int, words: U32) -> int:
    """The words of a band, the last first; gives how many. A reader begins where this ends."""
    number, place = wide(_LEAST), wide(0)
    for i in range(count - 1, -1, -1):
        record = records[i]
        bits, plain, often, start = record & 15, record >> 4 & 0xFFF, record >> 16 & 0xFFFF, record >> 32
        if number >> 63 - bits:
            words[place] = number & 0xFFFFFFFF
            place += 1
            number >>= 32
        number = number << bits | plain
        if number >> 63 - _CHANCE_BITS >= often:
            words[place] = number & 0xFFFFFFFF
            place += 1
            number >>= 32
        number = (number // often << _CHANCE_BITS) + number % often + start
    words[place], words[place + 1] = number & 0xFFFFFFFF, number >> 32
    return place + 2


def encode_shades(picture: U8) -> bytes:
    """The stream of a picture of shape (height, width, channels), 1 to 4 of these."""
    _, width, channels = picture.shape
    model, planes = new_shades(width, channels), _planes(picture)
    step = _band_rows(width, channels)
    records = np.empty(step * width * channels, np.int64)
    words = np.empty(len(records) + 2, np.uint32)
    bands = []
    for first in range(EDGE, EDGE + len(picture), step):
        behind = min(first + step, EDGE + len(picture))
        code_shades(planes, first, behind, *model, words, records, False)
        written = write_records(records, (behind - first) * width * channels, words)
        bands.append(words[:written][::-1].astype("<u4").tobytes())
    return b"".join(bands)


def decode_shades(stream: bytes, height: int, width: int, channels: int) -> U8 | None:
    """The picture of a stream; None: no picture has such a one."""
    if len(stream) % _WORD_BYTES:
        return None
    model = new_shades(width, channels)
    planes = np.zeros((channels, height + EDGE, width + 2 * EDGE), np.int16)
    step = _band_rows(width, channels)
    length = len(stream) // _WORD_BYTES
    words = np.zeros(length + step * width * channels, np.uint32)
    words[:length] = np.frombuffer(stream, "<u4")
    records, place = np.zeros(0, np.int64), 0
    for first in range(EDGE, EDGE + height, step):
        number = int(words[place]) << 32 | int(words[place + 1]) if place + 2 <= length else 0
        if not _LEAST <= number < _LEAST << 32:
            return None
        model.coder[:] = number, place + 2
        behind = min(first + step, EDGE + height)
        if not code_shades(planes, first, behind, *model, words, records, True) or model.coder[0] != _LEAST:
            return None
        place = int(model.coder[1])
    return _picture(planes) if place == length else None


def _band_rows(width: int, channels: int) -> int:
    return max(1, BAND_SAMPLES // (width * channels))


def _planes(picture: U8) -> I16:
    """The channels in the order they are coded, with room around; red and blue less green."""
    height, width, channels = picture.shape
    planes = np.zeros((channels, height + EDGE, width + 2 * EDGE), np.int16)
    inner = planes[:, EDGE:, EDGE:-EDGE]
    inner[:] = picture.transpose(2, 0, 1)
    if channels > 2:
        inner[0], inner[1] = picture[:, :, 1], picture[:, :, 0]
        inner[1:3] -= inner[:1]
    return planes


def _picture(planes: I16) -> U8:
    """The channels as they were."""
    inner = planes[:, EDGE:, EDGE:-EDGE].copy()
    if len(inner) > 2:
        inner[1:3] += inner[:1]
        inner[:2] = inner[1::-1].copy()
    return np.ascontiguousarray(inner.transpose(1, 2, 0).astype(np.uint8))
