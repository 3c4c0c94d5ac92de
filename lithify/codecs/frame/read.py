"""Reading frames, from the end, chunk by chunk; the whole is never in memory."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from os import SEEK_END
from typing import BinaryIO

from xxhash import xxh3_64_intdigest

from lithify import limits
from lithify.codecs.codec import Codec
from lithify.codecs.frame.primers import Primers, ready_codec
from lithify.codecs.frame.trailer import END_MAGIC, FOOTER, parse_trailer, trailer_checksum
from lithify.codecs.frame.values import HEADER, MAGIC, VERSION, ChunkEntry, FormatEntry, Frame
from lithify.errors import Corrupt, LimitExceeded, RangeNotSatisfiable, Truncated, UnknownFormat

_AFTER_END_BYTES = 64 * limits.KIB  # how far before the end of a file a misplaced footer is looked for
_AFTER_END_TRIES = 16


@dataclass(slots=True)
class Tally:
    """What a decode has read so far, for those who measure it."""

    stored_bytes: int = 0
    chunks: int = 0


def is_frame(file: BinaryIO) -> bool:
    """Whether the file begins as frames do; what else is wrong with it is for `read_frame` to say."""
    return read_exactly(file, 0, min(file.seek(0, SEEK_END), len(MAGIC))) == MAGIC


def read_frame(file: BinaryIO) -> Frame:
    """What the frame in `file` (all of it, wherever it stands) says of itself; payloads are not read.

    Raises Truncated, Corrupt, UnknownFormat or LimitExceeded.
    """
    length = file.seek(0, SEEK_END)
    header = read_exactly(file, 0, min(length, len(HEADER)))
    if not header.startswith(MAGIC[: len(header)]):
        raise Corrupt(f"not a lithify frame: it begins with {header.hex()}, not {MAGIC.hex()}")
    if len(header) == len(HEADER) and header != HEADER:
        raise UnknownFormat(f"frame version {header[-1]} is newer than this release, which reads version {VERSION}")
    if length < len(HEADER) + FOOTER.size:
        raise Truncated(f"frame ends after {length} bytes")
    trailer_length, checksum, end_magic = FOOTER.unpack(read_exactly(file, length - FOOTER.size, FOOTER.size))
    if end_magic != END_MAGIC:
        raise _end_is_missing(file, length)
    trailer_offset = length - FOOTER.size - trailer_length
    if trailer_length > limits.TRAILER_BYTES_MAX:
        raise LimitExceeded(f"frame trailer has {trailer_length} bytes; the limit is {limits.TRAILER_BYTES_MAX}")
    if trailer_offset < len(HEADER):
        raise Corrupt(f"frame of {length} bytes claims a trailer of {trailer_length}")
    trailer = read_exactly(file, trailer_offset, trailer_length)
    found = trailer_checksum(trailer)
    if found != checksum:
        raise Corrupt(f"frame trailer has checksum {found:08x}, its footer says {checksum:08x}")
    return parse_trailer(trailer, trailer_offset)


def decode_frame(
    file: BinaryIO,
    *,
    start: int = 0,
    end: int | None = None,
    frame: Frame | None = None,
    tally: Tally | None = None,
    primers: Primers | None = None,
) -> Iterator[bytes]:
    """The decoded bytes from `start` to `end` (None: to the last), in pieces of at most a chunk.

    Only chunks that hold a wanted byte are read; each is checked before it is given out. Reading every chunk also
    compares the SHA-256 of the whole before the last piece leaves. Closing the iterator early costs nothing.

    frame    what `read_frame` said, to spare reading it again
    tally    filled as chunks are read
    primers  where the primers are that the frame may need

    Raises Truncated, Corrupt, UnknownFormat, LimitExceeded or MissingPrimer, and RangeNotSatisfiable at once for a
    range outside.
    """
    frame = read_frame(file) if frame is None else frame
    end = frame.decoded_length if end is None else end
    if not 0 <= start <= end <= frame.decoded_length:
        raise RangeNotSatisfiable(f"bytes {start} to {end} of {frame.decoded_length} were asked for")
    indexes = frame.overlapping(start, end)
    pieces = _decode_chunks(file, frame, indexes, Tally() if tally is None else tally, primers)
    if len(indexes) == len(frame.chunks):
        pieces = _check_whole(pieces, frame)
    return _trim(pieces, start, end, at=frame.chunks[indexes[0]].start if indexes else 0)


def _decode_chunks(
    file: BinaryIO, frame: Frame, indexes: range, tally: Tally, primers: Primers | None
) -> Iterator[bytes]:
    ready: dict[int, tuple[Codec, bytes]] = {}
    for index in indexes:
        chunk = frame.chunks[index]
        if chunk.format_index not in ready:
            entry = frame.formats[chunk.format_index]
            ready[chunk.format_index] = ready_codec(entry, primers), read_shared(file, entry)
            tally.stored_bytes += entry.shared_length
        codec, shared = ready[chunk.format_index]
        payload = read_exactly(file, chunk.offset, chunk.stored_length)
        tally.stored_bytes += chunk.stored_length
        tally.chunks += 1
        yield check_chunk(codec.decode(payload, shared=shared, length=chunk.length), chunk, index)


def check_chunk(data: bytes, chunk: ChunkEntry, index: int) -> bytes:
    """What a chunk was decoded to, unchanged. Raises Corrupt unless it is what the frame says of it."""
    if len(data) != chunk.length:
        raise Corrupt(f"chunk {index} decodes to {len(data)} bytes, the frame says {chunk.length}")
    if chunk.checksum is not None and (found := xxh3_64_intdigest(data)) != chunk.checksum:
        raise Corrupt(f"chunk {index} has checksum {found:016x}, the frame says {chunk.checksum:016x}")
    return data


def _check_whole(pieces: Iterator[bytes], frame: Frame) -> Iterator[bytes]:
    """Pass the pieces on, the last only after the digest of all of them was found right."""
    digest = hashlib.sha256()
    for number, piece in enumerate(pieces, start=1):
        digest.update(piece)
        if number == len(frame.chunks):
            _check_digest(digest.digest(), frame)
        yield piece
    if not frame.chunks:
        _check_digest(digest.digest(), frame)


def _check_digest(found: bytes, frame: Frame) -> None:
    if found != frame.decoded_digest:
        raise Corrupt(f"frame decodes to SHA-256 {found.hex()}, it should be {frame.decoded_digest.hex()}")


def _trim(pieces: Iterator[bytes], start: int, end: int, *, at: int) -> Iterator[bytes]:
    for piece in pieces:
        whole = start <= at and at + len(piece) <= end
        yield piece if whole else piece[max(0, start - at) : end - at]
        at += len(piece)


def read_shared(file: BinaryIO, entry: FormatEntry) -> bytes:
    """The shared block of one format, checked."""
    shared = read_exactly(file, entry.shared_offset, entry.shared_length)
    if entry.shared_checksum is not None and (found := xxh3_64_intdigest(shared)) != entry.shared_checksum:
        raise Corrupt(f"shared block has checksum {found:016x}, the frame says {entry.shared_checksum:016x}")
    return shared


def read_exactly(file: BinaryIO, offset: int, length: int) -> bytes:
    """Exactly `length` bytes; an unbuffered file may hand them out in parts."""
    file.seek(offset)
    data = file.read(length)
    while len(data) < length:
        more = file.read(length - len(data))
        if not more:
            raise Truncated(f"frame ends at byte {offset + len(data)}, {length - len(data)} more were expected")
        data += more
    return data


def read_pieces(file: BinaryIO, start: int, end: int) -> Iterator[bytes]:
    """The stored bytes from `start` to `end`, a buffer at a time."""
    for at in range(start, end, limits.COPY_BYTES):
        yield read_exactly(file, at, min(limits.COPY_BYTES, end - at))


def _end_is_missing(file: BinaryIO, length: int) -> Corrupt | Truncated:
    """Tell a frame that was cut short from one that something was appended to."""
    start = max(0, length - _AFTER_END_BYTES)
    tail = read_exactly(file, start, length - start)
    at = len(tail)
    for _ in range(_AFTER_END_TRIES):
        at = tail.rfind(END_MAGIC, 0, at + len(END_MAGIC) - 1)
        if at < 0:
            break
        end = start + at + len(END_MAGIC)
        if _footer_is_right(file, end):
            return Corrupt(f"frame is followed by {length - end} bytes that do not belong to it")
    return Truncated(f"frame of {length} bytes has no end")


def _footer_is_right(file: BinaryIO, end: int) -> bool:
    if end < len(HEADER) + FOOTER.size:
        return False
    trailer_length, checksum, _ = FOOTER.unpack(read_exactly(file, end - FOOTER.size, FOOTER.size))
    offset = end - FOOTER.size - trailer_length
    if offset < len(HEADER) or trailer_length > limits.TRAILER_BYTES_MAX:
        return False
    return bool(trailer_checksum(read_exactly(file, offset, trailer_length)) == checksum)
