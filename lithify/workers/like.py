"""What in an archive resembles an object: the others by which it becomes cheapest to tell (codecs/text/likeness.py).

Decoding an archive for every question would take hours, so that it is asked in three steps, each bounded: the catalog
says which objects are of the same kind and about as long; the beginnings of the nearest of those are read and sketched;
those whose sketches share most are measured. What was not looked at is counted, and said.
"""

import heapq
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from lithify import limits
from lithify.errors import BadBytes, CodecCrashed, Conflict, NotFound
from lithify.store.views import LikeItem, LikeView, ObjectView
from lithify.workers.kinds import QUEUES
from lithify.workers.log import log

if TYPE_CHECKING:
    from lithify.workers.archive import Archive

ROLE = "search"


def like(
    archive: "Archive", view: ObjectView, *, among: str | None, limit: int, wall_seconds: float | None = None
) -> LikeView:
    """The objects that resemble one most, the likest first, at most `limit` of them.

    among  the collection to look in; None: all

    Raises Conflict when the object is empty, NotFound when there is no such collection.
    """
    if not view.length:
        raise Conflict(f"{view.collection}/{view.name} is empty: there is nothing that others could resemble")
    text = _beginning(archive, view, limits.LIKE_BYTES)
    chosen, objects = _choose(archive, view, among)
    others = _read(archive, chosen)
    args = {"measured": limits.LIKE_MEASURED_MAX}
    attached = [text, *(beginning for _, beginning in others)]
    found = archive.sandbox.run("compare", args, attached=attached, role=ROLE, wall_seconds=wall_seconds).result
    items = [_item(others[item["other"]], item, found["bits"]) for item in found["items"]]
    return LikeView(
        collection=view.collection,
        name=view.name,
        revision=view.revision,
        length=view.length,
        compared_bytes=len(text),
        text_class=found["text_class"],
        bits=found["bits"],
        objects=objects,
        read=len(others),
        measured=len(items),
        items=tuple(items[:limit]),
    )


def _choose(archive: "Archive", view: ObjectView, among: str | None) -> tuple[list[ObjectView], int]:
    """Those to be read: of the same kind first, then of a like one, each as long as the object is; and of how many."""
    if among is not None and among not in archive.collections():
        raise NotFound(f"there is no collection {among}")
    others = 0

    def listed() -> Iterator[ObjectView]:
        nonlocal others
        for one in islice(archive.find(collection=among), limits.LIKE_LISTED_MAX):
            if one.length and (one.collection, one.name) != (view.collection, view.name):
                others += 1
                yield one

    chosen = heapq.nsmallest(limits.LIKE_READ_MAX, listed(), key=_distance_from(view))
    return chosen, others


def _distance_from(view: ObjectView) -> Callable[[ObjectView], tuple[bool, bool, float]]:
    queue = QUEUES.get(view.kind)

    def distance(other: ObjectView) -> tuple[bool, bool, float]:
        of_length = abs(math.log2(other.length / view.length))
        return other.kind != view.kind, QUEUES.get(other.kind) != queue, of_length

    return distance


def _read(archive: "Archive", chosen: Iterable[ObjectView]) -> list[tuple[ObjectView, bytes]]:
    """The beginnings of objects, as far as they can be read and until enough was decoded for them."""
    found: list[tuple[ObjectView, bytes]] = []
    decoded_bytes = 0
    for view in chosen:
        # A text is mixed in groups of up to 1 MiB, and decoded as far as its group goes.
        decoded_bytes += min(view.length, limits.MIB)
        if found and decoded_bytes > limits.LIKE_DECODED_BYTES:
            break
        try:
            found.append((view, _beginning(archive, view, limits.LIKE_TAUGHT_BYTES)))
        except (BadBytes, CodecCrashed, NotFound) as error:  # removed meanwhile, or damaged: the others are compared
            log(ROLE).warning("not_compared", collection=view.collection, name=view.name, code=error.code)
    return found


def _beginning(archive: "Archive", view: ObjectView, bytes_max: int) -> bytes:
    with archive.get(view.collection, view.name, revision=view.revision, end=min(view.length, bytes_max)) as content:
        return b"".join(content)


def _item(other: tuple[ObjectView, bytes], measured: Mapping[str, Any], alone: float) -> LikeItem:
    view, beginning = other
    return LikeItem(
        collection=view.collection,
        name=view.name,
        revision=view.revision,
        length=view.length,
        compared_bytes=len(beginning),
        likeness=1 - measured["bits"] / alone,
        bits=measured["bits"],
        shared=measured["shared"],
    )
