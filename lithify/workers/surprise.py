"""The surprising lines of what is stored, or of a file: what each costs under the model that texts are coded with."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from lithify import limits
from lithify.codecs.frame import is_frame, read_frame
from lithify.codecs.text.classes import TextClass
from lithify.codecs.text.models import tables_of
from lithify.store.views import ObjectView, SurpriseView, SurprisingLine
from lithify.workers.needs import gathered
from lithify.workers.proof import place_of
from lithify.workers.sandbox import Sandbox

if TYPE_CHECKING:
    from lithify.workers.archive import Archive

ROLE = "search"
BY = ("excess", "bits", "rate")


def object_surprise(
    archive: "Archive", view: ObjectView, *, by: str, lines: int, wall_seconds: float | None = None
) -> SurpriseView:
    """What the lines of an object cost; of a long one, of its beginning."""
    end = min(view.length, limits.WEIGHED_BYTES_MAX)
    with archive.get(view.collection, view.name, revision=view.revision, end=end) as content:
        text = b"".join(content)
    of = {"collection": view.collection, "name": view.name, "revision": view.revision, "length": view.length}
    return _weighed(archive.sandbox, text, of, by=by, lines=lines, wall_seconds=wall_seconds)


def file_surprise(
    file: BinaryIO, name: str, *, by: str, lines: int, primers: Sequence[Path] = (), models: Sequence[Path] = ()
) -> SurpriseView:
    """The same for a file with no archive anywhere near: a frame, whose original it is then about, or any other.

    primers  files, or folders of files, among which are the primers that the frame needs
    models   the same for language models; a Hugging Face folder is one
    """
    text, length = _beginning(file, primers, models)
    with Sandbox() as sandbox:
        of = {"collection": "", "name": name, "revision": "", "length": length}
        return _weighed(sandbox, text, of, by=by, lines=lines)


def _beginning(file: BinaryIO, primers: Sequence[Path], models: Sequence[Path]) -> tuple[bytes, int]:
    """The beginning of what the file holds, and how long that is."""
    if not is_frame(file):
        length = place_of(file).length
        file.seek(0)
        return file.read(limits.WEIGHED_BYTES_MAX), length
    frame = read_frame(file)
    end = min(frame.decoded_length, limits.WEIGHED_BYTES_MAX)
    with gathered(frame, primers, models) as needs, needs.decoded(file, end=end) as blocks:
        return b"".join(blocks), frame.decoded_length


def _weighed(
    sandbox: Sandbox, text: bytes, of: dict[str, Any], *, by: str, lines: int, wall_seconds: float | None = None
) -> SurpriseView:
    """`of` is what the view says of the object or file."""
    args = {"by": by, "lines": min(lines, limits.WEIGHED_LINES_MAX)}
    found = sandbox.run("weigh", args, attached=[text], role=ROLE, wall_seconds=wall_seconds).result
    return SurpriseView(
        **of,
        read_bytes=len(text),
        model=tables_of(TextClass[found["text_class"].upper()]).name,
        text_class=found["text_class"],
        bits=found["bits"],
        lines=found["lines"],
        by=by,
        items=tuple(_line(text, **item) for item in found["items"]),
        stretch_bytes=found["stretch_bytes"],
        stretches=tuple(found["stretches"]),
    )


def _line(text: bytes, *, number: int, start: int, length: int, bits: float) -> SurprisingLine:
    line = text[start : start + min(length, limits.LINE_SHOWN_BYTES)].rstrip(b"\r\n")
    return SurprisingLine(number, start, length, bits, bits / length, line.decode("utf-8", "backslashreplace"))
