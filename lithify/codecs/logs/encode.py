"""A block of lines, encoded: scan, cluster, choose, write the streams. FORMAT.md says what each stream holds."""

import re
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from lithify.codecs.array_types import I32, I64, U8, U32, Bools
from lithify.codecs.codec import Effort
from lithify.codecs.kernel import kernel
from lithify.codecs.logs import numbers, pool
from lithify.codecs.logs.cluster import COLUMNS_MAX, Clusters, cluster
from lithify.codecs.logs.columns import FIXED, TEXT, Columns, choose
from lithify.codecs.logs.decode import Block
from lithify.codecs.logs.filter import FILTERED, make_filter
from lithify.codecs.logs.index import BLOCK_BYTES_MIN, Index, pack_index
from lithify.codecs.logs.layout import Layout
from lithify.codecs.logs.order import (
    HEAD_SPAN,
    HEAD_UNFINISHED,
    LINE_FAR,
    code_segments,
    line_times,
    number_names,
    number_segments,
    places,
    plane_segments,
    planes,
)
from lithify.codecs.logs.scan import ADDRESS, GROUP, MIXED, NUMBER, TIME, WORD, Scan, find_lines, scan
from lithify.codecs.logs.shapes import ESCAPE_BYTE, Shapes, read_shapes, roles
from lithify.codecs.logs.slots import Slots, fill, first_tokens, fold_constants
from lithify.codecs.logs.span import Span, span
from lithify.codecs.logs.streams import Packed, Stream, Unpacked, pack_streams, put_varint
from lithify.codecs.logs.symbols import Segments
from lithify.errors import BadBytes

_TO_ESCAPE = re.compile(rb"[\x01-\x07]")


def encode_block(data: bytes, effort: Effort, primer: Packed | None = None, *, as_primer: bool = False) -> bytes | None:
    """The streams of a block, packed; with a primer's streams as dictionaries, if there is one.

    as_primer  others will go on behind it, and nobody searches it: a number that is the same in all lines of a template
               stays a number, for in theirs it may change

    None if the streams do not give the block back: it was made so that two of its texts have one hash, or so that its
    streams are longer than a decoder takes.
    """
    apart = _taken_apart(data, effort, as_primer=as_primer)
    if not _gives_back(apart, data):
        return None
    return pack_streams(apart.streams, apart.segments, effort, primer)


class _Apart(NamedTuple):
    """A block as streams, and what is known of them."""

    streams: dict[Stream, bytes]
    segments: dict[Stream, Segments]
    shapes: Shapes
    role: I32


def _taken_apart(data: bytes, effort: Effort, *, as_primer: bool) -> _Apart:
    """The streams of a block. Tokens and slots, three quarters of the memory, are gone when it returns."""
    block = np.frombuffer(data, np.uint8)
    found = scan(block)
    clusters = by_frequency(cluster(found))
    clusters, slots = fold_constants(clusters, fill(block, found, clusters), numbers=not as_primer)
    templates = b"".join(template_text(data, found, clusters, t) for t in range(len(clusters.counts)))
    shapes = read_shapes(templates, len(clusters.counts))
    role = roles(shapes)
    columns = choose(block, slots, clusters, role, quick=effort == "fast")
    written = span(data, found, clusters, slots, shapes)
    streams = {Stream.HEAD: head(data, len(found.line_key), len(clusters.counts), written)}
    _put_lines(streams, block, found, clusters)
    streams[Stream.TEMPLATES] = templates
    told = columns.pooled & ~all_zero(columns.codes, slots.at)
    streams[Stream.CODES] = columns.codes[np.repeat(told, np.diff(slots.at))].tobytes()
    streams[Stream.FAR] = planes(columns.far.astype(np.uint32), 4)
    put_texts(streams, block, slots, columns)
    series = line_times(slots.template_column, slots.kind, slots.form)
    values, number_at, number_columns = number_literals(clusters, slots, columns, series[0], len(series[1]))
    plans = numbers.plan(values, number_at)
    put_numbers(streams, values, number_at, plans)
    streams[Stream.COLUMNS] = column_table(slots, columns, all_zero(columns.codes, slots.at), plans)
    if not as_primer:
        streams[Stream.FILTER] = make_filter(b"\n".join(streams[stream] for stream in FILTERED))
    if not as_primer and len(data) >= BLOCK_BYTES_MIN:
        streams[Stream.INDEX] = _index(clusters, slots, columns, told)
    names = number_names(role, number_columns, len(series[1]))
    segments = number_segments(plans[:, numbers.PLAN_WIDTH], np.diff(number_at), names)
    segments[Stream.CODES] = code_segments(shapes, role, np.diff(slots.at), told)
    segments[Stream.FAR] = plane_segments(len(columns.far), 4)
    return _Apart(streams, segments, shapes, role)


def find_templates(data: bytes) -> list[tuple[bytes, int, bytes]]:
    """The templates of a block that is kept without: text as in TEMPLATES, lines, and one of them with its line end."""
    block = np.frombuffer(data, np.uint8)
    found = scan(block)
    clusters = by_frequency(cluster(found))
    clusters, _ = fold_constants(clusters, fill(block, found, clusters))
    starts, lines = found.line_start, clusters.first_line.tolist()
    return [
        (template_text(data, found, clusters, t), int(clusters.counts[t]), data[int(starts[n]) : int(starts[n + 1])])
        for t, n in enumerate(lines)
    ]


def _gives_back(apart: _Apart, data: bytes) -> bool:
    """Whether a decoder makes the block of these streams."""
    try:
        layout = Layout(Unpacked(apart.streams, len(data)), len(data))
        layout.shapes, layout.role = apart.shapes, apart.role  # what it would find in TEMPLATES
        return Block(layout).text() == data
    except BadBytes:
        return False


def encode_as_text(data: bytes, effort: Effort) -> bytes:
    """A block without templates: its lines are one text, which the densest coder for texts may suit best."""
    lines = len(find_lines(np.frombuffer(data, np.uint8))) - 1
    streams = {Stream.HEAD: head(data, lines, 0, None), Stream.LINES: bytes(lines), Stream.LEFT: data}
    return pack_streams(streams, {}, effort, None)


def head(data: bytes, lines: int, templates: int, written: Span | None) -> bytes:
    """Whether the last line has no end; how many lines and templates there are; from when to when they were written."""
    out = bytearray([(not data.endswith(b"\n")) * HEAD_UNFINISHED | (written is not None) * HEAD_SPAN])
    for number in (lines, templates):
        put_varint(out, number)
    if written is not None:
        earliest, latest = written
        put_varint(out, (earliest << 1) ^ (earliest >> 63))
        put_varint(out, latest - earliest)
    return bytes(out)


def by_frequency(clusters: Clusters) -> Clusters:
    """The templates renumbered, the most frequent first: then most lines' template fits in a byte.

    Those that would bring the columns over COLUMNS_MAX are dropped, and their lines left out of the templates.
    """
    order = np.argsort(-clusters.counts, kind="stable")
    free = np.concatenate((np.zeros(1, np.int64), np.cumsum(~clusters.static)))
    columns = np.diff(free[clusters.static_at])[order]
    order = order[np.cumsum(columns) <= COLUMNS_MAX]
    rank = np.full(len(clusters.counts) + 1, -1, np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    opened = [clusters.opened[clusters.opened_at[t] : clusters.opened_at[t + 1]] for t in order]
    static = [clusters.static[clusters.static_at[t] : clusters.static_at[t + 1]] for t in order]
    none = np.zeros(0, np.bool_)
    return Clusters(
        rank[clusters.line_template],
        clusters.first_line[order],
        clusters.counts[order],
        np.concatenate([*opened, none]),
        np.cumsum([0, *map(len, opened)], dtype=np.int64),
        np.concatenate([*static, none]),
        np.cumsum([0, *map(len, static)], dtype=np.int64),
    )


def _put_lines(streams: dict[Stream, bytes], block: U8, found: Scan, clusters: Clusters) -> None:
    """Which template each line has, and the lines that have none."""
    count = len(clusters.counts)
    chosen = np.where(clusters.line_template < 0, count, clusters.line_template)
    streams[Stream.LINES] = np.minimum(chosen, LINE_FAR).astype(np.uint8).tobytes()
    streams[Stream.LINES_FAR] = planes((chosen[chosen >= LINE_FAR] - LINE_FAR).astype(np.uint32), 2)
    left = np.flatnonzero(clusters.line_template < 0)
    starts = found.line_start[left].tolist()
    ends = found.line_start[left + 1].tolist()
    streams[Stream.LEFT] = b"".join(block[start:end].tobytes() for start, end in zip(starts, ends, strict=True))


def template_text(data: bytes, found: Scan, clusters: Clusters, template: int) -> bytes:
    """A template's text with a byte for each slot, ended by a line end."""
    line = int(clusters.first_line[template])
    at, stop = int(found.line_start[line]), int(found.line_start[line + 1])
    tokens = first_tokens(found, clusters, template)
    static = clusters.static[clusters.static_at[template] : clusters.static_at[template + 1]]
    pieces = []
    for token in tokens[~static].tolist():
        pieces += [_escaped(data[at : found.start[token]]), bytes([1 + found.kind[token]])]
        at = int(found.end[token])
    return b"".join([*pieces, _escaped(data[at:stop].removesuffix(b"\n")), b"\n"])


def _escaped(text: bytes) -> bytes:
    return _TO_ESCAPE.sub(lambda found: bytes([ESCAPE_BYTE]) + found[0], text)


def all_zero(codes: U8, at: I64) -> Bools:
    """Which columns have no code but 0."""
    counted = np.concatenate((np.zeros(1, np.int64), np.cumsum(codes != 0, dtype=np.int64)))
    zero: Bools = np.diff(counted[at]) == 0
    return zero


def _index(clusters: Clusters, slots: Slots, columns: Columns, told: Bools) -> bytes:
    """How much there is of each thing."""
    equal = columns.source != np.arange(len(slots.kind))
    new = np.diff(np.concatenate((np.zeros(1, np.int64), np.cumsum(columns.codes == pool.NEW)))[slots.at])
    digits = np.maximum.reduceat(slots.length, slots.at[:-1]) if len(slots.kind) else np.zeros(0)
    return pack_index(Index(clusters.counts, new, digits.astype(np.int64)), slots.kind, told, equal)


@kernel
def _join_texts(block: U8, which: I64, at: I64, literal: Bools, start: U32, length: U32, out: U8) -> int:
    n = 0
    for c in which:
        for i in range(at[c], at[c + 1]):
            if literal[i]:
                for p in range(start[i], start[i] + length[i]):
                    out[n] = block[p]
                    n += 1
                out[n] = 10
                n += 1
    return n


@kernel
def _join_hex(block: U8, which: I64, at: I64, literal: Bools, start: U32, length: U32, out: U8) -> int:
    n = 0
    for c in which:
        for i in range(at[c], at[c + 1]):
            if not literal[i]:
                continue
            for p in range(start[i], start[i] + length[i], 2):
                byte = 0
                for digit in (block[p], block[p + 1]):
                    byte = byte * 16 + (digit - 48 if digit <= 57 else (digit | 32) - 87)
                out[n] = byte
                n += 1
    return n


def put_texts(streams: dict[Stream, bytes], block: U8, slots: Slots, columns: Columns) -> None:
    """Literals that are texts, column after column."""
    is_hex = (slots.kind == MIXED) & (columns.form != TEXT)
    for stream, wanted, join in (
        (Stream.GROUPS, slots.kind == GROUP, _join_texts),
        (Stream.WORDS, ((slots.kind == WORD) | (slots.kind == MIXED)) & ~is_hex, _join_texts),
        (Stream.HEX, is_hex, _join_hex),
    ):
        mine = columns.literal & np.repeat(wanted, np.diff(slots.at))
        out = np.empty(int(slots.length[mine].sum()) + int(mine.sum()), np.uint8)
        which = np.flatnonzero(wanted)
        n = join(block, which, slots.at, columns.literal, slots.start, slots.length, out)
        streams[stream] = out[:n].tobytes()


@kernel
def _line_values(
    line_template: I32, counts: I64, time_column: I64, series: I64, at: I64, values: I64, number: int, out: I64
) -> int:
    rows = np.zeros(len(counts), np.int64)
    n = 0
    for line in range(len(line_template)):
        t = line_template[line]
        if t < 0:
            continue
        row = rows[t]
        rows[t] = row + 1
        column = time_column[t]
        if column >= 0 and series[column] == number:
            out[n] = values[at[column] + row]
            n += 1
    return n


def number_literals(
    clusters: Clusters, slots: Slots, columns: Columns, series: I64, formats: int
) -> tuple[I64, I64, I64]:
    """All literals that are numbers, column after column and then series after series; where each begins."""
    numeric = np.isin(slots.kind, (NUMBER, ADDRESS, TIME)) & (series < 0)
    lengths = np.diff(slots.at)
    mine = columns.literal & np.repeat(numeric, lengths)
    of_slot = np.repeat(np.arange(len(slots.kind)), lengths)
    counts = np.bincount(of_slot[mine], minlength=len(slots.kind))
    parts, sizes = [columns.values[mine]], counts[counts > 0].tolist()
    time_column = np.full(len(clusters.counts), -1, np.int64)
    with_series = np.flatnonzero(series >= 0)
    time_column[np.searchsorted(slots.template_column, with_series, side="right") - 1] = with_series
    for number in range(formats):
        out = np.empty(int(lengths[series == number].sum()), np.int64)
        _line_values(
            clusters.line_template, clusters.counts, time_column, series, slots.at, columns.values, number, out
        )
        parts.append(out)
        sizes.append(len(out))
    at = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, out=at[1:])
    return np.concatenate(parts), at, np.flatnonzero(counts)


def put_numbers(streams: dict[Stream, bytes], values: I64, at: I64, plans: I64) -> None:
    """Literals that are numbers, column after column and then series after series."""
    widths = plans[:, numbers.PLAN_WIDTH]
    out_at, ends = places(widths, np.diff(at))
    out = np.zeros(int(ends[-1]), np.uint8)
    escapes = np.zeros(int(plans[:, numbers.PLAN_ESCAPES].sum()), np.int64)
    low_bits = np.zeros(8 * len(values) + 8, np.uint8)
    bits = numbers.emit(values, at, plans, out_at, out, escapes, low_bits)
    for width, (start, end) in enumerate(pairwise([0, *ends.tolist()]), 1):
        streams[Stream(Stream.WIDTH_1 + width - 1)] = out[start:end].tobytes()
    streams[Stream.ESCAPES] = escapes.astype(">i8").view(np.uint8).reshape(-1, 8).T.tobytes()
    streams[Stream.LOW_BITS] = low_bits[: (bits + 7) // 8].tobytes()


def column_table(slots: Slots, columns: Columns, zero: Bools, plans: I64) -> bytes:
    """What a decoder must know of each column: one section per fact, so that like stands beside like."""
    equal = columns.source != np.arange(len(slots.kind))
    modes = columns.pooled | zero << 1 | columns.form.astype(np.int64) << 2 | equal << 4
    fixed = ((slots.kind == NUMBER) & (columns.form == FIXED)) | ((slots.kind == MIXED) & (columns.form != TEXT))
    fixed &= ~equal
    table = bytearray(modes.astype(np.uint8).tobytes())
    table += planes((np.arange(len(slots.kind)) - columns.source)[equal].astype(np.uint32), 2)
    table += columns.digits[fixed].astype(np.uint8).tobytes()
    table += planes(slots.form[slots.kind == TIME].astype(np.uint32), 2)
    table += (plans[:, numbers.PLAN_HOW] | plans[:, numbers.PLAN_WIDTH] << 1).astype(np.uint8).tobytes()
    for least in plans[:, numbers.PLAN_LEAST].tolist():
        put_varint(table, ((least << 1) ^ (least >> 63)) & (2**64 - 1))
    return bytes(table)
