"""Appends: which revisions were made by one, so that the next on the same object may take them away.

A rebuild brings it back: it stands in the revision's record, and one without it was made by a put. A process of the
release before may still run: what it puts was not appended, as the column's default says.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column that marks what an append made."""
    op.add_column("revisions", sa.Column("grows", sa.Boolean(), nullable=False, server_default=sa.false()))
