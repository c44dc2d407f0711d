"""Run migrations on the connection of a ledger. Alembic executes this file."""

from __future__ import annotations

from alembic import context

from withhold.ledger import schema, triggers

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=schema.metadata,
    version_table=schema.version.name,
    render_as_batch=True,
)
context.run_migrations()
triggers.install(connection)  # a batch copies a table, and drops its triggers
