"""What followed the last time that the bytes before were seen: the longest of all contexts, found by its hash."""

from lithify.codecs.array_types import I32, I64, U8
from lithify.codecs.kernel import inlined, wide
from lithify.codecs.text.contexts import hash_two

POINTER, LENGTH, MISSES, EXPECTED = range(4)
BUCKETS = 64
"""Matches of one bucket share what is learnt of them."""

_LONG, _SHORT = 20, 6
_VERIFIED = 48
_ENOUGH = 16  # bytes; a longer match is not given up for another
_MISSES_MAX = 8


@inlined
def _common(data: U8, earlier: int, at: int) -> int:
    """How many bytes before two places are the same, as far as it matters."""
    length = wide(0)
    while length < min(earlier, _VERIFIED) and data[earlier - 1 - length] == data[at - 1 - length]:
        length += 1
    return length


@inlined
def follow_match(match: I64, table: I32, data: U8, at: int) -> None:
    """Expect what followed the last time; after a surprise go on, trusted less, for what differs is often short."""
    pointer = match[POINTER]
    if pointer:
        match[POINTER] = pointer + 1
        if data[pointer] == data[at - 1]:
            match[LENGTH] += 1
        else:
            match[LENGTH] = 0
            match[MISSES] += 1
            if match[MISSES] > _MISSES_MAX:
                match[POINTER] = match[MISSES] = 0
    for reach in (_LONG, _SHORT):
        if at < reach:
            continue
        h = wide(reach)
        for i in range(at - reach, at, 2):
            h = hash_two(h, wide(data[i]) << 8 | wide(data[i + 1]))
        h &= len(table) - 1
        candidate = wide(table[h])
        table[h] = at
        if 0 < candidate < at and match[LENGTH] < _ENOUGH:
            length = _common(data, candidate, at)
            if length >= reach and length > match[LENGTH]:
                match[POINTER], match[LENGTH], match[MISSES] = candidate, length, 0
    match[EXPECTED] = wide(data[match[POINTER]]) + 256 if match[POINTER] else 0


@inlined
def trust(match: I64) -> int:
    """The bucket: by length; after one surprise; after several."""
    length = wide(match[LENGTH])
    if match[MISSES]:
        return (32 if match[MISSES] == 1 else 48) + min(length, 15)
    if length < 16:
        return length
    if length < 32:
        return 16 + ((length - 16) >> 2)
    return 20 + min((length - 32) >> 5, 11)
