"""Originals that lie in memory, for codecs that have others encode what they find, and for whoever tries a codec."""


class MemorySource:
    """A source of bytes that are there."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.length = len(data)

    def read(self, offset: int, length: int) -> bytes:
        """As every source does."""
        return self._data[offset : offset + length]
