"""zstd with a dictionary: a text that the decoder has too, taken as it is (RFC 8878, section 5, raw content)."""

from functools import lru_cache

import zstandard

from lithify import limits
from lithify.codecs.codec import Buffer
from lithify.codecs.raw.zstd import unpacked

PRIMED_BYTES_MAX = limits.MIB
"""Longer texts are not packed with a dictionary: they have learnt as much from themselves."""
_LEVEL = 19


def pack_primed(data: Buffer, dictionary: bytes) -> bytes:
    """zstd with a text as dictionary."""
    settings = zstandard.ZstdCompressionParameters.from_level(
        _LEVEL,
        source_size=len(data),
        window_log=_window_log(len(data) + len(dictionary)),
        write_content_size=True,
        write_checksum=False,
        write_dict_id=False,
    )
    return zstandard.ZstdCompressor(dict_data=_dictionary(dictionary), compression_params=settings).compress(data)


def unpack_primed(payload: bytes, dictionary: bytes, length: int) -> bytes:
    """The inverse. Raises Corrupt or LimitExceeded."""
    return unpacked(payload, _dictionary(dictionary), length)


def _window_log(length: int) -> int:
    return min(max(length.bit_length(), 10), limits.CHUNK_BYTES_MAX.bit_length() - 1)


@lru_cache(maxsize=16)
def _dictionary(text: bytes) -> zstandard.ZstdCompressionDict:
    return zstandard.ZstdCompressionDict(text, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
