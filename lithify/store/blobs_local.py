"""Blobs in a folder: own files under blobs/, small things in packs/, what is half-written in staging/.

README.md of this room has the layout, the order of writes, and what each crash can leave. Everything is reached by
directory descriptor and no symbolic link is followed, so nothing planted in the archive leads out of it.
"""

import os
import re
import secrets
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from lithify.errors import BadArgument, BadName, Busy, Corrupt, NotFound, Truncated
from lithify.store.blob_reader import BlobReader
from lithify.store.blobs import Address, Entry, Stage, StoredEntry, compare
from lithify.store.disk import Disk, disk_errors, lock_file, names_in, open_file, reading, remove_file
from lithify.store.own_files import BLOBS, STAGING, LocalStage, Shards, shard_of
from lithify.store.pack_writer import FILE_NAME, PACKS, SUFFIX, PackWriter
from lithify.store.packs import EVERYTHING, PackReader

QUARANTINE = "quarantine"
_DIGEST = re.compile(r"[0-9a-f]{64}")


class LocalBlobs:
    """The directory backend. Opening it creates nothing; the first write makes the folders it needs."""

    def __init__(self, folder: Path) -> None:
        self._disk = Disk(folder)
        self._shards = Shards(self._disk)
        self._writer = PackWriter(self._disk)
        self._held: set[str] = set()

    @property
    def failure(self) -> str | None:
        """Why this process must end: a flush has failed, and every write is refused from then on."""
        return self._disk.failure

    def stage(self) -> Stage:
        """Start a blob that gets a file of its own."""
        return LocalStage(self._disk, self._shards)

    def append(self, entries: Sequence[Entry]) -> list[Address]:
        """Put many small things into a pack under one flush."""
        return self._writer.append(entries)

    def open(self, address: Address) -> BlobReader:
        """A reader of exactly this blob. Raises NotFound, and Truncated or Corrupt when its length is wrong."""
        fd = self._open_file(address)
        try:
            self._compare_length(address, os.fstat(fd).st_size)
            return BlobReader(fd, address)
        except BaseException:
            os.close(fd)
            raise

    def exists(self, address: Address) -> bool:
        """Whether a file of the right length is there, or a pack that reaches far enough."""
        try:
            self.open(address).close()
        except (NotFound, Truncated, Corrupt):
            return False
        return True

    def verify(self, address: Address) -> None:
        """Read it all and hash it. Raises NotFound, Truncated or Corrupt."""
        with self.open(address) as source:
            compare(address, source)

    def files(self) -> Iterator[Address]:
        """Every blob that has a file of its own, in the order of digests."""
        for name in self._names(BLOBS):
            yield from self._files_in(name)

    def packs(self) -> Iterator[str]:
        """The name of every pack, in order."""
        return (name.removesuffix(SUFFIX) for name in self._names(PACKS) if FILE_NAME.fullmatch(name))

    def entries(self, pack: str) -> Iterator[StoredEntry]:
        """What a pack's headers tell; whoever trusts a payload hashes it first (`read_checked`)."""
        with self._reader(pack) as reader:
            yield from reader.entries()

    def damage(self, pack: str, *, read_data: bool = False) -> list[str]:
        """One sentence for each damaged stretch of a pack."""
        with self._reader(pack) as reader:
            return reader.damage(EVERYTHING if read_data else ("record",))

    def remove(self, address: Address) -> None:
        """Unlink a blob's own file. Not flushed: one that a power cut brings back is swept again."""
        if address.pack is not None:
            raise BadArgument(f"blob {address.digest} lies in pack {address.pack}; only whole packs are removed")
        with suppress(NotFound), self._shard_of(address) as shard:
            os.unlink(address.digest, dir_fd=shard)

    @contextmanager
    def hold_pack(self, pack: str) -> Iterator[None]:
        """While held, nobody appends to this pack. Raises Busy when somebody is, NotFound when it is gone."""
        with reading(self._pack_path(pack)):
            fd = lock_file(self._pack_path(pack).name, self._disk.folder(PACKS))
        self._held.add(pack)
        try:
            yield
        finally:
            self._held.remove(pack)
            os.close(fd)

    def remove_pack(self, pack: str) -> None:
        """Unlink a whole pack; nothing happens if it is gone. Raises Busy when somebody is appending to it."""
        if pack in self._held:
            with disk_errors(self._pack_path(pack)):
                remove_file(self._pack_path(pack).name, self._disk.folder(PACKS))
            return
        with suppress(NotFound), self.hold_pack(pack):
            self.remove_pack(pack)

    def quarantine(self, address: Address) -> None:
        """Move a blob's own file to quarantine/<digest>.<8 hex digits>; nothing happens if it is gone."""
        if address.pack is not None:
            return
        aside = f"{address.digest}.{secrets.token_hex(4)}"
        with suppress(NotFound), self._shard_of(address) as shard:
            folder = self._disk.made_folder(QUARANTINE)
            os.rename(address.digest, aside, src_dir_fd=shard, dst_dir_fd=folder)
            self._disk.flush(folder, self._disk.root / QUARANTINE)
            self._disk.flush(shard, self._place(address).parent)

    def sweep_staging(self) -> int:
        """Remove every staging file that no living process holds locked; gives their number."""
        return sum(self._sweep_one(name) for name in self._names(STAGING))

    def close(self) -> None:
        """Let go of the pack being appended to, and of the folders."""
        self._writer.close()
        self._disk.close()

    def _place(self, address: Address) -> Path:
        return self._shards.path(address.digest) if address.pack is None else self._pack_path(address.pack)

    def _pack_path(self, pack: str) -> Path:
        if not FILE_NAME.fullmatch(pack + SUFFIX):
            raise BadName(f"{pack!r} is no name of a pack")
        return self._disk.root / PACKS / (pack + SUFFIX)

    def _names(self, folder: str) -> list[str]:
        with disk_errors(self._disk.root / folder), suppress(FileNotFoundError):
            return names_in(self._disk.folder(folder))
        return []

    def _open_file(self, address: Address) -> int:
        if address.pack is not None:
            return self._open_pack(address.pack)
        with self._shard_of(address) as shard:
            return open_file(address.digest, shard)

    @contextmanager
    def _shard_of(self, address: Address) -> Iterator[int]:
        if not _DIGEST.fullmatch(address.digest):
            raise BadName(f"{address.digest!r} is no name of a blob")
        with reading(self._place(address)), self._shards.opened(shard_of(address.digest)) as shard:
            yield shard

    def _open_pack(self, pack: str) -> int:
        with reading(self._pack_path(pack)):
            return open_file(self._pack_path(pack).name, self._disk.folder(PACKS))

    @contextmanager
    def _reader(self, pack: str) -> Iterator[PackReader]:
        fd = self._open_pack(pack)
        try:
            with disk_errors(self._pack_path(pack)):
                yield PackReader(fd, pack)
        finally:
            os.close(fd)

    def _compare_length(self, address: Address, found: int) -> None:
        expected = address.offset + address.length
        sentence = f"{self._place(address)} has {found} bytes; expected {expected}"
        if found < expected:
            raise Truncated(sentence)
        if found > expected and address.pack is None:
            raise Corrupt(sentence)

    def _files_in(self, shard_name: str) -> Iterator[Address]:
        with (
            suppress(NotFound, Corrupt),  # swept meanwhile, or no folder of ours
            reading(self._disk.root / BLOBS / shard_name),
            self._shards.opened(shard_name) as shard,
        ):
            for name in filter(_DIGEST.fullmatch, names_in(shard)):
                with suppress(FileNotFoundError):
                    found = os.stat(name, dir_fd=shard, follow_symlinks=False)
                    if stat.S_ISREG(found.st_mode) and shard_of(name) == shard_name:
                        yield Address(name, found.st_size)

    def _sweep_one(self, name: str) -> bool:
        with suppress(NotFound, Busy, Corrupt), reading(self._disk.root / STAGING / name):
            folder = self._disk.folder(STAGING)
            fd = lock_file(name, folder)
            remove_file(name, folder)
            os.close(fd)
            return True
        return False
