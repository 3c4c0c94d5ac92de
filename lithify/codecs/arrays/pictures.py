"""The whole numbers of a block as pictures in JPEG XL, nothing lost: of some noisy fields it sees more.

Lossless JPEG XL is decoded in whole numbers, bit for bit by its specification. A frame is a codestream of its own.
"""

from typing import Any

import numpy as np

from lithify.codecs.array_types import I32, Bools
from lithify.codecs.arrays.wire import Reader, varint, zigzag
from lithify.codecs.media.fence import fenced, fenced_or_none
from lithify.errors import Corrupt, MissingExtra

_EFFORT = 7
_SPAN_MAX = (1 << 16) - 1
_LEAST_MAX = (1 << 29) - 1
_PIECE_BYTES_MAX = 1 << 26


def encode_pictures(numbers: I32, valid: Bools) -> bytes | None:
    """The frames behind the least number; what is not valid may come back as anything. None: not as pictures."""
    if not valid.any() or not can_be_pictured():
        return None
    least, most = int(numbers[valid].min()), int(numbers[valid].max())
    if most - least > _SPAN_MAX:
        return None
    shifted = np.where(valid, numbers - least, 0).astype(np.uint16)
    packed = fenced_or_none(lambda: [_encode(frame) for frame in shifted])
    if packed is None:
        return None
    told = varint(zigzag(least)) + b"".join(varint(len(one)) + one for one in packed)
    try:
        again = decode_pictures(told, (numbers.shape[0], numbers.shape[1], numbers.shape[2]))
    except Corrupt:
        return None
    return told if np.array_equal(again[valid], numbers[valid]) else None


def decode_pictures(stream: bytes, shape: tuple[int, int, int]) -> I32:
    """The numbers. Raises Truncated or Corrupt, and MissingExtra where no decoder is installed."""
    if not can_be_pictured():
        raise MissingExtra("numbers in JPEG XL need imagecodecs: pip install 'lithify[arrays]'")
    reader = Reader(stream)
    least = reader.signed(_LEAST_MAX)
    numbers = np.zeros(shape, np.int32)
    for frame in numbers:
        packed = reader.take(reader.varint(_PIECE_BYTES_MAX))
        found = fenced("JPEG XL", lambda packed=packed: _decode(packed))  # type: ignore[misc]
        if found.shape != frame.shape or found.dtype != np.uint16:
            raise Corrupt(f"array payload: a picture of {found.shape} and {found.dtype} for a frame of {frame.shape}")
        frame[...] = found.astype(np.int32) + least
    reader.end()
    return numbers


def can_be_pictured() -> bool:
    """Whether the library is there."""
    from importlib.util import find_spec

    return find_spec("imagecodecs") is not None


def _encode(frame: Any) -> bytes:
    import imagecodecs

    return bytes(imagecodecs.jpegxl_encode(frame, lossless=True, effort=_EFFORT, numthreads=1))


def _decode(packed: bytes) -> Any:
    import imagecodecs

    return np.asarray(imagecodecs.jpegxl_decode(packed, numthreads=1))
