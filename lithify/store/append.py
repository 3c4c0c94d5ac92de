"""Append: a revision that begins with all bytes of the one before it, and takes its place when that grew too.

A log that grows by a checkpoint every few seconds would leave thousands of revisions behind, each a whole copy. What an
append made, the next append therefore takes away in the transaction that brings its own in: nothing is lost with it.
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar

from sqlalchemy import Connection, select, update

from lithify.crashpoints import crashpoint
from lithify.errors import Conflict
from lithify.store import garbage
from lithify.store.blobs import Address
from lithify.store.commit import Moment
from lithify.store.places import NEEDS, PLACE, PRIMER, Standing, standing
from lithify.store.put import Put
from lithify.store.tables import Blob, Collection, Encoding, Job, Object, Revision

_DROPPED_AT_ONCE = 20
_LOOKED_BACK = 200
"""Revisions in which a dropped one is looked for; what a crash left further back waits for sweep."""


@dataclass(frozen=True, slots=True)
class Base:
    """What an append goes on behind: the current revision, and the encoding that serves it."""

    revision: str
    digest: str
    length: int
    contract: str
    effort: str
    content_type: str | None
    codec: str
    format: str
    fidelity: str
    model: str | None
    """The language model that is to tell it."""
    standing: Standing


def find_base(connection: Connection, collection: str, name: str) -> Base | None:
    """The current revision of an object; None when there is none."""
    row = connection.execute(
        select(
            *PLACE,
            *NEEDS,
            Revision.id,
            Revision.digest.label("original"),
            Revision.length.label("original_length"),
            Revision.contract,
            Revision.effort,
            Revision.content_type,
            Revision.model,
            Encoding.codec,
            Encoding.format,
            Encoding.fidelity,
        )
        .select_from(Object)
        .join(Collection, Collection.id == Object.collection_id)
        .join(Revision, Revision.id == Object.revision_id)
        .join(Encoding, (Encoding.revision_id == Revision.id) & (Encoding.state == "current"))
        .join(Blob, Blob.digest == Encoding.blob_digest)
        .outerjoin(PRIMER, PRIMER.c.digest == Encoding.primer_digest)
        .where(Collection.name == collection, Object.name == name)
    ).one_or_none()
    if row is None:
        return None
    return Base(
        revision=row.id,
        digest=row.original,
        length=row.original_length,
        contract=row.contract,
        effort=row.effort,
        content_type=row.content_type,
        codec=row.codec,
        format=row.format,
        fidelity=row.fidelity,
        model=row.model,
        standing=standing(row),
    )


@dataclass(slots=True)
class Append(Put):
    """A new revision that begins with another, which must still be the current one; it is encoded once it rests."""

    GROWS: ClassVar[bool] = True

    base: str | None = None
    """The revision it begins with; None: there must be no object of that name."""
    appended: str = ""
    """SHA-256 of the bytes behind it."""
    rest_seconds: float = 0.0
    """Without another append, before the densest form is looked for."""
    outgrown: list[str] = field(default_factory=list)
    """Filled by `apply`: the revision that was taken away, whose tombstone is still to be written."""
    _outgrowing: str | None = None

    def fingerprint(self) -> str:
        """What was asked, without what was found: a repetition finds another base."""
        return f"{self.collection}/{self.name} +{self.appended}"

    def refuse(self, current: Any) -> None:
        Put.refuse(self, current)
        found = None if current is None else current.id
        if found != self.base:
            raise Conflict(
                f"{self.collection}/{self.name} changed while it was appended to: it is at revision {found}, "
                f"and what came goes behind {self.base}"
            )
        self._outgrowing = current.id if current is not None and current.grows else None

    def give_job(self, moment: Moment, revision: dict[str, Any]) -> int:
        """Take the revision before away, if it grew, and hand its job on: one job for however many appends."""
        if self._outgrowing is None:
            return Put.give_job(self, moment, revision)
        crashpoint("append.before_retire")
        gone = self._outgrowing
        moment.connection.execute(update(Revision).where(Revision.id == gone).values(deleted_at=moment.now))
        self.outgrown = [gone]
        job_id = self._hand_on(moment, gone, revision)
        crashpoint("append.after_retire")
        return job_id or Put.give_job(self, moment, revision)

    def _hand_on(self, moment: Moment, gone: str, revision: dict[str, Any]) -> int | None:
        """Let the job that waits for the revision before wait for this one; one that runs has lost its sense."""
        about = Job.revision_id == gone
        running = update(Job).where(about, Job.state == "running").values(cancel_requested=True)
        moment.connection.execute(running)
        row = self.job_row(moment, revision)
        del row["attempt"]  # the token never shrinks
        waiting = update(Job).where(about, Job.state == "waiting").values(row).returning(Job.id)
        return moment.connection.scalar(waiting)

    def job_row(self, moment: Moment, revision: dict[str, Any], **columns: Any) -> dict[str, Any]:
        return Put.job_row(self, moment, revision, run_at=moment.now + self.rest_seconds, **columns)


def outgrown_blobs(connection: Connection, collection: str, name: str, before: float) -> list[Address]:
    """Files of an object's revisions that appends took away before that time, and that nothing stands on.

    Only a few of the newest are looked for: whoever appends asks again and again.
    """
    newest = select(Object.id, Object.revisions_count).join(Collection, Collection.id == Object.collection_id)
    here = newest.where(Collection.name == collection, Object.name == name).subquery()
    rows = connection.execute(
        select(*PLACE)
        .join(Encoding, Encoding.blob_digest == Blob.digest)
        .join(Revision, Revision.id == Encoding.revision_id)
        .join(here, here.c.id == Revision.object_id)
        .where(Revision.number > here.c.revisions_count - _LOOKED_BACK)
        .where(Revision.grows, Revision.tombstone, Revision.deleted_at <= before, Blob.pack.is_(None))
        .order_by(Revision.number)
        .limit(_DROPPED_AT_ONCE)
    )
    places_found = dict.fromkeys(Address(*row) for row in rows)
    return [place for place in places_found if not garbage.stands(connection, place.digest)]
