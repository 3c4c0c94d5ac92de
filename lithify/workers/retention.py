"""Retention: revisions that a collection's policy no longer keeps are removed, by age or by count.

`keep_seconds` lets objects expire: a revision older than that goes, the newest too. `keep_revisions` lets only history
expire: an object keeps its newest so many.
"""

from typing import TYPE_CHECKING

from lithify.store import history
from lithify.store.removal import RemoveRevisions, Tombstones

if TYPE_CHECKING:
    from lithify.workers.archive import Archive

_BATCH = 500


def retire(archive: "Archive") -> dict[str, int]:
    """Remove what no policy keeps; the bytes follow in a later sweep, after the grace."""
    removed = 0
    while True:
        with archive.catalog.reading() as connection:
            expired = history.expired_revisions(connection, _BATCH)
        if not expired:
            return {"removed_revisions": removed}
        gone = archive.commits.run(RemoveRevisions(expired))
        archive.commits.run(Tombstones(gone))
        removed += len(gone)
