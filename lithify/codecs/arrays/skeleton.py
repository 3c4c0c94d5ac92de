"""Bytes that are no values, kept by the general coder that makes them smallest."""

from lithify.codecs.codec import Effort
from lithify.codecs.raw.block import BlockCodec
from lithify.codecs.raw.brotli import Brotli
from lithify.codecs.raw.ppmd import Ppmd
from lithify.codecs.raw.xz import Xz
from lithify.codecs.raw.zstd import Zstd
from lithify.errors import Corrupt

STORED, ZSTD, BROTLI, XZ, PPMD = range(5)
METHODS: dict[int, type[BlockCodec]] = {ZSTD: Zstd, BROTLI: Brotli, XZ: Xz, PPMD: Ppmd}
_TRIED: dict[Effort, tuple[int, ...]] = {"fast": (ZSTD,), "default": (ZSTD, XZ, PPMD), "max": (ZSTD, BROTLI, XZ, PPMD)}


def pack(data: bytes, effort: Effort) -> tuple[int, bytes]:
    """The number of the method that makes `data` smallest, and what it makes of it."""
    found = [(STORED, data)]
    if data:
        for method in _TRIED[effort]:
            codec = METHODS[method]
            found.append((method, codec(codec.params_for(effort, len(data))).encode_block(data)))
    return min(found, key=lambda one: len(one[1]))


def unpack(method: int, packed: bytes, length: int) -> bytes:
    """The `length` bytes that `pack` was given; `length` was compared with what may be asked for."""
    if method == STORED or not length:
        if method != STORED or len(packed) != length:
            raise Corrupt(f"{len(packed)} bytes kept by method {method} where {length} were expected")
        return packed
    if method not in METHODS:
        raise Corrupt(f"general method {method} does not exist")
    return METHODS[method]().decode(packed, shared=b"", length=length)
