"""The table of current states, which is written with the events that change them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, delete, insert, text

from withhold.errors import LedgerError, Problem, quoted
from withhold.ledger import schema
from withhold.ledger.event import Head, canonical
from withhold.ledger.folds import Fold, States
from withhold.ledger.reading import FoldRow, Reading

# Both databases know this form of it, which SQLAlchemy has for each of them apart.
_UPSERT = text(
    "INSERT INTO ledger_states (kind, key, data, sequence, hash) VALUES (:kind, :key, :data, :sequence, :hash) "
    "ON CONFLICT (kind, key) DO UPDATE SET data = excluded.data, sequence = excluded.sequence, hash = excluded.hash"
)
_REMOVE = delete(schema.states).where(
    schema.states.c.kind == bindparam("of_kind"), schema.states.c.key == bindparam("of_key")
)
_STAMP = text("UPDATE ledger_folds SET sequence = :sequence, hash = :hash")


def write(connection: Connection, states: States, head: Head) -> None:
    """Write what was put, and the head that the projection now has."""
    put, removed = [], []
    for kind, key, data, (sequence, hash_) in states.changed():
        if data is None:
            removed.append({"of_kind": kind, "of_key": key})
        else:
            put.append({"kind": kind, "key": key, "data": canonical(data), "sequence": sequence, "hash": hash_})
    if put:
        connection.execute(_UPSERT, put)
    if removed:
        connection.execute(_REMOVE, removed)
    connection.execute(_STAMP, head._asdict())


def problem(rows: Sequence[FoldRow], folds: Sequence[Fold], head: Head) -> Problem | None:
    """Return how the projection of the folds in `rows` differs from that of `folds` at `head`, or None."""
    recorded = {name: version for name, version, _, _ in rows}
    wanted = {fold.name: fold.version for fold in folds}
    if recorded != wanted:
        made = ", ".join(f"{name} {version}" for name, version in sorted(recorded.items())) or "none"
        needed = ", ".join(f"{name} {version}" for name, version in sorted(wanted.items())) or "none"
        message = f"the states were computed by the folds {quoted(made)}, not by {quoted(needed)}"
    elif any((sequence, hash_) != head for _, _, sequence, hash_ in rows):
        message = f"the states are not those of the last event, {head.sequence}"
    else:
        return None
    hint = "run `withhold ledger upgrade`, or open the ledger with `create=True`, to compute them again"
    return Problem("projection-outdated", message, hint=hint)


def require(rows: Sequence[FoldRow], folds: Sequence[Fold], head: Head) -> None:
    """Raise `LedgerError` unless the projection is that of `folds` at `head`."""
    found = problem(rows, folds, head)
    if found:
        raise LedgerError(found)


def rebuild(connection: Connection, folds: Sequence[Fold]) -> None:
    """Compute all states again from the events. Takes about 20 seconds for a million events."""
    reading, states = Reading(connection), States()
    head = reading.head
    for event in reading.events():
        states.apply(event, folds)
    connection.execute(delete(schema.states))
    connection.execute(delete(schema.folds))
    rows = [{"name": fold.name, "version": fold.version, **head._asdict()} for fold in folds]
    if rows:
        connection.execute(insert(schema.folds), rows)
    write(connection, states, head)
