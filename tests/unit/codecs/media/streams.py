"""Plain bytes of several kinds, and deflate streams of them by several encoders."""

import random
import zlib
from functools import cache

from lithify.codecs.media.deflate.symbols import (
    DISTANCE_BASE,
    DISTANCE_BITS,
    DISTANCE_SYMBOL,
    LENGTH_BASE,
    LENGTH_BITS,
    LENGTH_SYMBOL,
)

PROSE = (
    b"The river brings sand and silt, grain upon grain, and what it lays down in one season is buried in the next. "
    b"Under the weight of all that came after, the grains move closer; water seeps between them and leaves its lime. "
    b"Nothing hurries here. A thousand years press a hand's breadth of mud into a finger of stone, and the stone keeps "
    b"whatever fell into it: a shell, a leaf, the print of a foot, the ripples of an afternoon that nobody saw.\n"
)


def paragraphs(count: int, seed: int = 1) -> bytes:
    """Text that repeats itself in part."""
    chance, words = random.Random(seed), PROSE.split(b" ")
    return b"\n".join(
        b" ".join(chance.choices(words, k=chance.randrange(20, 60))) + PROSE[chance.randrange(300) :]
        for _ in range(count)
    )


def rows(count: int) -> bytes:
    """An image's rows as PNG filters them: smooth, with noise."""
    chance = random.Random(2)
    return b"".join(
        b"\x02" + bytes((x * y >> 6) + chance.choice((0, 0, 0, 1, 255)) & 255 for x in range(300)) for y in range(count)
    )


PLAIN = {
    "one byte": b"x",
    "prose": paragraphs(120),
    "rows": rows(60),
    "zeros": bytes(40_000),
    "a short period": b"abc" * 9000,
    "noise": random.Random(3).randbytes(9000),
    "noise then text": random.Random(4).randbytes(70_000) + paragraphs(20),
    "two bits of noise": bytes(random.Random(5).choices(b"abcd", k=30_000)),
}


def deflated(plain: bytes, level: int = 6, *, window: int = 15, memory: int = 8, strategy: int = 0) -> bytes:
    """A deflate stream by zlib."""
    deflater = zlib.compressobj(level, zlib.DEFLATED, -window, memory, strategy)
    return deflater.compress(plain) + deflater.flush()


class Bits:
    """Bits, written as deflate does."""

    def __init__(self) -> None:
        self._number, self._count = 0, 0

    def put(self, value: int, bits: int) -> None:
        """The low bits first."""
        self._number |= value << self._count
        self._count += bits

    def code(self, code: int, bits: int) -> None:
        """A Huffman code: its first bit is the highest."""
        self.put(int(format(code, f"0{bits}b")[::-1], 2), bits)

    def fixed(self, symbol: int) -> None:
        """A literal, a length or the end of the block, by the fixed codes."""
        if symbol < 144:
            self.code(48 + symbol, 8)
        elif symbol < 256:
            self.code(400 + symbol - 144, 9)
        elif symbol < 280:
            self.code(symbol - 256, 7)
        else:
            self.code(192 + symbol - 280, 8)

    def match(self, length: int, distance: int) -> None:
        """By the fixed codes."""
        symbol = int(LENGTH_SYMBOL[length])
        self.fixed(257 + symbol)
        self.put(length - int(LENGTH_BASE[symbol]), int(LENGTH_BITS[symbol]))
        symbol = int(DISTANCE_SYMBOL[distance])
        self.code(symbol, 5)
        self.put(distance - int(DISTANCE_BASE[symbol]), int(DISTANCE_BITS[symbol]))

    @property
    def data(self) -> bytes:
        return self._number.to_bytes(-(-self._count // 8), "little")

    def pad(self, value: int) -> None:
        """Fill the last byte."""
        self.put(value & ((1 << -self._count % 8) - 1), -self._count % 8)


# --- ISA-L --------------------------------------------------------------------------------------------


@cache
def _castagnoli(four: bytes) -> int:
    rest = 0
    for byte in four:
        rest ^= byte
        for _ in range(8):
            rest = rest >> 1 ^ (0x82F63B78 if rest & 1 else 0)
    return rest


def paired(plain: bytes, bits: int) -> bytes:
    """A deflate stream by fixed codes, with the matches that ISA-L finds at levels 0 and 1 (13 bits) or 2 (15)."""
    out, heads, at, literals = Bits(), dict[int, int](), 0, 0
    out.put(0b011, 3)

    def remember(place: int) -> int:
        """Give back who was remembered before it."""
        key = _castagnoli(plain[place : place + 4]) & ((1 << bits) - 1)
        before = heads.get(key, -40_000)
        if place + 4 <= len(plain):
            heads[key] = place
        return before

    def found(place: int, before: int) -> int:
        """The length of the match with an earlier place."""
        most = min(258, len(plain) - place) if place - before < 32_768 else 0
        length = 0
        while length < most and plain[before + length] == plain[place + length]:
            length += 1
        return length if length >= 4 else 0

    while at < len(plain):
        before = remember(at)
        length = found(at, before)
        if 0 < length < 8 and literals % 2 == 0:
            key = _castagnoli(plain[at + 1 : at + 5]) & ((1 << bits) - 1)
            length = 0 if found(at + 1, heads.get(key, -40_000)) >= 8 else length
        if not length:
            out.fixed(plain[at])
            at, literals = at + 1, literals + 1
            continue
        out.match(length, at - before)
        for inside in range(at + 1, at + min(4, length)):
            remember(inside)
        at, literals = at + length, 0
    out.fixed(256)
    return out.data
