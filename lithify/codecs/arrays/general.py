"""A block as bytes: what no grid of integers was found for, by the general coders, with and without shuffled bytes."""

from math import prod

import numpy as np

from lithify.codecs.codec import Effort
from lithify.codecs.raw.xz import Xz
from lithify.codecs.raw.zstd import Zstd
from lithify.errors import Corrupt, Truncated

STORED, ZSTD, SHUFFLED_ZSTD, XZ, SHUFFLED_XZ = range(5)
METHODS = range(5)
_SHUFFLED = {SHUFFLED_ZSTD, SHUFFLED_XZ}


def encode_general(values: np.ndarray, effort: Effort) -> bytes:
    """The smallest of the general forms of a block of at least one value: its method and the rest."""
    plain = values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes()
    width = values.dtype.itemsize
    planes = shuffled(plain, width)
    forms = [bytes([STORED]) + plain]
    zstd = Zstd(Zstd.params_for(effort, len(plain)))
    forms.append(bytes([SHUFFLED_ZSTD]) + zstd.encode_block(planes))
    if effort != "fast":
        forms.append(bytes([ZSTD]) + zstd.encode_block(plain))
        xz = Xz(Xz.params_for(effort, len(plain)))
        forms.append(bytes([SHUFFLED_XZ]) + xz.encode_block(planes))
        forms.append(bytes([XZ]) + xz.encode_block(plain))
    return min(forms, key=len)


def decode_general(method: int, body: bytes, shape: tuple[int, int, int], dtype: np.dtype) -> np.ndarray:
    """The block. Raises Truncated or Corrupt."""
    length = prod(shape) * dtype.itemsize
    if method == STORED:
        if len(body) != length:
            kind = Truncated if len(body) < length else Corrupt
            raise kind(f"array payload: a stored block has {len(body)} bytes, {length} were expected")
        plain = body
    elif method in (ZSTD, SHUFFLED_ZSTD):
        plain = Zstd().decode(body, shared=b"", length=length)
    else:
        plain = Xz().decode(body, shared=b"", length=length)
    if method in _SHUFFLED:
        plain = unshuffled(plain, dtype.itemsize)
    return np.frombuffer(plain, dtype.newbyteorder("<")).astype(dtype).reshape(shape)


def shuffled(data: bytes, width: int) -> bytes:
    """All first bytes, then all second ones, and so on."""
    return np.frombuffer(data, np.uint8).reshape(-1, width).T.tobytes()


def unshuffled(data: bytes, width: int, count: int | None = None) -> bytes:
    """The same as it was, or the first `count` numbers of it."""
    return np.frombuffer(data, np.uint8).reshape(width, -1)[:, :count].T.tobytes()
