"""Scrub: read every blob again, the least recently checked first, and mend what can be mended.

At a thirtieth of the archive a day every blob is read within a month; drawing at random instead would leave some
unread for a year. A damaged blob is set aside, and any other encoding of the same revisions that is still whole takes
over; what cannot be mended is reported by name and stays reported by `check`.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lithify import limits
from lithify.crashpoints import crashpoint
from lithify.errors import BadBytes, NotFound
from lithify.store import health, queries
from lithify.store.blobs import Address
from lithify.store.clock import read_clock
from lithify.store.put import encode_job

if TYPE_CHECKING:
    from collections.abc import Callable

    from lithify.store.places import Standing
    from lithify.workers.archive import Archive

FRACTION = 1 / 30


@dataclass(slots=True)
class Scrubbed:
    """What one scrub found."""

    blobs: int = 0
    read_bytes: int = 0
    damaged: list[str] = field(default_factory=list)
    mended: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The job's result."""
        return {name: getattr(self, name) for name in self.__slots__}


def scrub(
    archive: "Archive", *, fraction: float = FRACTION, on_progress: "Callable[[float], None] | None" = None
) -> dict[str, Any]:
    """Read blobs until `fraction` of all stored bytes has been checked."""
    with archive.catalog.reading() as connection:
        budget = fraction * health.stored_bytes(connection)
        started = read_clock(connection)
    done = Scrubbed()
    while done.read_bytes < budget or not done.blobs:
        with archive.catalog.reading() as connection:
            batch = health.least_recently_checked(connection, before=started, limit=100)
        if not batch:
            break
        for address in batch:
            _scrub_one(archive, address, done)
            if done.read_bytes >= budget:
                break
        if on_progress is not None:
            on_progress(min(1.0, done.read_bytes / max(budget, 1)))
    return done.as_json()


def _scrub_one(archive: "Archive", address: Address, done: Scrubbed) -> None:
    crashpoint("scrub.before_read")
    damage = where_it_stands(archive, address, lambda place: inspect(archive, place))
    crashpoint("scrub.after_read")
    done.blobs += 1
    done.read_bytes += address.length
    crashpoint("scrub.before_record")
    with archive.catalog.writing() as connection:
        health.record_check(connection, address.digest, damage)
    crashpoint("scrub.after_record")
    if damage is not None:
        done.damaged.append(address.digest)
        mend(archive, address, done)


def where_it_stands(archive: "Archive", address: Address, look: "Callable[[Address], str | None]") -> str | None:
    """What `look` finds wrong with a blob; None: nothing, or it is gone.

    A sweep may move it to another pack meanwhile, or remove it: what looks wrong is looked at again where it stands.
    The catalog knows of a move before the old pack goes.
    """
    while (wrong := look(address)) is not None:
        with archive.catalog.reading() as connection:
            now = queries.blob(connection, address.digest)
        if now is None:
            return None
        if now == address:
            break
        address = now
    return wrong


def inspect(archive: "Archive", address: Address) -> str | None:
    """What is wrong with a blob, in a sentence; None when its bytes are what its name says."""
    try:
        archive.blobs.verify(address)
    except (BadBytes, NotFound) as error:
        return error.message
    return None


def _stands(archive: "Archive", standing: "Standing") -> bool:
    places = (standing.blob, standing.primer)
    return all(inspect(archive, place) is None for place in places if place is not None)


def mend(archive: "Archive", address: Address, done: Scrubbed) -> None:
    """Let a whole encoding take over wherever the damaged blob was current or a primer, and set the blob aside."""
    archive.blobs.quarantine(address)
    with archive.catalog.reading() as connection:
        revisions = health.revisions_on(connection, address.digest)
        spare = {revision: health.spare_encodings(connection, revision) for revision in revisions}
    for revision in revisions:
        whole = next((encoding for encoding, standing in spare[revision] if _stands(archive, standing)), None)
        if whole is None:
            done.lost.append(revision)
            continue
        with archive.catalog.writing() as connection:
            health.take_over(connection, revision, whole)
            job = encode_job(limits.SMALL_BYTES + 1, "general", health.model_of(connection, revision))
            archive.queue.defer(connection, **job, revision_id=revision, priority=1)
        done.mended.append(revision)
