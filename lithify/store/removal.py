"""Removal of names and of old revisions; rows first, then the tombstone, then (by sweep, after a grace) the bytes."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ScalarSelect, select, update

from lithify.errors import NotFound
from lithify.store.blobs import Address, Entry
from lithify.store.commit import Change, Moment
from lithify.store.places import DIGEST
from lithify.store.put import check_conditions
from lithify.store.tables import Collection, Encoding, Job, Object, Revision


def newest_revision() -> ScalarSelect[str]:
    """For an update of objects: the newest revision that was not removed, or NULL."""
    return (
        select(Revision.id)
        .where(Revision.object_id == Object.id, Revision.deleted_at.is_(None))
        .order_by(Revision.number.desc())
        .limit(1)
        .scalar_subquery()
    )


@dataclass(slots=True)
class Remove(Change):
    """A name is taken away, with all its revisions. Their blobs wait for sweep."""

    collection: str
    name: str
    if_match: str | None = None
    _object_id: int = 0

    @property
    def subject(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("object", self.collection, self.name)

    def prepare(self, moment: Moment) -> list[Entry]:
        found = moment.connection.execute(
            select(Object.id, DIGEST.label("digest"))
            .join(Collection, Collection.id == Object.collection_id)
            .join(Revision, Revision.id == Object.revision_id)
            .join(Encoding, (Encoding.revision_id == Revision.id) & (Encoding.state == "current"))
            .where(Collection.name == self.collection, Object.name == self.name)
        ).one_or_none()
        if found is None:
            raise NotFound(f"there is no object {self.collection}/{self.name}")
        check_conditions(found.digest, self.if_match, if_none_match=False)
        self._object_id = found.id
        return []

    def apply(self, moment: Moment, addresses: Sequence[Address]) -> list[str]:
        del addresses  # nothing was appended
        live = (Revision.object_id == self._object_id) & Revision.deleted_at.is_(None)
        gone = list(moment.connection.scalars(select(Revision.id).where(live)))
        moment.connection.execute(update(Revision).where(live).values(deleted_at=moment.now))
        moment.connection.execute(update(Object).where(Object.id == self._object_id).values(revision_id=None))
        _cancel_jobs(moment, gone)
        return gone


@dataclass(slots=True)
class RemoveRevisions(Change):
    """Revisions that no policy keeps leave; each name then points at the newest one left, or at none."""

    revision_ids: list[str]

    def prepare(self, moment: Moment) -> list[Entry]:
        del moment
        return []

    def apply(self, moment: Moment, addresses: Sequence[Address]) -> list[str]:
        del addresses  # nothing was appended
        leaving = Revision.id.in_(self.revision_ids) & Revision.deleted_at.is_(None)
        rows = moment.connection.execute(select(Revision.id, Revision.object_id).where(leaving)).all()
        gone = [row.id for row in rows]
        moment.connection.execute(update(Revision).where(Revision.id.in_(gone)).values(deleted_at=moment.now))
        names = Object.id.in_({row.object_id for row in rows})
        moment.connection.execute(update(Object).where(names).values(revision_id=newest_revision()))
        _cancel_jobs(moment, gone)
        return gone


@dataclass(slots=True)
class Tombstones(Change):
    """Write beside the blobs that revisions were removed, after their rows say so."""

    revision_ids: list[str]

    def prepare(self, moment: Moment) -> list[Entry]:
        return [moment.record("tombstone", {"revision_id": revision}) for revision in self.revision_ids]

    def apply(self, moment: Moment, addresses: Sequence[Address]) -> None:
        del addresses  # the records' places are of no interest
        moment.connection.execute(update(Revision).where(Revision.id.in_(self.revision_ids)).values(tombstone=True))


def _cancel_jobs(moment: Moment, revision_ids: Sequence[str]) -> None:
    """What nobody can ask for any more need not be encoded."""
    waiting = Job.revision_id.in_(revision_ids) & (Job.state == "waiting")
    moment.connection.execute(update(Job).where(waiting).values(state="cancelled", finished_at=moment.now))
