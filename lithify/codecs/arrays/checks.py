"""Checksums of what of a payload can be read alone: its head, and of each array the head and each block.

They are of stored bytes. Whoever decodes a whole chunk has better ones: those of the frame, of decoded bytes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np
from xxhash import xxh3_64_intdigest

from lithify.codecs.arrays.block import Coding
from lithify.codecs.arrays.cube import BLOCKS_MAX, Cube, Shape, cube_count
from lithify.codecs.arrays.plan import read_header
from lithify.codecs.arrays.wire import Reader, varint
from lithify.codecs.codec import Buffer
from lithify.errors import Corrupt, Truncated

CHECK_BYTES = 4
_LENGTH_MAX = 1 << 40
_WHOLE = 2
"""Bounds of an array of a single block, which is read whole."""


@dataclass(frozen=True, slots=True)
class Checks:
    """Of one array.

    head_bytes  how many bytes of its payload are before its first block; all of them, if it has no other
    head        the checksum of those
    blocks      those of its blocks, if it has several
    """

    head_bytes: int
    head: int
    blocks: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ArrayHead:
    """What is before the first block of an array, read.

    bounds  where each block begins in the payload, and where the last ends
    """

    cube: Cube
    coding: Coding
    bounds: tuple[int, ...]


def check_of(data: Buffer) -> int:
    """The low half of XXH3."""
    return int(xxh3_64_intdigest(data)) & 0xFFFFFFFF


def compare(data: Buffer, check: int, what: str) -> None:
    """Raise Corrupt unless `data` have this checksum."""
    if (found := check_of(data)) != check:
        raise Corrupt(f"{what} has checksum {found:08x}, the payload says {check:08x}")


def read_head(payload: bytes, shape: Shape, dtype: np.dtype[np.generic]) -> ArrayHead:
    """Of a payload, or of its first bytes. Raises Truncated, Corrupt or LimitExceeded."""
    reader = Reader(payload)
    cube, coding = read_header(reader, shape, dtype)
    count = cube_count(cube)
    if count > reader.left:
        raise Truncated(f"array payload: {count} blocks, and {reader.left} bytes for their lengths")
    lengths = [reader.varint(_LENGTH_MAX) for _ in range(count)]
    return ArrayHead(cube, coding, tuple(accumulate(lengths, initial=len(payload) - reader.left)))


def checks_of(payload: bytes, shape: Shape, dtype: np.dtype[np.generic]) -> Checks:
    """Of the payload of one array."""
    bounds = read_head(payload, shape, dtype).bounds
    if len(bounds) <= _WHOLE:
        return Checks(len(payload), check_of(payload), ())
    blocks = tuple(check_of(payload[at:end]) for at, end in pairwise(bounds))
    return Checks(bounds[0], check_of(payload[: bounds[0]]), blocks)


def pack_checks(checks: Iterable[Checks]) -> bytes:
    """As FORMAT.md has them."""
    return b"".join(
        varint(len(one.blocks))
        + (varint(one.head_bytes) if one.blocks else b"")
        + b"".join(map(_number, (one.head, *one.blocks)))
        for one in checks
    )


def parse_checks(data: bytes, payload_bytes: Sequence[int]) -> tuple[Checks, ...]:
    """Of arrays whose payloads have these lengths. Raises Truncated or Corrupt."""
    reader = Reader(data)
    found = []
    for length in payload_bytes:
        count = reader.varint(BLOCKS_MAX)
        head_bytes = reader.varint(length) if count else length
        numbers = np.frombuffer(reader.take(CHECK_BYTES * (1 + count)), "<u4").tolist()
        found.append(Checks(head_bytes, numbers[0], tuple(numbers[1:])))
    reader.end()
    return tuple(found)


def _number(check: int) -> bytes:
    return check.to_bytes(CHECK_BYTES, "little")
