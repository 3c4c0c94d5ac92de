"""The templates of what is stored: the shapes that the lines of a log have, as its codec found them."""

from typing import TYPE_CHECKING, BinaryIO

from lithify.errors import Conflict
from lithify.store import queries
from lithify.store.views import ObjectView, TemplatesView, TemplateView
from lithify.workers.frame_search import ROLE
from lithify.workers.needs import Needs, brought
from lithify.workers.proof import place_of

if TYPE_CHECKING:
    from lithify.workers.archive import Archive
    from lithify.workers.sandbox import TaskResult


def object_templates(
    archive: "Archive", view: ObjectView, most: int, wall_seconds: float | None = None
) -> TemplatesView:
    """The templates of an object, the most frequent first, at most `most` of them.

    Raises Conflict when the codec that stores it knows none.
    """
    with archive.catalog.reading() as connection:
        standing = queries.serving_places(connection, view.revision)[0]
    with brought(archive, standing) as needs, archive.blobs.open(standing.blob) as frame:
        found = frame_templates(needs, frame, most, wall_seconds=wall_seconds)
    if not found.result["known"]:
        raise Conflict(_why_none(view))
    return _view(view, found)


def frame_templates(needs: Needs, frame: BinaryIO, most: int, *, wall_seconds: float | None = None) -> "TaskResult":
    """What the task `templates` answers for a frame that lies in a file."""
    args = {"input": place_of(frame).as_json(), "most": most, **needs.named}
    fds = (frame.fileno(), *needs.fds)
    return needs.sandbox.run("templates", args, fds, attached=needs.primers, role=ROLE, wall_seconds=wall_seconds)


def _view(view: ObjectView, found: "TaskResult") -> TemplatesView:
    lines = int(found.result["lines"])
    pairs = zip(found.result["items"], found.attached, strict=True)
    items = tuple(
        TemplateView(item["pattern"], item["count"], item["count"] / max(lines, 1), _readable(example))
        for item, example in pairs
    )
    return TemplatesView(view.collection, view.name, view.revision, lines, int(found.result["templates"]), items)


def _readable(example: bytes) -> str:
    return example.decode("utf-8", "backslashreplace")


def _why_none(view: ObjectView) -> str:
    name = f"{view.collection}/{view.name}"
    if view.verified_at is None:
        return f"{name} is still staged: its templates are known once a worker has encoded it"
    return f"{name} is stored by {view.codec}, which finds no templates"
