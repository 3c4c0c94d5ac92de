"""The pack format: many small entries in one append-only file, whose only index is their own headers.

PACK.md is the document of the format. `PackReader` trusts nothing: an entry counts only when its header's
checksum, which covers the pack's id and the entry's own place, is right. Bytes that merely look like an entry never
pass for one, not even those of another pack stored as somebody's blob.
"""

import hashlib
import os
import struct
import zlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import get_args

from lithify import limits
from lithify.errors import LimitExceeded, UnknownFormat
from lithify.store.blobs import Address, Entry, EntryKind, StoredEntry

VERSION = 1
PACK_MAGIC = b"\x89LTP"
ENTRY_MAGIC = b"\x89LTE"
KINDS: dict[int, EntryKind] = {1: "blob", 2: "record"}

_PACK_HEADER = struct.Struct("<4sB16sI")
_ENTRY_HEADER = struct.Struct("<4sBII32sI")
_PLACE = struct.Struct("<I")
PACK_HEADER_BYTES = _PACK_HEADER.size
ENTRY_HEADER_BYTES = _ENTRY_HEADER.size
_CHECK_BYTES = 4
_KIND_NUMBERS = {kind: number for number, kind in KINDS.items()}

EVERYTHING: tuple[EntryKind, ...] = get_args(EntryKind)
SECTOR_BYTES = 512  # what a disk writes whole or not at all
_TAIL_BYTES = 64 * limits.KIB  # most last entries lie within this much of the end


@dataclass(frozen=True, slots=True)
class EntryHeader:
    """One entry of a pack, as its header tells it. Offsets count from the start of the file."""

    kind: EntryKind
    start: int
    length: int
    group: int
    """Where the group of entries that were flushed together begins."""
    digest: bytes

    @property
    def payload(self) -> int:
        """Where the payload begins."""
        return self.start + ENTRY_HEADER_BYTES

    @property
    def end(self) -> int:
        """Just after the payload: where the next entry begins."""
        return self.payload + self.length


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of a pack that holds no readable entry."""

    start: int
    end: int
    why: str
    cut: bool = False
    """The file ends before the entry does: what a process killed in mid-append leaves."""


def pack_header(pack: str) -> bytes:
    """The first bytes of the pack of this name (32 hex digits)."""
    fields = _PACK_HEADER.pack(PACK_MAGIC, VERSION, bytes.fromhex(pack), 0)[:-_CHECK_BYTES]
    return fields + _checksum(fields)


def entry_bytes(entry: Entry) -> int:
    """What an entry takes in a pack. Raises LimitExceeded when it is too large for any."""
    if len(entry.payload) > limits.PACK_ENTRY_BYTES_MAX:
        raise LimitExceeded(f"{entry.kind} of {len(entry.payload)} bytes; at most {limits.PACK_ENTRY_BYTES_MAX}")
    return ENTRY_HEADER_BYTES + len(entry.payload)


def encode_group(pack: str, start: int, entries: Sequence[Entry]) -> tuple[bytes, list[Address]]:
    """The bytes of entries that are flushed together, to be written at `start`, and where each will lie."""
    seed = zlib.crc32(bytes.fromhex(pack))
    pieces: list[bytes] = []
    addresses: list[Address] = []
    position = start
    for entry in entries:
        digest = hashlib.sha256(entry.payload)
        kind, length = _KIND_NUMBERS[entry.kind], len(entry.payload)
        fields = _ENTRY_HEADER.pack(ENTRY_MAGIC, kind, length, start, digest.digest(), 0)[:-_CHECK_BYTES]
        pieces += (fields, _checksum(fields, position, seed), entry.payload)
        addresses.append(Address(digest.hexdigest(), length, pack, position + ENTRY_HEADER_BYTES))
        position += entry_bytes(entry)
    return b"".join(pieces), addresses


def _checksum(fields: bytes, place: int | None = None, seed: int = 0) -> bytes:
    """CRC-32 of the header's fields; an entry's starts from the pack's id and the place of the header."""
    start = seed if place is None else zlib.crc32(_PLACE.pack(place), seed)
    return zlib.crc32(fields, start).to_bytes(_CHECK_BYTES, "little")


class PackReader:
    """Reads one pack through a descriptor, as far as the file reached when this was made."""

    def __init__(self, fd: int, pack: str) -> None:
        self.pack = pack
        self.size = os.fstat(fd).st_size
        self._fd = fd
        self._seed = zlib.crc32(bytes.fromhex(pack))

    def entries(self) -> Iterator[StoredEntry]:
        """What the headers tell, in the order of writing.

        Payloads are hashed in the last group only: a crash may have kept a header there and lost what follows it.
        """
        group: list[EntryHeader] = []
        for item in self.walk():
            if isinstance(item, EntryHeader):
                if group and group[0].group != item.group:
                    yield from map(self._stored, group)
                    group.clear()
                group.append(item)
        yield from (self._stored(entry) for entry in group if self._payload_digest(entry) == entry.digest)

    def damage(self, checked: Collection[str] = EVERYTHING) -> list[str]:
        """One sentence for each stretch that was readable once; payloads of the `checked` kinds are hashed.

        A group of entries was flushed before the next one was begun, so unreadable bytes in any group but the
        last are damage. In the last they are what a crash left, if the file ends too early or sectors are missing.
        """
        gaps: list[Gap] = []
        last_group = PACK_HEADER_BYTES
        for item in self.walk(checked=checked):
            if isinstance(item, EntryHeader):
                last_group = item.group
            elif gaps and gaps[-1].end == item.start:
                gaps[-1] = Gap(gaps[-1].start, item.end, gaps[-1].why, item.cut)
            else:
                gaps.append(item)
        lost = [gap for gap in gaps if gap.start < last_group or not (gap.cut or self._misses_a_sector(gap))]
        sentences = [f"pack {self.pack}: bytes {gap.start} to {gap.end} are lost: {gap.why}" for gap in lost]
        header_problem = self.header_problem()
        return [header_problem, *sentences] if header_problem else sentences

    def header_problem(self) -> str | None:
        """What is wrong with the pack's own header. Raises UnknownFormat when a newer release wrote it."""
        found, expected = self._read(0, PACK_HEADER_BYTES), pack_header(self.pack)
        if found == expected[: len(found)]:
            return None
        intact = len(found) == PACK_HEADER_BYTES and found[-_CHECK_BYTES:] == _checksum(found[:-_CHECK_BYTES])
        if intact and found.startswith(PACK_MAGIC) and found[4] != VERSION:
            raise UnknownFormat(f"pack {self.pack} has version {found[4]}; this release reads version {VERSION}")
        return f"pack {self.pack}: its header is {found.hex()}, expected {expected.hex()}"

    def walk(self, start: int = PACK_HEADER_BYTES, checked: Collection[str] = ()) -> Iterator[EntryHeader | Gap]:
        """Hop from header to header; what lies between readable entries comes as gaps.

        The payloads of the `checked` kinds are hashed. Raises UnknownFormat for a newer release's pack.
        """
        self.header_problem()
        position = start
        while position < self.size:
            item = self._item(position, checked)
            yield item
            position = item.end

    def last_entry(self) -> EntryHeader | None:
        """The entry that ends exactly where the file ends, found from behind; its payload is not read."""
        for reach in (_TAIL_BYTES, ENTRY_HEADER_BYTES + limits.PACK_ENTRY_BYTES_MAX):
            begin = max(PACK_HEADER_BYTES, self.size - reach)
            window = self._read(begin, reach)
            found = window.rfind(ENTRY_MAGIC)
            while found >= 0:
                entry = self._header(begin + found)
                if entry is not None and entry.end == self.size:
                    return entry
                found = window.rfind(ENTRY_MAGIC, 0, found)
        return None

    def _stored(self, entry: EntryHeader) -> StoredEntry:
        return StoredEntry(entry.kind, Address(entry.digest.hex(), entry.length, self.pack, entry.payload))

    def _item(self, position: int, checked: Collection[str]) -> EntryHeader | Gap:
        entry = self._header(position)
        if entry is None and self.size - position < ENTRY_HEADER_BYTES:
            return Gap(position, self.size, "the file ends inside an entry's header", cut=True)
        if entry is None:
            return Gap(position, self._resume(position + 1), "no entry begins there")
        if entry.end > self.size:
            return Gap(position, self.size, f"the file ends inside {entry.kind} {entry.digest.hex()}", cut=True)
        if entry.kind in checked and self._payload_digest(entry) != entry.digest:
            return Gap(position, entry.end, f"the payload of {entry.kind} {entry.digest.hex()} has another digest")
        return entry

    def _header(self, position: int) -> EntryHeader | None:
        header = self._read(position, ENTRY_HEADER_BYTES)
        if len(header) < ENTRY_HEADER_BYTES or not header.startswith(ENTRY_MAGIC):
            return None
        if header[-_CHECK_BYTES:] != _checksum(header[:-_CHECK_BYTES], position, self._seed):
            return None
        _, kind, length, group, digest, _ = _ENTRY_HEADER.unpack(header)
        if kind not in KINDS:
            raise UnknownFormat(f"pack {self.pack} has an entry of kind {kind}; this release knows {sorted(KINDS)}")
        if length > limits.PACK_ENTRY_BYTES_MAX or not PACK_HEADER_BYTES <= group <= position:
            return None
        return EntryHeader(KINDS[kind], position, length, group, digest)

    def _resume(self, position: int) -> int:
        """Where the next whole entry begins, from `position` on; the end of the file when there is none.

        Its payload must hash right too: in damaged bytes a header alone is not believed.
        """
        while True:
            window = self._read(position, limits.COPY_BYTES)
            found = window.find(ENTRY_MAGIC)
            while found >= 0:
                entry = self._header(position + found)
                if entry is not None and self._payload_digest(entry) == entry.digest:
                    return entry.start
                found = window.find(ENTRY_MAGIC, found + 1)
            if position + len(window) >= self.size or not window:
                return self.size
            position += len(window) - len(ENTRY_MAGIC) + 1

    def _payload_digest(self, entry: EntryHeader) -> bytes:
        digest = hashlib.sha256()
        for position in range(entry.payload, entry.end, limits.COPY_BYTES):
            digest.update(self._read(position, min(limits.COPY_BYTES, entry.end - position)))
        return digest.digest()

    def _misses_a_sector(self, gap: Gap) -> bool:
        """Whether a sector of the gap, or its part up to the end of the file, is all zeros: never written."""
        data = self._read(gap.start, gap.end - gap.start)
        reach = self.size if gap.end == self.size else gap.end - gap.end % SECTOR_BYTES
        for begin in range(gap.start - gap.start % SECTOR_BYTES, reach, SECTOR_BYTES):
            piece = data[max(begin - gap.start, 0) : begin + SECTOR_BYTES - gap.start]
            if not piece.strip(b"\0"):
                return True
        return False

    def _read(self, offset: int, length: int) -> bytes:
        return os.pread(self._fd, max(0, min(length, self.size - offset)), offset)
