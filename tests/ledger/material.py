"""A fold for tests, and functions that fill a ledger."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import create_engine

from tests.ledger.server import needs_postgres
from withhold.ledger import Event, LedgerError, NewEvent, States


class Balances:
    """A fold that adds up numbers by name. The event `cleared` removes a name."""

    name = "balances"
    version = 1

    def apply(self, event: Event, states: States) -> None:
        name = event.data["name"]
        if event.kind == "cleared":
            states.put("balance", name, None)
        elif event.kind == "added":
            before = states.get("balance", name) or {"sum": 0, "events": 0}
            states.put("balance", name, {"sum": before["sum"] + event.data["amount"], "events": before["events"] + 1})


def added(name: str, amount: int = 1, **more: object) -> NewEvent:
    return NewEvent("added", {"name": name, "amount": amount, **more})


WHO: Any = {"actor": "asha", "tool": "tests 1"}


def run_sql(url: str, *statements: str) -> None:
    """Run statements on the database of a ledger, past the package. One transaction each."""
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
    finally:
        engine.dispose()


def in_both(both: dict[str, Any], sqlite: dict[str, Any], postgresql: dict[str, Any]) -> list[Any]:
    """Return the parameters of a test with the fixture `url` (indirect) and a value, which may be of one database only."""
    marks: dict[str, Any] = {"sqlite": (), "postgresql": needs_postgres}
    return [
        pytest.param(database, value, marks=marks[database], id=f"{database}: {name}")
        for database, own in (("sqlite", sqlite), ("postgresql", postgresql))
        for name, value in {**both, **own}.items()
    ]


def drop_triggers(url: str) -> None:
    """Remove the triggers that protect the events, as an attacker would."""
    on = "" if url.startswith("sqlite") else " ON ledger_events"
    names = ("update", "delete", "insert") if not on else ("change", "insert")
    run_sql(url, *(f"DROP TRIGGER IF EXISTS ledger_events_{name}{on}" for name in names))


def codes(error: LedgerError) -> list[str]:
    return [problem.code for problem in error.problems]
