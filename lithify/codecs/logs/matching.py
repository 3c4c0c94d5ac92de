"""Which lines of a block have templates of its primer: found by their text, since a primer's templates are given."""

import numpy as np

from lithify.codecs.array_types import I32, I64, U8, U16, U32, U64, Bools
from lithify.codecs.kernel import bare, inlined, kernel, unsigned, wide
from lithify.codecs.logs.cluster import SLOTS_MAX, Clusters
from lithify.codecs.logs.scan import GROUP, TIME, Scan
from lithify.codecs.logs.shapes import Shapes

_PRIME = unsigned(0x9E3779B97F4A7C15)
_SHIFT = unsigned(29)
_TRIALS_MAX = 1 << 25
"""Templates tried in one block, all lines together: a second's work, where a log is made to need more."""


@bare
def _slots_of(
    data: U8, at: int, stop: int, token: int, token_end: int, start: U32, end: U32, kind: U8, form: U16, inner: U16,
    text: U8, piece_start: I64, piece: int, slot_kind: U8, slot_form: U16, column: int, last: int, chosen: I64,
) -> bool:  # fmt: skip
    """Whether a line's text is that of a template, with a token in each slot; `chosen` then holds them."""
    for c in range(column, last + 1):
        size = piece_start[piece + 1] - piece_start[piece]
        if at + size > stop:
            return False
        first = piece_start[piece]
        for i in range(size):
            if data[at + i] != text[first + i]:
                return False
        at += size
        piece += 1
        if c == last:
            return at == stop
        while token < token_end and start[token] < at:
            token += 1
        while token < token_end and start[token] == at and kind[token] != slot_kind[c]:
            token += 1
        if token == token_end or start[token] != at or (kind[token] == TIME and form[token] != slot_form[c]):
            return False
        chosen[c - column] = token
        at = wide(end[token])
        token += 1 + (wide(inner[token]) if kind[token] == GROUP else 0)
    return False


@inlined
def _signature(token: int, token_end: int, kind: U8, inner: U16, chosen: I64, slots: int) -> int:
    """A hash of a line's tokens as its template sees them, which slots are among them."""
    key, k = _PRIME, 0
    while token < token_end:
        mine = k < slots and chosen[k] == token
        key = (key ^ unsigned(2 * wide(kind[token]) + (1 if mine else 0))) * _PRIME
        key ^= key >> _SHIFT
        if mine:
            k += 1
            if kind[token] == GROUP:
                token += wide(inner[token])
        token += 1
    return wide(key >> unsigned(1)) if k == slots else wide(-1)


@kernel
def _match(
    data: U8, line_start: U32, line_key: U64, line_token: U32, start: U32, end: U32, kind: U8, form: U16, inner: U16,
    text: U8, piece_start: I64, piece_at: I64, slot_kind: U8, slot_form: U16, template_column: I64, known: I32,
    template: I32,
) -> I64:  # fmt: skip
    """Fill `template` behind the known lines; gives a known line of each template, or nothing if one has another.

    The lines of a template have one skeleton, so that only templates of its own are tried for a line.
    """
    templates = len(piece_at) - 1
    seen = np.full(templates, -1, np.int64)
    signature = np.zeros(templates, np.int64)
    key = np.zeros(templates, np.uint64)
    order = np.zeros(templates, np.int64)
    trials = 0
    chosen = np.empty(SLOTS_MAX + 1, np.int64)
    for line in range(len(line_start) - 1):
        at, stop = wide(line_start[line]), wide(line_start[line + 1])
        if stop > at and data[stop - 1] == 10:
            stop -= 1
        token, token_end = wide(line_token[line]), wide(line_token[line + 1])
        is_known = line < len(known)
        if is_known:
            first, past = wide(known[line]), wide(known[line]) + 1
            if first < 0:
                continue
        else:
            if line == len(known):
                order = np.argsort(key, kind="mergesort")
                key = key[order]
            first = np.searchsorted(key, line_key[line], side="left")
            past = np.searchsorted(key, line_key[line], side="right")
            trials += past - first
            if trials > _TRIALS_MAX:
                break
        best, best_static = -1, -1
        for k in range(first, past):
            t = k if is_known else order[k]
            column, last = template_column[t], template_column[t + 1]
            static = piece_start[piece_at[t + 1]] - piece_start[piece_at[t]]
            if static <= best_static or stop - at < static or last - column > token_end - token:
                continue
            if token_end - token > SLOTS_MAX or not _slots_of(
                data, at, stop, token, token_end, start, end, kind, form, inner,
                text, piece_start, piece_at[t], slot_kind, slot_form, column, last, chosen,
            ):  # fmt: skip
                continue
            said = _signature(token, token_end, kind, inner, chosen, last - column)
            if is_known and seen[t] < 0:
                seen[t], signature[t], key[t] = line, said, line_key[line]
            if said < 0 or seen[t] < 0 or said != signature[t]:
                continue
            best, best_static = t, static
        if is_known and best < 0:
            return np.zeros(0, np.int64)
        template[line] = best
    return seen


@kernel
def _flags(
    line: I64, line_token: U32, start: U32, kind: U8, inner: U16, slot: Bools, opened_at: I64, static_at: I64,
    opened: Bools, static: Bools,
) -> None:  # fmt: skip
    """Which groups are opened, and which tokens are no slots, of templates with these lines."""
    for t in range(len(line)):
        g, k = opened_at[t], static_at[t]
        token = wide(line_token[line[t]])
        while token < line_token[line[t] + 1]:
            mine = slot[token]
            if kind[token] == GROUP:
                opened[g] = not mine
                g += 1
            if mine or kind[token] != GROUP:
                static[k] = not mine
                k += 1
            if mine and kind[token] == GROUP:
                token += wide(inner[token])
            token += 1
        opened_at[t + 1], static_at[t + 1] = g, k


@kernel
def _mark(
    line: I64, data: U8, line_start: U32, line_token: U32, start: U32, end: U32, kind: U8, form: U16, inner: U16,
    text: U8, piece_start: I64, piece_at: I64, slot_kind: U8, slot_form: U16, template_column: I64, slot: Bools,
) -> None:  # fmt: skip
    chosen = np.empty(SLOTS_MAX + 1, np.int64)
    for t in range(len(line)):
        at, stop = wide(line_start[line[t]]), wide(line_start[line[t] + 1])
        if stop > at and data[stop - 1] == 10:
            stop -= 1
        column, last = template_column[t], template_column[t + 1]
        _slots_of(
            data, at, stop, wide(line_token[line[t]]), wide(line_token[line[t] + 1]), start, end, kind, form, inner,
            text, piece_start, piece_at[t], slot_kind, slot_form, column, last, chosen,
        )  # fmt: skip
        for k in range(last - column):
            slot[chosen[k]] = True


def match(data: U8, found: Scan, shapes: Shapes, time_form: U16, known: I32) -> Clusters | None:
    """The primer's templates, and which lines have them; None if its own lines do not.

    found  of the primer's text and what goes on behind it
    known  the templates of the primer's lines
    """
    tokens = found.line_token, found.start, found.end, found.kind, found.form, found.inner
    pieces = shapes.text, shapes.piece_start, shapes.piece_at, shapes.kind, time_form, shapes.template_column
    template = np.full(len(found.line_key), -1, np.int32)
    line = _match(data, found.line_start, found.line_key, *tokens, *pieces, known, template)
    if len(line) != len(shapes.piece_at) - 1 or (line < 0).any():
        return None
    slot = np.zeros(len(found.kind), np.bool_)
    _mark(line, data, found.line_start, *tokens, *pieces, slot)
    most = int((found.line_token[line + 1].astype(np.int64) - found.line_token[line]).sum())
    opened, static = np.zeros(most, np.bool_), np.zeros(most, np.bool_)
    opened_at, static_at = np.zeros(len(line) + 1, np.int64), np.zeros(len(line) + 1, np.int64)
    _flags(line, found.line_token, found.start, found.kind, found.inner, slot, opened_at, static_at, opened, static)
    counts = np.bincount(template[template >= 0], minlength=len(line)).astype(np.int64)
    return Clusters(template, line, counts, opened[: opened_at[-1]], opened_at, static[: static_at[-1]], static_at)
