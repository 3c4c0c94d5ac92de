"""Bytes that are no samples, by whichever codec of the raw family makes them smallest; the first byte says which."""

from lithify import limits
from lithify.codecs.codec import Codec, Effort
from lithify.codecs.inside import Inside
from lithify.codecs.raw.block import BlockCodec, taste
from lithify.codecs.raw.brotli import Brotli
from lithify.codecs.raw.ppmd import Ppmd
from lithify.codecs.raw.xz import Xz
from lithify.codecs.raw.zstd import Zstd
from lithify.errors import Corrupt, Truncated

STORED, ZSTD, BROTLI, XZ, PPMD = range(5)
"""First byte of a packed piece: the low byte of the codec's format number."""
METHODS = (ZSTD, BROTLI, XZ, PPMD)
_CODECS: dict[int, type[BlockCodec]] = {ZSTD: Zstd, BROTLI: Brotli, XZ: Xz, PPMD: Ppmd}
_TRIED: dict[Effort, tuple[int, ...]] = {
    "fast": (ZSTD,),
    "default": METHODS,
    "max": METHODS,
}
_ALL_BYTES = 128 * limits.KIB
"""Up to here everything is tried; of longer pieces a taste chooses the two that promise most."""
_HOPELESS = 1.01
"""What a taste does not make smaller by a hundredth is stored: it was compressed before."""


def pack(data: bytes, effort: Effort, methods: tuple[int, ...] = METHODS) -> bytes:
    """The smallest form that is found by one of `methods`, at most a byte longer than `data`."""
    packed = [bytes([STORED]) + data]
    for method in _worth_trying(data, effort):
        if method in methods:
            packed.append(bytes([method]) + _encoded(method, data, effort))
    return min(packed, key=len)


def unpack(packed: bytes, length: int) -> bytes:
    """The `length` bytes of a piece. Raises Truncated, Corrupt, LimitExceeded."""
    if not packed:
        raise Truncated("a packed piece has no bytes")
    method, body = packed[0], packed[1:]
    if method == STORED:
        if len(body) != length:
            raise Corrupt(f"a stored piece has {len(body)} bytes, {length} were expected")
        return body
    if method not in _CODECS:
        raise Corrupt(f"a piece is packed by method 0x{method:02x}, which does not exist")
    if not length:
        raise Corrupt("a piece of no bytes is packed by a method that keeps none")
    codec: Codec = _CODECS[method]()
    return codec.decode(body, shared=b"", length=length)


def name_of(packed: bytes) -> str:
    """The id of the codec that packed a piece; its number, where there is no such."""
    method = packed[0] if packed else STORED
    if method == STORED:
        return "raw.stored"
    return _CODECS[method].facts.id if method in _CODECS else f"0x{method:02x}"


def as_it_was(payload: bytes, length: int) -> list[Inside]:
    """What is told of a file that was not taken apart."""
    return [Inside("as it was", name_of(payload), length, len(payload))]


def _encoded(method: int, data: bytes, effort: Effort) -> bytes:
    codec = _CODECS[method]
    return codec(codec.params_for(effort, len(data))).encode_block(data)


def _worth_trying(data: bytes, effort: Effort) -> tuple[int, ...]:
    if not data:
        return ()
    methods = _TRIED[effort]
    if len(data) <= _ALL_BYTES:
        return methods
    piece = taste(data)
    tasted = {method: len(_encoded(method, piece, "fast" if effort == "fast" else "default")) for method in methods}
    hopeful = [method for method in methods if _HOPELESS * tasted[method] < len(piece)]
    return tuple(sorted(hopeful, key=tasted.__getitem__)[:2])
