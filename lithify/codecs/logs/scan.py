"""One pass over the bytes of a block: lines, and in each line its tokens.

A token is what may differ between two lines of one template. Everything between tokens is the line's skeleton. A group
is a token that holds tokens: a quoted string, a bracket, a path. Whether a group is opened or taken as one string is
for the clustering to say (cluster.py), which knows how often each inner skeleton occurs.
"""

from typing import NamedTuple

import numpy as np

from lithify.codecs.array_types import U8, U16, U32, U64
from lithify.codecs.kernel import bare, kernel, unsigned, wide
from lithify.codecs.logs.times import read_time

WORD, NUMBER, MIXED, ADDRESS, TIME, GROUP = range(6)
"""Kinds of token: letters · up to 18 digits · letters and digits, or more digits · IPv4 · time · group."""

LINE_BYTES_MAX = 65_536
"""A longer line gets no tokens: it is kept as it is."""
NUMBER_DIGITS_MAX = 18
_SEED = unsigned(0x9E3779B97F4A7C15)
_PRIME = unsigned(0x100000001B3)
_STIR = unsigned(0xD6E8FEB86659FD93)
_SHIFT = unsigned(32)

_ALNUM, _DIGIT, _UPPER = 1, 2, 4
_CLASS = np.zeros(256, np.uint8)
_CLASS[48:58] = _ALNUM | _DIGIT
_CLASS[65:91] = _ALNUM | _UPPER
_CLASS[97:123] = _ALNUM
_CLASS[95] = _ALNUM
_CLASS[128:] = _ALNUM
_MONTH_LETTERS = np.zeros(256, np.bool_)
_MONTH_LETTERS[list(b"JFMASOND")] = True
_PATH_ENDS = np.zeros(256, np.bool_)
_PATH_ENDS[list(b" \t\"'<>,;()[]{}|\r")] = True


class Scan(NamedTuple):
    """Lines and tokens of a block. A token's span is `start` to `end`; tokens of a group follow it."""

    line_start: U32
    """Where each line begins; one more entry says where the last one ends (its line end not counted if it has none)."""
    line_token: U32
    """Index of each line's first token; one more entry at the end."""
    line_key: U64
    """Hash of each line's skeleton, groups taken as single tokens."""
    start: U32
    end: U32
    kind: U8
    form: U16
    """Format number of a time."""
    inner: U16
    """Tokens inside a group."""
    hash: U64
    """Of a word's letters; of a group's inner skeleton."""


@kernel
def find_lines(data: U8) -> U32:
    """Where each line of `data` begins, and where the block ends."""
    count = 0
    for c in data:
        if c == 10:
            count += 1
    if len(data) and data[-1] != 10:
        count += 1
    starts = np.empty(count + 1, np.uint32)
    at = 0
    starts[0] = 0
    for i in range(len(data)):
        if data[i] == 10:
            at += 1
            starts[at] = i + 1
    starts[count] = len(data)
    return starts


@bare
def _read_address(data: U8, at: int, end: int) -> int:
    """Where the IPv4 address that begins at `at` ends, or -1. Each part is at most 255 and has no leading zero."""
    p = at
    for part in range(4):
        value, first = 0, p
        while p < end and 48 <= data[p] <= 57 and p - first < 4:
            value = value * 10 + (data[p] - 48)
            p += 1
        if p == first or p - first > 3 or value > 255 or (data[first] == 48 and p - first > 1):
            return -1
        if part < 3:
            if p >= end or data[p] != 46:
                return -1
            p += 1
    if p < end and (_CLASS[data[p]] & _ALNUM or (data[p] == 46 and p + 1 < end and _CLASS[data[p + 1]] & _DIGIT)):
        return -1
    return p


@bare
def _may_be_time(data: U8, at: int, end: int) -> bool:
    if at + 8 > end:
        return False
    if data[at] > 57:
        return bool(data[at + 3] == 32)
    c2, c4, c6, c8 = data[at + 2], data[at + 4], data[at + 6], data[at + 8] if at + 8 < end else 0
    return bool(
        c2 == 58
        or c2 == 46
        or c2 == 45
        or c2 == 47
        or c4 == 45
        or c4 == 47
        or c4 == 46
        or c6 == 32
        or c8 == 45
        or c8 == 84
        or c8 == 32
    )


@bare
def _group_end(data: U8, at: int, end: int, json: bool, quote_fails: bool, bracket_fails: bool) -> tuple[int, int]:
    """Where the content of a group that opens at `at` begins and ends; (-1, 0): none does; (-2, 0): it has no end."""
    c = data[at]
    if c == 34 and not quote_fails:
        p = at + 1
        while p < end and data[p] != 34:
            p += 2 if data[p] == 92 else 1
        return (at + 1, p) if p < end else (-2, 0)
    if c == 91 and not json and not bracket_fails:
        p = at + 1
        while p < end and data[p] != 93:
            p += 1
        if p >= end:
            return -2, 0
        return (at + 1, p) if p > at + 1 else (-1, 0)
    if c == 47 and at + 1 < end and _CLASS[data[at + 1]] & _ALNUM:
        p = at + 1
        while p < end and not _PATH_ENDS[data[p]]:
            p += 1
        return at + 1, p
    return -1, 0


@bare
def _scan(
    data: U8,
    line_start: U32,
    line_token: U32,
    line_key: U64,
    start: U32,
    end: U32,
    kind: U8,
    form: U16,
    inner: U16,
    hashes: U64,
) -> int:
    """Fill the token arrays; gives the number of tokens, or -1 if there is no room for them."""
    n = 0
    room = len(start) - LINE_BYTES_MAX - 2
    for line in range(len(line_key)):
        line_token[line] = n
        p, stop = wide(line_start[line]), wide(line_start[line + 1])
        if stop > p and data[stop - 1] == 10:
            stop -= 1
        line_key[line] = 0
        if stop - p > LINE_BYTES_MAX:
            continue
        if n > room:
            return -1
        json = p < stop and data[p] == 123
        outer = _SEED
        key = _SEED
        group, group_stop = -1, stop
        quote_fails = bracket_fails = False  # looked for once per line, so that a line costs its length
        before = 32
        while True:
            if group >= 0 and p >= group_stop:
                hashes[group] = key
                inner[group] = n - group - 1
                key = outer
                group = -1
                group_stop = stop
                before = 0
                if p < stop and data[p] == 34:  # the closing quote opens nothing
                    key = (key ^ unsigned(34)) * _PRIME
                    p += 1
            if p >= stop:
                break
            c = data[p]
            kinds = _CLASS[c]
            if not kinds & _ALNUM:
                if group < 0 and (c == 34 or c == 91 or (c == 47 and not _CLASS[before] & _ALNUM)):
                    first, last = _group_end(data, p, stop, json, quote_fails, bracket_fails)
                    if first == -2:
                        quote_fails, bracket_fails = quote_fails or c == 34, bracket_fails or c == 91
                    elif first >= 0:
                        outer = ((key ^ unsigned(c)) * _PRIME ^ unsigned(256 + GROUP)) * _PRIME
                        start[n], end[n], kind[n], form[n] = first, last, GROUP, 0
                        group, group_stop = n, last
                        n += 1
                        key = _SEED
                        before = c
                        p = first
                        continue
                key = (key ^ unsigned(c)) * _PRIME
                before = c
                p += 1
                continue
            if (kinds & _DIGIT or _MONTH_LETTERS[c]) and _may_be_time(data, p, group_stop):
                q, code, _ = read_time(data, p, group_stop)
                if q > 0 and not (q < group_stop and _CLASS[data[q]] & _DIGIT):
                    key = (key ^ unsigned(512 + code)) * _PRIME
                    key ^= key >> _SHIFT
                    start[n], end[n], kind[n], form[n], inner[n], hashes[n] = p, q, TIME, code, 0, 0
                    n += 1
                    p = q
                    before = 48
                    continue
            q = p
            digits = 0
            word = _SEED
            while q < group_stop:
                c = data[q]
                kinds = _CLASS[c]
                if not kinds & _ALNUM:
                    break
                digits += (kinds & _DIGIT) >> 1
                word = (word ^ unsigned(c)) * _PRIME
                q += 1
            what = WORD
            if digits == q - p:
                what = NUMBER
                if digits > NUMBER_DIGITS_MAX:
                    what = MIXED
                elif digits <= 3 and q < group_stop and data[q] == 46 and before != 46:
                    far = _read_address(data, p, group_stop)
                    if far > 0:
                        what, q = ADDRESS, far
            elif digits:
                what = MIXED
            key = (key ^ unsigned(256 + what)) * _PRIME
            key ^= key >> _SHIFT
            start[n], end[n], kind[n], form[n], inner[n] = p, q, what, 0, 0
            hashes[n] = (word ^ (word >> _SHIFT)) * _STIR
            n += 1
            before = 97
            p = q
        line_key[line] = ((key ^ (key >> _SHIFT)) * _STIR) | unsigned(1)
    line_token[len(line_key)] = n
    return n


def scan(data: U8) -> Scan:
    """The lines and tokens of a block of fewer than 2^31 bytes."""
    line_start = find_lines(data)
    lines = len(line_start) - 1
    line_token = np.zeros(lines + 1, np.uint32)
    line_key = np.empty(lines, np.uint64)
    room = len(data) // 3 + 2 * LINE_BYTES_MAX
    while True:
        start, end, kind = np.empty(room, np.uint32), np.empty(room, np.uint32), np.empty(room, np.uint8)
        form, inner, hashes = np.empty(room, np.uint16), np.empty(room, np.uint16), np.empty(room, np.uint64)
        count = _scan(data, line_start, line_token, line_key, start, end, kind, form, inner, hashes)
        if count >= 0:
            break
        room *= 2
    return Scan(
        line_start,
        line_token,
        line_key,
        start[:count],
        end[:count],
        kind[:count],
        form[:count],
        inner[:count],
        hashes[:count],
    )
