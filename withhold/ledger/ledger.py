"""An append-only record of events in a database, and the current states that they lead to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from typing import TypeAlias

from sqlalchemy import insert

from withhold.errors import HeadMoved, LedgerError, Problem, quoted
from withhold.ledger import opening, projection, schema
from withhold.ledger.checking import backdated, check_names, check_new
from withhold.ledger.database import Database
from withhold.ledger.event import EMPTY, Data, Event, Head, NewEvent, Row, canonical, hash_of
from withhold.ledger.folds import Fold, States
from withhold.ledger.progress import Progress, counted
from withhold.ledger.reading import Reading
from withhold.model.instants import in_fixed_width
from withhold.watching import Closable

#: A function that reads the current states and returns the events to record. It raises an exception to record nothing.
Command: TypeAlias = Callable[[Head, States], Sequence[NewEvent]]

_INSERT = insert(schema.events)


class Ledger(Closable):
    """An append-only record of events in SQLite or PostgreSQL.

    >>> from tempfile import TemporaryDirectory
    >>> from withhold.ledger import Ledger, NewEvent
    >>> with TemporaryDirectory() as folder, Ledger.open(f"sqlite:///{folder}/orders.db", create=True) as ledger:
    ...     head = ledger.append([NewEvent("demand.received", {"demand": "IN-D1"})], actor="asha", tool="example 1")
    ...     [event.data["demand"] for event in ledger.events()], head.sequence
    (['IN-D1'], 1)

    Threads may share a ledger, and any number of processes may open the same one; after a fork, open it again. Methods
    raise `LedgerError` if the database fails. The code is `ledger-busy` if other writers do not finish within a minute.
    """

    def __init__(self, database: Database, folds: Sequence[Fold], clock: Callable[[], datetime]) -> None:
        #: The internals that other functions of this package need to read or fill whole ledgers.
        self.database = database
        self.folds = tuple(folds)
        self._clock = clock

    @classmethod
    def open(
        cls,
        url: str,
        folds: Sequence[Fold] = (),
        *,
        create: bool = False,
        read_only: bool = False,
        clock: Callable[[], datetime] | None = None,
    ) -> Ledger:
        """Open the ledger at `sqlite:///PATH` or `postgresql://USER:PASSWORD@HOST/DATABASE`.

        `folds` compute the current states. Without folds, a ledger that has states can be read, but not written.
        `create=True` creates a ledger if there is none, upgrades the tables of an older version, and computes the
        states again if other folds, or other versions of the folds, made them. `read_only=True` also opens a ledger
        that may be damaged, to verify or export it. `clock` returns the current instant, for tests and replays.

        Raises `LedgerError` if there is no ledger, or if it has another version. Unless `read_only`, it is also raised
        if the triggers are missing, or if the states are not those of `folds`.
        """
        if create and read_only:
            raise TypeError("`create` and `read_only` exclude each other [create-read-only]; pass one of the two")
        database = Database(url, create=create, read_only=read_only)
        try:
            if create:
                opening.make(database, folds)
            opening.check(database, None if read_only else folds)
        except BaseException:
            database.close()
            raise
        return cls(database, folds, clock or (lambda: datetime.now(UTC)))

    def close(self) -> None:
        """Close the connections to the database."""
        self.database.close()

    @property
    def head(self) -> Head:
        """The number of events and the hash of the last one; `Head(0, "000…")` if there are none."""
        with self.reading() as reading:
            return reading.head

    def events(self, after: int = 0, until: int | None = None) -> Iterator[Event]:
        """Yield the events after the sequence `after`, up to and including `until`, in order.

        They are those of the ledger when the iteration began.
        """
        with self.reading() as reading:
            yield from reading.events(after, until)

    def state(self, kind: str, key: str) -> Data | None:
        """Return the current state with a kind and key, or None."""
        with self.reading() as reading:
            return reading.state(kind, key)

    def states(self, kind: str, prefix: str = "") -> Iterator[tuple[str, Data]]:
        """Yield the keys of a kind that begin with `prefix`, sorted by code point, with their states."""
        with self.reading() as reading:
            yield from reading.states(kind, prefix)

    def recorded_at(self) -> str:
        """Return the `recorded_at` of an event that would be recorded now."""
        with self.reading() as reading:
            return self._recorded_after(reading.last())

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """Yield a `Reading`, whose head, events and states are all those of one instant."""
        with self.database.reading() as connection:
            yield Reading(connection)

    def append(
        self,
        events: Sequence[NewEvent],
        *,
        actor: str,
        tool: str,
        expect: Head | None = None,
        key: str | None = None,
        history: str | None = None,
    ) -> Head:
        """Record events, all of them or none, and return the head after them.

        `expect` is the head that the caller knows; `HeadMoved` is raised if it is no longer the head. If a command with
        the idempotency key `key` was recorded before, nothing is recorded, and the head after that command is returned;
        if its actor, history or events differ, `LedgerError` is raised. `history` is the reason for recording the past:
        without it, an event whose `effective_at` is before it is recorded is refused. The events keep the reason.
        """
        events = list(events)
        check_new(events)
        content = None if key is None else [[kind, data] for kind, data in events]
        return self._write(lambda _head, _states: events, actor, tool, expect, key, content, history)

    def write(
        self,
        command: Command,
        *,
        actor: str,
        tool: str,
        key: str | None = None,
        content: object = None,
        history: str | None = None,
        progress: Progress | None = None,
    ) -> Head:
        """Call `command(head, states)`, record the events that it returns, and return the head after them.

        Nobody else can write between the call and the record, so what the command checks is still true when its events
        are recorded. Therefore it must be quick, and must not write to the ledger itself. If it raises an exception,
        nothing is recorded.

        `key` and `history` are those of `append`. With a `key`, `content` is required: the JSON values that the command
        was asked to record. The key is looked up before the command is called. `progress(done, whole)` is called at intervals.
        """
        if key is not None and content is None:
            raise TypeError("a key needs the content that it stands for [key-without-content]; pass `content`")
        return self._write(command, actor, tool, None, key, content, history, progress)

    @contextmanager
    def rehearse(
        self, command: Command, *, actor: str, tool: str, history: str | None = None
    ) -> Iterator[tuple[list[Event], States]]:
        """Yield the events that `write` would record now, and the states after them. Record nothing."""
        check_names(actor=actor, tool=tool, history=history)
        with self.reading() as reading:
            last, states = reading.last(), States(reading)
            new = _new_events(command, last, states)
            rows = self._rows(new, last, actor, tool, history, None, None)
            events = [self._applied(row, states) for row in rows]
            yield events, states

    def _write(
        self,
        command: Command,
        actor: str,
        tool: str,
        expect: Head | None,
        key: str | None,
        content: object,
        history: str | None,
        progress: Progress | None = None,
    ) -> Head:
        check_names(actor=actor, tool=tool, key=key, history=history)
        digest = None if key is None else sha256(canonical([actor, history, content]).encode()).hexdigest()
        with self.database.writing() as connection:
            reading = Reading(connection)
            last, done, made_by = reading.tip(key)
            if done is not None:
                if done.content != digest:
                    message = (
                        f"the key {quoted(key)} was used for another command, which ended with event {done.sequence}"
                    )
                    raise LedgerError(Problem("key-reused", message, hint="use a new key for a new command"))
                return Head(done.sequence, done.hash)
            states, head = States(reading), _head_of(last)
            if expect is not None and expect != head:
                message = f"the head is event {head.sequence} {head.hash}, not event {expect[0]} {expect[1]}"
                raise HeadMoved(Problem("head-moved", message, hint="read the new events, and decide again"))
            projection.require(made_by, self.folds, head)
            rows = self._rows(_new_events(command, last, states), last, actor, tool, history, key, digest, progress)
            if rows:
                connection.execute(_INSERT, [row._asdict() for row in rows])
                for row in counted(rows, progress, 2 * len(rows), len(rows)):
                    self._applied(row, states)
                head = _head_of(rows[-1])
                projection.write(connection, states, head)
            return head

    def _rows(
        self,
        new: Sequence[NewEvent],
        last: Row | None,
        actor: str,
        tool: str,
        history: str | None,
        key: str | None,
        content: str | None,
        progress: Progress | None = None,
    ) -> list[Row]:
        """Return the rows that record new events after `last`. This is the first half of recording them."""
        recorded_at = self._recorded_after(last)
        _refuse_backdated(new, recorded_at, history)
        sequence, hash_ = _head_of(last)
        rows = []
        for number, (kind, data) in enumerate(counted(new, progress, 2 * len(new)), 1):
            ends = number == len(new)
            about = (kind, canonical(data), history, key if ends else None, content if ends else None)
            row = Row(sequence + number, actor, tool, recorded_at, *about, hash_, "")
            hash_ = hash_of(row)
            rows.append(row._replace(hash=hash_))
        return rows

    def _recorded_after(self, last: Row | None) -> str:
        """Return the `recorded_at` of events after `last`: the clock's time, which never goes back."""
        return max(in_fixed_width(self._clock(), "the ledger's clock"), last.recorded_at if last else "")

    def _applied(self, row: Row, states: States) -> Event:
        event = row.event()
        states.apply(event, self.folds)
        return event


def _head_of(last: Row | None) -> Head:
    return EMPTY if last is None else Head(last.sequence, last.hash)


def _new_events(command: Command, last: Row | None, states: States) -> list[NewEvent]:
    new = list(command(_head_of(last), states))
    check_new(new)
    return new


def _refuse_backdated(new: Sequence[NewEvent], recorded_at: str, history: str | None) -> None:
    if history is not None:
        return
    for number, event in enumerate(new, 1):
        effective = backdated(event.data, recorded_at)
        if effective is not None:
            message = f"`effective_at` {quoted(effective)} is before the event is recorded, {recorded_at}"
            hint = "give the reason for recording the past (`history`), or leave `effective_at` out"
            raise LedgerError(Problem("backdated", message, f"event {number}", hint))
