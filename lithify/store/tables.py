"""The catalog's tables, one class per noun of the house vocabulary.

Times are seconds since 1970 UTC by the database's clock. Ids that are written into records beside the blobs
(revisions, encodings, keys) are random or time-ordered hex, so that a rebuilt catalog gives them back unchanged.
"""

from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    UniqueConstraint,
    desc,
    false,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Table(DeclarativeBase):
    """Base of all tables; constraint names are spelled out so that migrations can name them on every database."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        dict[str, Any]: JSON,
        list[str]: JSON,
        float: Float(53),
        int: BigInteger().with_variant(Integer, "sqlite"),
    }


class Fact(Table):
    """One fact about the whole archive: its id, and the sequence number of the last record written."""

    __tablename__ = "facts"

    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    value: Mapped[str] = mapped_column(String)


class Collection(Table):
    """A named set of objects, with the operator's policy for what comes into it."""

    __tablename__ = "collections"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String, unique=True)
    created_at: Mapped[float]


class Policy(Table):
    """The operator's rule for a collection: default contract and effort, allowed codecs, retention."""

    __tablename__ = "policies"

    collection_id: Mapped[int] = mapped_column(ForeignKey("collections.id"), primary_key=True)
    contract: Mapped[str] = mapped_column(String, default="exact")
    effort: Mapped[str] = mapped_column(String(16), default="default")
    codecs: Mapped[list[str]]  # empty: every codec that the contract allows
    model: Mapped[str | None] = mapped_column(String(64))  # the language model that its texts are to be told by
    keep_seconds: Mapped[float | None]  # revisions older than this are retired by the retention job
    keep_revisions: Mapped[int | None]  # only the newest so many are kept
    updated_at: Mapped[float]


class Primer(Table):
    """What a collection's originals have taught a codec so far: the primer that its next ones are encoded with."""

    __tablename__ = "primers"

    collection_id: Mapped[int] = mapped_column(ForeignKey("collections.id"), primary_key=True)
    blob_digest: Mapped[str] = mapped_column(ForeignKey("blobs.digest"))
    codec: Mapped[str] = mapped_column(String(64))
    objects: Mapped[int]  # logs that the collection had when it was made; renewed when there are twice as many
    created_at: Mapped[float]


class Object(Table):
    """A name that somebody gave to something; it points at its newest revision, or at none once removed."""

    __tablename__ = "objects"
    __table_args__ = (UniqueConstraint("collection_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    collection_id: Mapped[int] = mapped_column(ForeignKey("collections.id"))
    name: Mapped[str] = mapped_column(String)
    revision_id: Mapped[str | None] = mapped_column(String(32))
    revisions_count: Mapped[int]  # ever made, so that a number is never used twice
    created_at: Mapped[float]


class Revision(Table):
    """One immutable upload of an object."""

    __tablename__ = "revisions"
    __table_args__ = (UniqueConstraint("object_id", "number"), Index("ix_revisions_created_at", "created_at"))

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    object_id: Mapped[int] = mapped_column(ForeignKey("objects.id"))
    number: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64), index=True)
    length: Mapped[int]
    content_type: Mapped[str | None] = mapped_column(String)
    kind: Mapped[str] = mapped_column(String(32))  # what it is: log, prose, jsonl, csv, array, image, binary ...
    contract: Mapped[str] = mapped_column(String)
    effort: Mapped[str] = mapped_column(String(16))
    codecs: Mapped[list[str]]
    model: Mapped[str | None] = mapped_column(String(64))  # SHA-256 of a language model that is to tell it
    created_at: Mapped[float]
    deleted_at: Mapped[float | None]
    tombstone: Mapped[bool] = mapped_column(Boolean)  # whether the deletion is written beside the blobs
    grows: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())  # made by an append


class Blob(Table):
    """Immutable bytes in the cellar and where they lie."""

    __tablename__ = "blobs"
    __table_args__ = (
        Index("ix_blobs_checked_at", "checked_at"),
        Index("ix_blobs_pack", "pack"),
        Index("ix_blobs_condemned_at", "condemned_at", sqlite_where=text("condemned_at IS NOT NULL")),
    )

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    length: Mapped[int]
    pack: Mapped[str | None] = mapped_column(String(32))
    offset: Mapped[int]
    created_at: Mapped[float]
    checked_at: Mapped[float]
    condemned_at: Mapped[float | None]  # set while nothing refers to it; unlinked after the grace
    damage: Mapped[str | None] = mapped_column(String)  # what scrub found wrong with it


class Encoding(Table):
    """Original to blob: one codec's result for one revision. Exactly one per live revision is current."""

    __tablename__ = "encodings"
    __table_args__ = (
        UniqueConstraint("revision_id", "number"),
        Index("ix_encodings_blob_digest", "blob_digest"),
        Index(
            "ix_encodings_primer_digest",
            "primer_digest",
            sqlite_where=text("primer_digest IS NOT NULL"),
        ),
        Index("ix_encodings_model_digest", "model_digest", sqlite_where=text("model_digest IS NOT NULL")),
        Index(
            "uq_encodings_current",
            "revision_id",
            unique=True,
            # PostgreSQL's own `where` comes with that backend: naming it here loads its dialect, 50 ms of every start
            sqlite_where=text("state = 'current'"),
        ),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    revision_id: Mapped[str] = mapped_column(ForeignKey("revisions.id"))
    number: Mapped[int]  # 0 is the staged copy
    blob_digest: Mapped[str] = mapped_column(ForeignKey("blobs.digest"))
    primer_digest: Mapped[str | None] = mapped_column(ForeignKey("blobs.digest"))  # what decoding needs besides
    model_digest: Mapped[str | None] = mapped_column(String(64))  # the language model that decoding needs
    state: Mapped[str] = mapped_column(String(16))  # current or retired
    codec: Mapped[str] = mapped_column(String(64))
    format: Mapped[str] = mapped_column(String(32))
    fidelity: Mapped[str] = mapped_column(String)  # what was kept, spelled like a contract
    decoded_digest: Mapped[str | None] = mapped_column(String(64))  # of what comes back, where that is not the original
    decoded_length: Mapped[int | None]
    route: Mapped[dict[str, Any]]  # reason, candidates in order, what was predicted for each, what each gave
    created_at: Mapped[float]
    verified_at: Mapped[float | None]  # when a second process decoded and compared it


class Measurement(Table):
    """What was won and what it cost, for one encoding."""

    __tablename__ = "measurements"
    __table_args__ = ({"sqlite_with_rowid": False},)  # one lookup less for every row of a listing or report

    encoding_id: Mapped[str] = mapped_column(ForeignKey("encodings.id"), primary_key=True)
    original_bytes: Mapped[int]
    stored_bytes: Mapped[int]
    ratio: Mapped[float]
    bits_per_byte: Mapped[float]
    encode_seconds: Mapped[float]
    decode_seconds: Mapped[float | None]
    peak_memory_bytes: Mapped[int | None]
    fidelity: Mapped[dict[str, Any]]


class Job(Table):
    """One unit of work. `attempt` is the fencing token: it grows with every claim and never shrinks."""

    __tablename__ = "jobs"
    __table_args__ = (
        UniqueConstraint("schedule", "due_at"),
        Index("ix_jobs_claim", "state", "queue", desc("priority"), "run_at"),  # the order in which jobs are claimed
        Index("ix_jobs_revision_id", "revision_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    queue: Mapped[str] = mapped_column(String(32))
    priority: Mapped[int]  # higher first
    state: Mapped[str] = mapped_column(String(16))  # waiting running done failed quarantined cancelled
    revision_id: Mapped[str | None] = mapped_column(String(32))
    args: Mapped[dict[str, Any]]
    attempt: Mapped[int]
    tries: Mapped[int] = mapped_column(
        default=0
    )  # claims that count against JOB_ATTEMPTS_MAX; one handed back does not
    worker: Mapped[str | None] = mapped_column(String)
    lease_until: Mapped[float | None]
    run_at: Mapped[float]
    progress: Mapped[float]
    cancel_requested: Mapped[bool] = mapped_column(Boolean)
    error: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    schedule: Mapped[str | None] = mapped_column(String)
    due_at: Mapped[float | None]
    created_at: Mapped[float]
    started_at: Mapped[float | None]
    finished_at: Mapped[float | None]


class Schedule(Table):
    """A job kind that comes due by cron, in UTC."""

    __tablename__ = "schedules"

    name: Mapped[str] = mapped_column(String, primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    cron: Mapped[str] = mapped_column(String)
    args: Mapped[dict[str, Any]]
    enabled: Mapped[bool] = mapped_column(Boolean)
    next_due_at: Mapped[float]
    last_due_at: Mapped[float | None]


class Key(Table):
    """An API key: a public id and the SHA-256 of its 256-bit secret."""

    __tablename__ = "keys"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    secret_digest: Mapped[str] = mapped_column(String(64))
    label: Mapped[str] = mapped_column(String)
    scopes: Mapped[list[str]]
    created_at: Mapped[float]
    expires_at: Mapped[float | None]
    revoked_at: Mapped[float | None]


class IdempotencyKey(Table):
    """A request already answered: the same key gets the same receipt."""

    __tablename__ = "idempotency_keys"

    key: Mapped[str] = mapped_column(String, primary_key=True)
    revision_id: Mapped[str] = mapped_column(ForeignKey("revisions.id"))
    fingerprint: Mapped[str] = mapped_column(String)  # what was asked, so that a reused key is a Conflict
    created_at: Mapped[float]
