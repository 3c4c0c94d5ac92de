"""The chunks of a frame as lines, as templates and as what lies inside: whoever asks need not know how it is stored."""

from collections.abc import Iterator
from typing import BinaryIO

from lithify.codecs.codec import Codec
from lithify.codecs.frame.primers import Primers, ready_codec
from lithify.codecs.frame.read import check_chunk, read_exactly, read_shared
from lithify.codecs.frame.values import Frame
from lithify.codecs.inside import Inside
from lithify.codecs.lines import ChunkLines, PlainLines, Template
from lithify.codecs.registry import codec_for

_OPEN_AT_ONCE = 2
"""Chunks kept open: the one being searched and the one before it, for lines that lie in both."""


class FrameChunks:
    """The chunks of a frame, each opened when it is asked for. Raises as `decode_frame` does."""

    def __init__(self, file: BinaryIO, frame: Frame, primers: Primers | None = None) -> None:
        """`frame` is what `read_frame` said of `file`."""
        self._file = file
        self._primers = primers
        self._frame = frame
        self._ready: dict[int, tuple[Codec, bytes]] = {}
        self._opened: dict[int, ChunkLines] = {}

    def __len__(self) -> int:
        return len(self._frame.chunks)

    def lines(self, index: int) -> ChunkLines:
        """The lines of one chunk; the last few are kept."""
        if index not in self._opened:
            while len(self._opened) >= _OPEN_AT_ONCE:
                del self._opened[next(iter(self._opened))]
            self._opened[index] = self._lines(index)
        return self._opened[index]

    def _lines(self, index: int) -> ChunkLines:
        codec, shared = self._codec(index)
        chunk = self._frame.chunks[index]
        if type(codec).lines is not Codec.lines:
            return codec.lines(self._payload(index), shared=shared, length=chunk.length)
        # Decoded whole, so its checksum can be compared: nothing of a damaged chunk is shown.
        data = codec.decode(self._payload(index), shared=shared, length=chunk.length)
        return PlainLines(check_chunk(data, chunk, index))

    def templates(self) -> Iterator[list[Template]]:
        """The templates of each chunk whose codec knows such things."""
        for index in range(len(self)):
            codec, shared = self._codec(index)
            if type(codec).templates is not Codec.templates:
                length = self._frame.chunks[index].length
                yield codec.templates(self._payload(index), shared=shared, length=length)

    def contents(self) -> Iterator[tuple[Inside, list[Inside]]]:
        """Each chunk as its codec keeps it, and what that codec found inside."""
        untaught: dict[int, tuple[Codec, bytes]] = {}  # no primer and no model: what lies inside is told without
        for index in range(len(self)):
            chunk = self._frame.chunks[index]
            if chunk.format_index not in untaught:
                entry = self._frame.formats[chunk.format_index]
                untaught[chunk.format_index] = codec_for(entry.format, entry.params), read_shared(self._file, entry)
            codec, shared = untaught[chunk.format_index]
            known = type(codec).contents is not Codec.contents
            inside = codec.contents(self._payload(index), shared=shared, length=chunk.length) if known else []
            yield Inside("chunk", codec.facts.id, chunk.length, chunk.stored_length), inside

    def _codec(self, index: int) -> tuple[Codec, bytes]:
        number = self._frame.chunks[index].format_index
        if number not in self._ready:
            entry = self._frame.formats[number]
            self._ready[number] = ready_codec(entry, self._primers), read_shared(self._file, entry)
        return self._ready[number]

    def _payload(self, index: int) -> bytes:
        chunk = self._frame.chunks[index]
        return read_exactly(self._file, chunk.offset, chunk.stored_length)
