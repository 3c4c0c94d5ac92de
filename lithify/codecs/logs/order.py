"""The order in which streams hold things: what encoder and decoder must agree on."""

from itertools import pairwise

import numpy as np

from lithify.codecs.array_types import I32, I64, U8, U16, U32, Bools
from lithify.codecs.logs import numbers
from lithify.codecs.logs.scan import TIME
from lithify.codecs.logs.shapes import Shapes
from lithify.codecs.logs.streams import Stream
from lithify.codecs.logs.symbols import Segments
from lithify.errors import Corrupt

HEAD_UNFINISHED, HEAD_SPAN = 1, 2
"""Flags of the head: the last line has no end; the span of times follows."""
_SERIES_NAMES = 1 << 16
LINE_FAR = 255
"""In LINES: the template's number is in LINES_FAR."""


def planes(values: U32, width: int) -> bytes:
    """The bytes of equal weight together, the highest first."""
    return values.astype(">u4").view(np.uint8).reshape(-1, 4)[:, 4 - width :].T.tobytes()


def from_planes(data: bytes, count: int, width: int, what: str) -> I64:
    """The numbers whose bytes of equal weight stand together, the highest first."""
    if len(data) != count * width:
        raise Corrupt(f"numbers of {what}s have {len(data)} bytes, {count * width} were expected")
    out = np.zeros(count, np.int64)
    for plane in np.frombuffer(data, np.uint8).reshape(width, count):
        out = out << 8 | plane
    return out


def line_times(template_column: I64, kind: U8, form: U16) -> tuple[I64, list[int]]:
    """The series of line times: of each column its series or -1; of each series its time format.

    The first time of each template is the line's time; all of one format are one series, in the order of the lines.
    """
    of_column = np.full(len(kind), -1, np.int64)
    formats: list[int] = []
    for first, end in pairwise(template_column.tolist()):
        times = np.flatnonzero(kind[first:end] == TIME)
        if len(times):
            column = first + int(times[0])
            number = int(form[column])
            if number not in formats:
                formats.append(number)
            of_column[column] = formats.index(number)
    return of_column, formats


def places(widths: I64, counts: I64) -> tuple[I64, I64]:
    """Where each column's bytes begin when the columns of each width stand together; where each width's end."""
    sizes = counts * np.where(widths == numbers.LOGARITHM, 1, widths)
    out_at = np.zeros(len(widths), np.int64)
    ends = np.zeros(numbers.LOGARITHM, np.int64)
    end = 0
    for width in range(1, numbers.LOGARITHM + 1):
        mine = widths == width
        out_at[mine] = end + np.cumsum(sizes[mine]) - sizes[mine]
        end += int(sizes[mine].sum())
        ends[width - 1] = end
    return out_at, ends


def code_segments(shapes: Shapes, role: I32, rows: I64, told: Bools) -> Segments:
    """The columns of CODES; beside each stands the one before it in its template."""
    which = np.flatnonzero(told)
    template = np.searchsorted(shapes.template_column, which, side="right")
    at = np.zeros(len(which) + 1, np.int64)
    np.cumsum(rows[which], out=at[1:])
    beside = np.full(len(which), -1, np.int64)
    same = template[1:] == template[:-1]
    beside[1:][same] = at[:-2][same]
    return Segments(at, role[which].astype(np.int64) + 1, beside)


def number_names(role: I32, which: I64, series: int) -> I64:
    """What tells the columns of numbers apart, and after them the series."""
    return np.concatenate((role[which].astype(np.int64), len(role) + np.arange(series)))


def stable_names(role: I32, which: I64, series_form: list[int]) -> I64:
    """The same where a primer's columns come first: names that are the same for the primer and for every block."""
    return np.concatenate((role[which].astype(np.int64), _SERIES_NAMES + np.array(series_form, np.int64)))


def lines_near(template: I32) -> U8:
    """A byte for the template of each line where a primer's come first: 0, none; LINE_FAR, its number is elsewhere."""
    near: U8 = np.minimum(template + 1, LINE_FAR).astype(np.uint8)
    return near


def plane_segments(count: int, width: int) -> Segments:
    """Numbers whose bytes of equal weight stand together; beside each byte stands the next higher one."""
    at = np.arange(width + 1, dtype=np.int64) * count
    beside = at[:-1] - count
    return Segments(at, np.arange(1, width + 1, dtype=np.int64), beside, width)


def number_segments(widths: I64, counts: I64, names: I64) -> dict[Stream, Segments]:
    """The columns of each stream of numbers, plane by plane."""
    found = {}
    for width in range(1, numbers.LOGARITHM + 1):
        which = np.flatnonzero(widths == width)
        planes_ = 1 if width == numbers.LOGARITHM else width
        sizes = np.repeat(counts[which], planes_)
        at = np.zeros(len(sizes) + 1, np.int64)
        np.cumsum(sizes, out=at[1:])
        plane = np.tile(np.arange(planes_), len(which))
        beside = np.where(plane > 0, at[:-1] - sizes, -1)
        found[Stream(Stream.WIDTH_1 + width - 1)] = Segments(
            at, np.repeat(names[which], planes_) * 8 + plane + 1, beside, planes_
        )
    return found
