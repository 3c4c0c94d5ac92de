"""What scrub and check ask of the catalog: which blobs to read next, what was found, who can take over."""

from collections.abc import Iterator

from sqlalchemy import Connection, func, select, update
from sqlalchemy.orm import InstrumentedAttribute

from lithify.store.blobs import Address
from lithify.store.clock import DatabaseNow
from lithify.store.places import NEEDS, PLACE, PRIMER, Standing, standing
from lithify.store.tables import Blob, Collection, Encoding, Object, Primer, Revision


def stored_bytes(connection: Connection) -> int:
    """Bytes of all blobs."""
    return int(connection.scalar(select(func.coalesce(func.sum(Blob.length), 0))) or 0)


def least_recently_checked(connection: Connection, *, before: float, limit: int) -> list[Address]:
    """Blobs not read since `before`, oldest check first."""
    rows = connection.execute(
        select(*PLACE).where(Blob.checked_at < before, Blob.damage.is_(None)).order_by(Blob.checked_at).limit(limit)
    )
    return [Address(*row) for row in rows]


def record_check(connection: Connection, digest: str, damage: str | None) -> None:
    """Write down that a blob was read, and what was wrong with it."""
    found = {"checked_at": DatabaseNow(), "damage": damage}
    connection.execute(update(Blob).where(Blob.digest == digest).values(found))


def revisions_on(connection: Connection, digest: str) -> list[str]:
    """Live revisions whose current encoding stands on this blob, or needs it as its primer."""
    return list(
        connection.scalars(
            select(Revision.id)
            .join(Encoding, Encoding.revision_id == Revision.id)
            .where((Encoding.blob_digest == digest) | (Encoding.primer_digest == digest))
            .where(Encoding.state == "current", Revision.deleted_at.is_(None))
        )
    )


def spare_encodings(connection: Connection, revision_id: str) -> list[tuple[str, Standing]]:
    """Retired encodings of a revision not found damaged, newest first; each with where it stands."""
    rows = connection.execute(
        select(Encoding.id, *PLACE, *NEEDS)
        .join(Blob, Blob.digest == Encoding.blob_digest)
        .outerjoin(PRIMER, PRIMER.c.digest == Encoding.primer_digest)
        .where(Encoding.revision_id == revision_id, Encoding.state == "retired")
        .where(Blob.damage.is_(None), PRIMER.c.damage.is_(None))
        .order_by(Encoding.number.desc())
    )
    return [(row[0], standing(row[1:])) for row in rows]


def model_of(connection: Connection, revision_id: str) -> str | None:
    """The language model that is to tell a revision."""
    return connection.scalar(select(Revision.model).where(Revision.id == revision_id))


def take_over(connection: Connection, revision_id: str, encoding_id: str) -> None:
    """Make a spare encoding the current one."""
    of_revision = Encoding.revision_id == revision_id
    connection.execute(update(Encoding).where(of_revision, Encoding.state == "current").values(state="retired"))
    connection.execute(update(Encoding).where(Encoding.id == encoding_id).values(state="current"))


Placed = tuple[str, str, Address, str | None]
"""Collection, name, place, known damage."""


def current_places(connection: Connection) -> Iterator[Placed]:
    """Where every live revision's current encoding is."""
    return _places_of_current(connection, Encoding.blob_digest)


def primers_needed(connection: Connection) -> Iterator[Placed]:
    """Where the primers are that live revisions' current encodings need."""
    return _places_of_current(connection, Encoding.primer_digest)


def _places_of_current(
    connection: Connection, digest: InstrumentedAttribute[str] | InstrumentedAttribute[str | None]
) -> Iterator[Placed]:
    rows = connection.execute(
        select(Collection.name, Object.name, Blob.damage, *PLACE)
        .select_from(Revision)
        .join(Object, Object.id == Revision.object_id)
        .join(Collection, Collection.id == Object.collection_id)
        .join(Encoding, (Encoding.revision_id == Revision.id) & (Encoding.state == "current"))
        .join(Blob, Blob.digest == digest)
        .where(Revision.deleted_at.is_(None))
    )
    for row in rows:
        yield row[0], row[1], Address(row.digest, row.length, row.pack, row.offset), row.damage


def primers_to_come(connection: Connection) -> list[tuple[str, Address, str | None]]:
    """(collection, place, known damage) of the primer that each collection's next originals are encoded with."""
    rows = connection.execute(
        select(Collection.name, Blob.damage, *PLACE)
        .select_from(Primer)
        .join(Collection, Collection.id == Primer.collection_id)
        .join(Blob, Blob.digest == Primer.blob_digest)
    )
    return [(row[0], Address(row.digest, row.length, row.pack, row.offset), row[1]) for row in rows]


def models_needed(connection: Connection) -> list[tuple[str, str, str]]:
    """(collection, name, model) of live revisions whose current encoding needs a language model."""
    rows = connection.execute(
        select(Collection.name, Object.name, Encoding.model_digest)
        .select_from(Revision)
        .join(Object, Object.id == Revision.object_id)
        .join(Collection, Collection.id == Object.collection_id)
        .join(Encoding, (Encoding.revision_id == Revision.id) & (Encoding.state == "current"))
        .where(Revision.deleted_at.is_(None), Encoding.model_digest.is_not(None))
    )
    return [(collection, name, str(model)) for collection, name, model in rows]


def without_current(connection: Connection) -> list[tuple[str, str]]:
    """(collection, name) of live revisions that no encoding serves."""
    serving = select(Encoding.revision_id).where(Encoding.state == "current")
    rows = connection.execute(
        select(Collection.name, Object.name)
        .select_from(Revision)
        .join(Object, Object.id == Revision.object_id)
        .join(Collection, Collection.id == Object.collection_id)
        .where(Revision.deleted_at.is_(None), Revision.id.not_in(serving))
    )
    return [(collection, name) for collection, name in rows]
