"""The chain of events."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TEXT

revision = "1"
down_revision = None


def upgrade() -> None:
    """Make the table of events."""
    op.create_table(
        "ledger_events",
        sa.Column(
            "sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=False
        ),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("tool", sa.Text, nullable=False),
        sa.Column("recorded_at", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("history", sa.Text),
        sa.Column("key", sa.Text().with_variant(TEXT(collation="C"), "postgresql")),
        sa.Column("content", sa.Text),
        sa.Column("previous", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
    )
    op.create_index("ledger_events_key", "ledger_events", ["key"])
