"""Reading headers of containers: every number from bytes that are there, or Truncated."""

import struct
from collections.abc import Sequence
from typing import Any

from lithify.codecs.arrays.reading import Bytes
from lithify.errors import Truncated

__all__ = ["Bytes", "BytesReader"]


class BytesReader:
    """A place in a file."""

    def __init__(self, data: Bytes, at: int = 0, order: str = ">") -> None:
        self.data, self.at, self.order = data, at, order

    def take(self, count: int) -> bytes:
        """The next `count` bytes."""
        if not 0 <= count <= len(self.data) - self.at or self.at < 0:
            raise Truncated(f"{count} bytes at {self.at} of a file of {len(self.data)}")
        self.at += count
        return bytes(self.data[self.at - count : self.at])

    def numbers(self, code: str) -> Sequence[Any]:
        """What struct reads by `code`, in the order of bytes of this reader."""
        layout = struct.Struct(self.order + code)
        return layout.unpack(self.take(layout.size))

    def number(self, code: str) -> Any:
        """The one number of type `code`."""
        return self.numbers(code)[0]
