"""PPMd variant H: the densest classical coder for text and many logs; decoding is as slow as encoding.

The library is used with care, for what its 1.3.1 does: an encoder call that fills its first output buffer of 32 KiB
drops bytes now and then; an encoder keeps a reference to every buffer it was given; a decoder that runs out of input
leaves a thread waiting, which may run on over freed memory when the decoder is dropped; bytes that cannot begin a
stream end in SystemError.
"""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, cast

import pyppmd

from lithify.codecs.codec import Buffer, Effort, Facts, Format, Params
from lithify.codecs.raw.block import CHUNK_BYTES, BlockCodec, BlockParams, Trial
from lithify.errors import Corrupt, LimitExceeded, Truncated
from lithify.limits import KIB, PPMD_MEMORY_BYTES_MAX

ORDERS: dict[Effort, int] = {"fast": 8, "default": 16, "max": 16}
ORDERS_SEARCHED = (6, 16, 32)  # pictures and prose like low orders, records and source code high ones
_ORDER_MIN, _ORDER_MAX = 2, 64  # of PPMd itself
_AS_IT_IS = 0  # in place of the order: the block follows uncompressed
_MEMORY_LOG_MIN = 11  # 2 KiB, of PPMd itself
_MEMORY_LOG_MAX = PPMD_MEMORY_BYTES_MAX.bit_length() - 1
# When the model's memory runs out it starts over, knowing nothing. Measured at order 16: blocks of 8 KB need 64 bytes
# per byte (32 cost 0.7 %, 16 cost 18 %, 8 cost 37 %), of 512 KB 32 (16 cost 2 %), of 8 MB 16 (0 to 1.5 %, on prose).
_MEMORY_PER_BYTE_MAX = 64
_MEMORY_PER_BYTE_MIN = 16
_MEMORY_ENOUGH_BYTES = 64 * KIB * KIB
_MEMORY_FLOOR_BYTES = 256 * KIB  # what any block may have; order 16 on 500 bytes still wants 128 KiB

_ENCODE_BYTES = 8 * KIB  # per call, so that a call's output stays far below the 32 KiB where bytes get lost
_ENCODE_OUTPUT_BYTES_MAX = 32 * KIB - 1
_STREAM_HEAD = b"\0"  # the range coder's first byte is always zero and is not stored
_NEVER_A_STREAM = b"\xff\xff\xff\xff"
_SLACK = bytes(8)  # a right stream never needs it; a wrong one that does has overrun its end
_DRAIN = bytes(4 * KIB)  # one symbol takes at most 2 bytes for each of its up to 65 contexts


@dataclass(frozen=True)
class PpmdParams(BlockParams):
    """`order` is how many bytes of context predict the next; `search` tries several and keeps the best per block."""

    order: int = ORDERS["default"]
    search: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if not _ORDER_MIN <= self.order <= _ORDER_MAX:
            raise LimitExceeded(f"{self!r} is outside order {_ORDER_MIN} to {_ORDER_MAX}")


class Ppmd(BlockCodec):
    """A payload is the order, the logarithm of the model's memory, and the range coder's stream."""

    facts: ClassVar[Facts] = Facts(
        family="raw",
        name="ppmd",
        format=Format(0x0104, 1, 0),
        papers=("Shkarin, PPM: one step to practicality, DCC 2002",),
    )
    params_type: ClassVar[type[Params]] = PpmdParams
    trials: ClassVar[dict[Effort, Trial]] = {"max": Trial(PpmdParams(), times_slower=3.2, times_denser=1.03)}

    @classmethod
    def params_for(cls, effort: Effort, length: int) -> PpmdParams:
        chunk_bytes = min(CHUNK_BYTES[effort], PPMD_MEMORY_BYTES_MAX // _MEMORY_PER_BYTE_MIN)
        return PpmdParams(chunk_bytes=chunk_bytes, order=ORDERS[effort], search=effort == "max")

    def encode_block(self, block: Buffer) -> bytes:
        params = cast("PpmdParams", self.params)
        memory_log = _memory_log(len(block))
        payloads = [bytes([_AS_IT_IS]) + block]
        for order in ORDERS_SEARCHED if params.search else (params.order,):
            stream = _compress(block, order, 1 << memory_log)
            if stream is not None:
                payloads.append(bytes([order, memory_log]) + stream)
        return min(payloads, key=len)

    def peak_memory_bytes(self, block_bytes: int) -> int:
        return (1 << _memory_log(block_bytes)) + 4 * block_bytes + KIB * KIB

    def decode(self, payload: bytes, *, shared: bytes, length: int) -> bytes:
        if shared:
            raise Corrupt(f"PPMd has no use for {len(shared)} shared bytes")
        if len(payload) < 2:
            raise Truncated(f"PPMd payload has {len(payload)} bytes, the shortest has 2")
        order, memory_log = payload[:2]
        if order == _AS_IT_IS:
            return _same_length(payload[1:], length)
        if not _ORDER_MIN <= order <= _ORDER_MAX or memory_log < _MEMORY_LOG_MIN:
            raise Corrupt(f"PPMd payload asks for order {order} and 2^{memory_log} bytes, which PPMd does not have")
        if memory_log > _clamped_log(_memory_bytes_max(length)):
            raise LimitExceeded(f"PPMd payload asks for 2^{memory_log} bytes of memory to decode {length}")
        return _same_length(_decompress(payload[2:], order, 1 << memory_log, length), length)


def _memory_log(block_bytes: int) -> int:
    """What the encoder takes: generous for short blocks, thrifty for long ones."""
    generous = min(_memory_bytes_max(block_bytes), _MEMORY_ENOUGH_BYTES)
    return _clamped_log(max(generous, block_bytes * _MEMORY_PER_BYTE_MIN))


def _memory_bytes_max(block_bytes: int) -> int:
    """What a decoder grants a block of this length."""
    return max(block_bytes * _MEMORY_PER_BYTE_MAX, _MEMORY_FLOOR_BYTES)


def _clamped_log(memory_bytes: int) -> int:
    return min(max((memory_bytes - 1).bit_length(), _MEMORY_LOG_MIN), _MEMORY_LOG_MAX)


def _same_length(data: bytes, length: int) -> bytes:
    if len(data) != length:
        raise Corrupt(f"PPMd payload gives {len(data)} bytes, the chunk table says {length}")
    return data


# --- the library, fenced in ---------------------------------------------------------------------------

_windows = threading.local()


def _slices(block: Buffer) -> Iterator[bytearray | memoryview]:
    """The block in short pieces, all through one buffer per thread: the library never lets go of a buffer."""
    if not hasattr(_windows, "bytes"):
        _windows.bytes = bytearray(_ENCODE_BYTES)
    window: bytearray = _windows.bytes
    view = memoryview(window)
    for start in range(0, len(block), _ENCODE_BYTES):
        piece = block[start : start + _ENCODE_BYTES]
        view[: len(piece)] = piece
        yield window if len(piece) == len(window) else view[: len(piece)]


def _compress(block: Buffer, order: int, memory_bytes: int) -> bytes | None:
    """The stream without its head, or None if the library may have lost a byte of it."""
    encoder = pyppmd.Ppmd7Encoder(order, memory_bytes)
    pieces = [encoder.encode(piece) for piece in _slices(block)]
    pieces.append(encoder.flush())
    if max(len(piece) for piece in pieces) > _ENCODE_OUTPUT_BYTES_MAX:
        return None
    stream = b"".join(pieces)
    assert stream.startswith(_STREAM_HEAD), "the range coder's first byte is zero"
    return stream[len(_STREAM_HEAD) :]


def _decompress(stream: bytes, order: int, memory_bytes: int, length: int) -> bytes:
    if stream.startswith(_NEVER_A_STREAM):
        raise Corrupt("PPMd stream begins with four bytes that no encoder writes")
    decoder = pyppmd.Ppmd7Decoder(order, memory_bytes)
    try:
        data: bytes = decoder.decode(_STREAM_HEAD + stream + _SLACK, length)
        if len(data) < length and not decoder.unused_data:
            decoder.decode(_DRAIN, 1)  # the waiting thread gets what it waits for, and ends
    except ValueError as error:
        raise Corrupt(f"PPMd: {error}") from error
    return data
