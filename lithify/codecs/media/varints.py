"""Varints, as FRAME.md defines them: seven bits a byte, lowest first, at most nine bytes, the shortest form."""

from lithify.codecs.frame.trailer import varint
from lithify.errors import Corrupt, Truncated

__all__ = ["take_varint", "varint"]

_BYTES_MAX = 9


def take_varint(data: bytes, at: int) -> tuple[int, int]:
    """The number that begins at byte `at`, and where the next thing begins. Raises Truncated or Corrupt."""
    number = 0
    for count, byte in enumerate(data[at : at + _BYTES_MAX], 1):
        number |= (byte & 0x7F) << 7 * (count - 1)
        if byte < 0x80:
            if not byte and count > 1:
                raise Corrupt(f"the varint at byte {at} is not in its shortest form")
            return number, at + count
    if len(data) - at >= _BYTES_MAX:
        raise Corrupt(f"the varint at byte {at} is longer than {_BYTES_MAX} bytes")
    raise Truncated(f"the varint at byte {at} has no end")
