"""What four characters say of how the samples of a frame lie, in AVI, QuickTime and Matroska."""

from collections.abc import Callable

from lithify.codecs.media.video_planes import (
    PIXELS_OF_WORDS,
    SIDE_MAX,
    Layout,
    half_woven,
    in_words,
    planar,
    woven,
)
from lithify.codecs.reasons import give_reason

_Lay = Callable[[int, int], Layout]


def _halved(across: int, down: int, octets: int = 1) -> _Lay:
    """Three planes, the colours so many times smaller; 0: no colours."""

    def lay(rows: int, width: int) -> Layout:
        half = [(-(-rows // down), -(-width // across))] * 2 if across else []
        return planar([(rows, width), *half], octets)

    return lay


def _woven(luma: int, first: int, second: int) -> _Lay:
    return lambda rows, width: woven(rows, width, (luma, first, second))


def _half_woven(octets: int, down: int) -> _Lay:
    return lambda rows, width: half_woven(rows, width, octets, down=down)


_LAID: dict[bytes, _Lay] = {
    **dict.fromkeys((b"I420", b"IYUV", b"YV12", b"yv12"), _halved(2, 2)),
    **dict.fromkeys((b"Y42B", b"422P", b"YV16"), _halved(2, 1)),
    **dict.fromkeys((b"Y41B", b"411P"), _halved(4, 1)),
    **dict.fromkeys((b"444P", b"YV24"), _halved(1, 1)),
    **dict.fromkeys((b"Y800", b"Y8  ", b"GREY"), _halved(0, 0)),
    **dict.fromkeys((b"Y16 ", b"Y1\0\x10"), _halved(0, 0, 2)),
    **dict.fromkeys((b"NV12", b"NV21"), _half_woven(1, 2)),
    **dict.fromkeys((b"NV16", b"NV61"), _half_woven(1, 1)),
    **dict.fromkeys((b"P010", b"P016"), _half_woven(2, 2)),
    **dict.fromkeys((b"P210", b"P216"), _half_woven(2, 1)),
    **dict.fromkeys((b"YUY2", b"YUYV", b"yuvs", b"yuv2"), _woven(0, 1, 3)),
    **dict.fromkeys((b"UYVY", b"HDYC", b"2vuy"), _woven(1, 0, 2)),
}
for _bits in (9, 10, 12, 14, 16):
    _LAID |= {b"Y3\x0b" + bytes([_bits]): _halved(2, 2, 2), b"Y3\x0a" + bytes([_bits]): _halved(2, 1, 2)}
    _LAID |= {b"Y3\0" + bytes([_bits]): _halved(1, 1, 2), b"Y1\0" + bytes([_bits]): _halved(0, 0, 2)}

_WORDS = b"v210"
_WORDS_ROW_BYTES, _WORDS_ROW_PIXELS = 128, 48
_EVEN = frozenset({b"YUY2", b"YUYV", b"yuvs", b"yuv2", b"UYVY", b"HDYC", b"2vuy"})
_NOT_KNOWN = frozenset(
    {b"r210", b"R210", b"R10k", b"v410", b"v408", b"v308", b"v216", b"Y210", b"Y216", b"Y410", b"Y416", b"AYUV"}
) | {b"b48r", b"b64a", b"b16g", b"b32a", b"yuv4", b"cyuv", b"Y41P", b"YVU9", b"YUV9"}
_DEEP = (_halved(2, 2, 2), _halved(2, 1, 2), _halved(1, 1, 2), _halved(0, 0, 2))
_DEEP_MOST, _DEEP_LEAST = 0x0F, 0x40


def say_unknown(what: str) -> None:
    """Give the reason for leaving frames that are not compressed to others."""
    give_reason(f"frames of {what} are not compressed, but how their samples lie is not known here")


def is_size(rows: int, width: int) -> bool:
    """Whether a frame can be of this size."""
    return 0 < rows <= SIDE_MAX and 0 < width <= SIDE_MAX


def layout_by_code(code: bytes, rows: int, width: int) -> Layout | None:
    """The layout of frames of a code; None: they are compressed, or (with a reason) lie in a way that is not known."""
    if code == _WORDS:
        stride = -(-width // _WORDS_ROW_PIXELS) * _WORDS_ROW_BYTES
        return in_words(rows, stride // 16 * PIXELS_OF_WORDS)
    if code in _NOT_KNOWN:
        say_unknown(code.decode("ascii"))
        return None
    if code not in _LAID or (code in _EVEN and width % 2):
        return None
    return _LAID[code](rows, width)


def deep_layout(rows: int, width: int, frame_bytes: int, seen: bytes) -> Layout | None:
    """Planes of samples of two bytes, where a file does not say so but its first frame, as far as it is seen, looks it.

    Of samples of 9 to 12 bits the second bytes are low and the first ones not; of dark pictures of 8 bits both are low.
    """
    highest = [max(seen[number::2], default=0) for number in range(2)]
    if highest[1] > _DEEP_MOST or highest[0] < _DEEP_LEAST:
        return None
    found = (lay(rows, width) for lay in _DEEP)
    return next((layout for layout in found if layout.length == frame_bytes), None)
