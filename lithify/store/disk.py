"""How the cellar touches its folder: by directory descriptor, never through a link, flushed once or never.

A flush that failed may have dropped the bytes, and says all is well when asked again (PostgreSQL learnt this in
2018). So none is repeated: the first failure ends all writing through its `Disk`, and the process should end.
"""

import errno
import fcntl
import os
import secrets
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lithify.errors import Busy, Corrupt, NotFound, OutOfSpace, StoreUnavailable

_FULL = (errno.ENOSPC, errno.EDQUOT)
_STRANGERS = (errno.ELOOP, errno.ENOTDIR, errno.EISDIR)


@contextmanager
def disk_errors(where: Path | str) -> Iterator[None]:
    """What the operating system refuses, in our words: OutOfSpace when full, else StoreUnavailable."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise OutOfSpace(f"no room left on the disk for {where}") from error
        raise StoreUnavailable(f"{where}: {error.strerror}") from error


@contextmanager
def reading(where: Path | str) -> Iterator[None]:
    """The same for a file that should be there.

    NotFound when it is gone, Corrupt when a link or folder took its place, Busy when a living process holds its lock.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise NotFound(f"{where} is not there") from error
    except BlockingIOError as error:
        raise Busy(f"{where} is being written") from error
    except OSError as error:
        if error.errno in _STRANGERS:
            raise Corrupt(f"{where} is no file of ours: {error.strerror}") from error
        with disk_errors(where):
            raise


class Disk:
    """One archive's folder. Nothing is created before the first write."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.failure: str | None = None
        """Why nothing more may be written, once a flush has failed."""
        self._lock = threading.Lock()
        self._folders: dict[str, int] = {}
        self._made: set[str] = set()

    def folder(self, name: str) -> int:
        """The descriptor of one folder of the archive. Raises FileNotFoundError when it is not there."""
        with self._lock:
            if name not in self._folders:
                self._folders[name] = open_folder(self.root / name)
            return self._folders[name]

    def made_folder(self, name: str) -> int:
        """The same, made where it is missing; a power cut can no longer take its name away."""
        self.refuse_after_failure()
        with self._lock:
            if name not in self._made:
                self._make_root()
                (self.root / name).mkdir(mode=0o700, exist_ok=True)
                # Also when it was there: the process that made it may have died before it could flush.
                self._flush_folder(self.root)
                self._made.add(name)
        return self.folder(name)

    def refuse_after_failure(self) -> None:
        """Raise StoreUnavailable if a flush has ever failed."""
        if self.failure is not None:
            raise StoreUnavailable(self.failure)

    def flush(self, fd: int, where: Path | str, *, data_only: bool = False) -> None:
        """Make a file or folder durable. A failure is final for this process; see the top of this file."""
        self.refuse_after_failure()
        try:
            os.fdatasync(fd) if data_only else os.fsync(fd)
        except OSError as error:
            self.failure = (
                f"flushing {where} failed ({error.strerror}); nothing more is written by this process: "
                "end it, look at the disk, then start again"
            )
            raise StoreUnavailable(self.failure) from error

    def close(self) -> None:
        """Let go of the folders; they are opened again when needed."""
        with self._lock:
            for fd in self._folders.values():
                os.close(fd)
            self._folders.clear()

    def _make_root(self) -> None:
        missing = [path for path in (self.root, *self.root.parents) if not path.exists()]
        for path in reversed(missing):
            path.mkdir(mode=0o700, exist_ok=True)
        for path in missing or [self.root]:
            with suppress(PermissionError):  # a parent we may pass but not read was not made by us
                self._flush_folder(path.parent)

    def _flush_folder(self, path: Path) -> None:
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            self.flush(fd, path)
        finally:
            os.close(fd)


def open_folder(path: Path | str, parent: int | None = None) -> int:
    """The descriptor of a folder that is no symbolic link."""
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)


def names_in(folder: int) -> list[str]:
    """What a folder holds, in order."""
    fd = open_folder(".", folder)  # of our own: threads that shared one would share its place in the list
    try:
        with os.scandir(fd) as found:
            return sorted(file.name for file in found)
    finally:
        os.close(fd)


def open_file(name: str, folder: int, flags: int = os.O_RDONLY) -> int:
    """The descriptor of an existing plain file; anything else is refused with IsADirectoryError or ELOOP."""
    fd = os.open(name, flags | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)  # a planted pipe must not stall us
    if stat.S_ISREG(os.fstat(fd).st_mode):
        return fd
    os.close(fd)
    raise IsADirectoryError(errno.EISDIR, "not a plain file", name)


def new_locked_file(folder: int, suffix: str) -> tuple[str, int]:
    """A new file of 32 random hex digits, which are returned, and the suffix; locked while its descriptor is open."""
    while True:
        name = secrets.token_hex(16)
        fd = os.open(name + suffix, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600, dir_fd=folder)
        with suppress(BlockingIOError):
            if _lock(fd):
                return name, fd
        # Somebody's sweep came before the lock and took the file for a dead process's.
        remove_file(name + suffix, folder)
        os.close(fd)


def lock_file(name: str, folder: int, flags: int = os.O_RDONLY) -> int:
    """The descriptor of an existing file, locked.

    Raises BlockingIOError while a living process holds it, FileNotFoundError when the last one to hold it removed it.
    """
    fd = open_file(name, folder, flags)
    try:
        if not _lock(fd):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
    except OSError:
        os.close(fd)
        raise
    return fd


def _lock(fd: int) -> bool:
    """Take the lock; False if the file was unlinked before it was ours."""
    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return os.fstat(fd).st_nlink > 0


def write_all(fd: int, data: bytes, offset: int) -> None:
    """Write everything at an offset, however little the system takes at a time."""
    view = memoryview(data).cast("B")
    while view:
        written = os.pwrite(fd, view, offset)
        view, offset = view[written:], offset + written


def remove_file(name: str, folder: int) -> None:
    """Unlink; nothing happens if it is gone."""
    with suppress(FileNotFoundError):
        os.unlink(name, dir_fd=folder)
