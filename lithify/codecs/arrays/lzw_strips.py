"""LZW as TIFF writes it: as GIF does, but for the order of bits, and that codes grow one phrase sooner.

So a strip is spelled as GIF would spell the same codes, and taken apart by what takes GIFs apart. What its writer was
free to choose (when it cleared its table, where it took a shorter phrase than it knew) is a recipe.
"""

import numpy as np

from lithify.codecs.array_types import U8
from lithify.codecs.arrays.wire import Reader, varint
from lithify.codecs.kernel import once, wide
from lithify.codecs.media.lzw import Choices, Unpacked, learn, pack, unpack
from lithify.errors import Corrupt

_DEPTH = 8
_CLEAR, _END = 1 << _DEPTH, (1 << _DEPTH) + 1
_BITS_MAX = 12
_SLACK_BYTES = 8
_NUMBER_MAX = 1 << 32


@once
def _respell(data: U8, out: U8, from_tiff: bool) -> int:
    """Write the codes of a stream as the other kind does; gives bytes, or -1 less these if it has no end or no room."""
    at, told, since, size, room = wide(0), wide(0), wide(0), 8 * len(data), 8 * len(out)
    while True:
        free = _END + 1 + max(since - 1, wide(0))
        late, early = wide(_DEPTH + 1), wide(_DEPTH + 1)
        while late < _BITS_MAX and free >= wide(1) << late:
            late += 1
        while early < _BITS_MAX and free + 1 >= wide(1) << early:
            early += 1
        taken, given = (early, late) if from_tiff else (late, early)
        if at + taken > size or told + given > room:
            return -1 - ((told + 7) >> 3)
        code = wide(0)
        for bit in range(taken):
            place = at + bit
            octet = wide(data[place >> 3])
            if from_tiff:
                code = code << 1 | (octet >> (7 - (place & 7)) & 1)
            else:
                code |= (octet >> (place & 7) & 1) << bit
        for bit in range(given):
            place = told + bit
            if from_tiff:
                out[place >> 3] |= np.uint8((code >> bit & 1) << (place & 7))
            else:
                out[place >> 3] |= np.uint8((code >> (given - 1 - bit) & 1) << (7 - (place & 7)))
        at, told = at + taken, told + given
        since = wide(0) if code == _CLEAR else since + 1
        if code == _END:
            return (told + 7) >> 3


def opened(stored: bytes, count: int) -> tuple[bytes, bytes] | None:
    """The `count` bytes of a strip, and its recipe; None: it is not what it should be, or would not come back."""
    stream = _taken_apart(stored, count)
    if stream is None or not stream.ended:
        return None
    learnt = learn(stream, _DEPTH)
    if learnt is None:
        return None
    plain, recipe = stream.pixels.tobytes(), _packed(learnt[0])
    try:
        return (plain, recipe) if closed(plain, recipe, len(stored)) == stored else None
    except Corrupt:
        return None


def plain_of(stored: bytes, count: int) -> bytes | None:
    """The `count` bytes that a strip says, whoever wrote it, and whatever stands behind them; None: it says others."""
    stream = _taken_apart(stored, count)
    return None if stream is None else stream.pixels.tobytes()


def _taken_apart(stored: bytes, count: int) -> Unpacked | None:
    """The codes of a strip of `count` bytes, as GIF has them; None: it is none."""
    spelled = np.zeros(len(stored) + _SLACK_BYTES, np.uint8)
    length = _respell(np.frombuffer(stored, np.uint8), spelled, True)
    stream = unpack(spelled[: length if length >= 0 else -1 - length].tobytes(), _DEPTH, count)
    return stream if stream is not None and len(stream.pixels) == count else None


def closed(plain: bytes, recipe: bytes, length: int) -> bytes:
    """The strip of `length` bytes. Raises Corrupt or Truncated."""
    spelled, _ = pack(np.frombuffer(plain, np.uint8), _DEPTH, _read(recipe, length), length + _SLACK_BYTES)
    out = np.zeros(length, np.uint8)
    if _respell(np.frombuffer(spelled, np.uint8), out, False) < 0:
        raise Corrupt(f"array payload: {len(plain)} bytes do not become an LZW strip of {length} bytes")
    return out.tobytes()


def _packed(choices: Choices) -> bytes:
    numbers = (len(choices.clears), *choices.clears, *choices.shorter)
    return b"".join(map(varint, numbers))


def _read(recipe: bytes, length: int) -> Choices:
    """What a recipe for a strip of `length` bytes says: each clearing, and each phrase of a pair, is a code of it."""
    reader, codes = Reader(recipe), 8 * length // (_DEPTH + 1)
    clearings = reader.varint(codes)
    clears = [reader.varint(_NUMBER_MAX) for _ in range(clearings)]
    shorter: list[int] = []
    while reader.left:
        if clearings + len(shorter) // 2 >= codes:
            raise Corrupt(f"array payload: a strip of {length} bytes has at most {codes} codes, its recipe tells more")
        shorter += [reader.varint(_NUMBER_MAX), reader.varint(_NUMBER_MAX)]
    return Choices(clears, shorter, ended=True)


def warm() -> None:
    """Run every kernel once for each set of types that it meets."""
    opened(b"\x80\0\x20\x20", 1)
