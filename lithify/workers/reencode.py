"""Re-encode: give old encodings another chance with the codecs of today, oldest first.

The job only queues encode jobs, at low priority; each of them publishes only what is smaller and proved.
"""

from typing import TYPE_CHECKING

from lithify.store import history
from lithify.store.put import encode_job
from lithify.workers.kinds import queue_of

if TYPE_CHECKING:
    from lithify.workers.archive import Archive

OBJECTS = 1000
PRIORITY = -10  # behind everything that has not been encoded at all


def reencode(archive: "Archive", *, objects: int = OBJECTS) -> dict[str, int]:
    """Queue the `objects` whose current encoding was verified longest ago and that no job is working on."""
    with archive.catalog.writing() as connection:
        oldest = history.oldest_encodings(connection, objects)
        for revision, length, kind, model in oldest:
            job = encode_job(length, queue_of(kind), model)
            archive.queue.defer(connection, **job, revision_id=revision, priority=PRIORITY)
    return {"queued": len(oldest)}
