"""Triggers that refuse to change, remove or reorder events. They stop accidents; the chain of hashes is the proof."""

from __future__ import annotations

import re

from sqlalchemy import Connection, bindparam, text

from withhold.errors import Problem, quoted
from withhold.ledger import schema
from withhold.ledger.event import EMPTY

_CHANGED = "a ledger is append-only: its events cannot be changed or removed"
_OUT_OF_ORDER = "a ledger is append-only: this is not its next event"
_LAST = "SELECT hash FROM ledger_events ORDER BY sequence DESC LIMIT 1"
_OUT = f"""NEW.sequence IS {{distinct}} (SELECT coalesce(max(sequence), 0) + 1 FROM ledger_events)
    OR NEW.previous IS {{distinct}} coalesce(({_LAST}), '{EMPTY.hash}')
    OR EXISTS (SELECT 1 FROM ledger_events WHERE key = NEW.key)"""  # noqa: S608

# `INSERT OR REPLACE` removes the rows that a new one conflicts with, without a DELETE; so the third trigger refuses all
# conflicts.
_SQLITE = {
    "ledger_events_update": f"BEFORE UPDATE ON ledger_events BEGIN SELECT RAISE(ABORT, '{_CHANGED}'); END",
    "ledger_events_delete": f"BEFORE DELETE ON ledger_events BEGIN SELECT RAISE(ABORT, '{_CHANGED}'); END",
    "ledger_events_insert": (
        f"BEFORE INSERT ON ledger_events WHEN {_OUT.format(distinct='NOT')} "
        f"BEGIN SELECT RAISE(ABORT, '{_OUT_OF_ORDER}'); END"
    ),
}

_REFUSE = f"BEGIN RAISE EXCEPTION '{_CHANGED}'; END"
_INSERT = (
    f"BEGIN IF {_OUT.format(distinct='DISTINCT FROM')} THEN RAISE EXCEPTION '{_OUT_OF_ORDER}'; END IF; RETURN NEW; END"
)
#: For each trigger of PostgreSQL: its event, the body of its function, and its `tgtype` in `pg_trigger`.
_POSTGRESQL = {
    "ledger_events_change": ("BEFORE UPDATE OR DELETE OR TRUNCATE", "STATEMENT", _REFUSE, 58),
    "ledger_events_insert": ("BEFORE INSERT", "ROW", _INSERT, 7),
}


_ADDED_IN_SQLITE = text(
    "SELECT name FROM sqlite_master WHERE type = 'trigger' AND lower(tbl_name) IN :tables"
).bindparams(bindparam("tables", expanding=True))
_ADDED_IN_POSTGRESQL = text(
    "WITH ours AS (SELECT name::regclass AS id FROM unnest(CAST(:tables AS text[])) AS name) "
    "SELECT tgname FROM pg_trigger JOIN ours ON tgrelid = id WHERE NOT tgisinternal "
    "UNION ALL SELECT rulename FROM pg_rewrite JOIN ours ON ev_class = id"
)


def install(connection: Connection) -> None:
    """Make all triggers again, as after a migration, which may have dropped them."""
    run = connection.exec_driver_sql
    if connection.dialect.name == "sqlite":
        for name, body in _SQLITE.items():
            run(f"DROP TRIGGER IF EXISTS {name}")
            run(f"CREATE TRIGGER {name} {body}")
        return
    for name, (event, each, body, _) in _POSTGRESQL.items():
        run(f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $${body}$$")
        run(f"DROP TRIGGER IF EXISTS {name} ON ledger_events")
        run(f"CREATE TRIGGER {name} {event} ON ledger_events FOR EACH {each} EXECUTE FUNCTION {name}()")
        run(f"ALTER TABLE ledger_events ENABLE ALWAYS TRIGGER {name}")


def problem(connection: Connection) -> Problem | None:
    """Return which triggers are missing, disabled or different, or were added to the tables, or None."""
    lost, added = _missing(connection), _added(connection)
    if not (lost or added):
        return None
    message = f"the triggers {', '.join(map(quoted, lost))} that protect the events are missing or different"
    if not lost:
        message = f"somebody has added {', '.join(map(quoted, added))}, which may change or drop what is recorded"
    hint = "find out who changed them; export the ledger, and import it into a new one"
    return Problem("no-triggers", message, hint=hint)


def _missing(connection: Connection) -> list[str]:
    if connection.dialect.name == "sqlite":
        rows = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"))
        found = {name: str(sql) for name, sql in rows}
        return [
            name for name, body in _SQLITE.items() if _words(found.get(name)) != _words(f"CREATE TRIGGER {name} {body}")
        ]
    rows = connection.execute(
        text(
            "SELECT tgname, tgtype, prosrc FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid "
            "WHERE tgrelid = 'ledger_events'::regclass AND tgenabled = 'A' AND tgqual IS NULL AND tgattr = ''"
        )
    )
    there = {(name, kind, body) for name, kind, body in rows}
    return [name for name, (_, _, body, kind) in _POSTGRESQL.items() if (name, kind, body) not in there]


def _added(connection: Connection) -> list[str]:
    """Return the triggers and rules on the tables that are not those of a ledger."""
    tables = [table.name for table in schema.metadata.sorted_tables]
    if connection.dialect.name == "sqlite":
        query, ours = _ADDED_IN_SQLITE, set(_SQLITE)
    else:
        query, ours = _ADDED_IN_POSTGRESQL, set(_POSTGRESQL)
    return sorted({name for (name,) in connection.execute(query, {"tables": tables})} - ours)


def _words(sql: str | None) -> list[str]:
    return re.findall(r"\S+", sql or "")
