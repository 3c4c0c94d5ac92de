"""Re-encode: give old encodings another chance with the codecs of today, oldest first.

The job only queues encode jobs, at low priority; each of them publishes only what is smaller and proved.
"""

from typing import TYPE_CHECKING

from lithify.store import history
from lithify.store.put import encode_kind
from lithify.workers.kinds import QUEUES

if TYPE_CHECKING:
    from lithify.workers.archive import Archive

OBJECTS = 1000
PRIORITY = -10  # behind everything that has not been encoded at all


def reencode(archive: "Archive", *, objects: int = OBJECTS) -> dict[str, int]:
    """Queue the `objects` whose current encoding was verified longest ago and that no job is working on."""
    with archive.catalog.writing() as connection:
        oldest = history.oldest_encodings(connection, objects)
        for revision, length, kind in oldest:
            archive.queue.defer(
                connection,
                kind=encode_kind(length),
                queue=QUEUES.get(kind, "general"),
                revision_id=revision,
                priority=PRIORITY,
            )
    return {"queued": len(oldest)}
