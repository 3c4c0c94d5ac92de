"""Blobs with a file of their own: written in staging/, flushed, then renamed to blobs/ab/<digest>.

The order is what makes a receipt true: bytes, fsync, rename, fsync of the directory. A blob is never written under
its own name, and a file that has the name is never trusted instead of the bytes just received: it is replaced.
"""

import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from lithify.crashpoints import crashpoint
from lithify.store.blobs import Address
from lithify.store.disk import Disk, disk_errors, names_in, new_locked_file, open_folder, remove_file, write_all

BLOBS, STAGING = "blobs", "staging"
SUFFIX = ".blob"


def shard_of(digest: str) -> str:
    """The folder below blobs/ that holds this blob."""
    return digest[:2]


class Shards:
    """The 256 folders below blobs/, so that no folder grows too long to list."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._lock = threading.Lock()
        self._durable: set[str] = set()

    def path(self, digest: str) -> Path:
        """For messages only; files are reached by descriptor."""
        return self._disk.root / BLOBS / shard_of(digest) / digest

    @contextmanager
    def opened(self, name: str) -> Iterator[int]:
        """The descriptor of a shard. Raises FileNotFoundError when it is not there."""
        fd = open_folder(name, self._disk.folder(BLOBS))
        try:
            yield fd
        finally:
            os.close(fd)

    @contextmanager
    def made(self, name: str) -> Iterator[int]:
        """The same, made where it is missing; its name is durable."""
        folder = self._disk.made_folder(BLOBS)
        with self._lock:
            if name not in self._durable:
                with suppress(FileExistsError):
                    os.mkdir(name, 0o700, dir_fd=folder)
                # Listed before the flush: it covers shards whose maker died before flushing their names.
                present = names_in(folder)
                self._disk.flush(folder, self._disk.root / BLOBS)
                self._durable.update(present)
        with self.opened(name) as fd:
            yield fd


class LocalStage:
    """A blob being written. Its staging file stays locked, by which a sweep tells the living from the dead."""

    def __init__(self, disk: Disk, shards: Shards) -> None:
        self._disk = disk
        self._shards = shards
        self._digest = hashlib.sha256()
        self._length = 0
        crashpoint("ingest.before_stage")
        with disk_errors(disk.root / STAGING):
            self._folder = disk.made_folder(STAGING)
            name, self._fd = new_locked_file(self._folder, SUFFIX)
            self._name = name + SUFFIX
        self._open = True
        crashpoint("ingest.after_stage")

    def write(self, data: bytes) -> None:
        """Add bytes to the end. When the disk refuses them, nothing of the stage is left."""
        assert self._open, "the stage is committed or aborted"
        try:
            with disk_errors(self._path):
                write_all(self._fd, data, self._length)
        except BaseException:
            self.abort()
            raise
        self._digest.update(data)
        self._length += len(data)

    def commit(self) -> Address:
        """Make the bytes durable under their digest."""
        assert self._open, "the stage is committed or aborted"
        digest = self._digest.hexdigest()
        try:
            with disk_errors(self._path):
                os.fchmod(self._fd, 0o444)
                crashpoint("blob.before_fsync")
                self._disk.flush(self._fd, self._path)
                crashpoint("blob.after_fsync")
                self._publish(digest)
        except BaseException:
            self.abort()
            raise
        self._close()
        return Address(digest, self._length)

    def abort(self) -> None:
        """Remove the staging file. Does nothing after commit or abort."""
        if self._open:
            with suppress(OSError):  # a sweep removes it later
                remove_file(self._name, self._folder)
            self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.abort()

    @property
    def _path(self) -> Path:
        return self._disk.root / STAGING / self._name

    def _publish(self, digest: str) -> None:
        with self._shards.made(shard_of(digest)) as shard:
            crashpoint("blob.before_rename")
            os.rename(self._name, digest, src_dir_fd=self._folder, dst_dir_fd=shard)
            crashpoint("blob.after_rename")
            crashpoint("blob.before_fsync_directory")
            self._disk.flush(shard, self._shards.path(digest).parent)
            crashpoint("blob.after_fsync_directory")

    def _close(self) -> None:
        self._open = False
        os.close(self._fd)
