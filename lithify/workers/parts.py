"""Parts: where an original is cut into pieces that are encoded on their own, at most limits.PART_BYTES each.

Parts are of about equal size: a short last one would compress worse for nothing. For a codec that reads lines they end
at line ends, so that no line is torn and each part can be searched alone.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

from lithify import limits
from lithify.codecs.codec import Source

_LOOK_BYTES = 64 * limits.KIB

Part = tuple[int, int]


def cut(length: int, most: int | None = None) -> list[Part]:
    """Parts that may be cut anywhere, of at most so many bytes; None: limits.PART_BYTES."""
    return _between(_even(length, limits.PART_BYTES if most is None else most))


def cut_at_lines(length: int, line_ends: Callable[[Sequence[int]], Sequence[int]]) -> list[Part]:
    """Parts that end at line ends, as far as there are any.

    line_ends  gives, for each of some places, the last line end at most limits.SEAM_BYTES before it, or that place
    """
    if length <= limits.PART_BYTES:
        return cut(length)
    # A part begins up to SEAM_BYTES before its even place and is no longer than it may be for that.
    start, *inner, end = _even(length, limits.PART_BYTES - limits.SEAM_BYTES)
    return _between([start, *line_ends(inner), end])


def last_line_end(source: Source, at: int, back_bytes: int) -> int:
    """The place behind the last line end of `source` that lies before `at`, at most `back_bytes` before; else `at`."""
    lowest = max(0, at - back_bytes)
    end = at
    while end > lowest:
        start = max(lowest, end - _LOOK_BYTES)
        found = source.read(start, end - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return at


def _even(length: int, most: int) -> list[int]:
    count = -(-length // most)
    return [length * part // count for part in range(count + 1)] if count else [0]


def _between(bounds: Sequence[int]) -> list[Part]:
    return list(pairwise(bounds))
