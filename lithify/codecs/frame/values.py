"""What a frame says about itself, as values: the table of formats and the table of chunks."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise
from typing import overload

from lithify.codecs.codec import Format
from lithify.codecs.fidelity import Contract

VERSION = 1
MAGIC = b"\x89LTH"
HEADER = MAGIC + bytes([VERSION])


@dataclass(frozen=True, slots=True)
class FormatEntry:
    """One way chunks of this frame are stored."""

    format: Format
    params: bytes
    shared_offset: int
    shared_length: int
    shared_checksum: int | None


@dataclass(frozen=True, slots=True)
class ChunkEntry:
    """Where one chunk lies in the frame (`offset`, `stored_length`) and in the decoded bytes (`start`, `length`)."""

    format_index: int
    offset: int
    stored_length: int
    start: int
    length: int
    checksum: int | None


class ChunkTable(Sequence[ChunkEntry]):
    """The chunks of a frame: 25 bytes of memory each, so that four million of them stay at 100 MB."""

    __slots__ = ("_offsets", "_starts", "checksums", "format_indexes")

    def __init__(
        self, stored: Iterable[int], lengths: Iterable[int], format_indexes: bytes, checksums: "array[int] | None"
    ) -> None:
        """`format_indexes` has one byte per chunk; `checksums` one number, or is None."""
        self._offsets = array("Q", accumulate(stored, initial=len(HEADER)))
        self._starts = array("Q", accumulate(lengths, initial=0))
        self.format_indexes = format_indexes
        self.checksums = checksums

    @property
    def payloads_end(self) -> int:
        """Where the last payload ends in the frame."""
        return self._offsets[-1]

    @property
    def decoded_length(self) -> int:
        """Bytes of all chunks together, decoded."""
        return self._starts[-1]

    def stored_lengths(self) -> Iterator[int]:
        """Bytes of each payload."""
        return (end - start for start, end in pairwise(self._offsets))

    def lengths(self) -> Iterator[int]:
        """Decoded bytes of each chunk."""
        return (end - start for start, end in pairwise(self._starts))

    def overlapping(self, start: int, end: int) -> range:
        """The indexes of the chunks that hold any of the decoded bytes `start` to `end`."""
        if start >= end:
            return range(0)
        return range(bisect_right(self._starts, start) - 1, min(len(self), bisect_left(self._starts, end)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ChunkTable):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    def __hash__(self) -> int:
        return hash((len(self), self.decoded_length, self.payloads_end))

    def __repr__(self) -> str:
        return f"<{len(self)} chunks, {self.decoded_length} bytes>"

    def __len__(self) -> int:
        return len(self.format_indexes)

    @overload
    def __getitem__(self, index: int) -> ChunkEntry: ...
    @overload
    def __getitem__(self, index: slice) -> list[ChunkEntry]: ...
    def __getitem__(self, index: int | slice) -> ChunkEntry | list[ChunkEntry]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        at = range(len(self))[index]
        return ChunkEntry(
            format_index=self.format_indexes[at],
            offset=self._offsets[at],
            stored_length=self._offsets[at + 1] - self._offsets[at],
            start=self._starts[at],
            length=self._starts[at + 1] - self._starts[at],
            checksum=None if self.checksums is None else self.checksums[at],
        )


@dataclass(frozen=True, slots=True)
class Frame:
    """What a frame says about itself. Lengths in bytes, digests SHA-256."""

    version: int
    contract: Contract
    """What decoding gives back, compared with the original."""
    decoded_length: int
    decoded_digest: bytes
    original_length: int
    original_digest: bytes
    formats: tuple[FormatEntry, ...]
    chunks: ChunkTable
    frame_length: int

    def overlapping(self, start: int, end: int) -> range:
        """The indexes of the chunks that hold any of the decoded bytes `start` to `end`."""
        return self.chunks.overlapping(start, end)


def place_shared(entries: Sequence[FormatEntry], payloads_end: int) -> tuple[tuple[FormatEntry, ...], int]:
    """The entries with their shared blocks laid one after another behind the payloads; and where the last ends."""
    ends = list(accumulate((entry.shared_length for entry in entries), initial=payloads_end))
    return tuple(replace(entry, shared_offset=at) for entry, at in zip(entries, ends, strict=False)), ends[-1]
