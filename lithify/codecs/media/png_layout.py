"""How the rows of a PNG lie: all in one picture, or in the passes of Adam7."""

from typing import NamedTuple

from lithify.codecs.media.png_chunks import Header

_ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))


class Pass(NamedTuple):
    """Pixels that are filtered as a picture of their own: all, or one of the seven of Adam7."""

    top: int
    left: int
    down: int
    right: int
    """The first pixel, and the steps to the next."""
    height: int
    width: int


def passes(header: Header) -> list[Pass]:
    """Those that have pixels."""
    steps = _ADAM7 if header.interlaced else ((0, 0, 1, 1),)
    made = [
        Pass(*step, -(-(header.height - step[0]) // step[2]), -(-(header.width - step[1]) // step[3])) for step in steps
    ]
    return [one for one in made if one.height > 0 and one.width > 0]


def row_bytes(header: Header, width: int) -> int:
    """Of a row of so many pixels, without its filter."""
    return (width * header.channels * header.depth + 7) // 8


def plain_length(header: Header) -> int:
    """Bytes of all rows with their filters."""
    return sum(one.height * (1 + row_bytes(header, one.width)) for one in passes(header))


def row_count(header: Header) -> int:
    """Rows of all passes."""
    return sum(one.height for one in passes(header))
