"""Restore: from a stored blob to the bytes of the original, decoded in a child, each chunk checked before it leaves.

When the current encoding cannot be decoded before its first byte has left, a retired one that still stands serves
instead, and the fact is written to the log: a reader gets the right bytes or an error, never wrong ones.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Self

from lithify.codecs.fidelity import EXACT
from lithify.errors import BadBytes, CodecCrashed, LithifyError, NotFound, RangeNotSatisfiable
from lithify.store import queries
from lithify.store.places import Standing
from lithify.store.views import ObjectView
from lithify.workers.log import log
from lithify.workers.needs import brought

if TYPE_CHECKING:
    from lithify.workers.archive import Archive
    from lithify.workers.sandbox import Stream


class Content:
    """The bytes of an object from `start` to `end`. Iterate once, inside a `with`; leaving early is safe."""

    def __init__(self, archive: "Archive", view: ObjectView, start: int, end: int, places: Sequence[Standing]) -> None:
        """`places`: of the encodings that give these bytes, each with what decoding it needs, in the order to try."""
        self.view = view
        self.start = start
        self.end = end
        self.stored_bytes_read = 0
        """Filled once everything was read: how much of the blob was touched."""
        self._archive, self._places = archive, places
        self._closing = ExitStack()
        self._stream: Stream | None = None
        self._blocks, self._first = self._open()

    @property
    def length(self) -> int:
        """How many bytes will come."""
        return self.end - self.start

    def _open(self) -> tuple[Iterator[bytes], bytes]:
        """Blocks that follow, and the first: decoded and checked already."""
        failure: LithifyError = NotFound(f"{self.view.collection}/{self.view.name} has no encoding")
        for number, standing in enumerate(self._places):
            try:
                blocks = iter(self._decode(standing))
                return blocks, next(blocks, b"")
            except (BadBytes, CodecCrashed, NotFound) as error:
                self._closing.close()
                spares = len(self._places) - number - 1
                log("restore").error("encoding_unreadable", blob=standing.blob.digest, code=error.code, spares=spares)
                failure = error
        raise failure

    def _decode(self, standing: Standing) -> "Stream":
        needs = self._closing.enter_context(brought(self._archive, standing))
        blob = self._closing.enter_context(self._archive.blobs.open(standing.blob))
        stream = needs.decoded(blob, self.start, self.end, output_bytes_max=self.length)
        self._stream = self._closing.enter_context(stream)
        return self._stream

    def __iter__(self) -> Iterator[bytes]:
        if self._first:
            yield self._first
        yield from self._blocks
        if self._stream is not None and self._stream.result is not None:
            self.stored_bytes_read = self._stream.result.result["stored_bytes"]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.close()


def places(archive: "Archive", revision_id: str) -> list[Standing]:
    """Each blob with what decoding it needs."""
    with archive.catalog.reading() as connection:
        return queries.serving_places(connection, revision_id)


def open_content(archive: "Archive", view: ObjectView, start: int, end: int | None) -> Content:
    """Start reading an object. Raises RangeNotSatisfiable, or what decoding its first block raised."""
    end = view.length if end is None else min(end, view.length)
    if not 0 <= start <= end:
        raise RangeNotSatisfiable(
            f"{view.collection}/{view.name} has {view.length} bytes, none of them from {start} on"
        )
    return Content(archive, view, start, end, places(archive, view.revision))


def open_original(archive: "Archive", view: ObjectView) -> Content:
    """Start reading what was put in, where something else comes back. Raises NotFound once it is gone."""
    with archive.catalog.reading() as connection:
        digest, length, places = queries.original(connection, view.revision)
    if not places:
        raise NotFound(f"{view.collection}/{view.name} comes back as {view.fidelity}, and its original is gone")
    exact = replace(view, digest=digest, length=length, fidelity=str(EXACT), content_type=None)
    return Content(archive, exact, 0, length, places)
