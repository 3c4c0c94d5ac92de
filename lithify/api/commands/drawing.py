"""`--plot`: what comes back of an object or a frame, beside the original, as a picture."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from lithify.api.commands.files import origin, picture_file
from lithify.api.commands.session import Session
from lithify.api.commands.walk import shown
from lithify.errors import BadArgument

if TYPE_CHECKING:
    from lithify.api.service import Service
    from lithify.store.views import ObjectView

PICTURE = ".png"
_EXACT = "exact"


def draw_object(
    session: Session, service: "Service", view: "ObjectView", picture: Path, against: Path | None, *, force: bool
) -> None:
    """Draw what comes back of an object beside the original: that is in `against`, unless it comes back itself."""
    from lithify.workers.plot import plot_files

    if against is None and view.fidelity != _EXACT:
        raise BadArgument(
            f"{view.collection}/{view.name} keeps {view.fidelity}, and its original is gone: "
            "name the file that it was with --against FILE"
        )
    with (
        picture_file(session, picture, PICTURE, force=force) as out,
        _fetched(service, view) as decoded,
        ExitStack() as stack,
    ):
        original = decoded if against is None else stack.enter_context(origin(against))
        if against is not None:
            _check_length(original, view.encodings[-1].original_bytes, against)
        _write(out, plot_files(original, decoded, name=view.name))
    session.out.note("plot", shown(picture))


def draw_frame(
    session: Session, frame: BinaryIO, name: str, picture: Path, against: Path | None, *, force: bool
) -> None:
    """Draw what a frame decodes to beside the original: the file `against`, or the same bytes where they come back."""
    from lithify.workers.plot import plot_frame

    with picture_file(session, picture, PICTURE, force=force) as out, ExitStack() as stack:
        original = None if against is None else stack.enter_context(origin(against))
        _write(out, plot_frame(frame, original, name=name))
    session.out.note("plot", shown(picture))


@contextmanager
def _fetched(service: "Service", view: "ObjectView") -> Iterator[BinaryIO]:
    with tempfile.TemporaryFile() as file:
        with service.get(view.collection, view.name, revision=view.revision) as content:
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
