"""LZW as GIF writes it: a stream taken apart into names of colours and phrases, and written again.

Nearly every encoder takes the longest phrase that it knows. What it is free to choose is when it clears the table; if
one took a shorter phrase, that is told.
"""

from dataclasses import dataclass

import numpy as np

from lithify.codecs.array_types import I32, I64, U8, U16
from lithify.codecs.kernel import once, wide
from lithify.errors import Corrupt

_CODES, _CODE_BITS_MAX = 4096, 12
_ROOTS = 256
_WHOLE, _WRONG, _FULL = 0, 1, 2
_CODE_BYTES = 8
_PHRASES_PER_SHORT = 16
"""Who takes shorter phrases more often than that does not look for the longest."""
_PIXELS, _TOKENS, _END_BIT, _ENDED, _COUNTS = range(5)
CLEAR = 0
"""Among the lengths of phrases: the table was cleared."""
DEPTH_MIN, DEPTH_MAX = 2, 8
"""Bits of a name that streams have here: with one, writers disagree when codes grow."""


@dataclass(frozen=True, slots=True)
class Unpacked:
    """A stream taken apart."""

    pixels: U8
    phrases: I32
    """Lengths of phrases, and CLEAR."""
    ended: bool
    """Whether a code says that it ends."""
    bits: int
    """Of the stream."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What an encoder was free to choose."""

    clears: list[int]
    """How many phrases each clearing of the table comes behind, since the last one."""
    shorter: list[int]
    """Of phrases that were not the longest, one after another: the phrases since the last such one, and its length."""
    ended: bool


@once
def _unpack(data: U8, depth: int, pixels: U8, phrases: I32, prefix: I32, last: U8, length: I32, counts: I64) -> int:
    clear = wide(1) << depth
    for i in range(clear):
        last[i], length[i], prefix[i] = i, 1, -1
    free, bits, before = clear + 2, depth + 1, wide(-1)
    n_pixels, n_phrases = wide(0), wide(0)
    at, size = wide(0), 8 * len(data)
    while True:
        counts[_PIXELS], counts[_TOKENS], counts[_END_BIT], counts[_ENDED] = n_pixels, n_phrases, at, 0
        if at + bits > size:
            return _WHOLE
        code = wide(0)
        for i in range((at & 7) + bits + 7 >> 3):
            code |= wide(data[(at >> 3) + i]) << 8 * i
        code = code >> (at & 7) & (wide(1) << bits) - 1
        at += bits
        if code == clear + 1:
            counts[_END_BIT], counts[_ENDED] = at, 1
            return _WHOLE
        if n_phrases >= len(phrases):
            return _FULL
        if n_pixels == len(pixels) and code != clear:
            return _WHOLE  # what comes behind the last pixel belongs to none
        if code == clear:
            phrases[n_phrases] = CLEAR
            n_phrases += 1
            free, bits, before = clear + 2, depth + 1, wide(-1)
            continue
        if code > free or (code == free and (before < 0 or free >= _CODES)) or (before < 0 and code > clear):
            return _WRONG
        known = code if code < free else before
        run = wide(length[known])
        total = run + wide(code == free)
        if n_pixels + total > len(pixels):
            return _FULL
        k, place = known, n_pixels + run - 1
        while k >= 0:
            pixels[place] = last[k]
            place -= 1
            k = wide(prefix[k])
        if code == free:
            pixels[n_pixels + run] = pixels[n_pixels]
        if before >= 0 and free < _CODES:
            prefix[free], last[free], length[free] = before, pixels[n_pixels], length[before] + 1
            free += 1
            if free == wide(1) << bits and bits < _CODE_BITS_MAX:
                bits += 1
        phrases[n_phrases] = total
        n_phrases += 1
        n_pixels += total
        before = code


@once
def _longer(code: int, pixel: int, rows: U16, codes: U16) -> int:
    """The code of a phrase and one pixel more; 0: none has it. Two looks, whatever the pixels are."""
    row = wide(rows[code << 4 | pixel >> 4])
    return wide(codes[row << 4 | pixel & 15])


@once
def _name(code: int, pixel: int, free: int, rows: U16, codes: U16, used: int) -> int:
    """Give a phrase and one pixel more the code `free`; gives how many rows are used then."""
    place = code << 4 | pixel >> 4
    if rows[place] == 0:
        used += 1
        rows[place] = used
        codes[used << 4 : used + 1 << 4] = 0
    codes[wide(rows[place]) << 4 | pixel & 15] = free
    rows[free << 4 : free + 1 << 4] = 0
    return used


@once
def _phrase(pixels: U8, at: int, most: int, rows: U16, codes: U16) -> int:
    """The longest known phrase of at most so many pixels: its length << 16 | its code."""
    code, run = wide(pixels[at]), wide(1)
    while run < most:
        longer = _longer(code, wide(pixels[at + run]), rows, codes)
        if longer == 0:
            break
        code = longer
        run += 1
    return run << 16 | code


@once
def _pack(
    pixels: U8, depth: int, clears: I64, shorter: I64, ended: bool, out: U8, rows: U16, codes: U16, phrases: I32,
    counts: I64,
) -> int:  # fmt: skip
    """Write a stream; gives its bits, or -1 where there is no room in `out`.

    clears   how many phrases each clearing comes behind, since the last one
    shorter  {phrases since the last such one, its length}, for phrases that are not the longest
    rows     of `codes`, for 16 pixels each that may follow a phrase, by its code; all 0 at first, as `codes`
    phrases  when learning: their lengths as they are, and CLEAR; `shorter` is filled then, and its length counted
    """
    clear = wide(1) << depth
    free, bits, before = clear + 2, depth + 1, wide(-1)
    used_rows, since, at, size = wide(0), wide(0), wide(0), len(pixels)
    next_clear, next_short, gap, token = wide(0), wide(0), wide(0), wide(0)
    buffer, held, written = wide(0), wide(0), wide(0)
    learning = len(phrases) > 0
    while True:
        is_clear = next_clear < len(clears) and since == clears[next_clear]
        if not is_clear and at >= size:
            break
        if written + _CODE_BYTES > len(out):
            return -1
        code, used = clear, bits
        if is_clear:
            next_clear += 1
            rows[: _ROOTS << 4] = 0
            used_rows = wide(0)
            since = wide(0)
            free, bits, before = clear + 2, depth + 1, wide(-1)
        else:
            if before >= 0 and free < _CODES:
                if _longer(before, wide(pixels[at]), rows, codes) == 0:
                    used_rows = _name(before, wide(pixels[at]), free, rows, codes, used_rows)
                free += 1
            most = size - at
            is_short = not learning and next_short < len(shorter) and shorter[next_short] == gap
            if is_short:
                most = min(most, shorter[next_short + 1])
            found = _phrase(pixels, at, most, rows, codes)
            if learning and phrases[token] != found >> 16:
                if next_short + 2 > len(shorter):
                    return -1
                is_short = True
                shorter[next_short], shorter[next_short + 1] = gap, phrases[token]
                found = _phrase(pixels, at, min(most, shorter[next_short + 1]), rows, codes)
            gap += 1
            if is_short:
                next_short += 2
                gap = wide(0)
            code = found & 0xFFFF
            if free == wide(1) << bits and bits < _CODE_BITS_MAX:
                bits += 1
            at += found >> 16
            since += 1
            before = code
        token += 1
        buffer |= code << held
        held += used
        while held >= 8:
            out[written] = buffer & 255
            written += 1
            buffer >>= 8
            held -= 8
    if written + _CODE_BYTES > len(out):
        return -1
    if ended:
        buffer |= (clear + 1) << held
        held += bits
    total = 8 * written + held
    while held > 0:
        out[written] = buffer & 255
        written += 1
        buffer >>= 8
        held -= 8
    counts[_TOKENS] = next_short
    return total


def unpack(data: bytes, depth: int, pixels_max: int) -> Unpacked | None:
    """The stream that `data` begin with, up to so many pixels; None: it is none."""
    pixels = np.empty(pixels_max, np.uint8)
    phrases = np.empty(8 * len(data) // (depth + 1) + 1, np.int32)
    prefix, last, length = np.zeros(_CODES, np.int32), np.zeros(_CODES, np.uint8), np.zeros(_CODES, np.int32)
    counts = np.zeros(_COUNTS, np.int64)
    status = _unpack(np.frombuffer(data, np.uint8), depth, pixels, phrases, prefix, last, length, counts)
    if status != _WHOLE:
        return None
    return Unpacked(pixels[: counts[_PIXELS]], phrases[: counts[_TOKENS]], bool(counts[_ENDED]), int(counts[_END_BIT]))


def learn(stream: Unpacked, depth: int) -> tuple[Choices, bytes, int] | None:
    """What an encoder chose, and the stream that these choices make, with its bits; None: it is more than is told."""
    marks = np.flatnonzero(stream.phrases == CLEAR)
    clears = np.diff(marks, prepend=-1) - 1
    shorter = np.zeros(2 * (1 + len(stream.phrases) // _PHRASES_PER_SHORT), np.int64)
    room, counts = stream.bits // 8 + 2 * _CODE_BYTES, np.zeros(_COUNTS, np.int64)
    out, bits = _run(stream.pixels, depth, clears.astype(np.int64), shorter, stream.ended, room, stream.phrases, counts)
    if bits < 0:
        return None
    return Choices(clears.tolist(), shorter[: counts[_TOKENS]].tolist(), stream.ended), out, bits


def pack(pixels: U8, depth: int, choices: Choices, bytes_max: int) -> tuple[bytes, int]:
    """The stream of `pixels`, all below 2^depth, and its bits. Raises Corrupt if it has more than `bytes_max`."""
    clears, shorter = np.array(choices.clears, np.int64), np.array(choices.shorter, np.int64)
    room, nothing, counts = bytes_max + 2 * _CODE_BYTES, np.zeros(0, np.int32), np.zeros(_COUNTS, np.int64)
    out, bits = _run(pixels, depth, clears, shorter, choices.ended, room, nothing, counts)
    if bits < 0:
        raise Corrupt(f"pixels make an LZW stream of more than {bytes_max} bytes")
    return out, bits


def _run(
    pixels: U8, depth: int, clears: I64, shorter: I64, ended: bool, room: int, phrases: I32, counts: I64
) -> tuple[bytes, int]:
    out, rows, codes = np.zeros(room, np.uint8), np.zeros(_CODES << 4, np.uint16), np.zeros(_CODES << 4, np.uint16)
    bits = _pack(pixels, depth, clears, shorter, ended, out, rows, codes, phrases, counts)
    return out[: (max(bits, 0) + 7) // 8].tobytes(), int(bits)
