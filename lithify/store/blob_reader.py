"""Reads one blob out of the file that holds it, and not a byte beside it."""

import io
import os
from typing import TYPE_CHECKING

from lithify.errors import Truncated
from lithify.store.blobs import Address
from lithify.store.disk import disk_errors

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class BlobReader(io.FileIO):
    """A seekable, unbuffered file of exactly the blob's bytes, counted from 0.

    `fileno()` is the descriptor of the whole file, the pack if the blob lies in one: whoever hands it to another
    process hands `fd_offset` and `length` with it. The descriptor's own position is never used or moved.
    """

    def __init__(self, fd: int, address: Address) -> None:
        super().__init__(fd, "rb")
        self.fd_offset = address.offset
        self.length = address.length
        self._digest = address.digest
        self._position = 0

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Fill the buffer as far as the blob reaches. Raises Truncated when the file got shorter than that."""
        view = memoryview(buffer).cast("B")[: max(0, self.length - self._position)]
        if not view:
            return 0
        with disk_errors(f"blob {self._digest}"):
            count = os.preadv(self.fileno(), [view], self.fd_offset + self._position)
        if count == 0:
            raise Truncated(f"blob {self._digest} ends after {self._position} bytes; expected {self.length}")
        self._position += count
        return count

    def read(self, size: int | None = -1) -> bytes:
        """The next `size` bytes, or all that are left."""
        left = max(0, self.length - self._position)
        data = bytearray(left if size is None or size < 0 else min(size, left))
        view = memoryview(data)
        while view:
            view = view[self.readinto(view) :]
        return bytes(data)

    def readall(self) -> bytes:
        """All that are left."""
        return self.read()

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to a place in the blob and return it."""
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self.length}[whence]
        if origin + offset < 0:
            raise ValueError(f"cannot seek to {origin + offset}")
        self._position = origin + offset
        return self._position

    def tell(self) -> int:
        """The place of the next byte."""
        return self._position
