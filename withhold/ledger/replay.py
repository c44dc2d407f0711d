"""Replay events from the first one: check that they are unchanged, and fold them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import NoReturn

from withhold.errors import InstantError, Problem, quoted
from withhold.ledger.checking import backdated, name_problems, problems_of
from withhold.ledger.event import EMPTY, Data, Event, Head, Row, hash_of
from withhold.ledger.folds import Fold, States

_RECORDED_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
_HINT = "compare the ledger with a copy, such as an export"


def _refuse(number: str) -> NoReturn:
    raise ValueError(number)


_decode = json.JSONDecoder(parse_float=_refuse, parse_constant=_refuse).raw_decode


def json_object(text: str) -> Data | None:
    """Return a JSON object without floats, or None if the text is anything else, or has spaces around it."""
    try:
        found, end = _decode(text)
    except (TypeError, ValueError, RecursionError):
        return None
    return found if type(found) is dict and end == len(text) else None


class Replay:
    """Checks one event after another, and applies folds to them until one has a problem.

    `head` is that of the last event, and `states` are those after it. `sound` is whether no event had a problem.
    """

    def __init__(self, folds: Sequence[Fold]) -> None:
        self.head = EMPTY
        self.states = States()
        self._folds = folds
        self.sound = True
        self._recorded_at = ""
        self._names: set[str] = set()
        self._kinds: set[str] = set()
        self._keys: set[str] = set()

    def problems(self, row: Row, data: Data | None, place: str) -> list[Problem]:
        """Take the next event, and return its problems. `data` is its data, or None if they are not a JSON object."""
        found = list(self._problems(row, data, place))
        self.head = Head(row.sequence, row.hash)
        if found:
            self.sound = False
        elif self.sound and self._folds and data is not None:
            try:
                self.states.apply(Event(*row[:5], data, *row[6:]), self._folds)
            except Exception as error:  # noqa: BLE001  # an event that no command would have recorded
                message = f"no states can be computed from the event: {quoted(f'{type(error).__name__}: {error}')}"
                found.append(Problem("event-not-foldable", message, place, _HINT))
                self.sound = False
        return found

    def _problems(self, row: Row, data: Data | None, place: str) -> Iterator[Problem]:
        sequence, previous = self.head
        if row.sequence != sequence + 1:
            yield Problem("event-missing", f"event {sequence + 1} is expected here", place, _HINT)
        elif row.previous != previous:
            yield Problem("event-changed", "it was recorded after an event other than the previous one", place, _HINT)
        try:
            unchanged = hash_of(row) == row.hash
        except (TypeError, ValueError):  # a value of another type
            unchanged = False
        if not unchanged or data is None:
            yield Problem("event-changed", "the event was changed: its hash differs", place, _HINT)
        else:
            yield from self._forgeries(row, data, place)

    def _forgeries(self, row: Row, data: Data, place: str) -> Iterator[Problem]:
        """Yield the problems of values that are never recorded, although the hash is right."""
        if row.recorded_at != self._recorded_at:
            if not _RECORDED_AT.fullmatch(row.recorded_at) or row.recorded_at < self._recorded_at:
                message = f"`recorded_at` {quoted(row.recorded_at)} is before the previous event, or not an instant"
                yield Problem("event-changed", message, place, _HINT)
            self._recorded_at = row.recorded_at
        for name in ("actor", "tool", "history"):
            text = getattr(row, name)
            if text is not None and text not in self._names:
                yield from name_problems(name, text, place)
                self._names.add(text)
        if row.key is not None:
            if row.key in self._keys:
                yield Problem("key-reused", f"the key {quoted(row.key)} is that of an earlier command", place, _HINT)
            self._keys.add(row.key)
        if row.kind not in self._kinds:
            yield from problems_of(row.kind, {}, place)
            self._kinds.add(row.kind)
        if row.history is None:
            try:
                effective = backdated(data, row.recorded_at)
            except InstantError as error:
                yield Problem(error.code, error.problem.message, place, error.hint)
                return
            if effective is not None:
                message = f"`effective_at` {quoted(effective)} is before the event was recorded, without a reason"
                yield Problem("backdated", message, place, _HINT)
