"""zstd with a dictionary: a text that the decoder has too, taken as it is (RFC 8878, section 5, raw content)."""

from functools import lru_cache

import zstandard

from lithify import limits
from lithify.codecs.codec import Buffer
from lithify.errors import Corrupt, LimitExceeded

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
    try:
        header = zstandard.get_frame_parameters(payload)
        if header.content_size != length:
            raise Corrupt(f"zstd frame holds {header.content_size} bytes, {length} were expected")
        if header.window_size > limits.CHUNK_BYTES_MAX:
            raise LimitExceeded(f"zstd frame wants a window of {header.window_size}, over {limits.CHUNK_BYTES_MAX}")
        reader = zstandard.ZstdDecompressor(dict_data=_dictionary(dictionary), max_window_size=limits.CHUNK_BYTES_MAX)
        return reader.decompress(payload, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise Corrupt(f"zstd: {error}") from error


def _window_log(length: int) -> int:
    return min(max(length.bit_length(), 10), limits.CHUNK_BYTES_MAX.bit_length() - 1)


@lru_cache(maxsize=16)
def _dictionary(text: bytes) -> zstandard.ZstdCompressionDict:
    return zstandard.ZstdCompressionDict(text, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
