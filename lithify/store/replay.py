"""Replay: the records kept beside the blobs, read back into an empty catalog in the order they became true.

Two records may claim one sequence number when a process died between writing its record and committing: the earlier was
never answered with a receipt, so the later one, by the time both carry, is the one that counts.
"""

from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Float,
    Integer,
    LargeBinary,
    and_,
    column,
    func,
    insert,
    or_,
    select,
    table,
    text,
    update,
)

from lithify.errors import BadBytes
from lithify.store import keys, policies, primers, schedules
from lithify.store.blobs import Address
from lithify.store.commit import SEQUENCE
from lithify.store.put import collection_id
from lithify.store.records import Record, parse
from lithify.store.removal import newest_revision
from lithify.store.tables import Blob, Collection, Encoding, Fact, Measurement, Object, Revision

_LOG = table("replay", column("sequence", Integer), column("at", Float), column("payload", LargeBinary))
_PLACES = table("places", column("digest"), column("length", Integer), column("pack"), column("offset", Integer))


def prepare(connection: Connection) -> None:
    """Make the temporary tables that put records in order and tell where blobs lie."""
    connection.execute(text("CREATE TEMPORARY TABLE replay (sequence INTEGER, at REAL, payload BLOB)"))
    connection.execute(
        text("CREATE TEMPORARY TABLE places (digest TEXT PRIMARY KEY, length INTEGER, pack TEXT, offset INTEGER)")
    )


def gather_record(connection: Connection, payload: bytes) -> str | None:
    """Keep a record for the replay; gives a sentence when it is damaged."""
    try:
        record = parse(payload)
    except BadBytes as error:
        return error.message
    connection.execute(insert(_LOG), {"sequence": record.sequence, "at": record.at, "payload": payload})
    return None


def gather_place(connection: Connection, address: Address) -> None:
    """Remember where a blob lies; what is gathered later counts more."""
    place = {
        "digest": address.digest,
        "length": address.length,
        "pack": address.pack,
        "offset": address.offset,
    }
    connection.execute(insert(_PLACES).prefix_with("OR REPLACE"), place)


def replay(connection: Connection, now: float) -> dict[str, int]:
    """Apply every gathered record, then settle what each revision is served by; gives how many of each kind."""
    counts: dict[str, int] = {}
    highest = 0
    for record in _in_order(connection):
        _APPLY[record.kind](connection, record, now)
        counts[record.kind] = counts.get(record.kind, 0) + 1
        highest = max(highest, record.sequence)
    _settle_blobs(connection, now)
    _settle_encodings(connection)
    _settle_objects(connection)
    connection.execute(insert(Fact).values(name=SEQUENCE, value=str(highest)))
    return counts


def _in_order(connection: Connection) -> Iterator[Record]:
    rows = connection.execute(select(_LOG.c.payload).order_by(_LOG.c.sequence, _LOG.c.at)).yield_per(1000)
    for payload in rows.scalars():
        yield parse(payload)


def _revision(connection: Connection, record: Record, now: float) -> None:
    facts = record.facts
    if connection.scalar(select(Revision.id).where(Revision.id == facts["revision"]["id"])) is not None:
        return  # the same record, copied when a pack was rewritten
    within = collection_id(connection, facts["collection"], now)
    here = (Object.collection_id == within) & (Object.name == facts["name"])
    found = connection.execute(select(Object.id, Object.revisions_count).where(here)).one_or_none()
    revision = facts["revision"]
    number = max(revision["number"], (found.revisions_count if found else 0) + 1)
    if found is None:
        row = {
            "collection_id": within,
            "name": facts["name"],
            "created_at": record.at,
            "revisions_count": number,
        }
        object_id = connection.execute(insert(Object).values(row).returning(Object.id)).scalar_one()
    else:
        object_id = found.id
        connection.execute(update(Object).where(Object.id == object_id).values(revisions_count=number))
    connection.execute(insert(Revision).values({**revision, "number": number, "object_id": object_id}))
    _encoding(connection, record, now)


def _encoding(connection: Connection, record: Record, now: float) -> None:
    del now  # an encoding brings its own times
    encoding, measurement = record.facts["encoding"], record.facts["measurement"]
    revision_id = encoding["revision_id"]
    if connection.scalar(select(Revision.id).where(Revision.id == revision_id)) is None:
        return  # its revision was removed, and the record of that was swept
    _blob_row(connection, encoding["blob_digest"], measurement["stored_bytes"], record.at)
    if encoding.get("primer_digest"):
        _blob_row(connection, encoding["primer_digest"], 0, record.at)  # its length comes with its place
    if connection.scalar(select(Encoding.id).where(Encoding.id == encoding["id"])) is not None:
        connection.execute(update(Encoding).where(Encoding.id == encoding["id"]).values(encoding))
        same = Measurement.encoding_id == encoding["id"]
        connection.execute(update(Measurement).where(same).values(measurement))
        return
    taken = connection.scalar(select(func.max(Encoding.number)).where(Encoding.revision_id == revision_id))
    number = encoding["number"] if taken is None else max(encoding["number"], taken + 1)
    connection.execute(insert(Encoding).values({**encoding, "number": number, "state": "retired"}))
    connection.execute(insert(Measurement).values(measurement))


def _blob_row(connection: Connection, digest: str, length: int, at: float) -> None:
    if connection.scalar(select(Blob.digest).where(Blob.digest == digest)) is not None:
        return
    row = {"digest": digest, "length": length, "pack": None, "offset": 0, "created_at": at, "checked_at": at}
    connection.execute(insert(Blob).values({**row, "condemned_at": None, "damage": None}))


def _primer(connection: Connection, record: Record, now: float) -> None:
    _blob_row(connection, record.facts["primer"]["blob_digest"], record.facts["length"], record.at)
    primers.restore(connection, record.facts, now)


def _tombstone(connection: Connection, record: Record, now: float) -> None:
    del now  # the record says when
    gone = {"deleted_at": record.at, "tombstone": True}
    connection.execute(update(Revision).where(Revision.id == record.facts["revision_id"]).values(gone))


_APPLY: dict[str, Callable[[Connection, Record, float], None]] = {
    "revision": _revision,
    "encoding": _encoding,
    "tombstone": _tombstone,
    "primer": _primer,
    "policy": lambda connection, record, now: policies.restore(connection, record.facts, now),
    "schedule": lambda connection, record, now: schedules.restore(connection, record.facts, now),
    "key": lambda connection, record, now: keys.restore(connection, record.facts, now),
}


def _settle_blobs(connection: Connection, now: float) -> None:
    """Point every blob at where it lies, and mark those that lie nowhere."""
    place = select(_PLACES.c.digest).where(_PLACES.c.digest == Blob.digest)
    missing = "missing when the catalog was rebuilt"
    connection.execute(update(Blob).where(~place.exists()).values(damage=missing, condemned_at=None))
    for name in ("length", "pack", "offset"):
        value = select(_PLACES.c[name]).where(_PLACES.c.digest == Blob.digest).scalar_subquery()
        connection.execute(update(Blob).where(place.exists()).values({name: value}))
    connection.execute(update(Blob).values(checked_at=now))


def _settle_encodings(connection: Connection) -> None:
    """The newest encoding that can be decoded serves its revision; the staged copy of 0 counts like any other."""
    inner = Encoding.__table__.alias("other")
    whole, whole_inner = _decodable(Encoding.__table__.c), _decodable(inner.c)
    newest_whole = (
        select(func.max(inner.c.number))
        .where(inner.c.revision_id == Encoding.revision_id, whole_inner)
        .scalar_subquery()
    )
    connection.execute(update(Encoding).values(state="retired"))
    connection.execute(update(Encoding).where(whole, Encoding.number == newest_whole).values(state="current"))
    # where nothing is whole, the newest stays current, so that `check` names the object and its missing blob
    served = select(inner.c.id).where(inner.c.revision_id == Encoding.revision_id, inner.c.state == "current").exists()
    newest = select(func.max(inner.c.number)).where(inner.c.revision_id == Encoding.revision_id).scalar_subquery()
    connection.execute(update(Encoding).where(~served, Encoding.number == newest).values(state="current"))


def _decodable(encoding: Any) -> ColumnElement[bool]:
    """Whether the blob of an encoding is there, and the primer that it may need."""
    here = select(Blob.digest).where(Blob.damage.is_(None))
    primed = or_(encoding.primer_digest.is_(None), here.where(Blob.digest == encoding.primer_digest).exists())
    return and_(here.where(Blob.digest == encoding.blob_digest).exists(), primed)


def _settle_objects(connection: Connection) -> None:
    """A name points at its newest revision that was not removed."""
    connection.execute(update(Object).values(revision_id=newest_revision()))


def unproved(connection: Connection) -> list[tuple[str, int, str, str | None]]:
    """(revision, length, kind, model) of live revisions whose current encoding no second process has decoded yet."""
    rows = connection.execute(
        select(Revision.id, Revision.length, Revision.kind, Revision.model)
        .join(Encoding, (Encoding.revision_id == Revision.id) & (Encoding.state == "current"))
        .where(Revision.deleted_at.is_(None), Encoding.verified_at.is_(None))
    )
    return [(revision, length, kind, model) for revision, length, kind, model in rows]


def count_objects(connection: Connection) -> tuple[int, int]:
    """(collections, live objects)."""
    collections = connection.scalar(select(func.count()).select_from(Collection)) or 0
    objects = connection.scalar(select(func.count()).select_from(Object).where(Object.revision_id.is_not(None))) or 0
    return collections, objects
