"""How numbers of a payload's header are written, and read by a reader that trusts nothing."""

import struct

from lithify.codecs.varints import varint
from lithify.errors import Corrupt, Truncated

__all__ = ["Reader", "double", "unzigzag", "varint", "zigzag"]

_VARINT_BYTES_MAX = 9


def zigzag(value: int) -> int:
    """Signed to unsigned: 0, -1, 1, -2 become 0, 1, 2, 3."""
    return value << 1 if value >= 0 else (-value << 1) - 1


def unzigzag(code: int) -> int:
    """The inverse of `zigzag`."""
    return -((code + 1) >> 1) if code & 1 else code >> 1


def double(value: float) -> bytes:
    """The eight bytes of a double."""
    return struct.pack("<d", value)


class Reader:
    """Bytes taken one thing after another; raises Truncated where they end early."""

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self._at = 0

    @property
    def left(self) -> int:
        """Bytes not yet taken."""
        return len(self._data) - self._at

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        if count > self.left:
            raise Truncated(f"array payload: {count} bytes wanted at {self._at}, {self.left} are left")
        self._at += count
        return bytes(self._data[self._at - count : self._at])

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(self.left)

    def byte(self) -> int:
        """A number of 8 bits."""
        return self.take(1)[0]

    def varint(self, most: int) -> int:
        """A number of at most `most`. Raises Corrupt for a longer form than needed, or a larger number."""
        value = 0
        for count in range(_VARINT_BYTES_MAX):
            byte = self.byte()
            value |= (byte & 0x7F) << (7 * count)
            if byte < 0x80:
                if count and not byte:
                    raise Corrupt(f"array payload: a varint before byte {self._at} is not in its shortest form")
                if value > most:
                    raise Corrupt(f"array payload: {value} before byte {self._at}, at most {most} was expected")
                return value
        raise Corrupt(f"array payload: a varint before byte {self._at} is longer than {_VARINT_BYTES_MAX} bytes")

    def signed(self, most: int) -> int:
        """A number of at most `most` either way."""
        return unzigzag(self.varint(2 * most))

    def double(self) -> float:
        """A double, of any bits."""
        value: float = struct.unpack("<d", self.take(8))[0]
        return value

    def end(self) -> None:
        """Raises Corrupt if something is left."""
        if self.left:
            raise Corrupt(f"array payload: {self.left} bytes follow its end")
