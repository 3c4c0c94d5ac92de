"""Primers: what a collection's originals taught a codec, and which encodings need it to be decoded.

A rebuild brings both back: the collection's primer has a record of its own, an encoding's primer stands in its record.
A process of the release before may still run, but should not sweep: it takes a primer for a blob that nothing needs,
and condemns it, and removes it once the grace is over. A sweep of this release lifts the mark again.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

INTEGER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
REAL = sa.Float(53)
DIGEST = sa.String(64)


def upgrade() -> None:
    """Add the table of collections' primers, and the column that names an encoding's."""
    op.create_table(
        "primers",
        sa.Column("collection_id", INTEGER, nullable=False),
        sa.Column("blob_digest", DIGEST, nullable=False),
        sa.Column("codec", sa.String(64), nullable=False),
        sa.Column("objects", INTEGER, nullable=False),
        sa.Column("created_at", REAL, nullable=False),
        sa.PrimaryKeyConstraint("collection_id", name="pk_primers"),
        sa.ForeignKeyConstraint(["collection_id"], ["collections.id"], name="fk_primers_collection_id"),
        sa.ForeignKeyConstraint(["blob_digest"], ["blobs.digest"], name="fk_primers_blob_digest"),
    )
    with op.batch_alter_table("encodings") as encodings:
        encodings.add_column(sa.Column("primer_digest", DIGEST, nullable=True))
        encodings.create_foreign_key("fk_encodings_primer_digest", "blobs", ["primer_digest"], ["digest"])
    needed = sa.text("primer_digest IS NOT NULL")
    op.create_index(
        "ix_encodings_primer_digest", "encodings", ["primer_digest"], sqlite_where=needed, postgresql_where=needed
    )
