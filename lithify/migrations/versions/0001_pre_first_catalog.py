"""The first catalog: collections, objects and how they are stored, work to do, and the operators' rules."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
REAL = sa.Float(53)
DIGEST = sa.String(64)
HEX_ID = sa.String(32)


def upgrade() -> None:
    """Make every table of the first release, those pointed at before those that point."""
    op.create_table(
        "facts",
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_facts"),
    )
    _objects()
    _revisions()
    _cellar()
    _answers()
    _work()
    _rules()


def _objects() -> None:
    op.create_table(
        "collections",
        sa.Column("id", INTEGER, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("created_at", REAL, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_collections"),
        sa.UniqueConstraint("name", name="uq_collections_name"),
    )
    op.create_table(
        "objects",
        sa.Column("id", INTEGER, nullable=False),
        sa.Column("collection_id", INTEGER, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("revision_id", HEX_ID, nullable=True),
        sa.Column("revisions_count", INTEGER, nullable=False),
        sa.Column("created_at", REAL, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_objects"),
        sa.UniqueConstraint("collection_id", "name", name="uq_objects_collection_id_name"),
        sa.ForeignKeyConstraint(["collection_id"], ["collections.id"], name="fk_objects_collection_id"),
    )


def _revisions() -> None:
    op.create_table(
        "revisions",
        sa.Column("id", HEX_ID, nullable=False),
        sa.Column("object_id", INTEGER, nullable=False),
        sa.Column("number", INTEGER, nullable=False),
        sa.Column("digest", DIGEST, nullable=False),
        sa.Column("length", INTEGER, nullable=False),
        sa.Column("content_type", sa.String(), nullable=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("contract", sa.String(), nullable=False),
        sa.Column("effort", sa.String(16), nullable=False),
        sa.Column("codecs", sa.JSON(), nullable=False),
        sa.Column("created_at", REAL, nullable=False),
        sa.Column("deleted_at", REAL, nullable=True),
        sa.Column("tombstone", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_revisions"),
        sa.UniqueConstraint("object_id", "number", name="uq_revisions_object_id_number"),
        sa.ForeignKeyConstraint(["object_id"], ["objects.id"], name="fk_revisions_object_id"),
    )
    op.create_index("ix_revisions_created_at", "revisions", ["created_at"])
    op.create_index("ix_revisions_digest", "revisions", ["digest"])


def _cellar() -> None:
    op.create_table(
        "blobs",
        sa.Column("digest", DIGEST, nullable=False),
        sa.Column("length", INTEGER, nullable=False),
        sa.Column("pack", HEX_ID, nullable=True),
        sa.Column("offset", INTEGER, nullable=False),
        sa.Column("created_at", REAL, nullable=False),
        sa.Column("checked_at", REAL, nullable=False),
        sa.Column("condemned_at", REAL, nullable=True),
        sa.Column("damage", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("digest", name="pk_blobs"),
    )
    op.create_index("ix_blobs_checked_at", "blobs", ["checked_at"])
    op.create_index("ix_blobs_pack", "blobs", ["pack"])
    condemned = sa.text("condemned_at IS NOT NULL")
    op.create_index("ix_blobs_condemned_at", "blobs", ["condemned_at"], sqlite_where=condemned)
    op.create_table(
        "encodings",
        sa.Column("id", HEX_ID, nullable=False),
        sa.Column("revision_id", HEX_ID, nullable=False),
        sa.Column("number", INTEGER, nullable=False),
        sa.Column("blob_digest", DIGEST, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("codec", sa.String(64), nullable=False),
        sa.Column("format", sa.String(32), nullable=False),
        sa.Column("fidelity", sa.String(), nullable=False),
        sa.Column("route", sa.JSON(), nullable=False),
        sa.Column("created_at", REAL, nullable=False),
        sa.Column("verified_at", REAL, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_encodings"),
        sa.UniqueConstraint("revision_id", "number", name="uq_encodings_revision_id_number"),
        sa.ForeignKeyConstraint(["revision_id"], ["revisions.id"], name="fk_encodings_revision_id"),
        sa.ForeignKeyConstraint(["blob_digest"], ["blobs.digest"], name="fk_encodings_blob_digest"),
    )
    op.create_index("ix_encodings_blob_digest", "encodings", ["blob_digest"])
    current = sa.text("state = 'current'")
    op.create_index(
        "uq_encodings_current",
        "encodings",
        ["revision_id"],
        unique=True,
        sqlite_where=current,
        postgresql_where=current,
    )


def _answers() -> None:
    op.create_table(
        "measurements",
        sa.Column("encoding_id", HEX_ID, nullable=False),
        sa.Column("original_bytes", INTEGER, nullable=False),
        sa.Column("stored_bytes", INTEGER, nullable=False),
        sa.Column("ratio", REAL, nullable=False),
        sa.Column("bits_per_byte", REAL, nullable=False),
        sa.Column("encode_seconds", REAL, nullable=False),
        sa.Column("decode_seconds", REAL, nullable=True),
        sa.Column("peak_memory_bytes", INTEGER, nullable=True),
        sa.Column("fidelity", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("encoding_id", name="pk_measurements"),
        sa.ForeignKeyConstraint(["encoding_id"], ["encodings.id"], name="fk_measurements_encoding_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("revision_id", HEX_ID, nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("created_at", REAL, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_idempotency_keys"),
        sa.ForeignKeyConstraint(["revision_id"], ["revisions.id"], name="fk_idempotency_keys_revision_id"),
    )


def _work() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", INTEGER, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("queue", sa.String(32), nullable=False),
        sa.Column("priority", INTEGER, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("revision_id", HEX_ID, nullable=True),
        sa.Column("args", sa.JSON(), nullable=False),
        sa.Column("attempt", INTEGER, nullable=False),
        sa.Column("tries", INTEGER, nullable=False),
        sa.Column("worker", sa.String(), nullable=True),
        sa.Column("lease_until", REAL, nullable=True),
        sa.Column("run_at", REAL, nullable=False),
        sa.Column("progress", REAL, nullable=False),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("error", sa.JSON(), nullable=True),
        sa.Column("result", sa.JSON(), nullable=True),
        sa.Column("schedule", sa.String(), nullable=True),
        sa.Column("due_at", REAL, nullable=True),
        sa.Column("created_at", REAL, nullable=False),
        sa.Column("started_at", REAL, nullable=True),
        sa.Column("finished_at", REAL, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
        sa.UniqueConstraint("schedule", "due_at", name="uq_jobs_schedule_due_at"),
    )
    op.create_index("ix_jobs_claim", "jobs", ["state", "queue", sa.desc("priority"), "run_at"])
    op.create_index("ix_jobs_revision_id", "jobs", ["revision_id"])
    op.create_table(
        "schedules",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("cron", sa.String(), nullable=False),
        sa.Column("args", sa.JSON(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("next_due_at", REAL, nullable=False),
        sa.Column("last_due_at", REAL, nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_schedules"),
    )


def _rules() -> None:
    op.create_table(
        "policies",
        sa.Column("collection_id", INTEGER, nullable=False),
        sa.Column("contract", sa.String(), nullable=False),
        sa.Column("effort", sa.String(16), nullable=False),
        sa.Column("codecs", sa.JSON(), nullable=False),
        sa.Column("keep_seconds", REAL, nullable=True),
        sa.Column("keep_revisions", INTEGER, nullable=True),
        sa.Column("updated_at", REAL, nullable=False),
        sa.PrimaryKeyConstraint("collection_id", name="pk_policies"),
        sa.ForeignKeyConstraint(["collection_id"], ["collections.id"], name="fk_policies_collection_id"),
    )
    op.create_table(
        "keys",
        sa.Column("id", HEX_ID, nullable=False),
        sa.Column("secret_digest", DIGEST, nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created_at", REAL, nullable=False),
        sa.Column("expires_at", REAL, nullable=True),
        sa.Column("revoked_at", REAL, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_keys"),
    )
