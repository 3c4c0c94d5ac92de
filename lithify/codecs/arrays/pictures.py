"""The whole numbers of a block as pictures in JPEG XL, nothing lost: of some noisy fields it sees more.

Lossless JPEG XL is decoded in whole numbers, bit for bit by its specification. A frame is a codestream of its own.
"""

import numpy as np

from lithify.codecs.array_types import I32, Bools
from lithify.codecs.arrays.wire import Reader, varint, zigzag
from lithify.codecs.media.jxl_size import jxl_size
from lithify.codecs.media.pictures import JXL, Shape, decode_picture, encode_picture
from lithify.codecs.reasons import give_reason
from lithify.errors import Corrupt, MissingExtra

_SPAN_MAX = (1 << 16) - 1
_LEAST_MAX = (1 << 29) - 1
_PIECE_BYTES_MAX = 1 << 26


def encode_pictures(numbers: I32, valid: Bools) -> bytes | None:
    """The frames behind the least number; what is not valid may come back as anything. None: not as pictures."""
    if not valid.any():
        return None
    least, most = int(numbers[valid].min()), int(numbers[valid].max())
    if most - least > _SPAN_MAX:
        return None
    if not can_be_pictured():
        give_reason("JPEG XL was not tried: imagecodecs is not installed: pip install 'lithify[arrays]'")
        return None
    shifted = np.where(valid, numbers - least, 0).astype(np.uint16)
    packed = [encode_picture(frame[:, :, np.newaxis], "max", (JXL,)) for frame in shifted]
    if any(coder != JXL for coder, _ in packed):
        return None
    return varint(zigzag(least)) + b"".join(varint(len(one)) + one for _, one in packed)


def decode_pictures(stream: bytes, shape: tuple[int, int, int]) -> I32:
    """The numbers. Raises Truncated, Corrupt or LimitExceeded, and MissingExtra where no decoder is installed."""
    if not can_be_pictured():
        raise MissingExtra("numbers in JPEG XL need imagecodecs: pip install 'lithify[arrays]'")
    reader = Reader(stream)
    least = reader.signed(_LEAST_MAX)
    numbers = np.zeros(shape, np.int32)
    expected = Shape(shape[1], shape[2], channels=1, octets=2)
    for frame in numbers:
        packed = reader.take(reader.varint(_PIECE_BYTES_MAX))
        width, height = jxl_size(packed)
        if (height, width) != frame.shape:
            raise Corrupt(f"array payload: a picture of {(height, width)} for a frame of {frame.shape}")
        frame[...] = decode_picture(JXL, packed, expected)[:, :, 0].astype(np.int32) + least
    reader.end()
    return numbers


def can_be_pictured() -> bool:
    """Whether the library is there."""
    from importlib.util import find_spec

    return find_spec("imagecodecs") is not None
