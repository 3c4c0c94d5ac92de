"""Pictures whose numbers are names of colours: no number is near another, but the same ones stand beside each other.

Each pixel is guessed from what stood last where its neighbours, and the picture before, were the same; whether the
guess is right is one bit, and only a wrong one costs the bits of a name. All bits are mixed from what several contexts
have seen. One kernel for both directions (FORMAT.md, names).
"""

from typing import NamedTuple

import numpy as np

from lithify.codecs.array_types import I32, I64, U8, U32
from lithify.codecs.bit_coder import BYTES_PER_BIT_MAX, CODE, HIGH, LOW, POSITION, code_bit, ended
from lithify.codecs.chances import LIMIT, chances
from lithify.codecs.kernel import once, wide

CONTEXTS = 12
_GROUP = 16
"""Slots that lie together: a bit that says whether a guess is right, or up to four bits of a name."""
_SLOT_BITS_MIN, _SLOT_BITS_MAX = 10, 20
_GUESS_BITS_MAX = 18
_CONFIDENCE_MAX = 15
_FLAG_ROWS, _BIT_ROWS = 16, 8
_ROWS = _FLAG_ROWS + _BIT_ROWS
_EQUALS = 32
_WEIGHT = 65536 // 8
_P_MIN = 16
_COUNT_LIMIT = 255
_SPREAD = 0x1E35A7BD
_MIXED = 0x2C1B3C6D
_WORD = 0xFFFFFFFF
PADDING = 2
"""Pixels that stand around a picture on each side, as contexts for its edges."""
_STREAM_BYTES_MIN = 64
_DECISIONS_MAX = 9


class Names(NamedTuple):
    """A model: what has been seen in any of the pictures so far."""

    slots: U32
    """(context, slot): a chance of 22 bits, and 10 bits below how often it was moved."""
    guesses: I32
    """By context: name, and eight bits up how often it was right; -1 where there was none."""
    weights: I32
    """(row, context), in 1/65536; the first rows by what is coded, the others by which neighbours are equal too."""
    bases: I64
    contexts: I64
    inputs: I64
    coder: I64


def new_names(pixels: int) -> Names:
    """A model for so many pixels in all."""
    bits = min(max(pixels.bit_length(), _SLOT_BITS_MIN), _SLOT_BITS_MAX)
    return Names(
        np.full((CONTEXTS, 1 << bits), 1 << 31, np.uint32),
        np.full(1 << min(bits, _GUESS_BITS_MAX), -1, np.int32),
        np.full((_ROWS * (1 + _EQUALS), CONTEXTS), _WEIGHT, np.int32),
        np.zeros(CONTEXTS, np.int64),
        np.zeros(CONTEXTS, np.int64),
        np.zeros(CONTEXTS, np.int64),
        np.array([0, 0xFFFFFFFF, 0, 0], np.int64),
    )


@once
def _mixed(a: int, b: int) -> int:
    """Two numbers as one of 32 bits."""
    h = (a * _SPREAD + b + 1) & _WORD
    h ^= h >> 15
    h = (h * _MIXED) & _WORD
    return h ^ (h >> 13)


@once
def _code(
    slots: U32,
    bases: I64,
    inputs: I64,
    weights: I32,
    row: int,
    equal: int,
    offset: int,
    squash: I32,
    stretch: I32,
    reciprocal: I32,
    coder: I64,
    stream: U8,
    decoding: bool,
    told: int,
) -> int:
    """One bit, mixed from a slot of each context."""
    other = _ROWS * (1 + equal) + row
    total = wide(0)
    for k in range(CONTEXTS):
        t = wide(stretch[slots[k, bases[k] + offset] >> np.uint32(20)])
        inputs[k] = t
        total += t * (wide(weights[row, k]) + wide(weights[other, k]))
    p = wide(squash[min(max(total >> 16, -LIMIT), LIMIT) + LIMIT])
    p = min(max(p, _P_MIN), 65536 - _P_MIN)
    bit = code_bit(coder, stream, p, decoding, told)
    error = (bit << 16) - p
    aim = (bit << 22) - bit
    for k in range(CONTEXTS):
        change = (inputs[k] * error + 16384) >> 15
        weights[row, k] = min(max(wide(weights[row, k]) + change, -1 << 22), 1 << 22)
        weights[other, k] = min(max(wide(weights[other, k]) + change, -1 << 22), 1 << 22)
        slot = wide(slots[k, bases[k] + offset])
        count = slot & 1023
        chance = slot >> 10
        chance += (aim - chance) * wide(reciprocal[count]) >> 16
        slots[k, bases[k] + offset] = chance << 10 | min(count + 1, _COUNT_LIMIT)
    return bit


@once
def _bases(contexts: I64, bases: I64, mask: int, salt: int) -> None:
    """Where each context's slots lie for what is coded next."""
    for k in range(CONTEXTS):
        bases[k] = _mixed(contexts[k], salt) & mask & ~(wide(_GROUP) - 1)


@once
def code_names(
    picture: U8,
    before: U8,
    height: int,
    width: int,
    depth: int,
    slots: U32,
    guesses: I32,
    weights: I32,
    bases: I64,
    contexts: I64,
    inputs: I64,
    squash: I32,
    stretch: I32,
    reciprocal: I32,
    coder: I64,
    stream: U8,
    decoding: bool,
    first: int,
) -> int:
    """Code a picture (rows with PADDING before, behind and above) from row `first` on.

    before  the picture that it is compared with, in the same rows
    depth   bits of a name
    return  the row that the stream has no room for; the height if it has
    """
    stride = width + 2 * PADDING
    mask, guess_mask = slots.shape[1] - 1, len(guesses) - 1
    for y in range(first, height):
        start = (y + PADDING) * stride + PADDING
        if not decoding and coder[POSITION] + width * _DECISIONS_MAX * BYTES_PER_BIT_MAX > len(stream):
            return y
        for x in range(PADDING):  # the edges go on as they were
            picture[start - 1 - x] = picture[start - stride]
            picture[start - stride + width + x] = picture[start - stride + width - 1]
        for at in range(start, start + width):
            w, ww = wide(picture[at - 1]), wide(picture[at - 2])
            n, nw, ne = (wide(picture[at - stride]), wide(picture[at - stride - 1]), wide(picture[at - stride + 1]))
            nn = wide(picture[at - 2 * stride])
            r, r_east, r_south = wide(before[at]), wide(before[at + 1]), wide(before[at + stride])
            r_west, r_north = wide(before[at - 1]), wide(before[at - stride])
            moved = wide(w != r_west) << 1 | wide(n != r_north)
            deep = w | n << 8 | nw << 16 | ne << 24
            contexts[0] = _mixed(w | n << 8, 1)
            contexts[1] = _mixed(deep, 2)
            contexts[2] = _mixed(r | w << 8 | moved << 16, 3)
            contexts[3] = _mixed(_mixed(deep, r), 4)
            contexts[4] = _mixed(r | r_east << 8 | r_south << 16 | moved << 24, 5 + w)
            contexts[5] = _mixed(_mixed(deep, ww | nn << 8), 300)
            contexts[6] = _mixed(n | ne << 8 | nn << 16, 301)
            contexts[7] = _mixed(w | ww << 8, 302)
            contexts[8] = _mixed(w, 303)
            contexts[9] = _mixed(w | ne << 8 | r << 16, 304)
            contexts[10] = _mixed(n, 305)
            contexts[11] = _mixed(r, 306)
            # what stood here the last time that all this was so
            found = _mixed(contexts[3], 7) & guess_mask
            guess, confidence = wide(guesses[found]), wide(0)
            if guess >= 0:
                confidence = min(1 + (guess >> 8), wide(_CONFIDENCE_MAX))
                guess &= 255
            else:
                guess = w if moved > 1 or r_west == r_east else r
            equal = (
                wide(w == n)
                | wide(n == ne) << 1
                | wide(w == nw) << 2
                | wide(moved == 0) << 3
                | (wide(guess == w) | wide(guess == r)) << 4
            )
            actual = wide(picture[at])
            _bases(contexts, bases, mask, guess)
            wrong = _code(
                slots, bases, inputs, weights, confidence, equal, 0, squash, stretch, reciprocal, coder, stream,
                decoding, wide(actual != guess),
            )  # fmt: skip
            if wrong:
                node = wide(1)
                for b in range(depth - 1, -1, -1):
                    done = depth - 1 - b
                    if done & 3 == 0:
                        _bases(contexts, bases, mask, 256 + node)
                        group = wide(1)
                    bit = _code(
                        slots, bases, inputs, weights, _FLAG_ROWS + done, equal, group, squash, stretch, reciprocal,
                        coder, stream, decoding, actual >> b & 1,
                    )  # fmt: skip
                    node = node << 1 | bit
                    group = group << 1 | bit
                actual = node - (wide(1) << depth)
                picture[at] = actual
                guesses[found] = actual if confidence < 4 else guess | (confidence >> 1) - 1 << 8
            else:
                picture[at] = guess
                guesses[found] = guess | confidence << 8
    return height


class NamesCoder:
    """Pictures one after another, all in one stream."""

    def __init__(self, pixels: int, stream: bytes | None = None) -> None:
        """A writer of so many pixels in all, or a reader of what one has written."""
        self._names = new_names(pixels)
        self._chances = chances()
        self._decoding = stream is not None
        self._stream: U8 = np.zeros(_STREAM_BYTES_MIN, np.uint8)
        if stream is not None:
            self._stream = np.frombuffer(bytearray(stream), np.uint8)
            self._names.coder[CODE] = int.from_bytes(stream[:4].ljust(4, b"\0"), "big")
            self._names.coder[POSITION] = 4

    def code(self, picture: U8, before: U8, depth: int) -> None:
        """Write a picture of shape (height, width), or read into it; `before` has the same shape."""
        padded, around = np.pad(picture, PADDING), np.pad(before, PADDING)
        row = self._rows(padded, around, depth, 0)
        while row < len(picture):
            width = len(padded[0])
            more = np.zeros(len(self._stream) + width * _DECISIONS_MAX * BYTES_PER_BIT_MAX, np.uint8)
            self._stream = np.concatenate([self._stream, more])
            row = self._rows(padded, around, depth, row)
        if self._decoding:
            picture[:] = padded[PADDING:-PADDING, PADDING:-PADDING]

    def _rows(self, padded: U8, around: U8, depth: int, first: int) -> int:
        names, c = self._names, self._chances
        height, width = padded.shape[0] - 2 * PADDING, padded.shape[1] - 2 * PADDING
        return code_names(
            padded.reshape(-1), around.reshape(-1), height, width, depth, names.slots, names.guesses, names.weights,
            names.bases, names.contexts, names.inputs, c.squash, c.stretch, c.reciprocal, names.coder, self._stream,
            self._decoding, first,
        )  # fmt: skip

    def written(self) -> bytes:
        """The stream."""
        coder = self._names.coder
        return ended(self._stream[: coder[POSITION]].tobytes(), int(coder[LOW]), int(coder[HIGH]))
