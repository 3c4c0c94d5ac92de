"""A source as readers of containers want it: as bytes to be sliced, or as a file, with little of it in memory."""

import io
import os
from collections import OrderedDict
from typing import Any, Protocol, SupportsIndex, overload

from lithify import limits
from lithify.codecs.codec import Source

_PAGE_BYTES = 256 * limits.KIB
_PAGES_MAX = 32


class Bytes(Protocol):
    """Bytes that can be sliced, in memory or not; a slice may be shorter, as those of `bytes` are."""

    def __len__(self) -> int: ...

    @overload
    def __getitem__(self, part: SupportsIndex, /) -> int: ...
    @overload
    def __getitem__(self, part: "slice[Any, Any, Any]", /) -> Any: ...


class SourceBytes:
    """The bytes of a source. Short slices come from pages, of which the last few stay in memory."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._pages: OrderedDict[int, bytes] = OrderedDict()

    def __len__(self) -> int:
        return self._source.length

    @overload
    def __getitem__(self, part: SupportsIndex, /) -> int: ...
    @overload
    def __getitem__(self, part: "slice[Any, Any, Any]", /) -> bytes: ...
    def __getitem__(self, part: "SupportsIndex | slice[Any, Any, Any]", /) -> bytes | int:
        if not isinstance(part, slice):
            return self._read(range(len(self))[part], 1)[0]
        start, stop, step = part.indices(len(self))
        assert step == 1, "slices of a source are of neighbours"
        return self._read(start, max(0, stop - start))

    def _read(self, start: int, length: int) -> bytes:
        if length > _PAGE_BYTES:
            return self._source.read(start, length)
        pieces = []
        for number in range(start // _PAGE_BYTES, -(-(start + length) // _PAGE_BYTES)):
            at = number * _PAGE_BYTES
            pieces.append(self._page(number)[max(0, start - at) : max(0, start + length - at)])
        return b"".join(pieces)

    def _page(self, number: int) -> bytes:
        if number not in self._pages:
            self._pages[number] = self._source.read(number * _PAGE_BYTES, _PAGE_BYTES)
            if len(self._pages) > _PAGES_MAX:
                self._pages.popitem(last=False)
        self._pages.move_to_end(number)
        return self._pages[number]


class SlicedFile(io.RawIOBase):
    """Bytes as a file: for libraries that read files."""

    def __init__(self, data: Bytes) -> None:
        self._data = data
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: len(self._data)}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        found = self._data[self._at : self._at + len(view)]
        view[: len(found)] = found
        self._at += len(found)
        return len(found)
