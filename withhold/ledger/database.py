"""Connections to SQLite and PostgreSQL, with one kind of transaction to read and one to write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, event, exc, make_url, text
from sqlalchemy.engine import URL

from withhold.errors import LedgerError, Problem, excerpt, missing_extra, quoted

#: The time that a writer waits for others, in seconds.
_PATIENCE = 60
_LOCK = text("SELECT pg_advisory_xact_lock(1818583911)")


class Database:
    """A database that holds a ledger. Threads may share it; open it after a fork."""

    def __init__(self, url: str, *, create: bool, read_only: bool = False) -> None:
        parsed = _parsed(url)
        self._read_only = read_only
        #: Where the ledger is, without a password.
        self.name = parsed.render_as_string()
        if parsed.drivername == "sqlite":
            if not create and not Path(str(parsed.database)).is_file():
                hint = "check the path, or create a ledger (`create=True`, on the command line `--create`)"
                raise LedgerError(Problem("no-ledger", f"{quoted(self.name)} is not a file", hint=hint))
            self._engine = create_engine(parsed, connect_args={"timeout": _PATIENCE})
            event.listen(self._engine, "connect", _set_up_sqlite)
            event.listen(self._engine, "begin", _begin_in_sqlite)
        else:
            # What the URL sets, such as a `search_path`, stays: arguments replace those of the URL.
            options = f"{parsed.query.get('options', '')} -c lock_timeout={_PATIENCE}s".strip()
            try:
                self._engine = create_engine(
                    parsed.set(drivername="postgresql+psycopg"),
                    connect_args={"options": options},
                    pool_pre_ping=True,
                )
            except ModuleNotFoundError as error:
                raise missing_extra(error, "postgres") from None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection that reads the ledger as it is now. Later writes do not change what it reads, and never wait for it."""
        with self._errors(), self._engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Yield a connection while no other can write. Commit at the end, or change nothing if an exception is raised."""
        if self._read_only:
            hint = "open it without `read_only`"
            raise LedgerError(Problem("read-only", f"{quoted(self.name)} was opened read-only", hint=hint))
        with self._errors(), self._engine.connect() as connection:
            connection.execution_options(ledger_writes=True)
            with connection.begin():  # which locks SQLite
                if connection.dialect.name == "postgresql":
                    connection.execute(_LOCK)
                yield connection

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except exc.DBAPIError as error:
            reason = " ".join(str(error.orig).split()).rstrip(".")
            if "database is locked" in reason or type(error.orig).__name__ == "LockNotAvailable":
                hint = "repeat the command"
                message = f"others have written to {quoted(self.name)} for {_PATIENCE} seconds"
                raise LedgerError(Problem("ledger-busy", message, hint=hint)) from error
            hint = "check the database; a command whose key is repeated is never recorded twice"
            message = f"the database {quoted(self.name)} failed: {reason}"
            raise LedgerError(Problem("ledger-unavailable", message, hint=hint)) from error


def _parsed(url: str) -> URL:
    hint = "write it like `sqlite:///orders.db` or `postgresql://user@host/database`"
    try:
        parsed = make_url(url)
    except (exc.ArgumentError, ValueError):
        raise LedgerError(Problem("bad-ledger-url", f"{excerpt(url)} is not the URL of a ledger", hint=hint)) from None
    is_file = parsed.drivername == "sqlite" and "?" not in url  # options could make it one in memory, or another file
    if not (is_file or parsed.drivername == "postgresql") or parsed.database in (None, "", ":memory:"):
        message = f"{quoted(parsed.render_as_string())} is not the URL of a ledger"
        raise LedgerError(Problem("bad-ledger-url", message, hint=hint))
    return parsed


def _set_up_sqlite(connection: Any, _: object) -> None:
    connection.isolation_level = None  # transactions begin where `_begin_in_sqlite` begins them
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")


def _begin_in_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("ledger_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
