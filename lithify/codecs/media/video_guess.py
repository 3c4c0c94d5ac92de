"""Raw video: planes of brightness and colour, frame behind frame, without a head.

How large they are is guessed from how little a row differs from the row above it, if they are of that size. A wrong
guess costs time and ratio, never a byte.
"""

from collections.abc import Iterator

import numpy as np

from lithify import limits
from lithify.codecs.array_types import U8

Plane = tuple[int, int]
"""Height and width."""

_WIDTHS = (
    128, 160, 176, 192, 240, 256, 320, 352, 360, 384, 400, 416, 426, 432, 448, 480, 512, 540, 544, 560, 576, 600, 624,
    640, 672, 704, 720, 736, 768, 800, 832, 848, 852, 854, 856, 864, 896, 912, 928, 960, 1024, 1056, 1080, 1088, 1120,
    1152, 1200, 1216, 1248, 1280, 1360, 1366, 1376, 1392, 1400, 1408, 1440, 1472, 1600, 1632, 1680, 1696, 1760, 1792,
    1856, 1888, 1904, 1920, 1936, 2048, 2160, 2560, 2704, 2720, 3072, 3200, 3840, 4096,
)  # fmt: skip
LOOKED_AT_BYTES = 4 * limits.MIB
_ROWS = 24
_ALIKE = 0.8
"""Rows of the right width differ by so much less than half of the widths make them differ."""
_SHAPE_MIN, _SHAPE_MAX = 0.5, 2.5
"""Of a frame: its width by its height."""
_CHROMA = ((2, 2), (2, 1), (1, 1), (0, 0))
"""How much smaller the planes of colour are, across and down; none at all."""


def guess_planes(data: bytes, length: int) -> list[Plane]:
    """The planes of one frame, of a file of `length` bytes that begins with `data`; none: it is no video, it seems."""
    octets = np.frombuffer(data[:LOOKED_AT_BYTES], np.uint8)
    width = _width(octets)
    found = [] if width is None else list(_frames(width, length))
    costs = [(_cost(octets, planes), number) for number, planes in enumerate(found)]
    return found[min(costs)[1]] if costs else []


def _width(octets: U8) -> int | None:
    """The width at which rows are most alike, if they are."""
    differences = {}
    for width in _WIDTHS:
        count = _ROWS * width
        if count + width <= len(octets):
            rows = octets[: count + width].astype(np.int16)
            differences[width] = float(np.abs(rows[width:] - rows[:-width]).mean())
    if len(differences) < 3:
        return None
    best = min(differences, key=differences.__getitem__)
    usual = float(np.median(list(differences.values())))
    return best if 0 < differences[best] < _ALIKE * usual else None


def _frames(width: int, length: int) -> Iterator[list[Plane]]:
    """What frames of this width could be, if the file is whole frames."""
    for across, down in _CHROMA:
        for height in range(2 * int(width / _SHAPE_MAX / 2), int(width / _SHAPE_MIN), 2):
            planes = [(height, width)] + [(height // down, width // across)] * 2 if across else [(height, width)]
            size = sum(rows * columns for rows, columns in planes)
            if height > 15 and size and length % size == 0:
                yield planes


def _cost(octets: U8, planes: list[Plane]) -> float:
    """How much rows differ from the rows above them, if these are the planes of all frames."""
    at, differences = 0, 0.0
    while at < len(octets):
        for rows, columns in planes:
            plane = octets[at : at + rows * columns]
            whole = plane[: len(plane) // columns * columns].reshape(-1, columns).astype(np.int16)
            differences += float(np.abs(np.diff(whole, axis=0)).sum())
            at += rows * columns
    return differences
