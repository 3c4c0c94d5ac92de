"""From when to when the lines of a block were written, so that a search between two moments can pass it by.

A span is given only where it is sure to cover what `line_time` says of every line: each template begins with a time of
a known year, in a form and with an offset that `line_time` reads as we do. Anything else, and there is none.
"""

import re

import numpy as np

from lithify.codecs.array_types import U8
from lithify.codecs.line_times import line_time
from lithify.codecs.logs.cluster import Clusters
from lithify.codecs.logs.scan import TIME, Scan
from lithify.codecs.logs.shapes import Shapes
from lithify.codecs.logs.slots import Slots
from lithify.codecs.logs.times import FRACTIONS, PATTERNS

Span = tuple[int, int]
"""Earliest and latest, in ns since 1970."""
_LEFT_LINES_MAX = 1000
"""Lines without a template are asked one by one, if they are few."""
_FAR = 1 << 63  # what lies further from 1970 does not fit in the head
_SIGN_BEFORE_SLOT = re.compile(rb" ?[+-]\Z")


def span(data: bytes, found: Scan, clusters: Clusters, slots: Slots, shapes: Shapes) -> Span | None:
    """The span of a block, if there is one."""
    ends: list[int] = []
    for template in range(len(clusters.counts)):
        mine = _template_span(data, found, clusters, slots, shapes, template)
        if mine is None:
            return None
        ends += mine
    left = np.flatnonzero(clusters.line_template < 0)
    if len(left) > _LEFT_LINES_MAX:
        return None
    times = [line_time(_line(data, found, line)) for line in left.tolist()]
    ends += [time for time in times if time is not None]
    if not ends or not -_FAR <= min(ends) <= max(ends) < _FAR:
        return None
    return min(ends), max(ends)


def _line(data: bytes, found: Scan, line: int) -> bytes:
    return data[int(found.line_start[line]) : int(found.line_start[line + 1])].removesuffix(b"\n")


def _template_span(
    data: bytes, found: Scan, clusters: Clusters, slots: Slots, shapes: Shapes, template: int
) -> Span | None:
    column, end = shapes.template_column[template : template + 2].tolist()
    if column == end or slots.kind[column] != TIME:
        return None
    pattern, fraction = divmod(int(slots.form[column]), FRACTIONS)
    piece = int(shapes.piece_at[template]) + 1
    behind: U8 = shapes.text[shapes.piece_start[piece] : shapes.piece_start[piece + 1]]
    if b"Y" not in PATTERNS[pattern] or _SIGN_BEFORE_SLOT.match(behind.tobytes()):
        return None
    unit = 10 ** (9 - fraction % 10)
    values = slots.value[slots.at[column] : slots.at[column + 1]]
    said = line_time(_line(data, found, int(clusters.first_line[template])))
    if said is None:
        return None
    offset = said - int(values[0]) * unit
    if offset % (60 * 10**9) or abs(offset) >= 24 * 3600 * 10**9:
        return None
    return int(values.min()) * unit + offset, int(values.max()) * unit + offset
