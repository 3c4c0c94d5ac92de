"""What nothing refers to any more: how it is marked, and how, after the grace, it is forgotten.

A blob is alive while a live revision's current encoding stands on it; a primer, while a collection has it or any
encoding with a row names it, a retired one too: that may still serve when the current one is damaged. Everything here
runs inside a writing transaction, as `put` does; so a blob seen dead in the transaction that unlinks it cannot be
coming alive meanwhile.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, CompoundSelect, Connection, delete, exists, func, insert, select, union, update

from lithify.store.blobs import Address
from lithify.store.tables import Blob, Encoding, IdempotencyKey, Job, Measurement, Object, Primer, Revision


def _alive() -> CompoundSelect[str]:
    serving = (
        select(Encoding.blob_digest)
        .join(Revision, Revision.id == Encoding.revision_id)
        .where(Encoding.state == "current", Revision.deleted_at.is_(None))
    )
    needed = select(Encoding.primer_digest).where(Encoding.primer_digest.is_not(None))
    return union(serving, needed, select(Primer.blob_digest))


def missing_tombstones(connection: Connection, limit: int) -> list[str]:
    """Removed revisions whose removal is not yet written beside the blobs."""
    wanted = Revision.deleted_at.is_not(None) & Revision.tombstone.is_(False)
    return list(connection.scalars(select(Revision.id).where(wanted).limit(limit)))


def condemn(connection: Connection, now: float) -> int:
    """Mark every blob that nothing alive stands on; lift the mark from those that something does again."""
    connection.execute(
        update(Blob).where(Blob.condemned_at.is_not(None), Blob.digest.in_(_alive())).values(condemned_at=None)
    )
    marked = connection.execute(
        update(Blob).where(Blob.condemned_at.is_(None), Blob.digest.not_in(_alive())).values(condemned_at=now)
    )
    return marked.rowcount


def condemn_strays(connection: Connection, found: Iterable[Address], now: float) -> int:
    """Give files that no row knows a row that is already condemned: what an upload without a receipt left."""
    strays = [
        {
            "digest": address.digest,
            "length": address.length,
            "pack": None,
            "offset": 0,
            "created_at": now,
            "checked_at": now,
            "condemned_at": now,
            "damage": None,
        }
        for address in found
        if connection.scalar(select(Blob.digest).where(Blob.digest == address.digest)) is None
    ]
    if strays:
        connection.execute(insert(Blob), strays)
    return len(strays)


def due(connection: Connection, before: float, limit: int) -> list[Address]:
    """Condemned blobs whose grace is over, looked at again: none that something alive stands on."""
    rows = connection.execute(
        select(Blob.digest, Blob.length, Blob.pack, Blob.offset)
        .where(Blob.condemned_at <= before, Blob.digest.not_in(_alive()))
        .limit(limit)
    )
    return [Address(row.digest, row.length, row.pack, row.offset) for row in rows]


def stands(connection: Connection, digest: str) -> bool:
    """Whether anything alive stands on this one blob: what `due` asks for all that are condemned."""
    on_it = Encoding.blob_digest == digest
    serving = select(Encoding.id).join(Revision, Revision.id == Encoding.revision_id)
    current = serving.where(on_it, Encoding.state == "current", Revision.deleted_at.is_(None))
    needing = select(Encoding.id).where(Encoding.primer_digest == digest)
    taught = select(Primer.collection_id).where(Primer.blob_digest == digest)
    return any(connection.execute(query.limit(1)).first() is not None for query in (current, needing, taught))


def forget_blobs(connection: Connection, digests: Sequence[str]) -> None:
    """Delete the rows of blobs and of the encodings that stood on them."""
    encodings = select(Encoding.id).where(Encoding.blob_digest.in_(digests))
    connection.execute(delete(Measurement).where(Measurement.encoding_id.in_(encodings)))
    connection.execute(delete(Encoding).where(Encoding.blob_digest.in_(digests)))
    connection.execute(delete(Blob).where(Blob.digest.in_(digests)))


def forget_revisions(connection: Connection, limit: int) -> int:
    """Delete some of the removed revisions that no encoding is left of, and names that no revision is left of."""
    gone = (
        select(Revision.id, Revision.object_id)
        .where(Revision.deleted_at.is_not(None), Revision.tombstone.is_(True))
        .where(~exists().where(Encoding.revision_id == Revision.id))
        .limit(limit)
    )
    rows = connection.execute(gone).all()
    ids = [row.id for row in rows]
    connection.execute(delete(IdempotencyKey).where(IdempotencyKey.revision_id.in_(ids)))
    connection.execute(delete(Job).where(Job.revision_id.in_(ids), _not_the_newest_job()))
    connection.execute(delete(Revision).where(Revision.id.in_(ids)))
    nameless = Object.revision_id.is_(None) & ~exists().where(Revision.object_id == Object.id)
    connection.execute(delete(Object).where(Object.id.in_({row.object_id for row in rows}), nameless))
    return len(ids)


def forget_answers(connection: Connection, before: float) -> None:
    """Delete idempotency keys, and jobs that ended well, from before that time."""
    connection.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < before))
    ended = Job.state.in_(("done", "cancelled")) & (Job.finished_at < before)
    connection.execute(delete(Job).where(ended, _not_the_newest_job()))


def _not_the_newest_job() -> ColumnElement[bool]:
    """The newest row stays, so that no job ever gets the id, and with it the fencing token, of another."""
    return Job.id < select(func.max(Job.id)).scalar_subquery()


def living_bytes(connection: Connection, pack: str) -> int:
    """The bytes of a pack's blobs that have a row."""
    return int(connection.scalar(select(func.coalesce(func.sum(Blob.length), 0)).where(Blob.pack == pack)) or 0)


def known(connection: Connection, table: type[Revision] | type[Encoding], ids: Sequence[str]) -> set[str]:
    """Which of these ids still have a row."""
    return set(connection.scalars(select(table.id).where(table.id.in_(ids))))


def packed_at(connection: Connection, digest: str, pack: str, offset: int) -> bool:
    """Whether a blob's row points at exactly this place."""
    here = (Blob.digest == digest) & (Blob.pack == pack) & (Blob.offset == offset)
    return connection.scalar(select(Blob.digest).where(here)) is not None


def move_blob(connection: Connection, address: Address) -> None:
    """Point a blob's row at its new place."""
    place = {"pack": address.pack, "offset": address.offset}
    connection.execute(update(Blob).where(Blob.digest == address.digest).values(place))
