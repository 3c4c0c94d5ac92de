"""The archive's folder: how it is laid out on first use, recognised, and held by those who have it open."""

import fcntl
import json
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lithify.errors import Busy, Conflict, NotFound, StoreUnavailable, UnknownFormat

LAYOUT = 1
CATALOG = "catalog.sqlite"
HIGH_WATER = "high-water"
STAGING = "staging"
_ABOUT = "archive.json"


def open_folder(folder: Path, *, create: bool) -> str:
    """The id of the archive in `folder`, laid out on first use.

    Raises NotFound when it is not there and may not be made, Conflict when the folder holds something else or the
    catalog is gone, UnknownFormat when a newer lithify laid it out.
    """
    if create and not (folder / _ABOUT).exists():
        _lay_out(folder)
    archive_id = read_about(folder)
    with suppress(FileExistsError):
        (folder / STAGING).mkdir(mode=0o700)
    if not (folder / CATALOG).exists() and any((folder / "packs").glob("*.pack")):
        raise Conflict(f"the catalog {folder / CATALOG} is gone; `lithify rebuild` brings it back from the records")
    return archive_id


def read_about(folder: Path) -> str:
    """The id of the archive in `folder`. Raises NotFound, StoreUnavailable or UnknownFormat."""
    about = folder / _ABOUT
    try:
        facts = json.loads(about.read_text())
        archive_id, layout = facts["id"], facts["layout"]
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotFound(f"there is no archive in {folder}") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreUnavailable(f"{about} cannot be read: {error}") from error
    if layout != LAYOUT:
        raise UnknownFormat(f"archive {folder} has layout {layout!r}; this lithify reads layout {LAYOUT}")
    return str(archive_id)


def _lay_out(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        strangers = [path.name for path in folder.iterdir() if not path.name.startswith(_ABOUT)]
        if strangers:
            raise Conflict(
                f"{folder} is not an archive and not empty (it holds {strangers[0]!r}); choose another folder"
            )
        draft = folder / f"{_ABOUT}.{os.getpid()}"
        draft.write_text(json.dumps({"id": uuid.uuid4().hex, "layout": LAYOUT}))
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        with suppress(FileExistsError):  # another process was faster; its id counts
            os.link(draft, folder / _ABOUT)
        draft.unlink()
    except OSError as error:
        raise StoreUnavailable(f"cannot make an archive in {folder}: {error.strerror}") from error


def hold_shared(folder: Path) -> int:
    """A file descriptor that says "this archive is open" until it is closed. Raises Busy during a rebuild."""
    return _lock(folder, fcntl.LOCK_SH, "is being rebuilt by another process")


@contextmanager
def hold_alone(folder: Path) -> Iterator[None]:
    """Nobody else has the archive open meanwhile. Raises Busy when somebody has."""
    descriptor = _lock(folder, fcntl.LOCK_EX, "is open in another process; stop the server and workers first")
    try:
        yield
    finally:
        os.close(descriptor)


def _lock(folder: Path, mode: int, why_not: str) -> int:
    descriptor = os.open(folder / _ABOUT, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, mode | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise Busy(f"archive {folder} {why_not}") from error
    return descriptor
