"""Varints, as FRAME.md defines them: seven bits a byte, lowest first, at most nine bytes, the shortest form."""

from lithify.errors import Corrupt, Truncated

_BYTES_MAX = 9


def varint(number: int) -> bytes:
    """LEB128: seven bits a byte, lowest first, the top bit set on all but the last."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def take_varint(data: bytes, at: int, bytes_max: int = _BYTES_MAX) -> tuple[int, int]:
    """The number that begins at byte `at`, and where the next thing begins. Raises Truncated or Corrupt."""
    number = 0
    for count, byte in enumerate(data[at : at + bytes_max], 1):
        number |= (byte & 0x7F) << 7 * (count - 1)
        if byte < 0x80:
            if not byte and count > 1:
                raise Corrupt(f"the varint at byte {at} is not in its shortest form")
            return number, at + count
    if len(data) - at >= bytes_max:
        raise Corrupt(f"the varint at byte {at} is longer than {bytes_max} bytes")
    raise Truncated(f"the varint at byte {at} has no end")
