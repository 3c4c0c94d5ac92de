"""GIFs made here, by an LZW written from the specification."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

PASSES = ((0, 8), (4, 8), (2, 4), (1, 2))


@dataclass
class Frame:
    """One image; its names are made of its size and a seed."""

    width: int = 24
    height: int = 17
    depth: int = 4
    left: int = 0
    top: int = 0
    palette: bytes = b""
    interlaced: bool = False
    transparent: int = -1
    disposal: int = 1
    clear_behind: int = 0
    """Clear the table behind so many codes; 0: when it is full."""
    ended: bool = True
    lazy: bool = False
    """Now and then take a phrase that is shorter than it could be."""
    block: int = 255
    tail: bytes = b""
    seed: int = 1
    names: list[int] = field(default_factory=list)

    def pixels(self) -> list[int]:
        """Stripes with some noise, row by row as the data have them."""
        if self.names:
            return self.names
        chance = random.Random(self.seed)
        rows = [
            [
                chance.randrange(1 << self.depth) if chance.random() < 0.1 else (x + self.seed) // 5 % (1 << self.depth)
                for x in range(self.width)
            ]
            for _ in range(self.height)
        ]
        if self.interlaced:
            rows = [rows[y] for first, step in PASSES for y in range(first, self.height, step)]
        return [name for row in rows for name in row]


def lzw(frame: Frame) -> bytes:
    """Codes, lowest bit first."""
    clear = 1 << frame.depth
    codes: list[tuple[int, int]] = [(clear, frame.depth + 1)]
    table: dict[tuple[int, ...], int] = {(name,): name for name in range(clear)}
    free, bits, since = clear + 2, frame.depth + 1, 0
    phrase: tuple[int, ...] = ()
    chance = random.Random(frame.seed)
    for name in frame.pixels():
        if phrase and ((*phrase, name) not in table or (frame.lazy and chance.random() < 0.02)):
            codes.append((table[phrase], bits))
            since += 1
            if free < 4096:
                table.setdefault((*phrase, name), free)
                # A reader adds this phrase one code later: the next code is as long as it must be for those before.
                if free == 1 << bits and bits < 12:
                    bits += 1
                free += 1
            if since == frame.clear_behind or (not frame.clear_behind and free == 4096):
                codes.append((clear, bits))
                table = {(name,): name for name in range(clear)}
                free, bits, since = clear + 2, frame.depth + 1, 0
            phrase = ()
        phrase = (*phrase, name)
    codes.append((table[phrase], bits))
    if free == 1 << bits and bits < 12:
        bits += 1
    if frame.ended:
        codes.append((clear + 1, bits))
    value = at = 0
    for code, width in codes:
        value |= code << at
        at += width
    return value.to_bytes((at + 7) // 8, "little") + frame.tail


def gif(frames: Sequence[Frame], palette: bytes = bytes(range(48)), tail: bytes = b"") -> bytes:
    """A whole file."""
    width, height = max(f.left + f.width for f in frames), max(f.top + f.height for f in frames)
    flags = 0x80 | (len(palette) // 3).bit_length() - 2 if palette else 0
    out = [b"GIF89a", _numbers(width, height), bytes([flags, 0, 0]), palette, b"!\xfe\x04sand\0"]
    for f in frames:
        if f.transparent >= 0 or f.disposal:
            control = bytes([f.disposal << 2 | (f.transparent >= 0), 5, 0, max(f.transparent, 0)])
            out.append(b"!\xf9\x04" + control + b"\0")
        own = 0x80 | (len(f.palette) // 3).bit_length() - 2 if f.palette else 0
        out += [b",", _numbers(f.left, f.top, f.width, f.height), bytes([own | 0x40 * f.interlaced]), f.palette]
        data = lzw(f)
        blocks = [data[at : at + f.block] for at in range(0, len(data), f.block)]
        out += [bytes([f.depth]), *(bytes([len(block)]) + block for block in blocks), b"\0"]
    return b"".join([*out, b";", tail])


def _numbers(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(2, "little") for number in numbers)


OWN = bytes(range(200, 248))
GIFS = (
    gif([Frame(40, 30), Frame(20, 9, left=7, top=5, seed=4, transparent=3)], tail=b"tail"),
    gif([Frame(33, 21, interlaced=True), Frame(33, 21, palette=OWN, disposal=2, transparent=1), Frame(33, 21, seed=9)]),
    gif([Frame(30, 40, depth=8, lazy=True, disposal=3, block=254), Frame(30, 40, depth=2, clear_behind=50)]),
    gif([Frame(50, 40, depth=5, ended=False, tail=b"\0\x07")], palette=b""),
)
"""Palettes, passes, disposals, choices of all kinds."""
