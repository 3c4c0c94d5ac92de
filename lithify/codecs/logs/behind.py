"""A block encoded behind its primer's: its lines take the primer's templates where they can, its columns the primer's
ways of writing numbers where they fit, so that what the primer taught is of use."""

from typing import NamedTuple

import numpy as np

from lithify.codecs.array_types import I32, I64, U8, Bools
from lithify.codecs.logs import numbers
from lithify.codecs.logs.cluster import COLUMNS_MAX, TEMPLATES_MAX, Clusters, cluster
from lithify.codecs.logs.columns import Before, Columns, choose
from lithify.codecs.logs.encode import (
    all_zero,
    by_frequency,
    column_table,
    head,
    number_literals,
    put_numbers,
    put_texts,
    template_text,
)
from lithify.codecs.logs.following import Following, FollowingBlock, Leader
from lithify.codecs.logs.matching import match
from lithify.codecs.logs.order import (
    LINE_FAR,
    code_segments,
    line_times,
    lines_near,
    number_segments,
    plane_segments,
    planes,
    stable_names,
)
from lithify.codecs.logs.scan import Scan, scan
from lithify.codecs.logs.shapes import Shapes, read_shapes, roles
from lithify.codecs.logs.slots import Slots, fill, fold_constants
from lithify.codecs.logs.streams import Stream, Unpacked, pack_streams
from lithify.codecs.logs.symbols import Segments
from lithify.errors import BadBytes

_ASIDE_PART, _ASIDE_FEW = 16, 2  # of a column's numbers so many, and two, may stand aside to keep the primer's width


class _Parsed(NamedTuple):
    """The primer's text and the block as one, taken apart."""

    text: bytes
    found: Scan
    clusters: Clusters
    """The primer's templates, then those of the block; which line of both has which."""
    templates: bytes
    """The text of those of the block."""
    shapes: Shapes
    role: I32


def encode_behind(data: bytes, leader: Leader) -> bytes | None:
    """The streams of a block that goes on behind the primer's, packed.

    None if they cannot, because the primer's lines are not what its templates would be taken for today, or if they do
    not give the block back.
    """
    parsed = _parsed(data, leader)
    if parsed is None:
        return None
    layout, found, text = leader.layout, parsed.found, parsed.text
    start, known = layout.line_count, layout.template_count
    both = np.frombuffer(text, np.uint8)
    before, clusters = _part(parsed.clusters, 0, start), _part(parsed.clusters, start, len(found.line_key))
    slots_before, slots = fill(both, found, before), fill(both, found, clusters)
    if not np.array_equal(slots.kind, parsed.shapes.kind):
        return None
    earlier = Before(slots_before, before.line_template[:start], layout.columns, len(layout.coded.far), leader.slots)
    columns = choose(both, slots, clusters, parsed.role, quick=False, before=earlier)
    template = clusters.line_template[start:]
    streams = {Stream.HEAD: head(data, len(template), len(clusters.counts) - known, None)}
    streams[Stream.TEMPLATES] = parsed.templates
    _put_lines(streams, both, found, template, start)
    zero = _zero(slots, columns, leader)
    told = columns.pooled & ~zero
    streams[Stream.CODES] = columns.codes[np.repeat(told, np.diff(slots.at))].tobytes()
    streams[Stream.FAR] = planes(columns.far.astype(np.uint32), 4)
    put_texts(streams, both, slots, columns)
    segments = _put_numbers(streams, parsed.role, clusters, slots, columns, zero, leader)
    if not _gives_back(streams, parsed, data, leader):
        return None
    segments[Stream.CODES] = code_segments(parsed.shapes, parsed.role, np.diff(slots.at), told)
    segments[Stream.FAR] = plane_segments(len(columns.far), 4)
    return pack_streams(streams, segments, "max", leader)


def _parsed(data: bytes, leader: Leader) -> _Parsed | None:
    """The block's lines with the primer's templates where they fit, else with their own."""
    layout = leader.layout
    text = leader.text + data
    both = np.frombuffer(text, np.uint8)
    found = scan(both)
    if layout.unfinished:
        return None
    matched = match(both, found, layout.shapes, layout.columns.time_form, layout.lines.template)
    if matched is None:
        return None
    keys = found.line_key.copy()
    keys[: layout.line_count] = 0
    keys[matched.line_template >= 0] = 0
    own = by_frequency(cluster(found._replace(line_key=keys)))
    own, _ = fold_constants(own, fill(both, found, own))
    clusters = _joined(matched, own)
    count = len(clusters.counts)
    if count > TEMPLATES_MAX or int((~clusters.static).sum()) > COLUMNS_MAX:
        return None
    templates = b"".join(template_text(text, found, clusters, t) for t in range(len(matched.counts), count))
    shapes = read_shapes(leader.templates + templates, count)
    return _Parsed(text, found, clusters, templates, shapes, roles(shapes))


def _joined(first: Clusters, second: Clusters) -> Clusters:
    """The templates of both; a line has at most one of them."""
    template = np.where(second.line_template >= 0, second.line_template + len(first.counts), first.line_template)
    return Clusters(
        template.astype(np.int32),
        np.concatenate((first.first_line, second.first_line)),
        np.concatenate((first.counts, second.counts)),
        np.concatenate((first.opened, second.opened)),
        np.concatenate((first.opened_at, second.opened_at[1:] + first.opened_at[-1])),
        np.concatenate((first.static, second.static)),
        np.concatenate((first.static_at, second.static_at[1:] + first.static_at[-1])),
    )


def _part(clusters: Clusters, start: int, end: int) -> Clusters:
    """The same with templates for these lines only."""
    template = np.full_like(clusters.line_template, -1)
    template[start:end] = clusters.line_template[start:end]
    counts = np.bincount(template[template >= 0], minlength=len(clusters.counts)).astype(np.int64)
    return clusters._replace(line_template=template, counts=counts)


def _put_lines(streams: dict[Stream, bytes], both: U8, found: Scan, template: I32, start: int) -> None:
    """Which template each line of the block has, and the lines that have none."""
    near = lines_near(template)
    streams[Stream.LINES] = near.tobytes()
    streams[Stream.LINES_FAR] = planes((template[near == LINE_FAR] + 1 - LINE_FAR).astype(np.uint32), 2)
    left = start + np.flatnonzero(template < 0)
    starts, ends = found.line_start[left].tolist(), found.line_start[left + 1].tolist()
    streams[Stream.LEFT] = b"".join(both[at:end].tobytes() for at, end in zip(starts, ends, strict=True))


def _zero(slots: Slots, columns: Columns, leader: Leader) -> Bools:
    """Columns whose codes, all 0, are left out: of the primer's, those that the primer leaves out too."""
    zero = all_zero(columns.codes, slots.at)
    zero[: len(leader.layout.shapes.kind)] &= leader.layout.columns.pooled & ~leader.layout.columns.told
    return zero


def _put_numbers(
    streams: dict[Stream, bytes],
    role: I32,
    clusters: Clusters,
    slots: Slots,
    columns: Columns,
    zero: Bools,
    leader: Leader,
) -> dict[Stream, Segments]:
    """Literals that are numbers, and the table of columns; gives how the streams of numbers fall into columns."""
    series, forms = line_times(slots.template_column, slots.kind, slots.form)
    values, at, which = number_literals(clusters, slots, columns, series, len(forms))
    plans = _plans(values, at, which, forms, leader)
    put_numbers(streams, values, at, plans)
    written = plans.copy()
    written[:, numbers.PLAN_LEAST] -= leader.bases(which, forms, plans[:, numbers.PLAN_HOW])
    streams[Stream.COLUMNS] = column_table(slots, columns, zero, written)
    return number_segments(plans[:, numbers.PLAN_WIDTH], np.diff(at), stable_names(role, which, forms))


def _plans(values: I64, at: I64, which: I64, forms: list[int], leader: Leader) -> I64:
    """How each column of numbers is written: as the primer does where that fits, for then its statistics do."""
    plans = numbers.plan(values, at)
    for n, k in enumerate(leader.plans_of(which, forms).tolist()):
        if k < 0:
            continue
        how, width = leader.layout.numbers.plans[k, [numbers.PLAN_HOW, numbers.PLAN_WIDTH]].tolist()
        base, column = leader.base(k, how), values[at[n] : at[n + 1]]
        aside = numbers.too_wide(column, how, base, width)
        if aside <= len(column) // _ASIDE_PART + _ASIDE_FEW and (0 < width < numbers.WIDTH_MAX or not aside):
            plans[n] = how, base, width, aside, 0
    return plans


def _gives_back(streams: dict[Stream, bytes], parsed: _Parsed, data: bytes, leader: Leader) -> bool:
    """Whether a decoder makes the block of these streams."""
    try:
        layout = Following(Unpacked(streams, len(data)), len(data), leader)
        layout.shapes, layout.role = parsed.shapes, parsed.role
        return FollowingBlock(layout).text() == data
    except BadBytes:
        return False
