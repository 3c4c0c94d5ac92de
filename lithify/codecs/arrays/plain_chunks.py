"""A file that no frame keeps, for readers of those that one does: as if it were one chunk of another codec."""

from typing import TYPE_CHECKING, cast

from lithify.codecs.arrays.kept_chunks import ChunkHead, KeptChunks
from lithify.codecs.arrays.pieces import Piece

if TYPE_CHECKING:
    from lithify.codecs.codec import Source
    from lithify.codecs.frame import Frame


class _OneChunk:
    """As much of a frame as is asked for."""

    chunks = (None,)

    def overlapping(self, _start: int, _end: int) -> range:
        return range(1)


class PlainChunks(KeptChunks):
    """The only chunk, and nothing in it that decodes alone."""

    def __init__(self, source: "Source") -> None:
        self._source, self.length = source, source.length
        self.frame = cast("Frame", _OneChunk())

    def piece(self, index: int) -> Piece:
        return Piece(0, self.length)

    def head(self, index: int) -> ChunkHead | None:
        return None

    def whole(self, index: int) -> bytes:
        return self.read(0, self.length)

    def read(self, offset: int, length: int) -> bytes:
        return self._source.read(offset, length)

    def read_holes(self, offset: int, length: int) -> bytes:
        return self.read(offset, length)
