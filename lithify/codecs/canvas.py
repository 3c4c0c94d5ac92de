"""A picture to draw numbers on, written as PNG with what Python brings: no library for drawing is needed.

Pixels are counted from the upper left corner; colours are triples of red, green and blue, 0 to 255.
"""

import itertools
import zlib
from collections.abc import Sequence
from struct import pack
from typing import cast

import numpy as np

from lithify.codecs.array_types import U8, Values
from lithify.codecs.letters import HEIGHT, WIDTH, letter

Colour = tuple[int, int, int]
INK: Colour = (34, 34, 34)
PALE: Colour = (216, 216, 216)
WHITE: Colour = (255, 255, 255)
ACCENT: Colour = (154, 59, 31)
_GAP = 1  # between letters, in dots


class Canvas:
    """White at first."""

    def __init__(self, width: int, height: int) -> None:
        self.pixels: U8 = np.full((height, width, 3), 255, np.uint8)

    def image(self, x: int, y: int, pixels: U8) -> None:
        """Put a picture (rows, columns, 3) with its corner at x, y."""
        rows, columns = pixels.shape[:2]
        self.pixels[y : y + rows, x : x + columns] = pixels

    def box(self, x: int, y: int, width: int, height: int, colour: Colour) -> None:
        """Fill a rectangle, as far as it lies within the picture."""
        self.pixels[max(y, 0) : max(y + height, 0), max(x, 0) : max(x + width, 0)] = colour

    def frame(self, x: int, y: int, width: int, height: int, colour: Colour = INK) -> None:
        """The outline of a rectangle."""
        for sides in (
            (x, y, width, 1),
            (x, y + height - 1, width, 1),
            (x, y, 1, height),
            (x + width - 1, y, 1, height),
        ):
            self.box(*sides, colour)

    def line(self, points: Sequence[tuple[float, float]], colour: Colour, *, thick: int = 1) -> None:
        """From each point to the next."""
        for (x0, y0), (x1, y1) in itertools.pairwise(points):
            steps = int(max(abs(x1 - x0), abs(y1 - y0))) + 1
            for x, y in zip(np.linspace(x0, x1, steps + 1), np.linspace(y0, y1, steps + 1), strict=True):
                self.box(round(float(x)), round(float(y)), thick, thick, colour)

    def text(self, x: int, y: int, text: str, *, size: int = 2, colour: Colour = INK, anchor: str = "start") -> None:
        """A line of text, its upper edge at y; x is its start, its middle or its end."""
        at = x - {"start": 0, "middle": text_width(text, size) // 2, "end": text_width(text, size)}[anchor]
        for char in text:
            dots = np.kron(letter(char), np.ones((size, size), np.bool_))
            left, rows = max(-at, 0), self.pixels[y : y + dots.shape[0], max(at, 0) : max(at + dots.shape[1], 0)]
            rows[dots[: rows.shape[0], left : left + rows.shape[1]]] = colour
            at += (WIDTH + _GAP) * size

    def png(self) -> bytes:
        """The picture as a PNG file."""
        height, width = self.pixels.shape[:2]
        head = pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
        rows = np.empty((height, 1 + 3 * width), np.uint8)
        rows[:, 0], rows[:, 1:] = 2, self.pixels.reshape(height, -1)  # 2: less the row above, which it often equals
        rows[1:, 1:] -= self.pixels[:-1].reshape(height - 1, -1)
        chunks = (_chunk(b"IHDR", head), _chunk(b"IDAT", zlib.compress(rows.tobytes(), 6)), _chunk(b"IEND", b""))
        return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def text_width(text: str, size: int = 2) -> int:
    """Pixels that a text takes across."""
    return len(text) * (WIDTH + _GAP) * size


def text_height(size: int = 2) -> int:
    """Pixels that a text takes from the top of a capital to the bottom of a g."""
    return HEIGHT * size


def shortened(text: str, width: int, size: int = 2) -> str:
    """As much of a text as fits, with dots where it does not."""
    most = width // ((WIDTH + _GAP) * size)
    return text if len(text) <= most else text[: max(most - 2, 0)] + ".."


def _chunk(kind: bytes, data: bytes) -> bytes:
    return pack(">I", len(data)) + kind + data + pack(">I", zlib.crc32(kind + data))


def coloured(shares: Values, anchors: Sequence[Colour]) -> U8:
    """Colours for numbers from 0 to 1, along a row of colours; NaN is pale."""
    places = np.linspace(0.0, 1.0, len(anchors))
    known = np.isfinite(shares)
    inside = np.clip(np.where(known, shares, 0.0), 0.0, 1.0)
    found = np.stack([np.interp(inside, places, [one[band] for one in anchors]) for band in range(3)], axis=-1)
    found[~known] = PALE
    return cast("U8", np.rint(found).astype(np.uint8))
