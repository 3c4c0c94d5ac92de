"""What was found inside an original, by the codecs that keep it: streams, pictures, members, and what they take now."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, BinaryIO

from lithify.codecs.inside import Inside, Member, merged
from lithify.store import queries
from lithify.store.views import ContentsView, InsideView, MemberView, ObjectView
from lithify.workers.frame_search import ROLE
from lithify.workers.needs import brought
from lithify.workers.proof import place_of
from lithify.workers.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lithify.workers.archive import Archive


def object_contents(archive: "Archive", view: ObjectView, wall_seconds: float | None = None) -> ContentsView:
    """What lies inside an object, as its current encoding has it."""
    with archive.catalog.reading() as connection:
        current = queries.serving_places(connection, view.revision)[0]
    with brought(archive, current) as needs, archive.blobs.open(current.blob) as frame:
        items = _items(needs.sandbox, frame, needs.primers, wall_seconds)
    return ContentsView(view.collection, view.name, view.revision, items)


def frame_contents(frame: BinaryIO) -> tuple[InsideView, ...]:
    """The same for a frame in a file, with no archive near."""
    with Sandbox() as sandbox:
        return _items(sandbox, frame)


def together(items: "Sequence[InsideView]") -> list[InsideView]:
    """The same with things of one kind told as one."""
    return [_shown(asdict(row)) for row in merged(_found(item) for item in items)]


def _found(item: InsideView) -> Inside:
    told = item.as_json()
    return Inside(**told | {"members": tuple(Member(**one) for one in told["members"])})


def _shown(told: dict[str, Any]) -> InsideView:
    return InsideView(**told | {"members": tuple(MemberView(**one) for one in told["members"])})


def _items(
    sandbox: Sandbox, frame: BinaryIO, primers: "Sequence[bytes]" = (), wall_seconds: float | None = None
) -> tuple[InsideView, ...]:
    args: dict[str, Any] = {"input": place_of(frame).as_json()}
    found = sandbox.run("contents", args, (frame.fileno(),), attached=primers, role=ROLE, wall_seconds=wall_seconds)
    return tuple(_shown(item) for item in found.result["items"])
