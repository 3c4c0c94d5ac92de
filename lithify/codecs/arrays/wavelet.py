"""A smooth block as a few large numbers: the 9/7 wavelet of Cohen, Daubechies and Feauveau, by lifting, in integers.

Along time first, then along rows and columns together. It need not be reversible: what it loses is made good, or is
within the bound. What matters is that every decoder computes the same integers.
"""

import numpy as np

from lithify.codecs.array_types import I32, I64
from lithify.codecs.arrays.bands import Depth
from lithify.codecs.kernel import bare, wide

_TOGETHER = 32
"""Lines that are lifted side by side."""
_LIFTS = (-103949, -3472, 57862, 29066)
"""-1.586134342, -0.052980119, 0.882911076 and 0.443506852, in 1/65536."""
_Step = tuple[int, int, int, int, int, int]


@bare
def _lift(
    data: I32, line: I64, outer: int, outer_step: int, n: int, step: int, inner: int, inner_step: int, back: bool
) -> None:
    """Split lines of n values into low and high halves, or join them; `line` is room for n times _TOGETHER values."""
    half = (n + 1) >> 1
    for o in range(outer):
        for first in range(0, inner, _TOGETHER):
            count = min(_TOGETHER, inner - first)
            start = o * outer_step + first * inner_step
            for i in range(n):
                place = i
                if back:
                    place = 2 * i if i < half else 2 * (i - half) + 1
                for j in range(count):
                    line[place * _TOGETHER + j] = data[start + i * step + j * inner_step]
            for k in range(4):
                number = 3 - k if back else k
                times = wide(_LIFTS[0])
                if number == 1:
                    times = wide(_LIFTS[1])
                elif number == 2:
                    times = wide(_LIFTS[2])
                elif number == 3:
                    times = wide(_LIFTS[3])
                for i in range(1 - (number & 1), n, 2):
                    left = i - 1 if i > 0 else i + 1
                    right = i + 1 if i + 1 < n else i - 1
                    for j in range(count):
                        both = line[left * _TOGETHER + j] + line[right * _TOGETHER + j]
                        change = (times * both + 32768) >> 16
                        line[i * _TOGETHER + j] += -change if back else change
            for i in range(n):
                place = i
                if not back:
                    place = 2 * i if i < half else 2 * (i - half) + 1
                for j in range(count):
                    data[start + i * step + j * inner_step] = np.int32(line[place * _TOGETHER + j])


def transform(cube: I32, depth: Depth) -> None:
    """Replace the values of a cube by its coefficients."""
    steps = _steps(cube.shape, depth)
    _apply(cube, steps, back=False)


def restore(cube: I32, depth: Depth) -> None:
    """Replace coefficients by the values, or what is near them."""
    _apply(cube, _steps(cube.shape, depth)[::-1], back=True)


def _steps(shape: tuple[int, ...], depth: Depth) -> list[_Step]:
    """What is lifted, one after another: outer, outer step, n, step, inner, inner step."""
    frames, rows, columns = shape
    size = rows * columns
    out: list[_Step] = []
    f = frames
    for _ in range(depth.time):
        out.append((1, 0, f, size, size, 1))
        f = (f + 1) >> 1
    h, w = rows, columns
    for _ in range(depth.space):
        out.append((frames, size, h, columns, w, 1))
        out.append((frames, size, w, 1, h, columns))
        h, w = (h + 1) >> 1, (w + 1) >> 1
    return [step for step in out if step[2] > 1]


def _apply(cube: I32, steps: list[_Step], *, back: bool) -> None:
    flat = cube.reshape(-1)
    line = np.zeros(max(cube.shape) * _TOGETHER, np.int64)
    for step in steps:
        _lift(flat, line, *step, back)
