"""Read a ledger as it is at one instant."""

from __future__ import annotations

import json
from collections.abc import Iterator

from sqlalchemy import Connection, bindparam, select

from withhold.ledger.event import EMPTY, Data, Event, Head, Row
from withhold.ledger.schema import events as _events
from withhold.ledger.schema import states as _states

_EVENTS = select(_events).order_by(_events.c.sequence)
_LAST = select(_events).order_by(_events.c.sequence.desc()).limit(1)
_STATE = select(_states.c.data).where(_states.c.kind == bindparam("of_kind"), _states.c.key == bindparam("of_key"))
_STATES = select(_states).order_by(_states.c.kind, _states.c.key)
#: The number of rows that are read at once.
PAGE = 2000


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

    def with_key(self, key: str) -> Row | None:
        """Return the last event of the command with an idempotency key, or None."""
        found = self._connection.execute(select(_events).where(_events.c.key == key)).first()
        return None if found is None else Row._make(found)
