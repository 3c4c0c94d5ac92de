"""Slices of the arrays in an archive. What `frame_slices.py` says of frames holds for them.

When the current encoding cannot be read, a retired one that still stands serves instead, as for whole objects.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, BinaryIO, TypeVar

from lithify.errors import BadBytes, CodecCrashed, LithifyError, NotFound
from lithify.store.views import ArraysView, ObjectView
from lithify.workers.frame_slices import Cut, Form, Sliced, frame_arrays
from lithify.workers.log import log
from lithify.workers.needs import brought
from lithify.workers.restore import places

if TYPE_CHECKING:
    from lithify.workers.archive import Archive

T = TypeVar("T")


def object_arrays(archive: "Archive", view: ObjectView, *, wall_seconds: float | None = None) -> ArraysView:
    """The variables of an object. Raises Conflict when it is no file of arrays."""
    of = {"collection": view.collection, "name": view.name, "revision": view.revision}
    return _of_object(
        archive,
        view,
        lambda frame, primers: frame_arrays(archive.sandbox, frame, primers=primers, wall_seconds=wall_seconds, **of),
    )


def object_slice(
    archive: "Archive", view: ObjectView, wish: Cut, form: Form, *, wall_seconds: float | None = None
) -> Sliced:
    """A part of the arrays of an object. Raises NotFound, BadArgument or Conflict, with what there is."""
    return _of_object(
        archive,
        view,
        lambda frame, primers: Sliced(archive.sandbox, frame, wish, form, primers=primers, wall_seconds=wall_seconds),
    )


def _of_object(archive: "Archive", view: ObjectView, ask: Callable[[BinaryIO, Sequence[bytes]], T]) -> T:
    """What `ask` gives for the current encoding, or for a retired one that stands if that cannot be read."""
    failure: LithifyError = NotFound(f"{view.collection}/{view.name} has no encoding")
    for standing in places(archive, view.revision):
        try:
            with brought(archive, standing) as needs, archive.blobs.open(standing.blob) as frame:
                return ask(frame, needs.primers)
        except (BadBytes, CodecCrashed) as error:
            log("slices").error("encoding_unreadable", blob=standing.blob.digest, code=error.code)
            failure = error
    raise failure
