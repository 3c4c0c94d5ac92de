"""From lines to templates: only unique skeletons are clustered (the idea of Logzip, ASE 2019), so cost follows variety.

Lines with one skeleton form a family. In a family, a group (quoted string, bracket, path) is opened where few inner
skeletons occur, else it stays one string; then a word is part of the template where few different ones occur, else it
is variable. Lines of rare families try again with all groups closed; what is rare even then stays out of the templates.
"""

from typing import NamedTuple

import numpy as np

from lithify.codecs.array_types import I32, I64, U8, U16, U32, U64, Bools
from lithify.codecs.kernel import bare, kernel, unsigned, wide
from lithify.codecs.logs.scan import GROUP, WORD, Scan

TEMPLATES_MAX = 8192
"""Templates of one block, and with it the cost of adversarial logs."""
COLUMNS_MAX = 32_768
"""Columns of one block: each costs the decoder a kilobyte."""
SLOTS_MAX = 4096
"""Tokens of one line; longer lines stay out of the templates."""
_RARE = 4  # a family of fewer lines costs more to describe than it saves
_LINES_PER_TEMPLATE = 32  # families are not split into finer templates than this, on average
_WORDS_MAX = 24  # different words at one place of a family; more make the place variable
_INNER_MAX = 64  # inner skeletons counted per group
_PATTERNS_MAX = 4096  # patterns of one family that are looked at to choose its fixed words: bounds adversarial logs
_COLUMNS_FEW = 16  # up to here words are freed one by one, above an eighth at a time, for the same reason
_STIR = unsigned(0xD6E8FEB86659FD93)
_SHIFT = unsigned(32)
_PRIME = unsigned(0x9E3779B97F4A7C15)
_CLOSED = unsigned(0x5851F42D4C957F2D)


class Clusters(NamedTuple):
    """Templates of a block. A template's tokens are those of its first line, open groups replaced by what they hold."""

    line_template: I32
    """Template of each line; -1: none."""
    first_line: I64
    """A line of each template."""
    counts: I64
    """Lines of each template."""
    opened: Bools
    """Per template, from `opened_at`: whether each of its groups is opened."""
    opened_at: I64
    static: Bools
    """Per template, from `static_at`: whether each of its tokens is the same in all lines."""
    static_at: I64


@kernel
def factorize(keys: U64) -> tuple[I32, I64, I64]:
    """Number equal keys by first occurrence: number of each (-1 for key 0), first index and count of each number."""
    size = 16
    while size < 2 * len(keys):
        size *= 2
    size = min(size, 1 << 22)
    mask = size - 1
    slots = np.full(size, -1, np.int32)
    ids = np.empty(len(keys), np.int32)
    known = np.empty(256, np.uint64)
    first = np.empty(256, np.int64)
    counts = np.empty(256, np.int64)
    n = 0
    for i in range(len(keys)):
        key = keys[i]
        if key == 0:
            ids[i] = -1
            continue
        at = wide((key * _PRIME) >> unsigned(40)) & mask
        while slots[at] >= 0 and known[slots[at]] != key:
            at = (at + 1) & mask
        found = slots[at]
        if found < 0:
            if 2 * n >= size:  # grow: every known key moves
                size *= 2
                mask = size - 1
                slots = np.full(size, -1, np.int32)
                for k in range(n):
                    to = wide((known[k] * _PRIME) >> unsigned(40)) & mask
                    while slots[to] >= 0:
                        to = (to + 1) & mask
                    slots[to] = k
                at = wide((key * _PRIME) >> unsigned(40)) & mask
                while slots[at] >= 0:
                    at = (at + 1) & mask
            if n == len(known):
                known = np.concatenate((known, np.empty(n, np.uint64)))
                first = np.concatenate((first, np.empty(n, np.int64)))
                counts = np.concatenate((counts, np.empty(n, np.int64)))
            found = slots[at] = n
            known[n], first[n], counts[n] = key, i, 0
            n += 1
        counts[found] += 1
        ids[i] = found
    return ids, first[:n].copy(), counts[:n].copy()


@kernel
def _drop_unlike(line_token: U32, kind: U8, inner: U16, family: I32, first: I64) -> None:
    """Take lines out of families whose first line has other kinds of tokens.

    Only lines made to have one hash are so; the kernels that follow count on the lines of a family being alike.
    """
    for line in range(len(family)):
        f = family[line]
        if f < 0:
            continue
        t, end = wide(line_token[line]), wide(line_token[line + 1])
        other, other_end = wide(line_token[first[f]]), wide(line_token[first[f] + 1])
        while t < end and other < other_end and kind[t] == kind[other]:
            t += 1 + (wide(inner[t]) if kind[t] == GROUP else 0)
            other += 1 + (wide(inner[other]) if kind[other] == GROUP else 0)
        if t != end or other != other_end:
            family[line] = -1


@kernel
def _drop_unlike_inside(
    line_token: U32, kind: U8, inner: U16, family: I32, ids: I32, first: I64, closed: Bools, opened: Bools, at: I64
) -> None:
    """The same with open groups looked into."""
    tokens = np.empty(SLOTS_MAX + 1, np.int64)
    counts = np.empty(len(first), np.int64)
    for k in range(len(first)):
        line = first[k]
        counts[k] = _flatten(line, line_token, kind, inner, opened, at[family[line]], closed[line], tokens)
    for line in range(len(ids)):
        k = ids[line]
        if k >= 0 and counts[k] != _flatten(
            line, line_token, kind, inner, opened, at[family[line]], closed[line], tokens
        ):
            ids[line] = -1


@kernel
def _open_groups(
    line_token: U32, kind: U8, inner: U16, hashes: U64, family: I32, first: I64, counts: I64
) -> tuple[Bools, I64]:
    """Which groups of each family to open, and where each family's begin."""
    families = len(first)
    at = np.zeros(families + 1, np.int64)
    for f in range(families):
        n, t = 0, wide(line_token[first[f]])
        while t < line_token[first[f] + 1]:
            if kind[t] == GROUP:
                n += 1
                t += inner[t]
            t += 1
        at[f + 1] = at[f] + n
    total = at[families]
    seen_at = np.zeros(total + 1, np.int64)  # no more than the family has lines: bounds adversarial logs
    for f in range(families):
        for g in range(at[f], at[f + 1]):
            seen_at[g + 1] = seen_at[g] + min(counts[f], _INNER_MAX)
    seen = np.empty(seen_at[total], np.uint64)
    number = np.zeros(total, np.int64)
    tokens = np.zeros(total, np.int64)
    for line in range(len(family)):
        f = family[line]
        if f < 0:
            continue
        g, t = at[f], wide(line_token[line])
        while t < line_token[line + 1]:
            if kind[t] == GROUP:
                tokens[g] += inner[t]
                n = number[g]
                if n <= _INNER_MAX:
                    key = hashes[t]
                    k, first_seen = 0, seen_at[g]
                    while k < n and seen[first_seen + k] != key:
                        k += 1
                    if k == n:
                        if n < _INNER_MAX:
                            seen[first_seen + n] = key
                        number[g] = n + 1
                    elif k:
                        seen[first_seen + k] = seen[first_seen + k - 1]
                        seen[first_seen + k - 1] = key
                g += 1
                t += inner[t]
            t += 1
    opened = np.zeros(total, np.bool_)
    for f in range(families):
        for g in range(at[f], at[f + 1]):
            n = number[g]
            if n <= 2 and n <= max(1, counts[f] // 8):
                opened[g] = True
            else:
                opened[g] = n <= min(_INNER_MAX, counts[f] // 256) and tokens[g] >= 2 * counts[f]
    return opened, at


@kernel
def _line_keys(
    line_token: U32, kind: U8, inner: U16, hashes: U64, family: I32, opened: Bools, at: I64, keys: U64
) -> U64:
    """Key of each line with its family's open groups looked into; 0 for lines with too many tokens."""
    out = np.zeros(len(family), np.uint64)
    for line in range(len(family)):
        f = family[line]
        if f < 0 or line_token[line + 1] - line_token[line] > SLOTS_MAX:
            continue
        key = keys[line]
        g, t = at[f], wide(line_token[line])
        while t < line_token[line + 1]:
            if kind[t] == GROUP:
                if opened[g]:
                    key = ((key ^ hashes[t]) * _STIR) ^ (key >> _SHIFT)
                g += 1
                t += inner[t]
            t += 1
        out[line] = key | unsigned(1)
    return out


@kernel
def _close_rare(keys: U64, outer: U64, ids: I32, counts: I64, rare: int) -> Bools:
    """Give lines of rare families the key of their outer skeleton; says which lines were given one."""
    closed = np.zeros(len(keys), np.bool_)
    for line in range(len(keys)):
        if ids[line] >= 0 and counts[ids[line]] < rare:
            closed[line] = True
            keys[line] = (outer[line] ^ _CLOSED) | unsigned(1)
    return closed


@kernel
def _drop_rare(keys: U64, ids: I32, counts: I64, rare: int) -> None:
    for line in range(len(keys)):
        if ids[line] >= 0 and counts[ids[line]] < rare:
            keys[line] = 0


@kernel
def _pattern_keys(
    line_token: U32, kind: U8, inner: U16, hashes: U64, family: I32, ids: I32, closed: Bools, opened: Bools, at: I64
) -> U64:
    """Key of each line with its words looked at."""
    out = np.zeros(len(ids), np.uint64)
    for line in range(len(ids)):
        if ids[line] < 0:
            continue
        key = unsigned(ids[line] + 1) * _PRIME
        g, t = at[family[line]], wide(line_token[line])
        while t < line_token[line + 1]:
            if kind[t] == GROUP:
                if closed[line] or not opened[g]:
                    t += inner[t]
                g += 1
            elif kind[t] == WORD:
                key = ((key ^ hashes[t]) * _STIR) ^ (key >> _SHIFT)
            t += 1
        out[line] = key | unsigned(1)
    return out


@bare
def _flatten(line: int, line_token: U32, kind: U8, inner: U16, opened: Bools, at: int, closed: bool, out: I64) -> int:
    """The tokens that matter of one line, open groups replaced by what is in them; gives their number."""
    n, g, t = 0, at, wide(line_token[line])
    while t < line_token[line + 1]:
        if kind[t] == GROUP:
            if closed or not opened[g]:
                out[n] = t
                n += 1
                t += inner[t]
            g += 1
        else:
            out[n] = t
            n += 1
        t += 1
    return n


@kernel
def _count_rows(words: U64, fixed: Bools, rows: int, columns: int, scratch: U64) -> int:
    """How many rows differ in the fixed columns."""
    for r in range(rows):
        key = _PRIME
        for c in range(columns):
            if fixed[c]:
                key = ((key ^ words[r, c]) * _STIR) ^ (key >> _SHIFT)
        scratch[r] = key
    sorted_ = np.sort(scratch[:rows])
    n = 1
    for r in range(1, rows):
        n += sorted_[r] != sorted_[r - 1]
    return n


@kernel
def _fixed_words(words: U64, lines: int) -> Bools:
    """Which columns of a family's patterns are part of its templates."""
    rows, columns = min(words.shape[0], _PATTERNS_MAX), words.shape[1]
    keep = np.ones(columns, np.bool_)
    if rows < 2:
        return keep
    distinct = np.ones(columns, np.int64)
    scratch = np.empty(rows, np.uint64)
    free = 0
    for c in range(columns):
        for r in range(rows):
            scratch[r] = words[r, c]
        sorted_ = np.sort(scratch)
        for r in range(1, rows):
            distinct[c] += sorted_[r] != sorted_[r - 1]
        keep[c] = distinct[c] <= _WORDS_MAX
        free += keep[c] and distinct[c] > 1
    most = max(1, lines // _LINES_PER_TEMPLATE)
    while free and _count_rows(words, keep, rows, columns, scratch) > most:
        for _ in range(1 if free <= _COLUMNS_FEW else free // 8):
            worst = -1
            for c in range(columns):
                if keep[c] and distinct[c] > 1 and (worst < 0 or distinct[c] > distinct[worst]):
                    worst = c
            keep[worst] = False
            free -= 1
    return keep


@kernel
def _template_keys(
    line_token: U32,
    kind: U8,
    inner: U16,
    hashes: U64,
    family: I32,
    closed: Bools,
    opened: Bools,
    at: I64,
    ids: I32,
    family_count: I64,
    pattern_first: I64,
) -> tuple[U64, Bools, I64]:
    """Key of each pattern's template; for each family which of its tokens are fixed, from where."""
    patterns = len(pattern_first)
    families = len(family_count)
    order = np.argsort(ids[pattern_first], kind="mergesort")
    out = np.zeros(patterns, np.uint64)
    tokens = np.empty(SLOTS_MAX + 1, np.int64)
    fixed_at = np.zeros(families + 1, np.int64)
    fixed = np.empty(1024, np.bool_)
    used = 0
    p = 0
    for f in range(families):
        q = p
        while q < patterns and ids[pattern_first[order[q]]] == f:
            q += 1
        rows = q - p
        fixed_at[f] = used
        if rows == 0:
            continue
        line = pattern_first[order[p]]
        n = _flatten(line, line_token, kind, inner, opened, at[family[line]], closed[line], tokens)
        while used + n > len(fixed):
            fixed = np.concatenate((fixed, np.empty(len(fixed), np.bool_)))
        where = np.empty(n, np.int64)
        columns = 0
        for k in range(n):
            fixed[used + k] = kind[tokens[k]] == WORD
            if fixed[used + k]:
                where[columns] = k
                columns += 1
        words = np.empty((rows, columns), np.uint64)
        for r in range(rows):
            line = pattern_first[order[p + r]]
            _flatten(line, line_token, kind, inner, opened, at[family[line]], closed[line], tokens)
            for c in range(columns):
                words[r, c] = hashes[tokens[where[c]]]
        keep = _fixed_words(words, family_count[f])
        for c in range(columns):
            fixed[used + where[c]] = keep[c]
        for r in range(rows):
            key = unsigned(f + 1) * _PRIME
            for c in range(columns):
                if keep[c]:
                    key = ((key ^ words[r, c]) * _STIR) ^ (key >> _SHIFT)
            out[order[p + r]] = key | unsigned(1)
        used += n
        p = q
    fixed_at[families] = used
    return out, fixed[:used].copy(), fixed_at


@kernel
def _templates_of_lines(patterns: I32, template_of: I32, most: int) -> I32:
    out = np.empty(len(patterns), np.int32)
    for line in range(len(patterns)):
        p = patterns[line]
        out[line] = -1 if p < 0 or template_of[p] >= most else template_of[p]
    return out


def cluster(found: Scan) -> Clusters:
    """Templates for the lines of a block."""
    tokens = found.line_token, found.kind, found.inner, found.hash
    family, first, counts = factorize(found.line_key)
    _drop_unlike(found.line_token, found.kind, found.inner, family, first)
    opened, opened_at = _open_groups(*tokens, family, first, counts)
    keys = _line_keys(*tokens, family, opened, opened_at, found.line_key)
    ids, _, counts = factorize(keys)
    closed = _close_rare(keys, found.line_key, ids, counts, _RARE)
    ids, _, counts = factorize(keys)
    _drop_rare(keys, ids, counts, _RARE)
    ids, first, counts = factorize(keys)
    _drop_unlike_inside(*tokens[:3], family, ids, first, closed, opened, opened_at)
    patterns, pattern_first, _ = factorize(_pattern_keys(*tokens, family, ids, closed, opened, opened_at))
    template_keys, fixed, fixed_at = _template_keys(
        *tokens, family, closed, opened, opened_at, ids, counts, pattern_first
    )
    template_of, first_pattern, _ = factorize(template_keys)
    line_template = _templates_of_lines(patterns, template_of, TEMPLATES_MAX)
    first_line = pattern_first[first_pattern[:TEMPLATES_MAX]]
    return _gather(line_template, first_line, found, family, ids, closed, opened, opened_at, fixed, fixed_at)


def _gather(
    line_template: I32,
    first_line: I64,
    found: Scan,
    family: I32,
    ids: I32,
    closed: Bools,
    opened: Bools,
    opened_at: I64,
    fixed: Bools,
    fixed_at: I64,
) -> Clusters:
    """What each template opens and fixes, taken from its family."""
    counts = np.bincount(line_template[line_template >= 0], minlength=len(first_line)).astype(np.int64)
    opens, fixes = [], []
    for line in first_line.tolist():
        f, k = family[line], ids[line]
        mine = opened[opened_at[f] : opened_at[f + 1]]
        opens.append(np.zeros_like(mine) if closed[line] else mine)
        fixes.append(fixed[fixed_at[k] : fixed_at[k + 1]])
    empty = np.zeros(0, np.bool_)
    return Clusters(
        line_template,
        first_line,
        counts,
        np.concatenate([*opens, empty]),
        np.cumsum([0, *map(len, opens)], dtype=np.int64),
        np.concatenate([*fixes, empty]),
        np.cumsum([0, *map(len, fixes)], dtype=np.int64),
    )
