"""Language models: which one a collection or a revision is to be told by, and which one an encoding needs.

A rebuild brings all three back: they stand in the records of policies, revisions and encodings. Models are files of the
operator's, known by their SHA-256; the catalog keeps no more of them than that.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

DIGEST = sa.String(64)


def upgrade() -> None:
    """Add the columns that name models, and an index by which `check` finds those that are needed."""
    op.add_column("policies", sa.Column("model", DIGEST, nullable=True))
    op.add_column("revisions", sa.Column("model", DIGEST, nullable=True))
    op.add_column("encodings", sa.Column("model_digest", DIGEST, nullable=True))
    needed = sa.text("model_digest IS NOT NULL")
    op.create_index(
        "ix_encodings_model_digest", "encodings", ["model_digest"], sqlite_where=needed, postgresql_where=needed
    )
