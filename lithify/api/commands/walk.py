"""What `put` finds on disk: regular files in order, with the names they get.

Everything else is told, never dropped silently: links and special files are skipped, what cannot be read or
named is an error, and the walk goes on.
"""

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lithify.api.commands.session import from_os_error
from lithify.errors import BadArgument, BadName, LithifyError


@dataclass(frozen=True, slots=True)
class File:
    """A regular file and the name of the object it becomes."""

    path: Path
    name: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something below a folder that is no regular file."""

    path: Path
    why: str


Found = File | Skipped | LithifyError


def shown(path: Path) -> str:
    """The path for people; bytes that are not UTF-8 spelled out."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def walk(paths: Sequence[Path], *, leave_out: Path | None = None) -> Iterator[Found]:
    """Everything under `paths`, folders in sorted order; a file in one has the folder's own name in front.

    Links given by name are followed, links inside folders are skipped: a tree holds what lies in it. `leave_out`
    is the archive's own folder, which would grow while it is read.
    """
    taken: dict[str, Path] = {}
    own = _identity(leave_out) if leave_out is not None else None
    for path in paths:
        top = Path(os.path.abspath(path)).name  # noqa: PTH100 - resolve() would lose the name that was typed
        if top in taken:
            yield BadArgument(f"{shown(path)} and {shown(taken[top])} would both be named {top}; put them one by one")
            continue
        taken[top] = path
        try:
            mode = path.stat().st_mode
        except OSError as error:
            yield from_os_error(error)
            continue
        if stat.S_ISDIR(mode):
            yield from _walk_folder(path, top, own)
        elif stat.S_ISREG(mode):
            yield named(path, top)
        else:
            yield BadArgument(
                f"{shown(path)} is no regular file; to store what it gives: ... | lithify put - --name NAME"
            )


def _walk_folder(folder: Path, name: str, own: tuple[int, int] | None) -> Iterator[Found]:
    # A list instead of recursion: trees may be deeper than Python's stack.
    todo: list[tuple[Path, str, str | None]] = [(folder, name, None)]
    while todo:
        path, name, why = todo.pop()
        if why is not None:
            yield Skipped(path, why)
        elif not path.is_dir():
            yield named(path, name)
        elif own is not None and _identity(path) == own:
            yield Skipped(path, "this is the archive itself")
        else:
            try:
                entries = sorted(os.scandir(path), key=lambda entry: os.fsencode(entry.name), reverse=True)
            except OSError as error:
                yield from_os_error(error)
                continue
            todo += [(Path(entry.path), f"{name}/{entry.name}".lstrip("/"), _unfit(entry)) for entry in entries]


def _unfit(entry: "os.DirEntry[str]") -> str | None:
    if entry.is_symlink():
        return "a symbolic link"
    if entry.is_file(follow_symlinks=False) or entry.is_dir(follow_symlinks=False):
        return None
    return "not a regular file"


def named(path: Path, name: str) -> File | LithifyError:
    """The file under the name it would get, or why it cannot have it."""
    from lithify.store.names import object_name

    try:
        name.encode("utf-8")
        return File(path, object_name(name))
    except UnicodeEncodeError:
        return BadName(f"{shown(path)}: the file's name is not valid UTF-8, so no object can be named after it")
    except BadName as error:
        return BadName(f"{shown(path)}: {error.message}")


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
