"""A cheap look at what an original has inside, and what that may win."""

import lzma
import zlib

from lithify import limits
from lithify.codecs.codec import Estimate
from lithify.codecs.media.containers.find import Found, Walk
from lithify.codecs.media.containers.tar import is_tar
from lithify.codecs.media.deflate.inflate import measure
from lithify.codecs.raw.ppmd import Ppmd

_TASTED_BYTES, _STREAM_BYTES = 128 * limits.KIB, 32 * limits.KIB
_TAR_PIECES = 6
"""From all over a tar file, for its members differ."""
_SHARE_MIN = 0.02
_CUT_BYTES = 64
"""A stream that ends so near to the end of the sample was cut there."""
_SURE_BYTES = 16 * limits.KIB
"""What inflates for so long is a stream, that goes on where the sample does not."""
_IMAGE_RATIO, _REST_RATIO, _MEMBER_RATIO = 1.15, 1.1, 1.15
_ENCODE_BYTES_PER_SECOND, _DECODE_BYTES_PER_SECOND = 0.5e6, 2e6
_PEAK_BYTES = 512 * limits.MIB
_PEAK_BYTES_PER_BYTE = 24


class _Glance(Walk):
    """The walk of the encoder, opening nothing but a taste."""

    def __init__(self, sample: bytes) -> None:
        super().__init__(sample, limits.OPENED_BYTES_MAX)
        self.streams = 0
        self.plain: list[bytes] = []
        self.packed = 0

    def stream(self, start: int, on: int, trailers: tuple[int, ...]) -> tuple[Found | None, int]:
        measured = measure(self.data, start, plain_max=self.plain_left)
        inflated = measured.end - start
        if not measured.whole and inflated < _SURE_BYTES and measured.end < len(self.data) - _CUT_BYTES:
            self.garbage_left -= measured.end - start
            return None, on
        end = measured.end if measured.whole else len(self.data)
        self.streams += end - start
        if sum(map(len, self.plain)) < _TASTED_BYTES:
            self._taste(self.data[start:end])
        return Found(start, end), end

    def _taste(self, stream: bytes) -> None:
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            plain = inflater.decompress(stream, _STREAM_BYTES)
        except zlib.error:
            return  # cut, and nothing like a stream
        self.plain.append(plain)
        self.packed += len(stream) - len(inflater.unconsumed_tail) - len(inflater.unused_data)

    def denser(self) -> float:
        """How much smaller than deflate made it what was tasted becomes."""
        plain = b"".join(self.plain)
        if not plain:
            return 1.0
        return self.packed / _packed_bytes(plain)


def _packed_bytes(plain: bytes) -> int:
    """What general codecs make of it, about."""
    by_ppmd = len(Ppmd(Ppmd.params_for("fast", len(plain))).encode_block(plain))
    by_xz = len(lzma.compress(plain, lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA2, "preset": 4}]))
    return min(by_ppmd, by_xz)


def estimate(sample: bytes, length: int) -> Estimate | None:
    """What opening an original of `length` bytes may win; None: nothing."""
    if is_tar(sample):
        return _of_tar(sample, length)
    glance = _Glance(sample)
    images = sum(found.end - found.start for found in glance.found()) - glance.streams
    if not sample or glance.streams + images < _SHARE_MIN * len(sample):
        return None
    rest = len(sample) - glance.streams - images
    smaller = glance.streams / glance.denser() + images / _IMAGE_RATIO + rest / _REST_RATIO
    return _estimate(len(sample) / max(smaller, 1.0), len(sample), length)


def _of_tar(sample: bytes, length: int) -> Estimate:
    """Members, each by the codec made for it, are smaller than all of them by a general one."""
    piece = -(-_TASTED_BYTES // _TAR_PIECES)
    last = max(0, len(sample) - piece)
    places = dict.fromkeys(last * number // (_TAR_PIECES - 1) for number in range(_TAR_PIECES))
    plain = b"".join(sample[at : at + piece] for at in places)
    return _estimate(_MEMBER_RATIO * len(plain) / _packed_bytes(plain), len(sample), length)


def _estimate(ratio: float, seen: int, length: int) -> Estimate:
    return Estimate(
        ratio=ratio,
        encode_bytes_per_second=_ENCODE_BYTES_PER_SECOND,
        decode_bytes_per_second=_DECODE_BYTES_PER_SECOND,
        peak_memory_bytes=_PEAK_BYTES + _PEAK_BYTES_PER_BYTE * min(length, limits.PART_BYTES),
        confidence=0.2 + 0.5 * min(1.0, seen / length),
    )
