"""The tables of a ledger. `migrations/` makes them; a test compares the two.

All data and instants are text: hashes are of text, and a database may write JSON or a time in another way than it read it.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import TEXT

#: The revision in `migrations/versions/` that makes these tables.
REVISION = "2"

metadata = MetaData()

# Names are compared and sorted by code point, whatever the language of the database.
_NAME = Text().with_variant(TEXT(collation="C"), "postgresql")
_SEQUENCE = BigInteger().with_variant(Integer(), "sqlite")  # SQLite numbers rows by an INTEGER PRIMARY KEY

events = Table(
    "ledger_events",
    metadata,
    Column("sequence", _SEQUENCE, primary_key=True, autoincrement=False),
    Column("actor", Text, nullable=False),
    Column("tool", Text, nullable=False),
    Column("recorded_at", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("data", Text, nullable=False),
    Column("history", Text),
    Column("key", _NAME),
    Column("content", Text),
    Column("previous", Text, nullable=False),
    Column("hash", Text, nullable=False),
)
Index("ledger_events_key", events.c.key)

#: The projection: the current states, each with the sequence and hash of the event that put it there.
states = Table(
    "ledger_states",
    metadata,
    Column("kind", _NAME, primary_key=True),
    Column("key", _NAME, primary_key=True),
    Column("data", Text, nullable=False),
    Column("sequence", _SEQUENCE, nullable=False),
    Column("hash", Text, nullable=False),
)

#: The folds that made the projection, each with the head of the ledger then.
folds = Table(
    "ledger_folds",
    metadata,
    Column("name", _NAME, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("sequence", _SEQUENCE, nullable=False),
    Column("hash", Text, nullable=False),
)

#: Where alembic records the revision.
version = Table("ledger_version", MetaData(), Column("version_num", Text, primary_key=True))
