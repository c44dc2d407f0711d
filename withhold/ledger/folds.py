"""Folds: what turns events into current states."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

from withhold.ledger.event import Data, Event, Head
from withhold.ledger.reading import Reading


class Fold(Protocol):
    """Code that applies each event to the current states.

    `apply` must depend on the event and the states alone. It must not change data that it gets, but put new data. Raise
    `version` whenever `apply` gives other states than before: the states of existing ledgers are then computed again.
    """

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> int: ...
    def apply(self, event: Event, states: States, /) -> None: ...


class State(NamedTuple):
    """A state, or None if there is none, and the head after the event that put it; None if it was only read."""

    data: Data | None
    head: Head | None


class States:
    """Current states, by kind and key. Folds change them; commands only read them.

    >>> states = States()
    >>> states.get("demand", "IN-D1") is None
    True

    States that a fold puts are kept in memory. With a `Reading`, the states of its ledger are there, too.
    """

    def __init__(self, reading: Reading | None = None) -> None:
        self._reading = reading
        self._kinds: defaultdict[str, dict[str, State]] = defaultdict(dict)
        self._head: Head | None = None

    def get(self, kind: str, key: str) -> Data | None:
        """Return the state with a kind and key, or None. Nobody may change it."""
        states = self._kinds[kind]
        found = states.get(key)
        if found is None:
            found = State(self._reading.state(kind, key) if self._reading else None, None)
            if self._reading:
                states[key] = found
        return found.data

    def scan(self, kind: str, prefix: str = "") -> Iterator[tuple[str, Data]]:
        """Yield the keys of a kind that begin with `prefix`, sorted by code point, with their states.

        This takes time for all states of the kind, so it is for commands rather than for folds.
        """
        states = self._kinds[kind]
        if self._reading:
            for key, data in self._reading.states(kind, prefix):
                states.setdefault(key, State(data, None))
        for key in sorted(key for key in states if key.startswith(prefix)):
            current = states[key].data
            if current is not None:
                yield key, current

    def put(self, kind: str, key: str, data: Data | None) -> None:
        """Replace a state, or remove it with None. A key has no NUL character: PostgreSQL cannot store it.

        Raises `TypeError` outside of `Fold.apply`.
        """
        if self._head is None:
            raise TypeError("only a fold may put states [states-are-read-only]; append an event instead")
        self._kinds[kind][key] = State(data, self._head)

    def apply(self, event: Event, folds: Iterable[Fold]) -> None:
        """Apply an event by all folds."""
        self._head = event.head
        try:
            for fold in folds:
                fold.apply(event, self)
        finally:
            self._head = None

    def pop(self, kind: str, key: str) -> State | None:
        """Remove what was put or read, and return it, or None."""
        return self._kinds[kind].pop(key, None)

    def changed(self) -> Iterator[tuple[str, str, Data | None, Head]]:
        """Yield each state that a fold has put: its kind, its key, its data, and the head after the event."""
        for kind, states in self._kinds.items():
            for key, (data, head) in states.items():
                if head is not None:
                    yield kind, key, data, head
