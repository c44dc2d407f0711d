"""Check that a database holds a ledger of this version; make or upgrade it on request."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Connection, inspect, select

from withhold.errors import LedgerError, Problem, quoted
from withhold.ledger import migrations, projection, schema, triggers
from withhold.ledger.database import Database
from withhold.ledger.folds import Fold
from withhold.ledger.reading import Reading

_REVISIONS = [str(number) for number in range(1, int(schema.REVISION) + 1)]


def make(database: Database, folds: Sequence[Fold]) -> None:
    """Make the tables or upgrade them, and compute the states if other folds made them."""
    with database.writing() as connection:
        found = _revision(connection)
        if found != schema.REVISION:
            _refuse_newer(database, found)
            _migrate(connection)
        reading = Reading(connection)
        if folds and projection.problem(reading.folds(), folds, reading.head):
            projection.rebuild(connection, folds)


def check(database: Database, folds: Sequence[Fold] | None) -> None:
    """Raise `LedgerError` unless the database holds a ledger with this version's tables, triggers and states.

    If `folds` is None, neither the triggers nor the states are checked.
    """
    with database.reading() as connection:
        found = _revision(connection)
        if found is None:
            hint = "check the URL, or create a ledger (`create=True`, on the command line `--create`)"
            raise LedgerError(Problem("no-ledger", f"{quoted(database.name)} holds no ledger", hint=hint))
        _refuse_newer(database, found)
        if found != schema.REVISION:
            message = f"{quoted(database.name)} has tables of version {found}, not {schema.REVISION}"
            hint = "keep a copy, and run `withhold ledger upgrade`, or open it with `create=True`"
            raise LedgerError(Problem("old-ledger", message, hint=hint))
        if folds is None:
            return
        lost = triggers.problem(connection)
        if lost:
            raise LedgerError(lost)
        if folds:
            reading = Reading(connection)
            projection.require(reading.folds(), folds, reading.head)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table(schema.version.name):
        return None
    return connection.execute(select(schema.version.c.version_num)).scalar()


def _refuse_newer(database: Database, found: str | None) -> None:
    if found is not None and found not in _REVISIONS:
        message = f"{quoted(database.name)} has tables of version {quoted(found)}, which is newer than this package"
        raise LedgerError(Problem("new-ledger", message, hint="install a newer version of withhold"))


def _migrate(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, schema.REVISION)
