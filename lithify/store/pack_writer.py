"""Appends groups of small things to one pack, which this process holds locked for as long as it writes to it."""

import os
import re
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import accumulate, takewhile
from pathlib import Path

from lithify import limits
from lithify.crashpoints import crashpoint
from lithify.errors import BadBytes
from lithify.store.blobs import Address, Entry
from lithify.store.disk import Disk, disk_errors, lock_file, names_in, new_locked_file, remove_file, write_all
from lithify.store.packs import (
    EVERYTHING,
    PACK_HEADER_BYTES,
    Gap,
    PackReader,
    encode_group,
    entry_bytes,
    pack_header,
)

PACKS = "packs"
SUFFIX = ".pack"
FILE_NAME = re.compile(r"[0-9a-f]{32}\.pack")


@dataclass(slots=True)
class _Pack:
    name: str
    fd: int
    end: int
    """All before it is durable; the next group goes there."""


class PackWriter:
    """Holds at most one pack. It is chosen or made by the first append, never sooner."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._lock = threading.Lock()
        self._pack: _Pack | None = None

    def append(self, entries: Sequence[Entry]) -> list[Address]:
        """Write entries under one flush, or one for each pack they fill; durable when this returns."""
        sizes = [entry_bytes(entry) for entry in entries]
        addresses: list[Address] = []
        with self._lock:
            self._disk.refuse_after_failure()
            while len(addresses) < len(entries):
                pack = self._pack_with_room(sizes[len(addresses)])
                count = _fitting(sizes[len(addresses) :], limits.PACK_BYTES_MAX - pack.end)
                addresses += self._write(pack, entries[len(addresses) : len(addresses) + count])
        return addresses

    def close(self) -> None:
        """Let go of the pack, so that another process may continue it."""
        with self._lock:
            self._release()

    def _pack_with_room(self, size: int) -> _Pack:
        starting = self._pack is None
        if self._pack is not None and self._pack.end + size > limits.PACK_BYTES_MAX:
            self._release()
        if self._pack is None:
            with disk_errors(self._disk.root / PACKS):
                self._pack = (self._adopted(size) if starting else None) or self._new()
        return self._pack

    def _write(self, pack: _Pack, group: Sequence[Entry]) -> list[Address]:
        where = self._path(pack.name)
        data, addresses = encode_group(pack.name, pack.end, group)
        try:
            with disk_errors(where):
                crashpoint("pack.before_append")
                write_all(pack.fd, data, pack.end)
                crashpoint("pack.after_append")
                crashpoint("pack.before_fsync")
                self._disk.flush(pack.fd, where, data_only=True)
                crashpoint("pack.after_fsync")
        except BaseException:
            self._retreat(pack)
            raise
        pack.end += len(data)
        return addresses

    def _retreat(self, pack: _Pack) -> None:
        """Take back a group that was not made durable; a pack that cannot even be shortened is left alone."""
        try:
            os.ftruncate(pack.fd, pack.end)
        except OSError:
            self._release()

    def _release(self) -> None:
        if self._pack is not None:
            os.close(self._pack.fd)
            self._pack = None

    def _new(self) -> _Pack:
        folder = self._disk.made_folder(PACKS)
        name, fd = new_locked_file(folder, SUFFIX)
        try:
            end = _begin(fd, name)
            self._disk.flush(fd, self._path(name))
            self._disk.flush(folder, self._disk.root / PACKS)
        except BaseException:
            with suppress(OSError):
                remove_file(name + SUFFIX, folder)
            os.close(fd)
            raise
        return _Pack(name, fd, end)

    def _adopted(self, size: int) -> _Pack | None:
        """A pack that an ended process left, with room for this much; the fullest are tried first."""
        folder = self._disk.made_folder(PACKS)
        for name in _candidates(folder, size)[: limits.PACK_ADOPT_TRIES]:
            pack = _adopt(folder, name)
            if pack is not None:
                # Its last writer may have died before these flushes; a group starts only after all before it is safe.
                self._disk.flush(pack.fd, self._path(pack.name))
                self._disk.flush(folder, self._disk.root / PACKS)
                return pack
        return None

    def _path(self, name: str) -> Path:
        return self._disk.root / PACKS / (name + SUFFIX)


def _begin(fd: int, name: str) -> int:
    header = pack_header(name)
    write_all(fd, header, 0)
    return len(header)


def _fitting(sizes: Sequence[int], room: int) -> int:
    """How many of the first entries fit; at least one, which the pack was chosen for."""
    total = accumulate(sizes)
    return max(1, sum(1 for _ in takewhile(lambda bytes_: bytes_ <= room, total)))


def _candidates(folder: int, size: int) -> list[str]:
    """The names of all packs with room for this much, fullest first."""
    fitting: list[tuple[int, str]] = []
    for name in filter(FILE_NAME.fullmatch, names_in(folder)):
        with suppress(FileNotFoundError):  # swept meanwhile
            taken = os.stat(name, dir_fd=folder, follow_symlinks=False).st_size
            if taken + size <= limits.PACK_BYTES_MAX:
                fitting.append((taken, name.removesuffix(SUFFIX)))
    return [name for _, name in sorted(fitting, reverse=True)]


def _adopt(folder: int, name: str) -> _Pack | None:
    """The pack, locked and cut back to its last whole entry; None if it is not ours to continue."""
    try:
        fd = lock_file(name + SUFFIX, folder, os.O_RDWR)
    except OSError:  # held by a living process, swept meanwhile, or no file we may write
        return None
    with suppress(OSError, BadBytes):  # unreadable, or a newer release's
        end = _continuation(PackReader(fd, name))
        if end is not None:
            os.ftruncate(fd, end)
            if end == 0:
                end = _begin(fd, name)
            return _Pack(name, fd, end)
    os.close(fd)
    return None


def _continuation(pack: PackReader) -> int | None:
    """Where the next group may begin, or None when there is damage that appending would bury.

    What a process killed in mid-append left behind is cut off: nobody has a receipt for an entry that the file is
    too short for. Otherwise every crash would leave a pack that no one may fill.
    """
    if pack.header_problem() is not None:
        return None
    if pack.size < PACK_HEADER_BYTES:
        return 0
    last = pack.last_entry()
    for item in pack.walk(last.group if last is not None else PACK_HEADER_BYTES, checked=EVERYTHING):
        if isinstance(item, Gap):
            return item.start if item.cut else None
    return pack.size
