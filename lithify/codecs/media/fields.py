"""The numbers and pieces of a payload, written one after another and read back by a reader that trusts none of them."""

from lithify.codecs.varints import varint
from lithify.errors import Corrupt, LimitExceeded, Truncated

_VARINT_BYTES_MAX = 9


class Fields:
    """What a payload says, from its first byte on."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    @property
    def left(self) -> int:
        """Bytes not read yet."""
        return len(self._data) - self._at

    def byte(self) -> int:
        """One byte."""
        return self.take(1)[0]

    def number(self, most: int, what: str) -> int:
        """A varint of at most `most`. Raises Truncated, LimitExceeded, and Corrupt for one longer than it has to be."""
        value = 0
        for place in range(_VARINT_BYTES_MAX):
            byte = self.byte()
            value |= (byte & 0x7F) << (7 * place)
            if byte < 0x80:
                if place and not byte:
                    raise Corrupt(f"{what} is a number longer than it has to be")
                break
        else:
            raise Corrupt(f"{what} is a number of more than {_VARINT_BYTES_MAX} bytes")
        if value > most:
            raise LimitExceeded(f"{what} is {value}; at most {most} can be")
        return value

    def take(self, count: int) -> bytes:
        """The next `count` bytes. Raises Truncated if there are fewer."""
        if count > self.left:
            raise Truncated(f"a payload ends {count - self.left} bytes early")
        self._at += count
        return self._data[self._at - count : self._at]

    def piece(self, what: str) -> bytes:
        """As many bytes as the number before them says."""
        return self.take(self.number(self.left, what))

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(self.left)

    def end(self) -> None:
        """Raises Corrupt if anything is left."""
        if self.left:
            raise Corrupt(f"a payload goes on for {self.left} bytes behind its end")


def piece(data: bytes) -> bytes:
    """Bytes as `Fields.piece` reads them."""
    return varint(len(data)) + data


__all__ = ["Fields", "piece", "varint"]
