"""What a codec reads: an original lying in a file, in memory, or inside a frame, cut to the part that is wanted."""

import hashlib
import io
import mmap
import os
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from lithify import limits
from lithify.codecs.codec import Source
from lithify.codecs.frame import Primers, Tally, at_hand, decode_frame, read_frame
from lithify.errors import RangeNotSatisfiable
from lithify.workers import kernels

if TYPE_CHECKING:
    from lithify.workers.child import Call

CACHE_BYTES = 8 * limits.MIB
"""Decoded chunks a FrameSource keeps; at least the one it last read, however long."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an original, or a frame that decodes to it, lies in an open file: all of it, or a piece of a pack."""

    offset: int
    length: int
    framed: bool

    def as_json(self) -> dict[str, Any]:
        """As it travels to a child; `Place(**document)` gives it back."""
        return asdict(self)


class Slice(io.RawIOBase):
    """A stretch of an open file as a file of its own. Moves no shared position; does not close the descriptor."""

    def __init__(self, fd: int, offset: int, length: int) -> None:
        self._fd, self._offset, self._length = fd, offset, length
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._length}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")[: max(0, self._length - self._at)]
        got = os.preadv(self._fd, [view], self._offset + self._at) if view else 0
        self._at += got
        return got


def open_slice(fd: int, place: Place) -> BinaryIO:
    """The stretch `place` of the file open as `fd`, to be read like a file."""
    return io.BufferedReader(Slice(fd, place.offset, place.length))


def mapped(fd: int) -> memoryview:
    """A whole file as bytes, read where they are needed: a model may be longer than there is memory."""
    return memoryview(mmap.mmap(fd, 0, access=mmap.ACCESS_READ))


def brought(call: "Call") -> Primers:
    """The primers and the models that came with a task."""
    digests = call.args.get("models", [])
    files = call.fds[len(call.fds) - len(digests) :]
    return at_hand(call.attached, {digest: mapped(fd) for digest, fd in zip(digests, files, strict=True)})


def open_source(
    file: BinaryIO, *, framed: bool, start: int = 0, end: int | None = None, primers: Primers | None = None
) -> Source:
    """Bytes `start` to `end` of the original in `file`. Raises RangeNotSatisfiable, and what a wrong frame raises."""
    whole: Source = FrameSource(file, primers) if framed else FileSource(file)
    if not 0 <= start <= (end := whole.length if end is None else end) <= whole.length:
        raise RangeNotSatisfiable(f"bytes {start} to {end} of {whole.length} were asked for")
    return Part(whole, start, end)


def digest_and_length(file: BinaryIO) -> tuple[str, int]:
    """SHA-256, in hex, and the number of bytes of a whole file."""
    file.seek(0)
    digest, length = hashlib.sha256(), 0
    while block := file.read(limits.COPY_BYTES):
        digest.update(block)
        length += len(block)
    return digest.hexdigest(), length


class Part:
    """A range of another source."""

    def __init__(self, whole: Source, start: int, end: int) -> None:
        self._whole, self._start, self.length = whole, start, end - start

    def read(self, offset: int, length: int) -> bytes:
        return self._whole.read(self._start + offset, max(0, min(length, self.length - offset)))


class FileSource:
    """A file that holds the original as it is."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.length = file.seek(0, os.SEEK_END)

    def read(self, offset: int, length: int) -> bytes:
        self._file.seek(offset)
        return self._file.read(length)


class FrameSource:
    """A frame that decodes to the original: a range read decodes the chunks it touches and keeps the last few."""

    def __init__(self, file: BinaryIO, primers: Primers | None = None) -> None:
        self._file = file
        self._primers = primers
        self.frame = read_frame(file)
        kernels.require_for(self.frame)
        self._cache: OrderedDict[int, bytes] = OrderedDict()
        self._cached_bytes = 0
        self.length = self.frame.decoded_length
        self.tally = Tally()

    def read(self, offset: int, length: int) -> bytes:
        end = min(offset + length, self.length)
        if offset >= end:
            return b""
        pieces = []
        for index in self.frame.overlapping(offset, end):
            start = self.frame.chunks[index].start
            pieces.append(self._chunk(index)[max(0, offset - start) : end - start])
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _chunk(self, index: int) -> bytes:
        if index in self._cache:
            self._cache.move_to_end(index)
            return self._cache[index]
        chunk = self.frame.chunks[index]
        while self._cache and self._cached_bytes + chunk.length > CACHE_BYTES:
            self._cached_bytes -= len(self._cache.popitem(last=False)[1])
        end = chunk.start + chunk.length
        pieces = decode_frame(
            self._file, start=chunk.start, end=end, frame=self.frame, tally=self.tally, primers=self._primers
        )
        data = b"".join(pieces)
        self._cache[index] = data
        self._cached_bytes += len(data)
        return data


class DigestedSource(FrameSource):
    """The same, with the digest of all of it; chunks that are asked for in their order are decoded once."""

    def __init__(
        self, file: BinaryIO, primers: Primers | None = None, report: Callable[[int], None] = lambda _: None
    ) -> None:
        """`report` is told how many bytes were decoded."""
        super().__init__(file, primers)
        self._report = report
        self.seconds = 0.0
        """What decoding took so far."""
        self._sha256 = hashlib.sha256()
        self._told = 0

    def digest(self) -> str:
        """SHA-256 of all of it."""
        if self.frame.chunks:
            self._chunk(len(self.frame.chunks) - 1)
        return self._sha256.hexdigest()

    def _chunk(self, index: int) -> bytes:
        started = time.perf_counter()
        while self._told <= index:
            data = super()._chunk(self._told)
            self._sha256.update(data)
            self._report(self.frame.chunks[self._told].start + len(data))
            self._told += 1
        found = super()._chunk(index)
        self.seconds += time.perf_counter() - started
        return found
