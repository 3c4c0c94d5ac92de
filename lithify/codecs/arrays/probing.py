"""What the codec will make of a file, from its first bytes: its header is read, and some of its values are encoded."""

import time
from dataclasses import replace
from math import inf

from lithify import limits
from lithify.codecs.arrays.containers.find import container_of, left_in, streams_in, variables_in
from lithify.codecs.arrays.containers.variable import Variable
from lithify.codecs.arrays.extents import Extent
from lithify.codecs.arrays.pieces import LONG_PIECE_BYTES
from lithify.codecs.arrays.skeleton import pack
from lithify.codecs.arrays.values import decode_values, encode_values
from lithify.codecs.codec import Effort, Estimate
from lithify.codecs.raw.block import taste

_PEAK_BYTES = 384 * limits.MIB
_PEAK_BYTES_PER_BYTE = 24
_TAUGHT_BYTES: dict[Effort, int] = {"fast": 0, "default": 0, "max": 160 * limits.MIB}
"""What a network is taught by."""
_TASTE_BYTES = 128 * limits.KIB
_UNSEEN_DENSER = 1.3  # than a general coder, where the places of values are not in the sample
_UNSEEN_BYTES_PER_SECOND = 4e6
_MOST_BYTES_PER_SECOND: dict[Effort, float] = {"fast": inf, "default": inf, "max": 1e5}
_RATIO_MAX = 10_000.0


def estimate(sample: bytes, length: int, effort: Effort) -> Estimate | None:
    """What is predicted for a file of `length` bytes; None if it is none of ours."""
    if not sample or container_of(sample) is None:
        return None
    piece = sample if len(sample) == length else sample[: limits.PROBE_BYTES // 3]
    seen = variables_in(piece, length)
    largest = max(seen, key=lambda one: one.extent.stored_bytes, default=None)
    if largest is None:
        told = len(sample) != length or streams_in(piece) or left_in(piece)
        return _unseen(sample, length, effort) if told else None
    return _measured(sample, piece, largest, length, effort)


def _measured(sample: bytes, piece: bytes, largest: Variable, length: int, effort: Effort) -> Estimate:
    extent = _shrunk(largest.extent, len(piece))
    if extent is None:
        return _unseen(sample, length, effort)
    values = extent.gather(piece)
    started = time.perf_counter()
    # Networks are taught for the whole, not for a look at its beginning.
    quickly: Effort = "default" if effort == "max" else effort
    packed = encode_values(values, bound=None, effort=quickly, fills=largest.own_fills)
    encoded = time.perf_counter()
    decode_values(packed, values.shape, values.dtype)
    decoded = time.perf_counter()
    share, general = largest.extent.stored_bytes / length, _general_ratio(sample, effort)
    ratio = 1 / (share * (len(packed) + 1) / extent.stored_bytes + (1 - share) / general)
    return Estimate(
        ratio=min(max(ratio, general), _RATIO_MAX),
        encode_bytes_per_second=min(extent.stored_bytes / (decoded - started), _MOST_BYTES_PER_SECOND[effort]),
        decode_bytes_per_second=extent.stored_bytes / (decoded - encoded),
        peak_memory_bytes=_peak(length, effort),
        confidence=0.5,
    )


def _unseen(sample: bytes, length: int, effort: Effort) -> Estimate:
    return Estimate(
        ratio=min(_general_ratio(sample, effort) * _UNSEEN_DENSER, _RATIO_MAX),
        encode_bytes_per_second=min(_UNSEEN_BYTES_PER_SECOND, _MOST_BYTES_PER_SECOND[effort]),
        decode_bytes_per_second=_UNSEEN_BYTES_PER_SECOND,
        peak_memory_bytes=_peak(length, effort),
        confidence=0.2,
    )


def _general_ratio(sample: bytes, effort: Effort) -> float:
    """What the best general coder makes of pieces: no file becomes larger than by that, for it is in the race."""
    pieces = taste(sample)
    return len(pieces) / (1 + len(pack(pieces, effort)[1]))


def _peak(length: int, effort: Effort) -> int:
    return _PEAK_BYTES + _TAUGHT_BYTES[effort] + _PEAK_BYTES_PER_BYTE * min(length, LONG_PIECE_BYTES)


def _shrunk(extent: Extent, length: int) -> Extent | None:
    """The begin of the first tile, as much of it as lies in `length` bytes and is enough to judge by."""
    tile = list(extent.tile)
    for axis in range(len(tile)):
        while tile[axis] > 1 and not _fits(replace(extent, tile=tuple(tile)), length):
            tile[axis] = -(-tile[axis] // 2)
    found = replace(extent, tile=tuple(tile), grid=(1,) * len(tile), offsets=extent.offsets[:1])
    return found if _fits(found, length) and found.stored_bytes >= 1024 else None


def _fits(extent: Extent, length: int) -> bool:
    return extent.tile_bytes <= _TASTE_BYTES and extent.offsets[0] + extent.reach <= length
