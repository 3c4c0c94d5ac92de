"""Signs that something deflated lies in an original, told without the kernels that opening it takes."""

import re
import zlib

from lithify.codecs.media.containers.tar import is_tar

_SIGNS = re.compile(rb"PK\x03\x04|\x1f\x8b\x08|%PDF-|\x78[\x01\x5e\x9c\xda]")
_ZLIB = 0x78
_TASTE_BYTES = 4096
_PLAIN_BYTES_MIN = 64
_TRIES_MAX = 256
_PNG = b"\x89PNG\r\n\x1a\n"
_IMAGE_DATA, _ANIMATED = b"IDAT", b"acTL"


def is_still_png(sample: bytes) -> bool:
    """Whether this is a PNG of one picture: another codec is made for its stream, which lies in chunks at that."""
    return sample.startswith(_PNG) and _ANIMATED not in sample.partition(_IMAGE_DATA)[0]


def may_hold_streams(sample: bytes) -> bool:
    """Whether there may be something in `sample` to open; two bytes that look like a stream have to inflate."""
    if is_still_png(sample):
        return False
    if is_tar(sample):
        return True
    for number, sign in enumerate(_SIGNS.finditer(sample)):
        if sign[0][0] != _ZLIB or number == _TRIES_MAX or _inflates(sample, sign.end()):
            return True
    return False


def _inflates(sample: bytes, at: int) -> bool:
    try:
        plain = zlib.decompressobj(-zlib.MAX_WBITS).decompress(sample[at : at + _TASTE_BYTES], _TASTE_BYTES)
    except zlib.error:
        return False
    return len(plain) >= _PLAIN_BYTES_MIN
