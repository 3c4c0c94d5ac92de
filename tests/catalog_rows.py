"""Rows for tests of the catalog: whole objects, jobs that are due, and a database clock that can be turned."""

import hashlib
import uuid
from typing import Any

from sqlalchemy import Connection, insert, select, update

from lithify.store.tables import Blob, Collection, Encoding, Job, Measurement, Object, Revision


def add_object(
    connection: Connection,
    name: str,
    *,
    collection: str = "logs",
    length: int = 1000,
    stored: int = 100,
    **columns: Any,
) -> str:
    """An object, or another revision of it, with its staged encoding; gives the revision's id."""
    object_id = _object_id(connection, collection, name)
    number = connection.scalar(select(Object.revisions_count).where(Object.id == object_id)) or 0
    revision = {
        "id": uuid.uuid4().hex,
        "object_id": object_id,
        "number": number + 1,
        "digest": hashlib.sha256(f"{name} {number}".encode()).hexdigest(),
        "length": length,
        "content_type": None,
        "kind": "log",
        "contract": "exact",
        "effort": "default",
        "codecs": [],
        "created_at": 1000.0,
        "deleted_at": None,
        "tombstone": False,
        **columns,
    }
    connection.execute(insert(Revision).values(revision))
    now_at = {"revision_id": revision["id"], "revisions_count": number + 1}
    connection.execute(update(Object).where(Object.id == object_id).values(now_at))
    add_encoding(connection, str(revision["id"]), stored=stored, length=length)
    return str(revision["id"])


def add_encoding(
    connection: Connection, revision_id: str, *, stored: int, length: int = 1000, **columns: Any
) -> tuple[str, str]:
    """Another encoding, which becomes current; gives its id and its blob's digest."""
    encoding_id, digest = uuid.uuid4().hex, hashlib.sha256(uuid.uuid4().bytes).hexdigest()
    number = len(connection.scalars(select(Encoding.id).where(Encoding.revision_id == revision_id)).all())
    connection.execute(update(Encoding).where(Encoding.revision_id == revision_id).values(state="retired"))
    blob = {"digest": digest, "length": stored, "pack": None, "offset": 0}
    blob_times = {"created_at": 1000.0, "checked_at": 1000.0, "condemned_at": None, "damage": None}
    connection.execute(insert(Blob).values({**blob, **blob_times}))
    encoding = {
        "id": encoding_id,
        "revision_id": revision_id,
        "number": number,
        "blob_digest": digest,
        "state": "current",
        "codec": "raw.zstd",
        "format": "0x0101 1.0",
        "fidelity": "exact",
        "route": {"reason": "staged"},
        "created_at": 1000.0,
        "verified_at": None,
        **columns,
    }
    connection.execute(insert(Encoding).values(encoding))
    measurement = {
        "encoding_id": encoding_id,
        "original_bytes": length,
        "stored_bytes": stored,
        "ratio": length / stored,
        "bits_per_byte": 8 * stored / length,
        "encode_seconds": 0.5,
        "decode_seconds": None,
        "peak_memory_bytes": None,
        "fidelity": {},
    }
    connection.execute(insert(Measurement).values(measurement))
    return encoding_id, digest


def end_lease(connection: Connection, job_id: int) -> None:
    """What the passing of time does to a lease, at once."""
    connection.execute(update(Job).where(Job.id == job_id).values(lease_until=1.0))


def make_due(connection: Connection, job_id: int) -> None:
    """What the passing of time does to a backoff, at once."""
    connection.execute(update(Job).where(Job.id == job_id).values(run_at=1.0))


def _object_id(connection: Connection, collection: str, name: str) -> int:
    within = connection.scalar(select(Collection.id).where(Collection.name == collection))
    if within is None:
        made = insert(Collection).values(name=collection, created_at=1000.0).returning(Collection.id)
        within = connection.scalar(made)
    found = connection.scalar(select(Object.id).where(Object.collection_id == within, Object.name == name))
    if found is not None:
        return found
    row = {"collection_id": within, "name": name, "revision_id": None, "revisions_count": 0, "created_at": 1000.0}
    return connection.execute(insert(Object).values(row).returning(Object.id)).scalar_one()
