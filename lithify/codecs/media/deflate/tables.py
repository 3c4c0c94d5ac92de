"""The tables of blocks, told by where they differ from what an encoder makes of the block's own tokens; and the bits.

A table is the lengths of the codes, the steps in which these are told, and the lengths of the codes that tell the
steps. Each is predicted from the one before. Once all three are known a decoder writes the block.
"""

import numpy as np

from lithify.codecs.array_types import I32, I64, U8
from lithify.codecs.bit_coder import POSITION
from lithify.codecs.kernel import once, unsigned, wide
from lithify.codecs.media.deflate.corrections import NUMBER_CHANCES, code_chance, code_number, code_plain
from lithify.codecs.media.deflate.inflate import (
    BLOCK_COUNT,
    BLOCK_FINAL,
    BLOCK_PADDING,
    BLOCK_TABLE,
    BLOCK_TYPE,
    TABLE_DISTANCES,
    TABLE_HEAD,
    TABLE_LITERALS,
    TABLE_META_LENGTHS,
    TABLE_METAS,
    TABLE_STEPS,
)
from lithify.codecs.media.deflate.symbols import (
    DISTANCE_BASE,
    DISTANCE_BITS,
    DISTANCE_SYMBOL,
    FIXED_LENGTHS,
    LENGTH_BASE,
    LENGTH_BITS,
    LENGTH_SYMBOL,
    META_ORDER,
)
from lithify.codecs.media.deflate.tokens import COSTLY, WHOLE, WRONG
from lithify.codecs.media.deflate.trees import TREE_SCRATCH, code_lengths

# Chances.
_HOW, _LENGTHS, _JOINED, _STEPS, _METAS, _COUNTS = 0, 1, 2, 3, 4, 5
_DIFFERS = 8  # one length: by whether a symbol has one, whether the last two differed
_STEP_DIFFERS = 16
_META_DIFFERS = 18
_HIGHER = 20
EVEN_FROM = 20
_NUMBERS = 32
_N_LITERALS, _N_DISTANCES, _N_DIFFERENCE, _N_METAS, _N_META_DIFFERENCE, _N_STEP, _N_ALL = range(7)
CHANCES = _NUMBERS + _N_ALL * NUMBER_CHANCES
_MARGIN = 8192

# Room for one block: weights and predictions of each way, what is really there, the codes.
_WEIGHTS = TREE_SCRATCH
_HELD = _WEIGHTS + 640
WIDE_SCRATCH = _HELD + 640
_GUESS_1, _GUESS_2, _ACTUAL, _META_GUESS, _METAS_HERE, _CODES, _TABLE = 0, 320, 640, 960, 992, 1024, 1376
NARROW_SCRATCH = _TABLE + TABLE_HEAD + 320

_FLUSHED_BITS = 16
"""Of tokens, at once: up to 48 bits of a match come to fewer than these."""
_BUFFER, _BITS, _AT = 0, 1, 2
"""What a writer knows."""


@once
def _weigh(tokens: I32, first: int, count: int, plain: U8, at: int, wide_scratch: I64) -> int:
    """Count the symbols of a block's tokens; where the next block begins in the plain bytes."""
    for i in range(_HELD, _HELD + 320):
        wide_scratch[i] = 0
    for i in range(first, first + count):
        token = wide(tokens[i])
        if token == 0:
            wide_scratch[_HELD + wide(plain[at])] += 1
            at += 1
        else:
            wide_scratch[_HELD + 257 + LENGTH_SYMBOL[token >> 16]] += 1
            wide_scratch[_HELD + 288 + DISTANCE_SYMBOL[token & 0xFFFF]] += 1
            at += token >> 16
    wide_scratch[_HELD + 256] = 1
    return at


@once
def _predict(wide_scratch: I64, narrow: I32, guess: int, how: int) -> int:
    """Lengths by weight: literals from `guess`, distances 288 places on; their numbers, literals << 8 | distances."""
    for i in range(286):
        wide_scratch[_WEIGHTS + i] = wide_scratch[_HELD + i]
    literals = code_lengths(wide_scratch, wide_scratch[_WEIGHTS:], 286, 15, how, narrow, guess)
    for i in range(30):
        wide_scratch[_WEIGHTS + i] = wide_scratch[_HELD + 288 + i]
    distances = code_lengths(wide_scratch, wide_scratch[_WEIGHTS:], 30, 15, how, narrow, guess + 288)
    return literals << 8 | distances


@once
def _next_step(narrow: I32, at: int, literals: int, distances: int, joined: int) -> int:
    """The step by which zlib would go on telling lengths, from the `at`th on; joined: runs go on into distances."""
    end = literals + distances
    if at < literals and not joined:
        end = literals
    value = wide(narrow[_ACTUAL + at])
    run = wide(1)
    while at + run < end and run < 138 and narrow[_ACTUAL + at + run] == value:
        run += 1
    if value == 0:
        if run >= 11:
            return 18 | (run - 11) << 8
        return 17 | (run - 3) << 8 if run >= 3 else value
    begins = at == 0 or (at == literals and not joined)
    if not begins and narrow[_ACTUAL + at - 1] == value and run >= 3:
        return 16 | (min(run, 6) - 3) << 8
    return value


@once
def _step_fits(narrow: I32, at: int, total: int, step: int) -> int:
    """How many lengths a step tells; 0: not those that are there."""
    symbol, extra = step & 255, step >> 8
    repeat, value = wide(1), symbol
    if symbol == 16:
        if at == 0 or extra > 3:
            return 0
        repeat, value = 3 + extra, wide(narrow[_ACTUAL + at - 1])
    elif symbol == 17:
        if extra > 7:
            return 0
        repeat, value = 3 + extra, wide(0)
    elif symbol == 18:
        if extra > 127:
            return 0
        repeat, value = 11 + extra, wide(0)
    elif symbol > 18 or extra:
        return 0
    if at + repeat > total:
        return 0
    for i in range(at, at + repeat):
        if narrow[_ACTUAL + i] != value:
            return 0
    return repeat


@once
def _code_lengths_there(
    narrow: I32, guess: int, guessed: int, coder: I64, stream: U8, chances: I32, decoding: bool
) -> bool:
    """The numbers of lengths and these, where they are not as predicted."""
    literals, distances = wide(narrow[_TABLE + TABLE_LITERALS]), wide(narrow[_TABLE + TABLE_DISTANCES])
    others = code_chance(coder, stream, chances, _COUNTS, decoding, wide(literals << 8 | distances != guessed))
    if others:
        literals = 257 + code_number(
            coder, stream, chances, _NUMBERS + _N_LITERALS * NUMBER_CHANCES, decoding, literals - 257
        )
        distances = 1 + code_number(
            coder, stream, chances, _NUMBERS + _N_DISTANCES * NUMBER_CHANCES, decoding, distances - 1
        )
        if literals > 286 or distances > 30:
            return False
    else:
        literals, distances = guessed >> 8, guessed & 255
    narrow[_TABLE + TABLE_LITERALS], narrow[_TABLE + TABLE_DISTANCES] = literals, distances
    last = wide(0)
    for i in range(literals + distances):
        predicted = wide(narrow[guess + (i if i < literals else i - literals + 288)])
        actual = wide(narrow[_ACTUAL + i])
        differs = code_chance(
            coder, stream, chances, _DIFFERS + 4 * (predicted != 0) + last, decoding, wide(actual != predicted)
        )
        last = (last << 1 | differs) & 3
        if differs:
            higher = code_chance(
                coder, stream, chances, _HIGHER + 2 * (predicted != 0), decoding, wide(actual > predicted)
            )
            difference = 1 + code_number(
                coder, stream, chances, _NUMBERS + _N_DIFFERENCE * NUMBER_CHANCES, decoding, abs(actual - predicted) - 1
            )
            predicted += difference if higher else -difference
            if predicted < 0 or predicted > 15:
                return False
        narrow[_ACTUAL + i] = predicted
    return True


@once
def _code_steps(narrow: I32, coder: I64, stream: U8, chances: I32, as_predicted: int, decoding: bool) -> bool:
    """The steps in which the lengths are told."""
    literals, distances = wide(narrow[_TABLE + TABLE_LITERALS]), wide(narrow[_TABLE + TABLE_DISTANCES])
    total = literals + distances
    joined = wide(0)
    if not decoding:
        wrong = wide(0)
        for how in range(2):
            at, misses = wide(0), wide(0)
            for i in range(narrow[_TABLE + TABLE_STEPS]):
                step = wide(narrow[_TABLE + TABLE_HEAD + i])
                misses += _next_step(narrow, at, literals, distances, how) != step
                at += _step_fits(narrow, at, total, step)
            if how and misses < wrong:
                joined = wide(1)
                wrong = misses
            elif how == 0:
                wrong = misses
        as_predicted = wide(wrong == 0)
    joined = code_chance(coder, stream, chances, _JOINED, decoding, joined)
    differ = code_chance(coder, stream, chances, _STEPS, decoding, 1 - as_predicted)
    at, steps = wide(0), wide(0)
    while at < total:
        step = _next_step(narrow, at, literals, distances, joined)
        if differ:
            actual = wide(narrow[_TABLE + TABLE_HEAD + steps]) if not decoding else wide(0)
            if code_chance(coder, stream, chances, _STEP_DIFFERS + (step & 255 > 15), decoding, wide(actual != step)):
                symbol = code_number(
                    coder, stream, chances, _NUMBERS + _N_STEP * NUMBER_CHANCES, decoding, actual & 255
                )
                step = symbol
                if 15 < symbol < 19:
                    step |= code_plain(coder, stream, 7, decoding, actual >> 8) << 8
        repeat = _step_fits(narrow, at, total, step)
        if repeat == 0:
            return False
        narrow[_TABLE + TABLE_HEAD + steps] = step
        steps += 1
        at += repeat
    narrow[_TABLE + TABLE_STEPS] = steps
    return True


@once
def _code_metas(wide_scratch: I64, narrow: I32, how: int, coder: I64, stream: U8, chances: I32, decoding: bool) -> bool:
    """The lengths of the codes for steps."""
    for i in range(19):
        wide_scratch[_WEIGHTS + i] = 0
    for i in range(narrow[_TABLE + TABLE_STEPS]):
        wide_scratch[_WEIGHTS + (narrow[_TABLE + TABLE_HEAD + i] & 255)] += 1
    code_lengths(wide_scratch, wide_scratch[_WEIGHTS:], 19, 7, how, narrow, _META_GUESS)
    guessed = wide(19)
    while guessed > 4 and narrow[_META_GUESS + META_ORDER[guessed - 1]] == 0:
        guessed -= 1
    metas = wide(narrow[_TABLE + TABLE_METAS])
    differ = wide(metas != guessed)
    if not decoding:
        for i in range(metas):
            differ |= narrow[_TABLE + TABLE_META_LENGTHS + i] != narrow[_META_GUESS + META_ORDER[i]]
    differ = code_chance(coder, stream, chances, _METAS, decoding, differ)
    if differ:
        metas = 4 + code_number(coder, stream, chances, _NUMBERS + _N_METAS * NUMBER_CHANCES, decoding, metas - 4)
        if metas > 19:
            return False
    else:
        metas = guessed
    narrow[_TABLE + TABLE_METAS] = metas
    for i in range(19):
        narrow[_METAS_HERE + i] = 0
    for i in range(metas):
        predicted = wide(narrow[_META_GUESS + META_ORDER[i]])
        if differ:
            actual = wide(narrow[_TABLE + TABLE_META_LENGTHS + i])
            if code_chance(
                coder, stream, chances, _META_DIFFERS + (predicted != 0), decoding, wide(actual != predicted)
            ):
                predicted = code_number(
                    coder, stream, chances, _NUMBERS + _N_META_DIFFERENCE * NUMBER_CHANCES, decoding, actual
                )
                if predicted > 7:
                    return False
        narrow[_TABLE + TABLE_META_LENGTHS + i] = predicted
        narrow[_METAS_HERE + META_ORDER[i]] = predicted
    return True


@once
def _put(out: U8, writer: I64, value: int, bits: int) -> None:
    """Append the low bits of a number; what has no room is counted, and not written."""
    buffer, held, at = writer[_BUFFER] | value << writer[_BITS], writer[_BITS] + bits, writer[_AT]
    while held >= 8:
        if at < len(out):
            out[at] = buffer & 255
        at += 1
        buffer >>= 8
        held -= 8
    writer[_BUFFER], writer[_BITS], writer[_AT] = buffer, held, at


@once
def _make_codes(narrow: I32, lengths_at: int, count: int, at: int) -> None:
    """Canonical codes, the first bit lowest, above their lengths: code << 4 | length."""
    code = wide(0)
    for bits in range(1, 16):
        code <<= 1
        for symbol in range(count):
            if narrow[lengths_at + symbol] == bits:
                reverse = wide(0)
                for i in range(bits):
                    reverse |= (code >> i & 1) << (bits - 1 - i)
                narrow[at + symbol] = reverse << 4 | bits
                code += 1


@once
def _write_table(narrow: I32, out: U8, writer: I64) -> None:
    """The table of a block."""
    _put(out, writer, narrow[_TABLE + TABLE_LITERALS] - 257, 5)
    _put(out, writer, narrow[_TABLE + TABLE_DISTANCES] - 1, 5)
    _put(out, writer, narrow[_TABLE + TABLE_METAS] - 4, 4)
    for i in range(narrow[_TABLE + TABLE_METAS]):
        _put(out, writer, wide(narrow[_TABLE + TABLE_META_LENGTHS + i]), 3)
    for i in range(19):
        narrow[_CODES + i] = 0
    _make_codes(narrow, _METAS_HERE, 19, _CODES)
    for i in range(narrow[_TABLE + TABLE_STEPS]):
        step = wide(narrow[_TABLE + TABLE_HEAD + i])
        symbol = step & 255
        code = wide(narrow[_CODES + symbol])
        _put(out, writer, code >> 4, code & 15)
        if symbol > 15:
            _put(out, writer, step >> 8, 2 if symbol == 16 else 3 if symbol == 17 else 7)


@once
def _write_tokens(tokens: I32, first: int, count: int, plain: U8, at: int, narrow: I32, out: U8, writer: I64) -> bool:
    """The tokens of a block by their codes, and its end. False: one has no code."""
    buffer, held, place, room = writer[_BUFFER], writer[_BITS], writer[_AT], len(out)
    for i in range(first, first + count):
        token = wide(tokens[unsigned(i)])
        if token == 0:
            code = wide(narrow[unsigned(_CODES + wide(plain[unsigned(at)]))])
            at += 1
            if code == 0:
                return False
            buffer |= code >> 4 << held
            held += code & 15
        else:
            length, distance = token >> 16, token & 0xFFFF
            at += length
            symbol = wide(LENGTH_SYMBOL[unsigned(length)])
            code = wide(narrow[unsigned(_CODES + 257 + symbol)])
            symbol_2 = wide(DISTANCE_SYMBOL[unsigned(distance)])
            code_2 = wide(narrow[unsigned(_CODES + 288 + symbol_2)])
            if code == 0 or code_2 == 0:
                return False
            buffer |= code >> 4 << held
            held += code & 15
            buffer |= (length - wide(LENGTH_BASE[unsigned(symbol)])) << held
            held += wide(LENGTH_BITS[unsigned(symbol)])
            buffer |= code_2 >> 4 << held
            held += code_2 & 15
            buffer |= (distance - wide(DISTANCE_BASE[unsigned(symbol_2)])) << held
            held += wide(DISTANCE_BITS[unsigned(symbol_2)])
        while held >= _FLUSHED_BITS:
            if place + 1 < room:
                out[unsigned(place)], out[unsigned(place + 1)] = buffer & 255, buffer >> 8 & 255
            place += 2
            buffer >>= _FLUSHED_BITS
            held -= _FLUSHED_BITS
    writer[_BUFFER], writer[_BITS], writer[_AT] = buffer, held, place
    code = wide(narrow[_CODES + 256])
    _put(out, writer, code >> 4, code & 15)
    return code != 0


@once
def _write_stored(plain: U8, at: int, count: int, padding: int, out: U8, writer: I64) -> None:
    """A stored block behind its type."""
    room = (8 - writer[_BITS]) & 7
    _put(out, writer, padding & ((1 << room) - 1), room)
    _put(out, writer, count | (count ^ 0xFFFF) << 16, 32)
    for i in range(at, at + count):
        _put(out, writer, wide(plain[i]), 8)


@once
def _code_table(wide_scratch: I64, narrow: I32, coder: I64, stream: U8, chances: I32, decoding: bool) -> bool:
    """One dynamic block's table; its weights are known."""
    how = wide(0)
    differ = wide(1)
    guessed = _predict(wide_scratch, narrow, _GUESS_1, 0)
    guess = wide(_GUESS_1)
    if not decoding:
        guessed_2 = _predict(wide_scratch, narrow, _GUESS_2, 1)
        literals, distances = wide(narrow[_TABLE + TABLE_LITERALS]), wide(narrow[_TABLE + TABLE_DISTANCES])
        misses, misses_2 = wide(0), wide(0)
        for i in range(literals + distances):
            k = i if i < literals else i - literals + 288
            misses += narrow[_GUESS_1 + k] != narrow[_ACTUAL + i]
            misses_2 += narrow[_GUESS_2 + k] != narrow[_ACTUAL + i]
        if misses_2 < misses:
            how, guessed, misses, guess = wide(1), guessed_2, misses_2, wide(_GUESS_2)
        differ = wide(misses != 0 or guessed != literals << 8 | distances)
    how = code_chance(coder, stream, chances, _HOW, decoding, how)
    if decoding and how:
        guess = wide(_GUESS_2)
        guessed = _predict(wide_scratch, narrow, _GUESS_2, 1)
    differ = code_chance(coder, stream, chances, _LENGTHS, decoding, differ)
    if differ:
        if not _code_lengths_there(narrow, guess, guessed, coder, stream, chances, decoding):
            return False
    else:
        literals, distances = guessed >> 8, guessed & 255
        narrow[_TABLE + TABLE_LITERALS], narrow[_TABLE + TABLE_DISTANCES] = literals, distances
        for i in range(literals + distances):
            narrow[_ACTUAL + i] = narrow[guess + (i if i < literals else i - literals + 288)]
    if not _code_steps(narrow, coder, stream, chances, 0, decoding):
        return False
    return _code_metas(wide_scratch, narrow, how, coder, stream, chances, decoding)


@once
def _take_table(tables: I32, at: int, narrow: I32) -> None:
    """Bring the table that begins at `at` to where it is coded from, and the lengths that it tells."""
    steps = wide(tables[at + TABLE_STEPS])
    for i in range(TABLE_HEAD + steps):
        narrow[_TABLE + i] = tables[at + i]
    told = wide(0)
    for i in range(steps):
        step = wide(tables[at + TABLE_HEAD + i])
        symbol, extra = step & 255, step >> 8
        repeat, value = wide(1), symbol
        if symbol == 16:
            repeat, value = 3 + extra, wide(narrow[_ACTUAL + told - 1])
        elif symbol > 16:
            repeat, value = (3 if symbol == 17 else 11) + extra, wide(0)
        for _ in range(repeat):
            narrow[_ACTUAL + told] = value
            told += 1


@once
def code_tables(
    plain: U8,
    tokens: I32,
    blocks: I64,
    tables: I32,
    coder: I64,
    stream: U8,
    chances: I32,
    wide_scratch: I64,
    narrow: I32,
    out: U8,
    writer: I64,
    decoding: bool,
) -> int:
    """Code the tables of all blocks; when decoding, write the stream into `out`."""
    at, first = wide(0), wide(0)
    for block in range(len(blocks)):
        kind, count = blocks[block, BLOCK_TYPE], blocks[block, BLOCK_COUNT]
        if not decoding and coder[POSITION] + _MARGIN > len(stream):
            return COSTLY
        if decoding:
            _put(out, writer, blocks[block, BLOCK_FINAL] | kind << 1, 3)
        if kind == 0:
            if decoding:
                _write_stored(plain, at, count, blocks[block, BLOCK_PADDING], out, writer)
            at += count
            continue
        behind = at
        if kind == 2:
            behind = _weigh(tokens, first, count, plain, at, wide_scratch)
            if not decoding:
                _take_table(tables, blocks[block, BLOCK_TABLE], narrow)
            if not _code_table(wide_scratch, narrow, coder, stream, chances, decoding):
                return WRONG
        else:
            for i in range(first, first + count):
                behind += max(wide(tokens[i]) >> 16, 1)
        if decoding:
            literals, distances = wide(288), wide(30)
            if kind == 2:
                _write_table(narrow, out, writer)
                literals, distances = wide(narrow[_TABLE + TABLE_LITERALS]), wide(narrow[_TABLE + TABLE_DISTANCES])
            else:
                for i in range(318):
                    narrow[_ACTUAL + i] = FIXED_LENGTHS[i]
            for i in range(320):
                narrow[_CODES + i] = 0
            _make_codes(narrow, _ACTUAL, literals, _CODES)
            _make_codes(narrow, _ACTUAL + literals, distances, _CODES + 288)
            if not _write_tokens(tokens, first, count, plain, at, narrow, out, writer):
                return WRONG
            if writer[_AT] > len(out):
                return WRONG
        first += count
        at = behind
    return WHOLE


def new_table_scratch() -> tuple[I64, I32]:
    """Room for one block."""
    return np.zeros(WIDE_SCRATCH, np.int64), np.zeros(NARROW_SCRATCH, np.int32)
