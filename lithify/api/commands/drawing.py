"""`--plot`: what comes back of an object or a frame, beside the original, as a picture."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from lithify.api.commands.files import origin, picture_file
from lithify.api.commands.session import Session
from lithify.api.commands.walk import shown
from lithify.errors import BadArgument, NotFound

if TYPE_CHECKING:
    from lithify.api.service import Content, Service
    from lithify.store.views import ObjectView

PICTURE = ".png"
_EXACT = "exact"


def draw_object(
    session: Session,
    service: "Service",
    view: "ObjectView",
    picture: Path,
    against: Path | None,
    *,
    variable: str | None,
    force: bool,
) -> None:
    """Draw what comes back of an object beside the original: that is in `against`, or still stands in the archive."""
    from lithify.workers.plot import plot_files

    with picture_file(session, picture, PICTURE, force=force) as out, ExitStack() as stack:
        original = stack.enter_context(_original(service, view, against))
        exact = against is None and view.fidelity == _EXACT
        decoded = original if exact else stack.enter_context(_fetched(_content(service, view)))
        _write(out, plot_files(original, decoded, name=view.name, part=variable))
    session.out.note("plot", shown(picture))


@contextmanager
def _original(service: "Service", view: "ObjectView", against: Path | None) -> Iterator[BinaryIO]:
    if against is not None:
        with origin(against) as file:
            _check_length(file, view.encodings[-1].original_bytes, against)
            yield file
        return
    try:
        content = service.original(view.collection, view.name, revision=view.revision)
    except NotFound as error:
        raise BadArgument(f"{error.message}: name the file that it was with --against FILE") from error
    with _fetched(content) as file:
        yield file


def _content(service: "Service", view: "ObjectView") -> "Content":
    return service.get(view.collection, view.name, revision=view.revision)


def draw_frame(
    session: Session,
    frame: BinaryIO,
    name: str,
    picture: Path,
    against: Path | None,
    *,
    variable: str | None,
    force: bool,
) -> None:
    """Draw what a frame decodes to beside the original: the file `against`, or the same bytes where they come back."""
    from lithify.workers.plot import plot_frame

    with picture_file(session, picture, PICTURE, force=force) as out, ExitStack() as stack:
        original = None if against is None else stack.enter_context(origin(against))
        _write(out, plot_frame(frame, original, name=name, part=variable))
    session.out.note("plot", shown(picture))


@contextmanager
def _fetched(content: "Content") -> Iterator[BinaryIO]:
    with tempfile.TemporaryFile() as file:
        with content:
            for block in content:
                file.write(block)
        file.flush()
        yield file


def _check_length(file: BinaryIO, expected: int, path: Path) -> None:
    """The catalog no longer has the digest of an original that does not come back; its length it has."""
    found = file.seek(0, 2)
    if found != expected:
        raise BadArgument(f"--against {shown(path)} has {found} bytes; the original had {expected}")


def _write(out: BinaryIO | None, drawn: bytes) -> None:
    assert out is not None, "a picture was asked for"
    out.write(drawn)
