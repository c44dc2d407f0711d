"""A rule as a record of a snapshot file, and back."""

from __future__ import annotations

import json
from array import array
from datetime import datetime
from typing import Protocol

from withhold.errors import Place
from withhold.model.ids import IdSet
from withhold.model.rule import Rule
from withhold.model.rule_set import said_by
from withhold.snapshot.format import MOST
from withhold.territories import current


class Store(Protocol):
    """What has the ids of rules."""

    def ids_of(self, kind: str, rule: int) -> array[int]: ...

    def damaged(self, message: str) -> Exception: ...


class StoredIds(IdSet):
    """Ids that are read when they are asked for; how many there are is known before."""

    __slots__ = ("_count", "_kind", "_rule", "_store", "_were_read")

    def __init__(self, count: int, store: Store, kind: str, rule: int) -> None:
        """Raises `ValueError` for a count that is none."""
        if type(count) is not int or not 0 <= count < MOST:
            raise ValueError(f"{count!r} is no count")
        self._count, self._store, self._kind, self._rule = count, store, kind, rule
        self._were_read: IdSet | None = None

    def __len__(self) -> int:
        return self._count

    def __reduce__(self) -> tuple[object, ...]:
        return IdSet.from_array, (self._ids,)

    @property
    def _ids(self) -> array[int]:  # type: ignore[override]
        if self._were_read is None:
            found = IdSet.from_array(self._store.ids_of(self._kind, self._rule))
            if len(found) != self._count:
                message = f"rule {self._rule} has {len(found):,} {self._kind}, and {self._count:,} by its record"
                raise self._store.damaged(message)
            self._were_read = found
        return self._were_read._ids


def record_of(rule: Rule) -> bytes:
    """Return a rule as JSON, with the number of its ids in their place."""
    place = [rule.place.file, rule.place.line, rule.place.column] if rule.place else None
    return json.dumps(said_by(rule) | {"place": place}).encode()


def rule_of(record: bytes, store: Store, number: int) -> Rule:
    """Return the rule of a record; its ids are those that the store has for its number. Former codes are read as today's.

    Raises `ValueError`, `TypeError` or `KeyError` for what is no record.
    """
    said = json.loads(record)
    return Rule(
        id=said["id"],
        accounts=StoredIds(said["accounts"], store, "accounts", number),
        tweets=StoredIds(said["tweets"], store, "tweets", number),
        withheld_in=[current(code) or code for code in said["withheld_in"]],
        except_in=[current(code) or code for code in said["except_in"]],
        from_=_instant(said["from"]),
        until=_instant(said["until"]),
        stays=[(_instant(start), _instant(end)) for start, end in said["stays"]],
        effect=said["effect"],
        reason=said["reason"],
        if_unknown=said["if_unknown"],
        demand=said["demand"],
        note=said["note"],
        override=said.get("override", {}),
        place=_place(*said["place"]) if said["place"] else None,
    )


def spoken(record: bytes) -> dict[str, object]:
    """Return what a record says, but for how many ids there are and where it stands; raises `ValueError`."""
    said: dict[str, object] = json.loads(record)
    return {key: value for key, value in said.items() if key not in ("accounts", "tweets", "place")}


def _place(file: object, line: object, column: object) -> Place:
    if not isinstance(file, str) or type(line) is not int or type(column) is not int:
        raise TypeError("a place is a file, a line and a column")
    return Place(file, line, column)


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
