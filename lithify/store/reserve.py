"""Room that an archive keeps for itself, so that on a full disk it can still be read and things be taken away.

SQLite makes a log and an index beside the catalog even to read it, and a removal is recorded before it is done. The
room is a file that is let go when the disk is full as the archive is opened, and taken again once there is enough.
"""

import os
from contextlib import suppress
from pathlib import Path

from lithify import limits
from lithify.errors import OutOfSpace

RESERVE = "reserve"


def let_go_if_short(folder: Path) -> None:
    """Give the room back to a disk that has no other."""
    if _is_short(folder):
        with suppress(FileNotFoundError):
            os.truncate(folder / RESERVE, 0)


def take(folder: Path) -> None:
    """Take the room, if there is twice as much; without it the archive works as well, until the disk is full."""
    path = folder / RESERVE
    with suppress(OSError):
        if path.exists() and path.stat().st_size == limits.RESERVE_BYTES:
            return
        if _free_bytes(folder) >= 2 * limits.RESERVE_BYTES:
            fd = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(fd, 0, limits.RESERVE_BYTES)
            finally:
                os.close(fd)


def refuse_if_short(folder: Path) -> None:
    """Raise OutOfSpace when only so much is left that it is needed for reading and removing."""
    if _is_short(folder):
        raise OutOfSpace(
            f"less than {limits.RESERVE_BYTES // limits.KIB} KiB are left on the disk of {folder}: "
            "that is kept for reading and removing"
        )


def _is_short(folder: Path) -> bool:
    return _free_bytes(folder) < limits.RESERVE_BYTES


def _free_bytes(folder: Path) -> float:
    """What may be written; without bound where the file system does not know."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize if found.f_blocks else float("inf")
