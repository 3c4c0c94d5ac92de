"""A folder that objects are restored into, and never out of.

An object's name may say anything: `../../etc/passwd`, `/etc/passwd`, or the name of a link that somebody else
put into the folder a moment ago. So each step is taken from the folder before it, by descriptor and without
following links (O_NOFOLLOW), and a file gets its name only when it is whole.
"""

import errno
import os
import secrets
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from lithify.errors import BadName, Conflict, OutOfSpace

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Tree:
    """An open folder; files appear in it whole or not at all."""

    def __init__(self, root: Path) -> None:
        """Open a folder that is there. `root` itself is the caller's own choice, so a link may lead to it."""
        self._root = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._shown = root

    def close(self) -> None:
        """Let go of the folder."""
        os.close(self._root)

    def __enter__(self) -> "Tree":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @contextmanager
    def file(self, name: str, *, force: bool) -> Iterator[BinaryIO]:
        """A new file, to be written and read; it is named when the block ends well, and gone when it does not.

        Raises BadName for a name that is no way down a tree, Conflict when something is in the way: links and
        devices always, regular files unless `force`.
        """
        *folders, last = segments(name)
        with self._folder(name, folders) as folder:
            self._look(folder, last, name, force=force)
            temporary = f".lithify-{secrets.token_hex(8)}"
            try:
                with (
                    _named_when_full(self._shown / name),
                    os.fdopen(os.open(temporary, _NEW_FILE, 0o666, dir_fd=folder), "w+b") as file,
                ):
                    yield file
                self._appear(folder, temporary, last, name, force=force)
            finally:
                with suppress(FileNotFoundError):
                    os.unlink(temporary, dir_fd=folder)

    @contextmanager
    def _folder(self, name: str, folders: Sequence[str]) -> Iterator[int]:
        """The descriptor of the folder that `name` lies in; folders on the way are made."""
        here = os.dup(self._root)
        try:
            for folder in folders:
                with suppress(FileExistsError):
                    os.mkdir(folder, dir_fd=here)
                try:
                    below = os.open(folder, _FOLDER, dir_fd=here)
                except OSError as error:
                    if error.errno in {errno.ELOOP, errno.ENOTDIR}:
                        raise Conflict(
                            f"{self._shown / name}: {folder!r} on the way is no folder but a file or link"
                        ) from error
                    raise
                os.close(here)
                here = below
            yield here
        finally:
            os.close(here)

    def _look(self, folder: int, last: str, name: str, *, force: bool) -> None:
        try:
            found = os.stat(last, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            return
        if not stat.S_ISREG(found.st_mode):
            raise Conflict(f"{self._shown / name} is there and no regular file; it is left alone")
        if not force:
            raise self._in_the_way(name)

    def _appear(self, folder: int, temporary: str, last: str, name: str, *, force: bool) -> None:
        if not force:
            # A link, unlike a rename, never replaces what came there in the meantime.
            try:
                os.link(temporary, last, src_dir_fd=folder, dst_dir_fd=folder)
            except FileExistsError as error:
                raise self._in_the_way(name) from error
            except OSError as error:
                if error.errno not in {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS}:
                    raise
            else:
                return
        os.replace(temporary, last, src_dir_fd=folder, dst_dir_fd=folder)

    def _in_the_way(self, name: str) -> Conflict:
        return Conflict(f"{self._shown / name} is already there; --force replaces it")


@contextmanager
def _named_when_full(path: Path) -> Iterator[None]:
    """A disk that is full is that of `path`: the system names no file to which it could not write."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise OutOfSpace(f"no room left on the disk for {path}") from error
        raise


def segments(name: str) -> list[str]:
    """The steps from the folder down to the file. Raises BadName for a name that leads anywhere else."""
    parts = name.split("/")
    if any(part in {"", ".", ".."} or "\0" in part for part in parts):
        raise BadName(f"{name!r:.200} is no path below a folder: it has an empty, '.' or '..' segment")
    return parts
