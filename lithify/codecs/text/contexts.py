"""In which contexts the next byte is predicted: the bytes before it, its word and the words before, the line above.

The hashes are part of the format: what was learnt from other texts (learnt.bin) lies where they point.
"""

from lithify.codecs.array_types import I64, U8
from lithify.codecs.kernel import inlined, wide

CONTEXTS = 11
PRIMED_CONTEXTS = 8
"""The first so many were learnt in other texts too."""

WORD, BEFORE, BEFORE_TWO, GAP, LINE, LINE_ABOVE = range(6)
MEMORY = 6
"""What is remembered: hashes of the word under way, of the two before, of what stands between; where lines begin."""

_LINES_MATTER, _LINES_MATTER_TO = 2, 4
"""For these classes a line end is no space, and the line above says more than the words before."""
_LINE_END, _RETURN, _SPACE, _UNDERSCORE = 10, 13, 32, 95
_COLUMN_MAX = 255


@inlined
def hash_two(a: int, b: int) -> int:
    """32 bits of two numbers below 2^32."""
    x = (a * 0x2F0B4C47 + b * 0x3A8E2B63 + 0x3C6EF372) & 0xFFFFFFFF
    x ^= x >> 15
    x = (x * 0x2C1B3C6D) & 0xFFFFFFFF
    return x ^ (x >> 13)


@inlined
def _lines_matter(text_class: int) -> bool:
    return _LINES_MATTER <= text_class <= _LINES_MATTER_TO


@inlined
def byte_at(data: U8, at: int) -> int:
    """A byte of the text; 0 before the first."""
    return wide(data[at]) if at >= 0 else wide(0)


@inlined
def is_of_word(byte: int) -> bool:
    """Letters, digits, the underscore, and all beyond ASCII."""
    return 97 <= byte <= 122 or 65 <= byte <= 90 or 48 <= byte <= 57 or byte >= 128 or byte == _UNDERSCORE


@inlined
def remember(memory: I64, byte: int, at: int, text_class: int) -> None:
    """Take in the byte that stands before `at`."""
    if is_of_word(byte):
        folded = byte + 32 if 65 <= byte <= 90 else byte
        memory[WORD] = hash_two(memory[WORD], folded)
        memory[GAP] = 0
        return
    if memory[WORD]:
        memory[BEFORE_TWO] = memory[BEFORE]
        memory[BEFORE] = memory[WORD]
        memory[WORD] = 0
    if byte != _RETURN:
        is_like_a_space = byte == _LINE_END and not _lines_matter(text_class)
        memory[GAP] = hash_two(memory[GAP], _SPACE if is_like_a_space else byte)
    if byte == _LINE_END:
        memory[LINE_ABOVE] = memory[LINE]
        memory[LINE] = at


@inlined
def find_contexts(context: I64, memory: I64, data: U8, at: int, text_class: int) -> int:
    """The hashes of the contexts of the byte at `at`; gives the byte before it."""
    one = byte_at(data, at - 1)
    if at:
        remember(memory, one, at, text_class)
    two = one | byte_at(data, at - 2) << 8
    three = two | byte_at(data, at - 3) << 16
    four = three | byte_at(data, at - 4) << 24
    five = byte_at(data, at - 5)
    six = five | byte_at(data, at - 6) << 8
    word, before, before_two, gap = memory[WORD], memory[BEFORE], memory[BEFORE_TWO], memory[GAP]
    context[0] = hash_two(16 + text_class, one)
    context[1] = hash_two(32 + text_class, two)
    context[2] = hash_two(3, three)
    context[3] = hash_two(4, four)
    context[4] = hash_two(hash_two(5, four), five)
    context[5] = hash_two(hash_two(6, four), six)
    context[6] = hash_two(hash_two(7, word), one)
    context[7] = hash_two(hash_two(hash_two(8, word), before), gap)
    context[8] = hash_two(hash_two(hash_two(9, word), before_two), gap)
    context[9] = hash_two(10, four >> 8)
    if not _lines_matter(text_class):
        context[10] = hash_two(hash_two(11, word), hash_two(before, before_two))
    else:
        column = at - memory[LINE]
        place = memory[LINE_ABOVE] + column
        above = byte_at(data, place) if place < memory[LINE] else wide(_LINE_END)
        context[10] = hash_two(hash_two(11, above), one | min(column, _COLUMN_MAX) << 8)
    return one
