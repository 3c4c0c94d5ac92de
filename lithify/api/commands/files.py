"""Where `pack` and `unpack` read and write: a file, or a pipe by way of a temporary file."""

import mimetypes
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import BinaryIO

from lithify.api.commands.session import Session, standard_input
from lithify.api.commands.tree import Tree
from lithify.api.commands.values import PIPE
from lithify.api.commands.walk import shown
from lithify.errors import BadArgument, BadBytes
from lithify.limits import COPY_BYTES

_ONE_FORM = {("application/x-netcdf", "application/x-hdf5")}
"""What a name says, and the contents: NetCDF 4 is HDF5."""
_ANY = "application/octet-stream"
"""What names such as x.bin say: nothing about a form."""


@contextmanager
def origin(path: Path) -> Iterator[BinaryIO]:
    """The file to read. Standard input goes to a temporary file first, since frames are read from their end."""
    if path != PIPE:
        if path.is_dir():
            raise BadArgument(f"{shown(path)} is a folder, and a frame holds one file; `lithify put` takes folders in")
        with open(path, "rb", opener=_open_without_waiting) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise BadArgument(f"{shown(path)} is no regular file; to read what it gives, pipe it in and name it -")
            yield file
        return
    with tempfile.TemporaryFile() as file:
        shutil.copyfileobj(standard_input(), file, COPY_BYTES)
        file.seek(0)
        yield file


@contextmanager
def frame_at(path: Path) -> Iterator[BinaryIO]:
    """A frame to read. What is wrong with its bytes is told with its name."""
    with origin(path) as frame:
        try:
            yield frame
        except BadBytes as error:
            raise type(error)(f"{shown(path)}: {error.message}") from error


def _open_without_waiting(path: str, flags: int) -> int:
    # A pipe that nobody writes into would else hold us up before we can see what it is.
    return os.open(path, flags | os.O_NONBLOCK)


@contextmanager
def destination(session: Session, path: Path, *, force: bool) -> Iterator[BinaryIO]:
    """The file to write, which gets its name when all went well; for standard output, sent when all went well."""
    if path != PIPE:
        with Tree(path.parent) as folder, folder.file(path.name, force=force) as file:
            yield file
        return
    with tempfile.TemporaryFile() as file:
        yield file
        file.seek(0)
        while block := file.read(COPY_BYTES):
            session.out.block(block)


@contextmanager
def picture_file(session: Session, path: Path | None, *suffixes: str, force: bool) -> Iterator[BinaryIO | None]:
    """The file for a picture, if one is wanted; refused at once if it would be refused in the end."""
    if path is not None and path.suffix.lower() not in suffixes:
        kinds = " or ".join(suffix[1:].upper() for suffix in suffixes)
        ends = " or ".join(suffixes)
        raise BadArgument(f"--plot {shown(path)}: this is drawn as {kinds}, into a file whose name ends in {ends}")
    if path is not None and path.exists() and not force:
        raise BadArgument(f"{shown(path)} is already there; --force replaces it")
    with nullcontext() if path is None else destination(session, path, force=force) as file:
        yield file


def tell_form(session: Session, path: Path, media_type: str | None) -> None:
    """A note where a file's name says another form than it has: a looser contract may have given it that."""
    said = mimetypes.guess_type(path.name)[0]
    if media_type is None or said in (None, _ANY, media_type) or (said, media_type) in _ONE_FORM:
        return
    session.out.note("form", f"{shown(path)} has become {media_type}, and its name says {said}")
