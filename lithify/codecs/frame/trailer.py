"""The bytes of a frame's trailer and footer: see FRAME.md.

Everything that trusts nothing is on this page: each number is compared with lithify/limits.py, and with the bytes that
would have to be there, before any memory is asked for.
"""

import struct
import sys
from array import array

from xxhash import xxh3_64_intdigest

from lithify import limits
from lithify.codecs.codec import Format
from lithify.codecs.fidelity import EXACT, SPELLING_BYTES_MAX, Contract
from lithify.codecs.frame.values import HEADER, VERSION, ChunkTable, FormatEntry, Frame, place_shared
from lithify.codecs.varints import varint
from lithify.errors import BadArgument, Corrupt, LimitExceeded, UnknownFormat

END_MAGIC = b"LTH\n"
FOOTER = struct.Struct("<II4s")

_DIGEST_BYTES = 32
_FLAG_NOT_EXACT = 0x01
_FLAG_CHECKSUMS = 0x02
_FORMAT = struct.Struct("<HBB")
_U64 = struct.Struct("<Q")
_VARINT_BYTES_MAX = 9


def pack_footer(trailer: bytes) -> bytes:
    """The frame's last bytes."""
    return FOOTER.pack(len(trailer), trailer_checksum(trailer), END_MAGIC)


def trailer_checksum(trailer: bytes) -> int:
    """What the footer says of header and trailer."""
    return xxh3_64_intdigest(HEADER + trailer) & 0xFFFFFFFF


def pack_trailer(frame: Frame) -> bytes:
    """The trailer that `parse_trailer` reads."""
    chunks = frame.chunks
    flags = _FLAG_NOT_EXACT * (frame.contract != EXACT) | _FLAG_CHECKSUMS * (chunks.checksums is not None)
    parts = [bytes([flags]), frame.decoded_digest]
    if frame.contract != EXACT:
        spelling = str(frame.contract).encode("ascii")
        parts += [varint(len(spelling)), spelling, varint(frame.original_length), frame.original_digest]
    parts.append(varint(len(frame.formats)))
    parts += [_pack_format(entry) for entry in frame.formats]
    parts.append(varint(len(chunks)))
    if len(frame.formats) > 1:
        parts.append(chunks.format_indexes)
    parts += [varint(length) for length in chunks.stored_lengths()]
    parts += [varint(length) for length in chunks.lengths()]
    if chunks.checksums is not None:
        parts.append(_little_endian(chunks.checksums).tobytes())
    return b"".join(parts)


def _pack_format(entry: FormatEntry) -> bytes:
    head = _FORMAT.pack(entry.format.id, entry.format.major, entry.format.minor)
    checksum = b"" if entry.shared_checksum is None else _U64.pack(entry.shared_checksum)
    return head + varint(len(entry.params)) + entry.params + varint(entry.shared_length) + checksum


def parse_trailer(trailer: bytes, trailer_offset: int) -> Frame:
    """The frame whose trailer, already compared with its checksum, begins at `trailer_offset`.

    Raises Corrupt, UnknownFormat or LimitExceeded for anything `pack_trailer` would not have written.
    """
    reader = _Reader(trailer)
    flags = reader.take(1)[0]
    if flags & ~(_FLAG_NOT_EXACT | _FLAG_CHECKSUMS):
        raise UnknownFormat(f"frame flags 0x{flags:02x} are newer than this release, which knows 0x00 to 0x03")
    digest = reader.take(_DIGEST_BYTES)
    contract, original_length, original_digest = EXACT, -1, digest
    if flags & _FLAG_NOT_EXACT:
        contract, original_length = _parse_contract(reader), reader.number(limits.ORIGINAL_BYTES_MAX, "original length")
        original_digest = reader.take(_DIGEST_BYTES)
    entries = [_parse_format(reader) for _ in range(reader.number(limits.FORMATS_PER_FRAME_MAX, "format count"))]
    chunks = _parse_chunks(reader, len(entries), checksums=bool(flags & _FLAG_CHECKSUMS))
    if reader.left:
        raise Corrupt(f"frame trailer has {reader.left} bytes after its chunk table")
    formats, shared_end = place_shared(entries, chunks.payloads_end)
    if shared_end != trailer_offset:
        raise Corrupt(
            f"frame should have its trailer at byte {shared_end}, as its parts add up, found at {trailer_offset}"
        )
    return Frame(
        version=VERSION,
        contract=contract,
        decoded_length=chunks.decoded_length,
        decoded_digest=digest,
        original_length=chunks.decoded_length if contract == EXACT else original_length,
        original_digest=original_digest,
        formats=formats,
        chunks=chunks,
        frame_length=trailer_offset + len(trailer) + FOOTER.size,
    )


def _parse_contract(reader: "_Reader") -> Contract:
    spelling = reader.take(reader.number(SPELLING_BYTES_MAX, "contract length"))
    try:
        contract = Contract.parse(spelling.decode("ascii"))
    except (UnicodeDecodeError, BadArgument) as error:
        raise Corrupt(f"frame names a contract that means nothing: {spelling!r}") from error
    if contract == EXACT or str(contract).encode() != spelling:
        raise Corrupt(f"frame spells its contract {spelling!r}, which is not how it is written")
    return contract


def _parse_format(reader: "_Reader") -> FormatEntry:
    format_ = Format(*_FORMAT.unpack(reader.take(_FORMAT.size)))
    params = reader.take(reader.number(limits.PARAMS_BYTES_MAX, "params length"))
    shared_length = reader.number(limits.SHARED_BYTES_MAX, "shared block length")
    checksum = _U64.unpack(reader.take(_U64.size))[0] if shared_length else None
    return FormatEntry(format_, params, shared_offset=0, shared_length=shared_length, shared_checksum=checksum)


def _parse_chunks(reader: "_Reader", format_count: int, *, checksums: bool) -> ChunkTable:
    count = reader.number(limits.CHUNK_COUNT_MAX, "chunk count")
    if (count == 0) != (format_count == 0):
        raise Corrupt(f"frame has {count} chunks in {format_count} formats")
    if count > 1 and not checksums:
        raise Corrupt(f"frame has {count} chunks and no checksums for them")
    several = format_count > 1
    if count * (several + 2 + _U64.size * checksums) > reader.left:
        raise Corrupt(f"frame lists {count} chunks in {reader.left} bytes")
    indexes = reader.take(count) if several else bytes(count)
    if set(indexes) != set(range(format_count)):
        raise Corrupt("frame has a format without chunks, or chunks without a format")
    stored = reader.numbers(count)
    lengths = reader.numbers(count)
    _check_lengths(stored, limits.CHUNK_STORED_BYTES_MAX, "stored")
    _check_lengths(lengths, limits.CHUNK_BYTES_MAX, "decoded")
    sums = _little_endian(array("Q", reader.take(count * _U64.size))) if checksums else None
    return ChunkTable(stored, lengths, indexes, sums)


def _check_lengths(lengths: "array[int]", most: int, what: str) -> None:
    if lengths and min(lengths) == 0:
        raise Corrupt(f"chunk {lengths.index(0)} has no {what} bytes")
    if lengths and max(lengths) > most:
        at = lengths.index(max(lengths))
        raise LimitExceeded(f"chunk {at} has {lengths[at]} {what} bytes; the limit is {most}")


def _little_endian(numbers: "array[int]") -> "array[int]":
    if sys.byteorder == "big":
        numbers = numbers[:]
        numbers.byteswap()
    return numbers


class _Reader:
    """Takes one field after another from a trailer, and never a byte more than there is."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def take(self, length: int) -> bytes:
        if length > self.left:
            raise Corrupt(f"frame trailer ends at byte {self._at} of {len(self._data)}, {length} more were expected")
        self._at += length
        return self._data[self._at - length : self._at]

    def number(self, most: int, what: str) -> int:
        number = self.numbers(1)[0]
        if number > most:
            raise LimitExceeded(f"frame has a {what} of {number}; the limit is {most}")
        return number

    def numbers(self, count: int) -> "array[int]":
        """`count` varints. The loop is spelled out: a table of a million chunks is read in under a second."""
        data, at = self._data, self._at
        numbers = array("Q")
        try:
            for _ in range(count):
                byte = data[at]
                at += 1
                if byte < 0x80:
                    numbers.append(byte)
                    continue
                number, shift = byte & 0x7F, 7
                while byte >= 0x80 and shift < 7 * _VARINT_BYTES_MAX:
                    byte = data[at]
                    at += 1
                    number |= (byte & 0x7F) << shift
                    shift += 7
                if byte >= 0x80 or byte == 0:
                    raise Corrupt(
                        f"frame trailer has a number at byte {at} that is too long, or not in its shortest form"
                    )
                numbers.append(number)
        except IndexError as error:
            raise Corrupt(f"frame trailer ends inside a number, at byte {at}") from error
        self._at = at
        return numbers
