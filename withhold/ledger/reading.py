"""Read a ledger as it is at one instant."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, func, select, true

from withhold.ledger.event import EMPTY, Data, Event, Head, Row
from withhold.ledger.schema import events as _events
from withhold.ledger.schema import folds as _folds
from withhold.ledger.schema import states as _states

_EVENTS = select(_events).order_by(_events.c.sequence)
_LAST = select(_events).order_by(_events.c.sequence.desc()).limit(1)
# Both databases look these up in an index, unlike `sequence = … OR key = …`, for which they read the whole table.
_TIP_SEQUENCES = (
    select(func.max(_events.c.sequence)).scalar_subquery(),
    select(_events.c.sequence).where(_events.c.key == bindparam("with_key")).limit(1).scalar_subquery(),
)
_TIP = (
    select(_events, _folds)
    .select_from(_events.outerjoin(_folds, true()))
    .where(_events.c.sequence.in_(_TIP_SEQUENCES))
    .order_by(_events.c.sequence)
)
_FOLDS = select(_folds)
_STATE = select(_states.c.data).where(_states.c.kind == bindparam("of_kind"), _states.c.key == bindparam("of_key"))
_STATES = select(_states).order_by(_states.c.kind, _states.c.key)
#: The number of rows that are read at once.
PAGE = 2000


class FoldRow(NamedTuple):
    """A fold as it is recorded, with the head of the ledger to which its states belong."""

    name: str
    version: int
    sequence: int
    hash: str


class Tip(NamedTuple):
    """The last event, the last event of the command with an idempotency key, and the folds of the projection."""

    last: Row | None
    done: Row | None
    folds: Sequence[FoldRow]


class Reading:
    """The events and states of a ledger at one instant, from `ledger.reading()`. Later writes do not change them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def head(self) -> Head:
        last = self.last()
        return EMPTY if last is None else Head(last.sequence, last.hash)

    def events(self, after: int = 0, until: int | None = None) -> Iterator[Event]:
        """Yield the events after the sequence `after`, up to and including `until`, in order."""
        for row in self.rows(after, until):
            yield row.event()

    def state(self, kind: str, key: str) -> Data | None:
        """Return the current state with a kind and key, or None."""
        found = self._connection.execute(_STATE, {"of_kind": kind, "of_key": key}).scalar()
        return None if found is None else json.loads(found)

    def states(self, kind: str, prefix: str = "") -> Iterator[tuple[str, Data]]:
        """Yield the keys that begin with `prefix`, sorted by code point, with their states."""
        query = _STATES.where(_states.c.kind == kind, _states.c.key >= prefix)
        with self._connection.execute(query.execution_options(yield_per=PAGE)) as result:
            for _, key, data, _, _ in result:
                if not key.startswith(prefix):
                    break
                yield key, json.loads(data)

    def rows(self, after: int | None = None, until: int | None = None) -> Iterator[Row]:
        """Yield events as they are stored. Without `after`, these include any whose number is not positive."""
        query = _EVENTS if after is None else _EVENTS.where(_events.c.sequence > after)
        if until is not None:
            query = query.where(_events.c.sequence <= until)
        with self._connection.execute(query.execution_options(yield_per=PAGE)) as result:
            yield from map(Row._make, result)

    def last(self) -> Row | None:
        """Return the last event, or None."""
        found = self._connection.execute(_LAST).first()
        return None if found is None else Row._make(found)

    def tip(self, key: str | None) -> Tip:
        """Return the data that a writer needs, in one query, because other writers wait meanwhile."""
        found = self._connection.execute(_TIP, {"with_key": key}).all()
        if not found:
            return Tip(None, None, self.folds())
        events = [Row._make(row[: len(Row._fields)]) for row in found]
        folds = [FoldRow._make(row[len(Row._fields) :]) for row in found if row[:1] == found[-1][:1]]
        done = next((row for row in events if key is not None and row.key == key), None)
        return Tip(events[-1], done, [fold for fold in folds if fold.name is not None])

    def folds(self) -> list[FoldRow]:
        """Return the folds that made the projection."""
        return [FoldRow._make(row) for row in self._connection.execute(_FOLDS)]
