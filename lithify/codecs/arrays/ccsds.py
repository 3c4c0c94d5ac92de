"""Numbers as CCSDS 121.0 codes them, taken out of their stream and put into the very same one again.

The standard leaves open which of its options tells a block of numbers. Nearly all streams were written by one library,
which takes the shortest: that is tried first, and a stream that was written otherwise is kept with the list of its
options. What is told are differences to the number before, folded to be above zero; each segment begins anew.
"""

import numpy as np

from lithify.codecs.array_types import U8, U32
from lithify.codecs.arrays.bit_fields import bits_at, put, put_zeros, zeros_at
from lithify.codecs.kernel import bare, once, wide

SECOND, UNCODED, ZEROS = 40, 41, 64
"""Units: below SECOND so many low bits of each number are told as they are; ZEROS + n is a run of zero blocks."""
_REST = 4
"""How a run of zero blocks says that it goes on to the end of its segment."""
_SEGMENT, _RUN_MAX = 64, 64
"""In blocks."""
_CODE_MAX = 1 << 20


@once
def id_bits(bits: int) -> int:
    """Bits that name an option."""
    return wide(5) if bits > 16 else wide(4) if bits > 8 else wide(3)


@once
def _run_of(told: int, blocks: int, rsi: int) -> int:
    """How many zero blocks a run has that begins behind so many blocks of its interval."""
    if told == _REST:
        return min(rsi - blocks, _SEGMENT - (blocks % _SEGMENT))
    return told if told > _REST else told + 1


@bare
def fold(numbers: U32, bits: int, step: int, codes: U32) -> None:
    """Each number but every `step`-th as its difference to the one before; `codes` is as long or longer."""
    most = (wide(1) << bits) - 1
    before = wide(0)
    for i in range(len(numbers)):
        value = wide(numbers[i])
        told = value
        if i % step:
            room = min(before, most - before)
            change = value - before
            told = 2 * change if change >= 0 else -2 * change - 1
            if abs(change) > room:
                told = room + abs(change)
        codes[i] = np.uint32(told)
        before = value


@bare
def unfold(codes: U32, bits: int, step: int, numbers: U32) -> bool:
    """The numbers again; whether all of them have so many bits."""
    most = (wide(1) << bits) - 1
    before = wide(0)
    for i in range(len(numbers)):
        told = wide(codes[i])
        value = told
        if i % step:
            room = min(before, most - before)
            if told > 2 * room:
                value = told if room == before else most - told
            else:
                value = before + (told >> 1) if told & 1 == 0 else before - ((told + 1) >> 1)
        if value < 0 or value > most:
            return False
        numbers[i] = np.uint32(value)
        before = value
    return True


@bare
def parse(stream: U8, bits: int, block: int, rsi: int, folded: bool, codes: U32, units: U8) -> tuple[int, int]:
    """Take the codes of whole blocks out of a stream, and the units that tell them: how many, and the bits they took.

    codes  all 0, some whole blocks
    units  room for one for each block

    -1 instead: it is no such stream.
    """
    names = id_bits(bits)
    raw = (wide(1) << names) - 1
    end = wide(len(stream)) << 3
    at, count, done, blocks = wide(0), wide(0), wide(0), wide(0)
    while done < len(codes):
        first = wide(1) if folded and blocks == 0 else wide(0)
        option = bits_at(stream, at, names)
        at += names
        is_second = False
        if option == 0:
            is_second = bits_at(stream, at, wide(1)) == 1
            at += 1
        if first and option != raw:
            codes[done] = np.uint32(bits_at(stream, at, bits))
            at += bits
        run = wide(1)
        if option == 0 and not is_second:
            told = zeros_at(stream, at)
            if told < 0 or told > _RUN_MAX:
                return wide(-1), wide(0)
            at += told + 1
            run = _run_of(told, blocks, rsi)
            units[count] = np.uint8(ZEROS + told)
        elif option == 0:
            units[count] = np.uint8(SECOND)
            for i in range(0, block, 2):
                code = zeros_at(stream, at)
                if code < 0 or code > _CODE_MAX:
                    return wide(-1), wide(0)
                at += code + 1
                both = wide(0)
                while (both + 1) * (both + 2) // 2 <= code:
                    both += 1
                later = code - both * (both + 1) // 2
                if not (first and i == 0):
                    codes[done + i] = np.uint32(both - later)
                elif both != later:
                    return wide(-1), wide(0)
                codes[done + i + 1] = np.uint32(later)
        elif option == raw:
            units[count] = np.uint8(UNCODED)
            for i in range(block):
                codes[done + i] = np.uint32(bits_at(stream, at, bits))
                at += bits
        else:
            low = option - 1
            units[count] = np.uint8(low)
            for i in range(first, block):
                told = zeros_at(stream, at)
                if told < 0 or told > (wide(0xFFFFFFFF) >> low):
                    return wide(-1), wide(0)
                at += told + 1
                codes[done + i] = np.uint32(told << low)
            for i in range(first, block):
                codes[done + i] |= np.uint32(bits_at(stream, at, low))
                at += low
        count += 1
        blocks += run
        done += run * block
        if at > end or blocks > rsi:
            return wide(-1), wide(0)
        if blocks == rsi:
            blocks = wide(0)
    return count, at


@once
def _is_zero(codes: U32, start: int, stop: int) -> bool:
    i = start
    while i < stop and codes[i] == 0:
        i += 1
    return i == stop


@once
def _length(codes: U32, start: int, stop: int, low: int) -> int:
    """Bits of a block with so many low bits as they are."""
    total = wide(0)
    for i in range(start, stop):
        total += wide(codes[i]) >> low
    return total + (stop - start) * (low + 1)


@once
def _split_of(codes: U32, start: int, stop: int, near: int, most: int) -> int:
    """How many low bits are best told as they are, sought from `near` on; the first one found of those alike."""
    best, least = wide(near), _length(codes, start, stop, near)
    up = wide(near) + 1
    while up <= most:
        length = _length(codes, start, stop, up)
        if length >= least:
            break
        best, least = up, length
        up += 1
    if best > near:
        return best
    down = wide(near) - 1
    while down >= 0:
        length = _length(codes, start, stop, down)
        if length >= least:
            break
        best, least = down, length
        down -= 1
    return best


@once
def _second_length(codes: U32, at: int, block: int, first: int, most: int) -> int:
    """Bits of a block told by pairs."""
    total = wide(1)
    for i in range(0, block, 2):
        one = wide(0) if first and i == 0 else wide(codes[at + i])
        later = wide(codes[at + i + 1])
        if one + later > most:
            return wide(1) << 60
        total += (one + later) * (one + later + 1) // 2 + later + 1
    return total


@once
def _zero_run(codes: U32, at: int, block: int, first: int, blocks: int, rsi: int) -> int:
    """What tells the run of zero blocks that begins here; -1: none does."""
    if not _is_zero(codes, at + first, at + block):
        return wide(-1)
    most = min(rsi - blocks, _SEGMENT - blocks % _SEGMENT, (len(codes) - at) // block)
    run = wide(1)
    while run < most and _is_zero(codes, at + run * block, at + (run + 1) * block):
        run += 1
    if run == most and run > _REST:
        return wide(_REST)
    return run if run > _REST else run - 1


@bare
def tell(codes: U32, bits: int, block: int, rsi: int, folded: bool, units: U8, known: int, out: U8) -> tuple[int, int]:
    """Write whole blocks of codes: by the first `known` of `units`, or by the shortest, which `units` then gets.

    out  all zeros

    Gives how many units there are, and the bits they took; -1 instead if there is no room, or units do not fit.
    """
    names = id_bits(bits)
    raw = (wide(1) << names) - 1
    end = wide(len(out)) << 3
    at, count, done, blocks, near = wide(0), wide(0), wide(0), wide(0), wide(0)
    while done < len(codes):
        first = wide(1) if folded and blocks == 0 else wide(0)
        if known >= 0:
            if count >= known:
                return wide(-1), wide(0)
            unit = wide(units[count])
        else:
            told = _zero_run(codes, done, block, first, blocks, rsi)
            if told >= 0:
                unit = ZEROS + told
            else:
                near = _split_of(codes, done + first, done + block, near, raw - 2)
                split = _length(codes, done + first, done + block, near)
                uncoded = (block - first) * bits
                second = _second_length(codes, done, block, first, uncoded)
                if split < uncoded:
                    unit = near if split < second else wide(SECOND)
                else:
                    unit = wide(UNCODED) if uncoded <= second else wide(SECOND)
            units[count] = np.uint8(unit)
        run = wide(1)
        if unit == UNCODED:
            at = put(out, at, raw, names)
            for i in range(block):
                at = put(out, at, wide(codes[done + i]), bits)
        else:
            at = put(out, at, unit + 1 if unit < SECOND else wide(0), names)
            if unit >= SECOND:
                at = put(out, at, wide(1) if unit == SECOND else wide(0), wide(1))
            if first:
                at = put(out, at, wide(codes[done]), bits)
            if unit >= ZEROS:
                at = put_zeros(out, at, unit - ZEROS)
                run = _run_of(unit - ZEROS, blocks, rsi)
            elif unit == SECOND:
                for i in range(0, block, 2):
                    one = wide(0) if first and i == 0 else wide(codes[done + i])
                    later = wide(codes[done + i + 1])
                    if one + later > _CODE_MAX:
                        return wide(-1), wide(0)
                    at = put_zeros(out, at, (one + later) * (one + later + 1) // 2 + later)
            elif unit > raw - 2:
                return wide(-1), wide(0)
            else:
                for i in range(first, block):
                    at = put_zeros(out, at, wide(codes[done + i]) >> unit)
                for i in range(first, block):
                    at = put(out, at, wide(codes[done + i]) & ((wide(1) << unit) - 1), unit)
        count += 1
        blocks += run
        done += run * block
        if at > end or blocks > rsi:
            return wide(-1), wide(0)
        if blocks == rsi:
            blocks = wide(0)
    return count, at
