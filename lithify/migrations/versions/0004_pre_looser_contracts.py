"""Contracts looser than exact: what comes back of an encoding that does not give every byte back.

A rebuild brings both columns back: they stand in the encoding's record. Without them what comes back is the original.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns that tell what a looser encoding decodes to."""
    op.add_column("encodings", sa.Column("decoded_digest", sa.String(64), nullable=True))
    op.add_column("encodings", sa.Column("decoded_length", sa.Integer(), nullable=True))
