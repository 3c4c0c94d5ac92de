"""Primers: what a collection has taught a codec so far, whom it can learn from, and how that becomes true.

A primer is a blob like any other. Two things hold it: the collection whose next originals are encoded with it, and
every encoding whose frame names it, as long as that has a row.
"""

from collections.abc import Collection as Several
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy import Connection, Select, func, insert, select, update

from lithify.store import encodings
from lithify.store.blobs import Address, Entry
from lithify.store.commit import Change, Moment
from lithify.store.encodings import NewBlob, bring_in, settle
from lithify.store.places import PLACE
from lithify.store.put import collection_id
from lithify.store.tables import Blob, Collection, Encoding, Object, Primer, Revision


@dataclass(frozen=True, slots=True)
class CollectionPrimer:
    """The primer of a collection, and where it lies."""

    codec: str
    place: Address
    objects: int
    """Logs that the collection had when the primer was made."""
    created_at: float
    damage: str | None


def current(connection: Connection, collection: str) -> CollectionPrimer | None:
    """The primer that the next originals of a collection are encoded with; None while it has none."""
    found = connection.execute(
        select(*PLACE, Primer.codec, Primer.objects, Primer.created_at, Blob.damage)
        .join(Blob, Blob.digest == Primer.blob_digest)
        .join(Collection, Collection.id == Primer.collection_id)
        .where(Collection.name == collection)
    ).one_or_none()
    if found is None:
        return None
    return CollectionPrimer(found.codec, Address(*found[:4]), found.objects, found.created_at, found.damage)


def needed_by(connection: Connection, blob_digest: str) -> Address | None:
    """Where the primer lies that decoding the frame in a blob needs; None: it needs none."""
    found = connection.execute(
        select(*PLACE)
        .join(Encoding, Encoding.primer_digest == Blob.digest)
        .where(Encoding.blob_digest == blob_digest)
        .limit(1)
    ).one_or_none()
    return None if found is None else Address(*found)


def count_teachers(connection: Connection, collection: str, kinds: Several[str]) -> int:
    """How many objects of these kinds a collection has."""
    return int(connection.scalar(_of_kinds(select(func.count()), collection, kinds)) or 0)


def newest_teachers(connection: Connection, collection: str, kinds: Several[str], limit: int) -> list[str]:
    """The names of the newest objects of these kinds in a collection, newest first."""
    query = _of_kinds(select(Object.name), collection, kinds)
    return list(connection.scalars(query.order_by(Revision.created_at.desc(), Object.id.desc()).limit(limit)))


def _of_kinds(query: Select[Any], collection: str, kinds: Several[str]) -> Select[Any]:
    return (
        query.select_from(Object)
        .join(Collection, Collection.id == Object.collection_id)
        .join(Revision, Revision.id == Object.revision_id)
        .where(Collection.name == collection, Revision.kind.in_(kinds), Revision.length > 0)
    )


@dataclass(slots=True)
class SetPrimer(Change):
    """A collection gets a primer, in place of the one it had; encodings that need that one keep it."""

    collection: str
    blob: NewBlob
    codec: str
    objects: int

    @property
    def subject(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("primer", self.collection)

    @classmethod
    def look_ahead(cls, moment: Moment, changes: Sequence[Self]) -> None:
        encodings.look_ahead(moment, (change.blob.address.digest for change in changes))

    def prepare(self, moment: Moment) -> list[Entry]:
        return [*bring_in(moment, self.blob), moment.record("primer", self._facts(moment))]

    def apply(self, moment: Moment, addresses: Sequence[Address]) -> str:
        settle(moment, self.blob, addresses[0] if len(addresses) > 1 else None)
        moment.flush()  # the row below points at the blob's
        restore(moment.connection, self._facts(moment), moment.now)
        return self.blob.address.digest

    def _facts(self, moment: Moment) -> dict[str, Any]:
        columns = {
            "blob_digest": self.blob.address.digest,
            "codec": self.codec,
            "objects": self.objects,
            "created_at": moment.now,
        }
        return {"collection": self.collection, "primer": columns, "length": self.blob.address.length}


def restore(connection: Connection, facts: dict[str, Any], now: float) -> None:
    """Write the row that `facts` (of a primer record) describe; the blob has one already."""
    within = collection_id(connection, facts["collection"], now)
    columns = facts["primer"]
    changed = connection.execute(update(Primer).where(Primer.collection_id == within).values(columns))
    if changed.rowcount == 0:
        connection.execute(insert(Primer).values(collection_id=within, **columns))
