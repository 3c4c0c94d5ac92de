"""A deflate stream taken apart: its bytes, its tokens, its blocks and the tables they were written with.

The kernel runs twice. The first run keeps nothing and counts, so that the second is given arrays of the right length:
no memory is asked for that the stream does not fill, and garbage costs nothing but the few symbols before it shows.
"""

from dataclasses import dataclass

import numpy as np

from lithify import limits
from lithify.codecs.array_types import I32, I64, U8, U32
from lithify.codecs.codec import Buffer
from lithify.codecs.kernel import once, wide
from lithify.codecs.media.deflate.symbols import (
    DISTANCE_BASE,
    DISTANCE_BITS,
    FIXED_LENGTHS,
    LENGTH_BASE,
    LENGTH_BITS,
    META_ORDER,
)
from lithify.codecs.media.deflate.words import words_of

BLOCK_TYPE, BLOCK_FINAL, BLOCK_COUNT, BLOCK_TABLE, BLOCK_PADDING, BLOCK_FIELDS = 0, 1, 2, 3, 4, 5
"""A row of a block: its type; whether it is the last; tokens, or bytes of a stored one; where its table begins; the
bits that a stored one is padded with."""
TABLE_LITERALS, TABLE_DISTANCES, TABLE_METAS, TABLE_META_LENGTHS, TABLE_STEPS, TABLE_HEAD = 0, 1, 2, 3, 22, 23
"""A table: how many lengths of codes it tells of literals, of distances, of steps; these last; how many steps; they,
each the symbol and, eight bits up, how often it repeats beyond the least."""
_END, _PLAIN, _TOKENS, _BLOCKS, _TABLES, _PADDING = 0, 1, 2, 3, 4, 5
_REACHED_BEGIN, _REACHED_END, _REACHED_PLAIN, _COUNTS = 6, 7, 8, 9
"""Of the last block that is whole: the bit that it begins with, the bit behind it, and the plain bytes up to there."""
_FAST_BITS = 10
_COUNT_AT = 1 << _FAST_BITS
_SYMBOL_AT = _COUNT_AT + 16
_CODES = _SYMBOL_AT + 288
_LITERAL_CODES, _DISTANCE_CODES, _META_CODES, _LOOKUP = 0, _CODES, 2 * _CODES, 3 * _CODES
_LENGTHS_AT = _LOOKUP
_SCRATCH = _LENGTHS_AT + 320
_TABLE_MOST = TABLE_HEAD + 320
_TABLES_MAX = 16 * limits.MIB  # numbers
_WHOLE, _TRUNCATED, _WRONG, _FULL = 0, 1, 2, 3


@dataclass(frozen=True, slots=True)
class Stream:
    """A deflate stream, understood."""

    plain: U8
    words: U32
    tokens: I32
    """A literal is 0, a match its length << 16 | its distance."""
    blocks: I64
    """One row per block."""
    tables: I32
    end: int
    """Where the stream ends in the data it was found in: the byte behind its last bit."""
    padding: int
    """The bits between its last one and that byte."""


@once
def _make_codes(scratch: I32, lengths_at: int, count: int, at: int) -> bool:
    """Canonical codes of `count` lengths, to look symbols up by; whether zlib would take them."""
    for i in range(_SYMBOL_AT):
        scratch[at + i] = 0
    for i in range(count):
        scratch[at + _COUNT_AT + scratch[lengths_at + i]] += 1
    used = count - wide(scratch[at + _COUNT_AT])
    scratch[at + _COUNT_AT] = 0
    left = wide(1)
    for bits in range(1, 16):
        left = 2 * left - wide(scratch[at + _COUNT_AT + bits])
        if left < 0:
            return False
    if left > 0 and not (used == 0 or (used == 1 and scratch[at + _COUNT_AT + 1] == 1)):
        return False
    code, place = wide(0), wide(0)
    for bits in range(1, 16):
        code <<= 1
        for symbol in range(count):
            if scratch[lengths_at + symbol] != bits:
                continue
            scratch[at + _SYMBOL_AT + place] = symbol
            place += 1
            if bits <= _FAST_BITS:
                reverse = wide(0)
                for i in range(bits):
                    reverse |= (code >> i & 1) << (bits - 1 - i)
                for entry in range(reverse, 1 << _FAST_BITS, 1 << bits):
                    scratch[at + entry] = symbol << 4 | bits
            code += 1
    return True


@once
def _look_up(scratch: I32, at: int, window: int) -> int:
    """The symbol that the low bits of `window` begin with, and its bits: symbol << 4 | bits; 0: none."""
    entry = wide(scratch[at + (window & ((1 << _FAST_BITS) - 1))])
    if entry:
        return entry
    code, first, place = wide(0), wide(0), wide(0)
    for bits in range(1, 16):
        code |= window >> (bits - 1) & 1
        count = wide(scratch[at + _COUNT_AT + bits])
        if code - count < first:
            return wide(scratch[at + _SYMBOL_AT + place + code - first]) << 4 | bits
        place += count
        first = (first + count) << 1
        code <<= 1
    return wide(0)


@once
def _inflate(
    data: U8, start: int, plain: U8, tokens: I32, blocks: I64, tables: I32, counts: I64, scratch: I32, keep: bool
) -> int:
    """Take a stream apart, or (without `keep`) count what there is of everything, up to what `counts` came with."""
    plain_max, tokens_max = counts[_PLAIN], counts[_TOKENS]
    blocks_max, tables_max = counts[_BLOCKS], counts[_TABLES]
    n_plain, n_tokens, n_blocks, n_tables = wide(0), wide(0), wide(0), wide(0)
    at, size = start, len(data)
    buffer, bits = wide(0), wide(0)
    final = wide(0)
    while final == 0:
        while bits <= 48 and at < size:
            buffer |= wide(data[at]) << bits
            bits += 8
            at += 1
        if bits < 3:
            return _TRUNCATED
        begin = (at << 3) - bits
        final = buffer & 1
        kind = buffer >> 1 & 3
        buffer >>= 3
        bits -= 3
        if kind == 3:
            return _WRONG
        if n_blocks >= blocks_max:
            return _FULL
        first_token = n_tokens
        if keep:
            blocks[n_blocks, BLOCK_TYPE] = kind
            blocks[n_blocks, BLOCK_FINAL] = final
            blocks[n_blocks, BLOCK_TABLE] = n_tables
            blocks[n_blocks, BLOCK_PADDING] = 0
        if kind == 0:
            padding_bits = bits & 7
            padding = buffer & ((1 << padding_bits) - 1)
            at -= (bits - padding_bits) >> 3
            buffer, bits = wide(0), wide(0)
            if at + 4 > size:
                return _TRUNCATED
            length = wide(data[at]) | wide(data[at + 1]) << 8
            if length ^ (wide(data[at + 2]) | wide(data[at + 3]) << 8) != 0xFFFF:
                return _WRONG
            at += 4
            if at + length > size:
                return _TRUNCATED
            if n_plain + length > plain_max:
                return _FULL
            if keep:
                for i in range(length):
                    plain[n_plain + i] = data[at + i]
                blocks[n_blocks, BLOCK_COUNT] = length
                blocks[n_blocks, BLOCK_PADDING] = padding
            n_plain += length
            at += length
            n_blocks += 1
            counts[_REACHED_BEGIN], counts[_REACHED_END], counts[_REACHED_PLAIN] = begin, at << 3, n_plain
            continue
        if kind == 1:
            for i in range(318):
                scratch[_LENGTHS_AT + i] = FIXED_LENGTHS[i]
            _make_codes(scratch, _LENGTHS_AT, 288, _LITERAL_CODES)
            scratch[_LENGTHS_AT + 318] = 5
            scratch[_LENGTHS_AT + 319] = 5
            _make_codes(scratch, _LENGTHS_AT + 288, 32, _DISTANCE_CODES)
        else:
            if bits < 14:
                return _TRUNCATED
            n_literals, n_distances, n_metas = (buffer & 31) + 257, (buffer >> 5 & 31) + 1, (buffer >> 10 & 15) + 4
            buffer >>= 14
            bits -= 14
            if n_literals > 286 or n_distances > 30:
                return _WRONG
            if n_tables + _TABLE_MOST > tables_max:
                return _FULL
            for i in range(19):
                scratch[_LENGTHS_AT + i] = 0
            for i in range(n_metas):
                if bits < 3:
                    while bits <= 48 and at < size:
                        buffer |= wide(data[at]) << bits
                        bits += 8
                        at += 1
                    if bits < 3:
                        return _TRUNCATED
                scratch[_LENGTHS_AT + META_ORDER[i]] = buffer & 7
                if keep:
                    tables[n_tables + TABLE_META_LENGTHS + i] = buffer & 7
                buffer >>= 3
                bits -= 3
            if not _make_codes(scratch, _LENGTHS_AT, 19, _META_CODES):
                return _WRONG
            steps, told, last = wide(0), wide(0), wide(-1)
            while told < n_literals + n_distances:
                while bits <= 48 and at < size:
                    buffer |= wide(data[at]) << bits
                    bits += 8
                    at += 1
                entry = _look_up(scratch, _META_CODES, buffer)
                if entry == 0:
                    return _WRONG
                symbol = entry >> 4
                buffer >>= entry & 15
                bits -= entry & 15
                value, repeat, extra, more = symbol, wide(1), wide(0), wide(0)
                if symbol == 16:
                    if last < 0:
                        return _WRONG
                    value, repeat, more = last, wide(3), wide(2)
                elif symbol == 17:
                    value, repeat, more = wide(0), wide(3), wide(3)
                elif symbol == 18:
                    value, repeat, more = wide(0), wide(11), wide(7)
                extra = buffer & ((1 << more) - 1)
                buffer >>= more
                bits -= more
                repeat += extra
                if bits < 0:
                    return _TRUNCATED
                if told + repeat > n_literals + n_distances:
                    return _WRONG
                for _ in range(repeat):
                    scratch[_LENGTHS_AT + told] = value
                    told += 1
                last = value
                if keep:
                    tables[n_tables + TABLE_HEAD + steps] = symbol | extra << 8
                steps += 1
            if keep:
                tables[n_tables + TABLE_LITERALS] = n_literals
                tables[n_tables + TABLE_DISTANCES] = n_distances
                tables[n_tables + TABLE_METAS] = n_metas
                tables[n_tables + TABLE_STEPS] = steps
            n_tables += TABLE_HEAD + steps
            if scratch[_LENGTHS_AT + 256] == 0:
                return _WRONG
            if not _make_codes(scratch, _LENGTHS_AT + n_literals, n_distances, _DISTANCE_CODES):
                return _WRONG
            if not _make_codes(scratch, _LENGTHS_AT, n_literals, _LITERAL_CODES):
                return _WRONG
        while True:
            while bits <= 48 and at < size:
                buffer |= wide(data[at]) << bits
                bits += 8
                at += 1
            counts[_END] = at  # what garbage cost until it showed
            entry = _look_up(scratch, _LITERAL_CODES, buffer)
            if entry == 0:
                return _WRONG
            buffer >>= entry & 15
            bits -= entry & 15
            symbol = entry >> 4
            if bits < 0:
                return _TRUNCATED
            if symbol == 256:
                break
            if n_tokens >= tokens_max or n_plain >= plain_max:
                return _FULL
            if symbol < 256:
                if keep:
                    plain[n_plain] = symbol
                    tokens[n_tokens] = 0
                n_plain += 1
                n_tokens += 1
                continue
            if symbol > 285:
                return _WRONG
            more = wide(LENGTH_BITS[symbol - 257])
            length = wide(LENGTH_BASE[symbol - 257]) + (buffer & ((1 << more) - 1))
            buffer >>= more
            bits -= more
            entry = _look_up(scratch, _DISTANCE_CODES, buffer)
            if entry == 0:
                return _WRONG
            buffer >>= entry & 15
            bits -= entry & 15
            symbol_2 = entry >> 4
            if symbol_2 > 29:
                return _WRONG
            more = wide(DISTANCE_BITS[symbol_2])
            while bits < more and at < size:
                buffer |= wide(data[at]) << bits
                bits += 8
                at += 1
            distance = wide(DISTANCE_BASE[symbol_2]) + (buffer & ((1 << more) - 1))
            buffer >>= more
            bits -= more
            if bits < 0:
                return _TRUNCATED
            if distance > n_plain or (length == 258 and symbol != 285):
                return _WRONG
            if n_plain + length > plain_max:
                return _FULL
            if keep:
                tokens[n_tokens] = length << 16 | distance
                for i in range(n_plain, n_plain + length):
                    plain[i] = plain[i - distance]
            n_plain += length
            n_tokens += 1
        if keep:
            blocks[n_blocks, BLOCK_COUNT] = n_tokens - first_token
        n_blocks += 1
        counts[_REACHED_BEGIN], counts[_REACHED_END], counts[_REACHED_PLAIN] = begin, (at << 3) - bits, n_plain
    counts[_PADDING] = buffer & ((1 << (bits & 7)) - 1)
    counts[_END] = at - (bits >> 3)
    counts[_PLAIN], counts[_TOKENS], counts[_BLOCKS], counts[_TABLES] = n_plain, n_tokens, n_blocks, n_tables
    return _WHOLE


def read_only(data: Buffer) -> U8:
    """Bytes as every kernel is given them: an array that can be written is another type, and compiled once more."""
    return np.frombuffer(memoryview(data).toreadonly(), np.uint8)


@dataclass(frozen=True, slots=True)
class Measured:
    """How much of everything there is in a stream; or that there is none, and how many bytes it took to see that."""

    start: int
    end: int
    whole: bool
    beyond: bool
    """Whether it may well be one, and holds more than was allowed."""
    plain: int
    tokens: int
    blocks: int
    tables: int


def measure(data: Buffer, start: int, *, plain_max: int) -> Measured:
    """Whether a deflate stream begins at byte `start`, within the limits, and how long everything in it is."""
    counts = _counts(start, plain_max, plain_max, limits.OPENED_BLOCKS_MAX, _TABLES_MAX)
    status = _counted(data, start, counts)
    held = (int(counts[i]) for i in (_PLAIN, _TOKENS, _BLOCKS, _TABLES))
    return Measured(start, int(counts[_END]), status == _WHOLE, status == _FULL, *held)


@dataclass(frozen=True, slots=True)
class Reached:
    """How far the beginning of a stream goes in whole blocks, the last of which has the bits from `begin` to `end`."""

    final: bool
    begin: int
    end: int
    plain: int


def reached(data: Buffer, *, plain_max: int) -> Reached:
    """How far the stream goes whose beginning `data` is, within the limits; `end` is 0 where no block is whole."""
    counts = _counts(0, plain_max, plain_max, limits.OPENED_BLOCKS_MAX, _TABLES_MAX)
    whole = _counted(data, 0, counts) == _WHOLE
    begin, end, plain = (int(counts[i]) for i in (_REACHED_BEGIN, _REACHED_END, _REACHED_PLAIN))
    return Reached(whole, begin, end, plain)


def _counts(*known: int) -> I64:
    counts = np.zeros(_COUNTS, np.int64)
    counts[: len(known)] = known
    return counts


def _counted(data: Buffer, start: int, counts: I64) -> int:
    """Count what there is of everything; the status."""
    nothing = np.zeros(0, np.uint8), np.zeros(0, np.int32), np.zeros((0, BLOCK_FIELDS), np.int64), np.zeros(0, np.int32)
    return _inflate(read_only(data), start, *nothing, counts, np.zeros(_SCRATCH, np.int32), False)


def inflate(data: Buffer, measured: Measured) -> Stream:
    """A stream that was measured, taken apart."""
    room = measured.tables + _TABLE_MOST  # a table is only begun where the longest has room
    counts = _counts(0, measured.plain, measured.tokens, measured.blocks, room)
    plain, tokens = np.empty(measured.plain, np.uint8), np.empty(measured.tokens, np.int32)
    blocks, tables = np.zeros((measured.blocks, BLOCK_FIELDS), np.int64), np.zeros(room, np.int32)
    scratch = np.zeros(_SCRATCH, np.int32)
    status = _inflate(read_only(data), measured.start, plain, tokens, blocks, tables, counts, scratch, True)
    assert status == _WHOLE, "a stream is the same the second time"
    return Stream(read_only(plain.data), words_of(plain), tokens, blocks, tables, measured.end, int(counts[_PADDING]))
