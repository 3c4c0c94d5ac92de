"""The two ways of making a JPEG smaller without changing a bit of it: Lepton, and what JPEG XL does to JPEGs."""

import zlib
from collections.abc import Callable
from functools import partial

from lithify import limits
from lithify.codecs.media.fence import fenced, fenced_or_none
from lithify.codecs.media.jxl_size import jxl_size
from lithify.codecs.reasons import give_reason
from lithify.errors import Corrupt, LimitExceeded

LEPTON, JXL, RECODED = 1, 2, 3
CODER_NAMES = {LEPTON: "Lepton", JXL: "JPEG XL", RECODED: "coefficients"}
_LEPTON_MAGIC = b"\xcf\x84"
_LEPTON_HEAD_BYTES = 28
_LEPTON_HEADER_BYTES_MAX = limits.MIB
_FRAMES = frozenset({0xC0, 0xC1, 0xC2})
_SAMPLES_PER_BYTE_MAX = 512
"""A block of 64 samples takes at least a bit in the scan that begins it."""


def encode_jpeg(jpeg: bytes, coders: tuple[int, ...]) -> tuple[int, bytes] | None:
    """The smaller form of those that give it back, with the number of its coder; None: no coder can."""
    if len(jpeg) < _LEPTON_HEAD_BYTES or frame_samples(jpeg) > _samples_max(len(jpeg)):
        return None
    made = [(coder, fenced_or_none(partial(_ENCODERS[coder], jpeg))) for coder in coders]
    smallest_first = sorted(
        ((coder, packed) for coder, packed in made if packed is not None), key=lambda one: len(one[1])
    )
    return next((one for one in smallest_first if _gives_back(*one, jpeg)), None)


def decode_jpeg(coder: int, packed: bytes, length: int) -> bytes:
    """The `length` bytes of a JPEG. Raises Corrupt or LimitExceeded; its area is looked at before it is decoded."""
    if coder not in _DECODERS:
        raise Corrupt(f"a JPEG is kept by coder 0x{coder:02x}, which does not exist")
    samples = _SAMPLES[coder](packed, length)
    if samples > _samples_max(length):
        raise LimitExceeded(f"a JPEG of {length} bytes claims {samples} samples; at most {_samples_max(length)} can be")
    jpeg = fenced("a JPEG", partial(_DECODERS[coder], packed))
    if len(jpeg) != length:
        raise Corrupt(f"a JPEG has {len(jpeg)} bytes, {length} were expected")
    return jpeg


def frame_samples(jpeg: bytes) -> int:
    """How many samples the largest frame header in the segments of `jpeg` announces."""
    at, most = 2, 0
    while at + 9 < len(jpeg):
        marker, length = jpeg[at + 1], int.from_bytes(jpeg[at + 2 : at + 4], "big")
        if jpeg[at] != 0xFF or marker == 0xDA or length < 2:
            break
        if marker in _FRAMES:
            height, width = (int.from_bytes(jpeg[at + i : at + i + 2], "big") for i in (5, 7))
            most = max(most, height * width * jpeg[at + 9])
        at += 2 + length
    return most


def _samples_max(length: int) -> int:
    return min(limits.IMAGE_SAMPLES_MAX, _SAMPLES_PER_BYTE_MAX * length)


def _gives_back(coder: int, packed: bytes, jpeg: bytes) -> bool:
    try:
        back = decode_jpeg(coder, packed, len(jpeg)) == jpeg
    except (Corrupt, LimitExceeded):
        back = False
    if not back:
        give_reason(f"{CODER_NAMES[coder]} does not give back a JPEG of {len(jpeg)} bytes: another keeps it")
    return back


def _lepton_samples(packed: bytes, length: int) -> int:
    """What the JPEG's own header announces, which a Lepton stream holds packed by zlib."""
    if not packed.startswith(_LEPTON_MAGIC):
        raise Corrupt("a Lepton stream begins with other bytes than Lepton's")
    inflater = zlib.decompressobj()
    try:
        header = inflater.decompress(packed[_LEPTON_HEAD_BYTES:], min(length, _LEPTON_HEADER_BYTES_MAX) + 64)
    except zlib.error as error:
        raise Corrupt(f"the header of a Lepton stream: {error}") from error
    # Behind three letters and a length stand the JPEG's segments, without the SOI.
    return frame_samples(b"\xff\xd8" + header[7:])


def _jxl_samples(packed: bytes, length: int) -> int:
    width, height = jxl_size(packed)
    return width * height


def _lepton_encode(jpeg: bytes) -> bytes:
    import lepton_jpeg_python

    return bytes(lepton_jpeg_python.compress_bytes(jpeg))


def _lepton_decode(packed: bytes) -> bytes:
    import lepton_jpeg_python

    return bytes(lepton_jpeg_python.decompress_bytes(packed))


def _jxl_encode(jpeg: bytes) -> bytes:
    import imagecodecs

    return bytes(imagecodecs.jpegxl_encode_jpeg(jpeg, numthreads=1))


def _jxl_decode(packed: bytes) -> bytes:
    import imagecodecs

    return bytes(imagecodecs.jpegxl_decode_jpeg(packed, numthreads=1))


_ENCODERS: dict[int, Callable[[bytes], bytes]] = {LEPTON: _lepton_encode, JXL: _jxl_encode}
_DECODERS: dict[int, Callable[[bytes], bytes]] = {LEPTON: _lepton_decode, JXL: _jxl_decode}
_SAMPLES: dict[int, Callable[[bytes, int], int]] = {LEPTON: _lepton_samples, JXL: _jxl_samples}
