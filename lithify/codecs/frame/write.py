"""Writing frames, front to back, into anything that can be appended to."""

import hashlib
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, BinaryIO, Protocol

from xxhash import xxh3_64_intdigest

from lithify import limits
from lithify.codecs.codec import Buffer, ChunkSink, Codec, Format
from lithify.codecs.fidelity import EXACT, Contract
from lithify.codecs.frame.primers import Primers
from lithify.codecs.frame.read import decode_frame, read_frame, read_pieces, read_shared
from lithify.codecs.frame.trailer import pack_footer, pack_trailer, parse_trailer
from lithify.codecs.frame.values import HEADER, VERSION, ChunkTable, FormatEntry, Frame, place_shared
from lithify.errors import FidelityBroken, LimitExceeded

# A frame of one chunk shorter than this leaves its checksum out: the SHA-256 of the whole says the same, and the
# 8 bytes would break the promise of at most 64 bytes + 0.01 %.
CHECKSUM_FROM_BYTES = 128 * limits.KIB


class Writable(Protocol):
    """Whatever takes bytes at its end, and says how many it took."""

    def write(self, data: Any, /) -> int: ...


@dataclass(eq=False, slots=True)
class _Sink:
    """The chunks of one codec, on their way into a frame."""

    writer: "FrameWriter"
    index: int
    format: Format
    params: bytes
    shared: bytes = b""

    def share(self, data: bytes) -> None:
        assert not self.shared, "a codec shares one block"
        assert len(data) <= limits.SHARED_BYTES_MAX, f"shared block of {len(data)} bytes"
        self.shared = data

    def chunk(self, payload: Buffer, decoded: Buffer) -> None:
        self.writer.add_chunk(self.index, payload, decoded)


class FrameWriter:
    """Writes a frame into anything that has `.write`, front to back.

    file     where the frame goes; nothing else may write to it meanwhile
    hashing  False when the caller knows the SHA-256 of the decoded bytes anyway and gives it to `finish`:
             at 1 MiB a chunk the writer then costs one XXH3 pass (over 5 GB/s) instead of a SHA-256 (about 1.5 GB/s)
    """

    def __init__(self, file: Writable, *, hashing: bool = True) -> None:
        self._file = file
        self._hash = hashlib.sha256() if hashing else None
        self._sinks: list[_Sink] = []
        self._sink_of_chunk = array("L")
        self._stored = array("Q")
        self._lengths = array("Q")
        self._checksums = array("Q")
        self._write(HEADER)

    def sink(self, codec: Codec) -> ChunkSink:
        """Where `codec` puts its chunks. Sinks may take turns; equal codecs share one entry in the table."""
        return self._sink(codec.facts.format, codec.decoder_params())

    def _sink(self, format_: Format, params: bytes) -> _Sink:
        sink = _Sink(self, len(self._sinks), format_, params)
        self._sinks.append(sink)
        return sink

    def add_chunk(self, sink_index: int, payload: Buffer, decoded: Buffer) -> None:
        """Append one chunk of the sink numbered `sink_index`; codecs reach this through their ChunkSink."""
        stored_length, length = memoryview(payload).nbytes, memoryview(decoded).nbytes
        assert 0 < stored_length <= limits.CHUNK_STORED_BYTES_MAX, f"payload of {stored_length} bytes"
        assert 0 < length <= limits.CHUNK_BYTES_MAX, f"chunk of {length} decoded bytes"
        self._write(payload)
        if self._hash is not None:
            self._hash.update(decoded)
        self._note(sink_index, stored_length, length, xxh3_64_intdigest(decoded))

    def append(self, file: BinaryIO, *, primers: Primers | None = None, count: int | None = None) -> Frame:
        """Append the first `count` chunks (None: all) of another frame as they are; gives what it said of itself.

        Only a short chunk that has no checksum of its own is decoded, to make one; that may need `primers`.
        """
        assert self._hash is None, "appended frames are not decoded, so their digest must come from the caller"
        part = read_frame(file)
        sinks = [self._sink(entry.format, entry.params) for entry in part.formats]
        for sink, entry in zip(sinks, part.formats, strict=True):
            sink.shared = read_shared(file, entry)
        checksums: Iterable[int] | None = part.chunks.checksums
        if checksums is None:
            checksums = [xxh3_64_intdigest(data) for data in decode_frame(file, frame=part, primers=primers)]
        wanted = len(part.chunks) if count is None else count
        end = part.chunks[wanted].offset if wanted < len(part.chunks) else part.chunks.payloads_end
        for piece in read_pieces(file, len(HEADER), end):
            self._write(piece)
        lengths = zip(part.chunks.stored_lengths(), part.chunks.lengths(), strict=True)
        noted = zip(part.chunks.format_indexes, lengths, checksums, strict=True)
        for index, (stored, length), checksum in islice(noted, wanted):
            self._note(sinks[index].index, stored, length, checksum)
        return part

    @property
    def decoded_digest(self) -> bytes | None:
        """SHA-256 of what the chunks so far decode to; None: the writer does not hash."""
        return None if self._hash is None else self._hash.digest()

    def finish(
        self,
        *,
        contract: Contract = EXACT,
        original_length: int | None = None,
        original_digest: bytes | None = None,
        digest: bytes | None = None,
    ) -> Frame:
        """Write what follows the payloads and return the frame, as `read_frame` would.

        contract         what decoding keeps of the original
        original_length  needed with a contract looser than exact; else the decoded length, or None
        original_digest  SHA-256 of the original, likewise
        digest           SHA-256 of the decoded bytes, from a caller of a writer that does not hash; not needed when
                         the contract is exact and `original_digest` says it

        Raises FidelityBroken if the contract is exact and the chunks are not the original.
        """
        if self._hash is not None:
            digest = self._hash.digest()
        elif digest is None and contract == EXACT:
            digest = original_digest
        assert digest is not None, "a writer that does not hash must be told the digest"
        shared, entries, indexes = self._merge_sinks()
        checksums = self._checksums if len(indexes) > 1 or sum(self._lengths) >= CHECKSUM_FROM_BYTES else None
        chunks = ChunkTable(self._stored, self._lengths, indexes, checksums)
        formats, trailer_offset = place_shared(entries, chunks.payloads_end)
        frame = Frame(
            version=VERSION,
            contract=contract,
            decoded_length=chunks.decoded_length,
            decoded_digest=digest,
            original_length=chunks.decoded_length if original_length is None else original_length,
            original_digest=digest if original_digest is None else original_digest,
            formats=formats,
            chunks=chunks,
            frame_length=0,
        )
        _check_promise(frame, told=original_length is not None and original_digest is not None)
        trailer = pack_trailer(frame)
        for block in (*shared, trailer, pack_footer(trailer)):
            self._write(block)
        return parse_trailer(trailer, trailer_offset)

    def _note(self, sink_index: int, stored_length: int, length: int, checksum: int) -> None:
        self._sink_of_chunk.append(sink_index)
        self._stored.append(stored_length)
        self._lengths.append(length)
        self._checksums.append(checksum)

    def _merge_sinks(self) -> tuple[list[bytes], list[FormatEntry], bytes]:
        """Shared blocks, entries, and each chunk's index into them; in order of first use, doubles merged."""
        table: dict[tuple[Format, bytes, bytes], int] = {}
        index_of_sink = {}
        for sink_index in dict.fromkeys(self._sink_of_chunk):
            sink = self._sinks[sink_index]
            index_of_sink[sink_index] = table.setdefault((sink.format, sink.params, sink.shared), len(table))
        if len(table) > limits.FORMATS_PER_FRAME_MAX:
            raise LimitExceeded(f"frame would need {len(table)} formats; the limit is {limits.FORMATS_PER_FRAME_MAX}")
        entries = [
            FormatEntry(format_, params, 0, len(shared), xxh3_64_intdigest(shared) if shared else None)
            for format_, params, shared in table
        ]
        return [key[2] for key in table], entries, bytes(index_of_sink[sink] for sink in self._sink_of_chunk)

    def _write(self, data: Buffer) -> None:
        view = memoryview(data).cast("B")
        while view:
            view = view[self._file.write(view) :]  # an unbuffered file may take only a part


def _check_promise(frame: Frame, *, told: bool) -> None:
    """Exact means exact: a codec that gave back other bytes, or fewer, is caught before anything names this frame."""
    assert told or frame.contract == EXACT, "a contract looser than exact needs the original's length and digest"
    same = (frame.original_length, frame.original_digest) == (frame.decoded_length, frame.decoded_digest)
    if frame.contract == EXACT and not same:
        raise FidelityBroken(
            f"exact frame decodes to {frame.decoded_length} bytes {frame.decoded_digest.hex()}, "
            f"the original has {frame.original_length} bytes {frame.original_digest.hex()}"
        )


def join_frames(
    frames: Sequence[BinaryIO],
    out: Writable,
    *,
    digest: bytes,
    contract: Contract = EXACT,
    original_length: int | None = None,
    original_digest: bytes | None = None,
) -> Frame:
    """Write one frame that decodes to what `frames` decode to, one after another; payloads are copied, not decoded.

    digest           SHA-256 of the decoded bytes of the whole, which only the caller can know
    contract, …      as for FrameWriter.finish

    Raises FidelityBroken if a part keeps less than `contract`.
    """
    writer = FrameWriter(out, hashing=False)
    for number, file in enumerate(frames):
        part = writer.append(file)
        if not contract.satisfied_by(part.contract):
            raise FidelityBroken(f"part {number} keeps {part.contract}, the whole was to keep {contract}")
    return writer.finish(
        contract=contract, original_length=original_length, original_digest=original_digest, digest=digest
    )
