"""How large a picture a JPEG XL stream announces: read from its first bits, before anything is decoded.

ISO/IEC 18181-1: an optional container of boxes, then the codestream's signature and its size header.
"""

from lithify.errors import Corrupt, Truncated

_CONTAINER = b"\0\0\0\x0cJXL \r\n\x87\n"
_SIGNATURE = b"\xff\x0a"
_BOXES_MAX = 64
_SIZES = (9, 13, 18, 30)
_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))


class _Bits:
    """Bits of a stream, the lowest of each byte first."""

    def __init__(self, data: bytes) -> None:
        self._value, self._left = int.from_bytes(data, "little"), 8 * len(data)

    def take(self, count: int) -> int:
        if count > self._left:
            raise Truncated("a JPEG XL stream ends in its size")
        self._left -= count
        value = self._value & ((1 << count) - 1)
        self._value >>= count
        return value


def jxl_size(stream: bytes) -> tuple[int, int]:
    """Width and height. Raises Truncated or Corrupt."""
    start = _codestream(stream)
    if stream[start : start + 2] != _SIGNATURE:
        raise Corrupt("a JPEG XL stream begins with other bytes than JPEG XL's")
    bits = _Bits(stream[start + 2 : start + 14])
    small = bits.take(1)
    height = _length(bits, small)
    ratio = bits.take(3)
    if not ratio:
        return _length(bits, small), height
    up, down = _RATIOS[ratio - 1]
    return height * up // down, height


def _length(bits: _Bits, small: int) -> int:
    return 8 * (bits.take(5) + 1) if small else bits.take(_SIZES[bits.take(2)]) + 1


def _codestream(stream: bytes) -> int:
    """Where the codestream begins: at the first byte, or in the first box that holds some of it."""
    if not stream.startswith(_CONTAINER):
        return 0
    at = 0
    for _ in range(_BOXES_MAX):
        length, kind, head = int.from_bytes(stream[at : at + 4], "big"), stream[at + 4 : at + 8], 8
        if length == 1:
            length, head = int.from_bytes(stream[at + 8 : at + 16], "big"), 16
        if kind == b"jxlc":
            return at + head
        if kind == b"jxlp":
            return at + head + 4
        if length < head or at + length > len(stream):
            break
        at += length
    raise Corrupt("a JPEG XL container holds no codestream")
