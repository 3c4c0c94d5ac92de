"""The scans of a JPEG: Huffman codes become coefficients, and coefficients the same codes again.

A scan is cut at its restart markers and unstuffed before a kernel reads it, and stuffed again behind one that wrote it,
so that kernels know bits only. Encoders may write the same coefficients in more than one way; ours is that of the
reference encoder (ITU-T T.81, Annexes F and G, and where that leaves a choice, libjpeg). What was written otherwise
does not come back, and is left to others.
"""

import re
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from lithify.codecs.array_types import I16, I32, I64, U8, U32
from lithify.codecs.kernel import bare, inlined, unsigned, wide
from lithify.codecs.media.jpeg_header import ZIGZAG, HuffmanTable, Picture, Recipe, Scan, ScanPart
from lithify.errors import Corrupt

SEQUENTIAL, DC_FIRST, DC_AGAIN, AC_FIRST, AC_AGAIN = range(5)
_BUFFER, _COUNT, _AT, _END = range(4)  # of a reader or a writer of bits
_BASE, _COLUMNS, _ROW_BLOCKS, _ACROSS, _DOWN = range(5)  # of a component in a scan
_KIND, _UNITS_ACROSS, _UNITS_DOWN, _RESTART, _FIRST, _LAST, _LOW, _PADDING = range(8)  # of a scan
_QUICK_BITS = 10
_LENGTH_BITS = 5
_LENGTH = (1 << _LENGTH_BITS) - 1
_QUICK = 1 << _QUICK_BITS
_LONGEST = 16
_SIZE_MAX = 14
_VALUE_MAX = 16383
_RUN_MAX = 32767
_HELD_MAX = 1000 - 64 + 1
"""Correction bits that wait for the end of a run: then libjpeg ends the run."""
_HELD_ROOM = 2048
_WORD_BYTES = 4
_ROOM = 64 * 2 + _HELD_ROOM
"""Words that one block takes at most, and what waits before it."""
_OK, _UNSOUND, _FULL = range(3)
_RESTARTS = re.compile(rb"\xff([\xd0-\xd7])")
_NOWHERE = HuffmanTable(bytes(16), b"")


class Codes(NamedTuple):
    """Huffman tables as kernels use them: DC tables of up to four components, then AC tables."""

    quick: I32
    """table, next bits: 256 * length + symbol; 0: a longer code, or none."""
    most: I32
    """table, length: the largest code of this length; -1: there is none."""
    shift: I32
    """table, length: what added to a code gives the place of its symbol."""
    symbols: I32
    written: I32
    """table, symbol: 32 * code + length; 0: it has no code."""


@lru_cache(64)
def _rows(table: HuffmanTable) -> tuple[I32, I32, I32, I32, I32]:
    """A row of each array of `Codes`."""
    quick, most, shift = np.zeros(_QUICK, np.int32), np.full(17, -1, np.int32), np.zeros(17, np.int32)
    symbols, written = np.zeros(256, np.int32), np.zeros(256, np.int32)
    symbols[: len(table.symbols)] = list(table.symbols)
    code = place = 0
    for length, count in enumerate(table.counts, 1):
        shift[length] = place - code
        for _ in range(count):
            symbol = table.symbols[place]
            written[symbol] = code << _LENGTH_BITS | length
            if length <= _QUICK_BITS:
                step = 1 << (_QUICK_BITS - length)
                quick[code * step : (code + 1) * step] = length << 8 | symbol
            most[length] = code
            code += 1
            place += 1
        code <<= 1
    return quick, most, shift, symbols, written


@lru_cache(64)
def _codes(parts: tuple[ScanPart, ...]) -> Codes:
    named = [part.dc or _NOWHERE for part in parts], [part.ac or _NOWHERE for part in parts]
    rows = [_rows(table) for tables in named for table in (tables + [_NOWHERE] * 4)[:4]]
    return Codes(*(np.stack(column) for column in zip(*rows, strict=True)))


@inlined
def _filled(data: U8, end: int, buffer: int, count: int, at: int) -> tuple[int, int, int]:
    """At least 32 bits in the buffer, at most 63; behind the end there are zeros."""
    if count < 32 and at + 4 <= end:
        first, second = wide(data[unsigned(at)]), wide(data[unsigned(at + 1)])
        third, fourth = wide(data[unsigned(at + 2)]), wide(data[unsigned(at + 3)])
        four = first << 24 | second << 16 | third << 8 | fourth
        return (buffer & ((1 << count) - 1)) << 32 | four, count + 32, at + 4
    while count < 32:
        byte = wide(data[unsigned(at)]) if at < end else wide(0)
        buffer, count, at = (buffer & 0xFFFFFFFF) << 8 | byte, count + 8, at + 1
    return buffer, count, at


@inlined
def _fill(reader: I64, data: U8) -> None:
    """The same for a reader's numbers where they are kept."""
    if reader[_COUNT] < 32:
        state = _filled(data, reader[_END], reader[_BUFFER], reader[_COUNT], reader[_AT])
        reader[_BUFFER], reader[_COUNT], reader[_AT] = state


@inlined
def _take(reader: I64, count: int) -> int:
    """Some bits of those that are in the buffer."""
    reader[_COUNT] -= count
    return wide(reader[_BUFFER] >> reader[_COUNT]) & ((1 << count) - 1)


@inlined
def _bits(reader: I64, data: U8, count: int) -> int:
    """Up to 16 bits."""
    _fill(reader, data)
    return _take(reader, count)


@bare
def _long_code(codes: Codes, table: int, ahead: int) -> int:
    """256 * length + symbol of a code of more than _QUICK_BITS bits; 0: there is none."""
    for length in range(_QUICK_BITS + 1, _LONGEST + 1):
        code = ahead >> (_LONGEST - length)
        if code <= codes.most[table, length]:
            return wide(length << 8) | wide(codes.symbols[table, (code + codes.shift[table, length]) & 255])
    return wide(0)


@inlined
def _symbol(reader: I64, data: U8, codes: Codes, table: int) -> int:
    """The next symbol; -1 if none has such a code."""
    _fill(reader, data)
    ahead = (reader[_BUFFER] >> (reader[_COUNT] - _LONGEST)) & 0xFFFF
    entry = wide(codes.quick[table, ahead >> (_LONGEST - _QUICK_BITS)])
    if entry:
        reader[_COUNT] -= entry >> 8
        return entry & 255
    entry = _long_code(codes, table, ahead)
    reader[_COUNT] -= entry >> 8
    return entry & 255 if entry else wide(-1)


@inlined
def _number(reader: I64, data: U8, size: int) -> int:
    """A signed number of `size` bits."""
    if size == 0:
        return wide(0)
    value = _bits(reader, data, size)
    return value if value >> (size - 1) else value - (1 << size) + 1


@bare
def _read_sequential(
    reader: I64, data: U8, codes: Codes, part: int, coefficients: I16, at: int, last: I64, zigzag: I64
) -> int:
    """A block. The reader's numbers stand in registers meanwhile: kept in memory, all of it took twice as long."""
    buffer, count, place, end = reader[_BUFFER], reader[_COUNT], reader[_AT], reader[_END]
    k, table = wide(0), part
    while k < 64:
        buffer, count, place = _filled(data, end, buffer, count, place)
        ahead = (buffer >> (count - _LONGEST)) & 0xFFFF
        entry = wide(codes.quick[table, ahead >> (_LONGEST - _QUICK_BITS)])
        if entry == 0:
            entry = _long_code(codes, table, ahead)
            if entry == 0:
                return _UNSOUND
        count -= entry >> 8
        zeros, size = (entry >> 4) & 15, entry & 15
        if table == part:
            zeros, size = wide(0), entry & 255
        elif size == 0:
            if zeros == 0:
                k = wide(64)
                break
            if zeros != 15:
                return _UNSOUND
            k += 16
            continue
        k += zeros
        if k > 63 or size > _SIZE_MAX:
            return _UNSOUND
        count -= size
        value = (buffer >> count) & ((1 << size) - 1)
        if size and value >> (size - 1) == 0:
            value -= (1 << size) - 1
        if table == part:
            value += last[part]
            if abs(value) > _VALUE_MAX:
                return _UNSOUND
            last[part] = value
            table = part + 4
        coefficients[unsigned(at + zigzag[k])] = value
        k += 1
    reader[_BUFFER], reader[_COUNT], reader[_AT] = buffer, count, place
    return _OK if k == 64 else _UNSOUND


@bare
def _read_ac_first(
    reader: I64, data: U8, codes: Codes, coefficients: I16, at: int, run: int, setting: I64, zigzag: I64
) -> int:
    """The run of blocks that end here, this one among them, 0 for none; -1: unsound."""
    if run:
        return run
    k, end, low = setting[_FIRST], setting[_LAST], setting[_LOW]
    while k <= end:
        symbol = _symbol(reader, data, codes, wide(4))
        if symbol < 0:
            return wide(-1)
        zeros, size = symbol >> 4, symbol & 15
        if size == 0:
            if zeros < 15:
                return (1 << zeros) + _bits(reader, data, zeros)
            k += 16
            continue
        k += zeros
        if k > end or size + low > _SIZE_MAX:
            return wide(-1)
        coefficients[at + zigzag[k]] = _number(reader, data, size) << low
        k += 1
    return wide(0) if k == end + 1 else wide(-1)


@inlined
def _again(reader: I64, data: U8, coefficients: I16, at: int, low: int) -> None:
    """A bit more of a coefficient that is not zero."""
    value = wide(coefficients[at])
    if _bits(reader, data, wide(1)):
        coefficients[at] = value + (1 << low) if value > 0 else value - (1 << low)


@bare
def _read_ac_again(
    reader: I64, data: U8, codes: Codes, coefficients: I16, at: int, run: int, setting: I64, zigzag: I64
) -> int:
    """As `_read_ac_first`."""
    k, end, low = setting[_FIRST], setting[_LAST], setting[_LOW]
    while k <= end and run == 0:
        symbol = _symbol(reader, data, codes, wide(4))
        zeros, size = symbol >> 4, symbol & 15
        if symbol < 0 or size > 1:
            return wide(-1)
        value = wide(0)
        if size:
            value = wide(1) << low if _bits(reader, data, wide(1)) else wide(-1) << low
        elif zeros < 15:
            run = (1 << zeros) + _bits(reader, data, zeros)
            break
        while k <= end:
            here = at + zigzag[k]
            if coefficients[here]:
                _again(reader, data, coefficients, here, low)
            elif zeros == 0:
                coefficients[here] = value
                break
            else:
                zeros -= 1
            k += 1
        if k > end:
            return wide(-1)
        k += 1
    if run:
        while k <= end:
            here = at + zigzag[k]
            if coefficients[here]:
                _again(reader, data, coefficients, here, low)
            k += 1
    return run


@bare
def read_scan(
    reader: I64, data: U8, ends: I64, codes: Codes, setting: I64, parts: I64, coefficients: I16, last: I64, zigzag: I64
) -> int:
    """Fill in what a scan says of `coefficients`; gives _OK or _UNSOUND.

    data, ends    the scan unstuffed, and where each interval between restart markers ends
    setting       the numbers of the scan; _PADDING is set: 1 for ones, 0 for zeros, -1 if there was none
    parts         (component, number)
    coefficients  blocks of 64, row by row
    """
    kind, low = setting[_KIND], setting[_LOW]
    run, interval, x, y = wide(0), wide(0), wide(-1), wide(0)
    left = setting[_RESTART] if setting[_RESTART] else wide(-1)
    reader[_BUFFER], reader[_COUNT], reader[_AT], reader[_END] = 0, 0, 0, ends[0]
    units = setting[_UNITS_ACROSS] * setting[_UNITS_DOWN]
    for unit in range(units + 1):
        if unit == units or left == 0:
            # The interval must be used up but for less than a byte of padding; the last may have a tail.
            begin = reader[_AT] - (reader[_COUNT] >> 3)
            spare = reader[_COUNT] & 7
            if begin > ends[interval] or run > 0 or (unit < units and begin < ends[interval]):
                return _UNSOUND
            if spare:
                padding = (reader[_BUFFER] >> (reader[_COUNT] & ~7)) & ((1 << spare) - 1)
                ones = wide(padding > 0)
                if (ones and padding != (1 << spare) - 1) or (setting[_PADDING] >= 0 and setting[_PADDING] != ones):
                    return _UNSOUND
                setting[_PADDING] = ones
            if unit == units:
                reader[_AT] = begin
                return _OK if interval == len(ends) - 1 else _UNSOUND
            interval += 1
            if interval == len(ends):
                return _UNSOUND
            reader[_BUFFER], reader[_COUNT], reader[_AT], reader[_END] = 0, 0, ends[interval - 1], ends[interval]
            left = setting[_RESTART]
            last[:] = 0
        left -= 1
        x += 1
        if x == setting[_UNITS_ACROSS]:
            x, y = wide(0), y + 1
        for part in range(len(parts)):
            across, down = parts[part, _ACROSS], parts[part, _DOWN]
            row, column = y * down, x * across - 1
            for _ in range(across * down):
                column += 1
                if column == (x + 1) * across:
                    row, column = row + 1, x * across
                at = 64 * (parts[part, _BASE] + row * parts[part, _COLUMNS] + column)
                if kind == SEQUENTIAL:
                    if _read_sequential(reader, data, codes, part, coefficients, at, last, zigzag) != _OK:
                        return _UNSOUND
                elif kind == DC_FIRST:
                    size = _symbol(reader, data, codes, part)
                    if size < 0 or size > _SIZE_MAX:
                        return _UNSOUND
                    last[part] += _number(reader, data, size)
                    if abs(last[part]) << low > _VALUE_MAX:
                        return _UNSOUND
                    coefficients[at] = last[part] << low
                elif kind == DC_AGAIN:
                    coefficients[at] |= _bits(reader, data, wide(1)) << low
                else:
                    if kind == AC_FIRST:
                        run = _read_ac_first(reader, data, codes, coefficients, at, run, setting, zigzag)
                    else:
                        run = _read_ac_again(reader, data, codes, coefficients, at, run, setting, zigzag)
                    if run < 0:
                        return _UNSOUND
                    run = max(run - 1, 0)
        if reader[_AT] - (reader[_COUNT] >> 3) > reader[_END]:
            return _UNSOUND
    return _UNSOUND


# --- writing ----------------------------------------------------------------------------------------------


@inlined
def _added(out: U32, buffer: int, count: int, place: int, bits: int, more: int) -> tuple[int, int, int]:
    """Up to 32 bits behind those that wait, up to 31; a word is always written, and passed when it is full."""
    buffer, count = buffer << more | bits, count + more
    out[unsigned(place)] = (buffer >> ((count - 32) & 63)) & 0xFFFFFFFF
    return buffer, count & 31, place + (count >> 5)


@inlined
def _put(writer: I64, out: U32, value: int, count: int) -> None:
    """The same for a writer's numbers where they are kept."""
    state = _added(out, writer[_BUFFER], writer[_COUNT], writer[_AT], value, count)
    writer[_BUFFER], writer[_COUNT], writer[_AT] = state


@bare
def _fill_up(writer: I64, out: U32, padding: int) -> int:
    """All bits are written; those that a byte lacks are such ones. Gives where the last byte ends; a word begins."""
    spare = -writer[_COUNT] & 7
    _put(writer, out, ((1 << spare) - 1) * padding, spare)
    count, place = writer[_COUNT], writer[_AT]
    out[unsigned(place)] = (writer[_BUFFER] << (32 - count)) & 0xFFFFFFFF
    writer[_BUFFER], writer[_COUNT], writer[_AT] = 0, 0, place + wide(count > 0)
    return wide(_WORD_BYTES * place + (count >> 3))


@inlined
def _put_symbol(writer: I64, out: U32, written: I32, table: int, symbol: int, more: int, count: int) -> None:
    """A symbol, and up to 16 more bits; a symbol that has no code leaves a mark in _END."""
    code = wide(written[unsigned(table), unsigned(symbol)])
    if code == 0:
        writer[_END] = 1
    _put(writer, out, code >> _LENGTH_BITS << count | more, (code & _LENGTH) + count)


@inlined
def _size(value: int) -> int:
    """Bits of a number that is not negative, below 2^16: no loop, whose end nobody foretells."""
    eight = wide(value > 255) << 3
    value >>= eight
    four = wide(value > 15) << 2
    value >>= four
    two = wide(value > 3) << 1
    value >>= two
    return eight + four + two + wide(value > 1) + wide(value > 0)


@inlined
def _put_number(writer: I64, out: U32, written: I32, table: int, zeros: int, value: int) -> None:
    """A number behind some zeros: a symbol for both, and its bits."""
    size = _size(abs(value))
    bits = (value if value >= 0 else value - 1) & ((1 << size) - 1)
    _put_symbol(writer, out, written, table, (zeros << 4 | size) & 255, bits, size)


@inlined
def _met(coefficients: I16, at: int, first: int, last: int, low: int, zigzag: I64, places: I64) -> int:
    """Which coefficients from `first` to `last` have a bit at `low` or above: `places`, and how many there are.

    Nobody foretells which: so a place is always written, and passed if it is one.
    """
    count = wide(0)
    for k in range(first, last + 1):
        places[unsigned(count)] = k
        count += wide(abs(wide(coefficients[unsigned(at + zigzag[unsigned(k)])])) >> low != 0)
    return count


@inlined
def _joined(
    written: I32, table: int, symbol: int, value: int, size: int, out: U32, state: tuple[int, int, int, int]
) -> tuple[int, int, int, int]:
    """A symbol and the bits of a number that it tells the size of."""
    buffer, count, place, missing = state
    code = wide(written[unsigned(table), unsigned(symbol)])
    bits = code >> _LENGTH_BITS << size | ((value - wide(value < 0)) & ((1 << size) - 1))
    buffer, count, place = _added(out, buffer, count, place, bits, (code & _LENGTH) + size)
    return buffer, count, place, missing | wide(code == 0)


@inlined
def _write_sequential(
    writer: I64, out: U32, written: I32, part: int, coefficients: I16, at: int, last: I64, zigzag: I64, places: I64
) -> None:
    """A block; what `_read_sequential` says of registers is true here, too."""
    value = wide(coefficients[unsigned(at)])
    step, last[part] = value - last[part], value
    size, table, before = _size(abs(step)), part + 4, wide(0)
    state = writer[_BUFFER], writer[_COUNT], writer[_AT], wide(0)
    state = _joined(written, part, size, step, size, out, state)
    for i in range(_met(coefficients, at, wide(1), wide(63), wide(0), zigzag, places)):
        k = places[unsigned(i)]
        value, zeros = wide(coefficients[unsigned(at + zigzag[unsigned(k)])]), k - before - 1
        while zeros > 15:
            state = _joined(written, table, wide(0xF0), wide(0), wide(0), out, state)
            zeros -= 16
        size = _size(abs(value))
        state = _joined(written, table, zeros << 4 | size, value, size, out, state)
        before = k
    if before < 63:
        state = _joined(written, table, wide(0), wide(0), wide(0), out, state)
    writer[_BUFFER], writer[_COUNT], writer[_AT], missing = state
    writer[_END] |= missing


_RUN, _HELD, _PIECES = range(3)  # blocks of the run, correction bits that wait for its end, and in how many pieces
_PIECE_BITS = 6


@bare
def _end_run(writer: I64, out: U32, written: I32, waiting: I64, held: I64) -> None:
    """The run of blocks that ended, with the bits that correct them."""
    size = _size(waiting[_RUN]) - 1
    _put_symbol(writer, out, written, wide(4), size << 4, waiting[_RUN] & ((1 << size) - 1), size)
    for i in range(waiting[_PIECES]):
        _put(writer, out, held[unsigned(i)] >> _PIECE_BITS, held[unsigned(i)] & 63)
    waiting[:] = 0


@inlined
def _hold(waiting: I64, held: I64, bits: int, count: int) -> None:
    """Up to 32 bits that correct a block wait for the end of the run."""
    if count:
        held[unsigned(waiting[_PIECES])] = bits << _PIECE_BITS | count
        waiting[_PIECES] += 1
        waiting[_HELD] += count


@bare
def _write_ac_first(
    writer: I64,
    out: U32,
    written: I32,
    coefficients: I16,
    at: int,
    setting: I64,
    waiting: I64,
    held: I64,
    zigzag: I64,
    places: I64,
) -> None:
    low, before = setting[_LOW], setting[_FIRST] - 1
    for i in range(_met(coefficients, at, setting[_FIRST], setting[_LAST], low, zigzag, places)):
        k = places[unsigned(i)]
        whole = wide(coefficients[unsigned(at + zigzag[unsigned(k)])])
        rest, zeros = abs(whole) >> low, k - before - 1
        before = k
        if waiting[_RUN]:
            _end_run(writer, out, written, waiting, held)
        while zeros > 15:
            _put_symbol(writer, out, written, wide(4), wide(0xF0), wide(0), wide(0))
            zeros -= 16
        _put_number(writer, out, written, wide(4), zeros, rest if whole > 0 else -rest)
    if before < setting[_LAST]:
        waiting[_RUN] += 1
        if waiting[_RUN] == _RUN_MAX:
            _end_run(writer, out, written, waiting, held)


@inlined
def _put_more(writer: I64, out: U32, bits: int, count: int) -> None:
    """Up to 63 bits."""
    if count > 32:
        _put(writer, out, bits >> 32, count - 32)
    _put(writer, out, bits & 0xFFFFFFFF, min(count, 32))


@bare
def _write_ac_again(
    writer: I64,
    out: U32,
    written: I32,
    coefficients: I16,
    at: int,
    setting: I64,
    waiting: I64,
    held: I64,
    zigzag: I64,
    places: I64,
) -> None:
    low, before = setting[_LOW], setting[_FIRST] - 1
    count = _met(coefficients, at, setting[_FIRST], setting[_LAST], low, zigzag, places)
    newest = count - 1
    while newest >= 0 and abs(wide(coefficients[unsigned(at + zigzag[places[newest]])])) >> low > 1:
        newest -= 1
    zeros, bits, more = wide(0), wide(0), wide(0)
    for i in range(count):
        k = places[unsigned(i)]
        whole = wide(coefficients[unsigned(at + zigzag[unsigned(k)])])
        rest = abs(whole) >> low
        zeros += k - before - 1
        before = k
        while zeros > 15 and i <= newest:
            if waiting[_RUN]:
                _end_run(writer, out, written, waiting, held)
            _put_symbol(writer, out, written, wide(4), wide(0xF0), wide(0), wide(0))
            _put_more(writer, out, bits, more)
            zeros, bits, more = zeros - 16, wide(0), wide(0)
        if rest > 1:
            bits, more = bits << 1 | (rest & 1), more + 1
            continue
        if waiting[_RUN]:
            _end_run(writer, out, written, waiting, held)
        _put_symbol(writer, out, written, wide(4), (zeros << 4 | 1) & 255, wide(whole > 0), wide(1))
        _put_more(writer, out, bits, more)
        zeros, bits, more = wide(0), wide(0), wide(0)
    if zeros > 0 or before < setting[_LAST] or more > 0:
        waiting[_RUN] += 1
        _hold(waiting, held, bits >> 32, max(more - 32, 0))
        _hold(waiting, held, bits & 0xFFFFFFFF, min(more, 32))
        if waiting[_RUN] == _RUN_MAX or waiting[_HELD] > _HELD_MAX:
            _end_run(writer, out, written, waiting, held)


@bare
def write_scan(
    writer: I64,
    out: U32,
    ends: I64,
    codes: Codes,
    setting: I64,
    parts: I64,
    coefficients: I16,
    last: I64,
    zigzag: I64,
    waiting: I64,
    held: I64,
    places: I64,
) -> int:
    """The other way round: `out` is filled, and `ends`; gives _OK, _UNSOUND (a symbol has no code) or _FULL.

    out   words whose highest byte comes first; each interval begins one
    ends  in bytes
    """
    kind, low = setting[_KIND], setting[_LOW]
    interval, x, y = wide(0), wide(-1), wide(0)
    left = setting[_RESTART] if setting[_RESTART] else wide(-1)
    units = setting[_UNITS_ACROSS] * setting[_UNITS_DOWN]
    for unit in range(units + 1):
        if unit == units or left == 0:
            if waiting[_RUN]:
                _end_run(writer, out, codes.written, waiting, held)
            ends[interval] = _fill_up(writer, out, setting[_PADDING])
            interval += 1
            left = setting[_RESTART]
            last[:] = 0
            if unit == units:
                break
        left -= 1
        x += 1
        if x == setting[_UNITS_ACROSS]:
            x, y = wide(0), y + 1
        for part in range(len(parts)):
            across, down = parts[part, _ACROSS], parts[part, _DOWN]
            row, column = y * down, x * across - 1
            for _ in range(across * down):
                column += 1
                if column == (x + 1) * across:
                    row, column = row + 1, x * across
                if writer[_AT] + _ROOM > len(out):
                    return _FULL
                at = 64 * (parts[part, _BASE] + row * parts[part, _COLUMNS] + column)
                if kind == SEQUENTIAL:
                    _write_sequential(writer, out, codes.written, part, coefficients, at, last, zigzag, places)
                elif kind == DC_FIRST:
                    value = wide(coefficients[at]) >> low
                    difference = value - last[part]
                    last[part] = value
                    _put_number(writer, out, codes.written, part, wide(0), difference)
                elif kind == DC_AGAIN:
                    _put(writer, out, (wide(coefficients[at]) >> low) & 1, wide(1))
                elif kind == AC_FIRST:
                    _write_ac_first(
                        writer, out, codes.written, coefficients, at, setting, waiting, held, zigzag, places
                    )
                else:
                    _write_ac_again(
                        writer, out, codes.written, coefficients, at, setting, waiting, held, zigzag, places
                    )
    return _OK if writer[_END] == 0 else _UNSOUND


# --- doors ------------------------------------------------------------------------------------------------


def new_coefficients(picture: Picture) -> I16:
    """Zeros: the blocks of one component after another, row by row."""
    return np.zeros(64 * picture.blocks, np.int16)


def bases(picture: Picture) -> list[int]:
    """The number of the first block of each component."""
    out = [0]
    for one in picture.components[:-1]:
        out.append(out[-1] + one.columns * one.rows)
    return out


def _kind(picture: Picture, scan: Scan) -> int:
    if not picture.progressive:
        return SEQUENTIAL
    if scan.first == 0:
        return DC_AGAIN if scan.high else DC_FIRST
    return AC_AGAIN if scan.high else AC_FIRST


def _laid_out(picture: Picture, scan: Scan, padding: int) -> tuple[I64, I64, int]:
    """The numbers of a scan and of its parts, and how many intervals it has."""
    starts = bases(picture)
    alone = len(scan.parts) == 1
    parts = np.zeros((len(scan.parts), 5), np.int64)
    for n, part in enumerate(scan.parts):
        one = picture.components[part.component]
        parts[n] = starts[part.component], one.columns, 0, 1 if alone else one.across, 1 if alone else one.down
    only = picture.components[scan.parts[0].component]
    across = only.shown_columns if alone else picture.units_across
    down = only.shown_rows if alone else picture.units_down
    setting = [_kind(picture, scan), across, down, scan.restart, scan.first, scan.last, scan.low, padding]
    intervals = -(-across * down // scan.restart) if scan.restart else 1
    return np.array(setting, np.int64), parts, intervals


def read_data(picture: Picture, scan: Scan, data: bytes, coefficients: I16) -> Recipe | None:
    """Fill in what the data of a scan says; None if it is not sound."""
    pieces = _RESTARTS.split(data)
    if any(marker != bytes([0xD0 + number % 8]) for number, marker in enumerate(pieces[1::2])):
        return None
    intervals = [piece.replace(b"\xff\0", b"\xff") for piece in pieces[::2]]
    ends = np.cumsum([len(interval) for interval in intervals], dtype=np.int64)
    plain = np.frombuffer(bytearray(b"".join(intervals)), np.uint8)
    setting, parts, _ = _laid_out(picture, scan, -1)
    reader = np.zeros(4, np.int64)
    status = read_scan(
        reader, plain, ends, _codes(scan.parts), setting, parts, coefficients, np.zeros(4, np.int64), np.array(ZIGZAG)
    )
    if status != _OK:
        return None
    behind = len(plain) - int(reader[_AT])
    return Recipe(max(int(setting[_PADDING]), 0), intervals[-1][len(intervals[-1]) - behind :])


def write_data(picture: Picture, scan: Scan, recipe: Recipe, coefficients: I16, most: int) -> bytes:
    """The data of a scan, at most `most` bytes. Raises Corrupt if the coefficients have no codes, or there is more."""
    setting, parts, intervals = _laid_out(picture, scan, recipe.padding)
    if most < 0 or 2 * intervals > most + 2:
        raise Corrupt(f"a scan of at most {most} bytes has {intervals} intervals")
    out, ends = np.zeros(most // _WORD_BYTES + intervals + _ROOM, np.uint32), np.zeros(intervals, np.int64)
    status = write_scan(
        np.zeros(4, np.int64),
        out,
        ends,
        _codes(scan.parts),
        setting,
        parts,
        coefficients,
        np.zeros(4, np.int64),
        np.array(ZIGZAG),
        np.zeros(3, np.int64),
        np.zeros(_HELD_ROOM, np.int64),
        np.zeros(64, np.int64),
    )
    if status != _OK:
        raise Corrupt("the coefficients of a JPEG have no codes in its tables, or more than it has bytes")
    words = -(-ends // _WORD_BYTES)
    plain, pieces, start = out[: words[-1]].astype(">u4").tobytes(), [], 0
    for number, (end, behind) in enumerate(zip(ends.tolist(), (_WORD_BYTES * words).tolist(), strict=True)):
        if number:
            pieces.append(bytes((0xFF, 0xD0 + (number - 1) % 8)))
        pieces.append(plain[start:end].replace(b"\xff", b"\xff\0"))
        start = behind
    data = b"".join([*pieces, recipe.tail.replace(b"\xff", b"\xff\0")])
    if len(data) > most:
        raise Corrupt(f"a scan of a JPEG has {len(data)} bytes; at most {most} can be")
    return data
