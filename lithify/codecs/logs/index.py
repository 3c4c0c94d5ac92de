"""The index of a large block: how much there is of each thing, which a search then need not unpack and count.

Nothing in it is news to a decoder, who compares.
"""

from typing import NamedTuple

import numpy as np

from lithify.codecs.array_types import I64, U8, Bools
from lithify.codecs.logs.scan import NUMBER
from lithify.codecs.logs.streams import get_varint, put_varint
from lithify.errors import Corrupt, Truncated

BLOCK_BYTES_MIN = 1 << 22
"""A smaller block is unpacked in some 50 ms, and its index is up to 2 % of it; of one so large, half a percent."""


class Index(NamedTuple):
    """What there is of each thing."""

    lines: I64
    """Lines of each template."""
    literals: I64
    """Literals of each column whose codes are told; 0 for the others."""
    digits: I64
    """The most digits that a number of each column shows; 0 for columns of another kind, or equal to another."""


def pack_index(index: Index, kind: U8, told: Bools, equal: Bools) -> bytes:
    """The bytes of stream INDEX."""
    packed = bytearray()
    for number in (*index.lines.tolist(), *index.literals[told].tolist()):
        put_varint(packed, number)
    packed += index.digits[(kind == NUMBER) & ~equal].astype(np.uint8).tobytes()
    return bytes(packed)


def read_index(data: bytes, templates: int, kind: U8, told: Bools, equal: Bools) -> Index:
    """What a stream INDEX says. Raises Truncated or Corrupt if it is of other templates and columns."""
    lines, at = _numbers(data, 0, templates)
    literals = np.zeros(len(kind), np.int64)
    literals[told], at = _numbers(data, at, int(told.sum()))
    digits = np.zeros(len(kind), np.int64)
    numeric = (kind == NUMBER) & ~equal
    if len(data) - at != int(numeric.sum()):
        raise Corrupt(f"the index of a block has {len(data)} bytes, {at + int(numeric.sum())} were expected")
    digits[numeric] = np.frombuffer(data, np.uint8)[at:]
    return Index(lines, literals, digits)


def _numbers(data: bytes, at: int, count: int) -> tuple[I64, int]:
    if at + count > len(data):
        raise Truncated(f"the index of a block ends after {len(data)} bytes")
    found = []
    for _ in range(count):
        number, at = get_varint(data, at)
        if number >= 1 << 32:
            raise Corrupt(f"the index of a block says that there are {number} of something")
        found.append(number)
    return np.array(found, np.int64), at
