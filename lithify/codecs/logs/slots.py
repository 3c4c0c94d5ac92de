"""The slots of a block: for every line of a template, the tokens that are not the same in all of its lines.

Slots stand column by column: the values of one token of one template, in the order of the lines, then the next token's.
"""

from typing import NamedTuple

import numpy as np

from lithify.codecs.array_types import I32, I64, U8, U16, U32, U64, Bools
from lithify.codecs.kernel import bare, kernel, unsigned, wide
from lithify.codecs.logs.cluster import SLOTS_MAX, Clusters, _flatten
from lithify.codecs.logs.scan import ADDRESS, GROUP, NUMBER, TIME, Scan
from lithify.codecs.logs.times import read_time


class Slots(NamedTuple):
    """All slots of a block. Column `c` has the slots `at[c]` to `at[c + 1]`."""

    template_column: I64
    """Each template's first column; one more entry at the end."""
    column_token: I64
    """Which of its template's tokens each column holds."""
    at: I64
    kind: U8
    """Kind of token, per column."""
    form: U16
    """Format of a time, per column."""
    start: U32
    length: U32
    value: I64
    """The number, time or address; for other kinds the hash of the text."""
    hash: U64
    """Of the text."""


@bare
def _fill(
    data: U8,
    line_template: I32,
    line_token: U32,
    tstart: U32,
    tend: U32,
    tkind: U8,
    inner: U16,
    thash: U64,
    opened: Bools,
    opened_at: I64,
    static: Bools,
    static_at: I64,
    template_column: I64,
    at: I64,
    start: U32,
    length: U32,
    value: I64,
    hashes: U64,
    rows: I64,
    tokens: I64,
) -> None:
    for line in range(len(line_template)):
        t = line_template[line]
        if t < 0:
            continue
        n = _flatten(line, line_token, tkind, inner, opened, opened_at[t], False, tokens)
        row = rows[t]
        rows[t] = row + 1
        column = template_column[t]
        first = static_at[t]
        for k in range(n):
            if static[first + k]:
                continue
            token = tokens[k]
            slot = at[column] + row
            column += 1
            b, e = wide(tstart[token]), wide(tend[token])
            start[slot] = b
            length[slot] = e - b
            what = tkind[token]
            v = wide(0)
            if what == NUMBER:
                for i in range(b, e):
                    v = v * 10 + (data[i] - 48)
                hashes[slot] = thash[token]
            elif what == TIME:
                _, _, v = read_time(data, b, e)
            elif what == ADDRESS:
                part = wide(0)
                for i in range(b, e):
                    if data[i] == 46:
                        v = v * 256 + part
                        part = 0
                    else:
                        part = part * 10 + (data[i] - 48)
                v = v * 256 + part
                hashes[slot] = (unsigned(v) ^ unsigned(0xA5A5A5A5A5A5)) * unsigned(0xD6E8FEB86659FD93)
            elif what == GROUP:
                h = unsigned(0x9E3779B97F4A7C15)
                for i in range(b, e):
                    h = (h ^ unsigned(data[i])) * unsigned(0x100000001B3)
                hashes[slot] = (h ^ (h >> unsigned(32))) * unsigned(0xD6E8FEB86659FD93)
            else:
                hashes[slot] = thash[token]
            value[slot] = v


def fill(data: U8, found: Scan, clusters: Clusters) -> Slots:
    """The slots of a block's templates."""
    template_column = np.zeros(len(clusters.counts) + 1, np.int64)
    free = ~clusters.static
    column_template = np.repeat(np.arange(len(clusters.counts)), np.diff(clusters.static_at))[free]
    column_token = (np.arange(len(free)) - np.repeat(clusters.static_at[:-1], np.diff(clusters.static_at)))[free]
    np.cumsum(np.bincount(column_template, minlength=len(clusters.counts)), out=template_column[1:])
    at = np.zeros(len(column_template) + 1, np.int64)
    np.cumsum(clusters.counts[column_template], out=at[1:])
    total = int(at[-1])
    start, length = np.empty(total, np.uint32), np.empty(total, np.uint32)
    value, hashes = np.empty(total, np.int64), np.zeros(total, np.uint64)
    _fill(
        data,
        clusters.line_template,
        found.line_token,
        found.start,
        found.end,
        found.kind,
        found.inner,
        found.hash,
        clusters.opened,
        clusters.opened_at,
        clusters.static,
        clusters.static_at,
        template_column,
        at,
        start,
        length,
        value,
        hashes,
        np.zeros(len(clusters.counts), np.int64),
        np.empty(SLOTS_MAX + 1, np.int64),
    )
    kind, form = _kinds(found, clusters, column_template, column_token)
    return Slots(template_column, column_token, at, kind, form, start, length, value, hashes)


@kernel
def _constant(at: I64, kind: U8, length: U32, hashes: U64) -> Bools:
    """Which columns show one text in every row. A time never counts: it says when a line was written."""
    out = np.zeros(len(kind), np.bool_)
    for c in range(len(kind)):
        first = at[c]
        same = kind[c] != TIME
        i = first + 1
        while same and i < at[c + 1]:
            same = hashes[i] == hashes[first] and length[i] == length[first]
            i += 1
        out[c] = same
    return out


def fold_constants(clusters: Clusters, slots: Slots, *, numbers: bool = True) -> tuple[Clusters, Slots]:
    """The same with columns of one text made part of their templates; those of numbers too, if they shall be."""
    gone = _constant(slots.at, slots.kind, slots.length, slots.hash)
    if not numbers:
        gone &= slots.kind != NUMBER
    column_template = np.repeat(np.arange(len(clusters.counts)), np.diff(slots.template_column))
    static = clusters.static.copy()
    static[clusters.static_at[column_template[gone]] + slots.column_token[gone]] = True
    kept = ~gone
    mine = np.repeat(kept, np.diff(slots.at))
    counted: I64 = np.concatenate((np.zeros(1, np.int64), np.cumsum(kept, dtype=np.int64)))
    template_column = counted[slots.template_column]
    at = np.concatenate((np.zeros(1, np.int64), np.cumsum(np.diff(slots.at)[kept])))
    return clusters._replace(static=static), Slots(
        template_column, slots.column_token[kept], at, slots.kind[kept], slots.form[kept],
        slots.start[mine], slots.length[mine], slots.value[mine], slots.hash[mine],
    )  # fmt: skip


def _kinds(found: Scan, clusters: Clusters, column_template: I64, column_token: I64) -> tuple[U8, U16]:
    """Kind and time format of each column, read off the first line of its template."""
    tokens = np.concatenate(
        [first_tokens(found, clusters, t) for t in range(len(clusters.counts))] or [np.zeros(0, np.int64)]
    )
    mine = tokens[clusters.static_at[column_template] + column_token]
    return found.kind[mine], found.form[mine]


def first_tokens(found: Scan, clusters: Clusters, template: int) -> I64:
    """The tokens of the first line of a template, open groups replaced by what is in them."""
    out = np.empty(SLOTS_MAX + 1, np.int64)
    n = _flatten(
        int(clusters.first_line[template]),
        found.line_token,
        found.kind,
        found.inner,
        clusters.opened,
        int(clusters.opened_at[template]),
        False,
        out,
    )
    return out[:n].copy()
