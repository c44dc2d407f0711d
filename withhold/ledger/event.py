"""Events, and the canonical text whose SHA-256 chains them."""

from __future__ import annotations

import json
from hashlib import sha256
from json.encoder import encode_basestring
from typing import Any, NamedTuple, TypeAlias

#: The data of an event or a state: a JSON object.
Data: TypeAlias = dict[str, Any]

#: `value` as canonical JSON: keys sorted by code point, no spaces, only necessary escapes.
canonical = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode


class Head(NamedTuple):
    """The number of events in a ledger, and the hash of the last one. Keep it elsewhere to find out if the past changes.

    >>> Head(0, "0" * 64) == EMPTY
    True
    """

    sequence: int
    hash: str


#: The head of a ledger without events.
EMPTY = Head(0, "0" * 64)


class NewEvent(NamedTuple):
    """An event to append. `data` holds JSON values other than floats; `kind` is a name such as `demand.received`.

    An optional `effective_at` in `data`, in RFC 3339, is when the event changes rules. Without it, an event takes effect
    when it is recorded.

    >>> NewEvent("demand.received", {"demand": "IN-D1"}).kind
    'demand.received'
    """

    kind: str
    data: Data


class Event(NamedTuple):
    """An event of a ledger.

    `recorded_at` is RFC 3339 text in UTC, always with microseconds, so that texts sort as instants do. `history` is the
    reason that was given for recording the past, or None. If a command has an idempotency key, its last event has the key
    in `key` and a hash of the command in `content`. In all other events both are None. `hash` is the SHA-256 of all other
    fields (see `hash_of`). Nobody may change `data`.

    >>> Event(1, "asha", "withhold 0.1.0", "2021-02-01T09:00:00.000000Z", "demand.received", {}, None, None, None,
    ...       "0" * 64, "9" * 64).head.sequence
    1
    """

    sequence: int
    actor: str
    tool: str
    recorded_at: str
    kind: str
    data: Data
    history: str | None
    key: str | None
    content: str | None
    previous: str
    hash: str

    @property
    def head(self) -> Head:
        """The head of the ledger after this event."""
        return Head(self.sequence, self.hash)


class Row(NamedTuple):
    """An `Event` as it is stored: `data` is canonical text."""

    sequence: int
    actor: str
    tool: str
    recorded_at: str
    kind: str
    data: str
    history: str | None
    key: str | None
    content: str | None
    previous: str
    hash: str

    def event(self) -> Event:
        return Event(*self[:5], json.loads(self.data), *self[6:])


def hash_of(row: Row) -> str:
    """Return the hash of an event, as 64 hexadecimal digits: the SHA-256 of its `line` without the field `hash`."""
    return sha256("".join(_around_hash(row)).encode()).hexdigest()


def line(row: Row) -> str:
    """Return an event as a line of an export: a canonical JSON object of all fields, without the line feed."""
    before, after = _around_hash(row)
    return f'{before}"hash":{encode_basestring(row.hash)},{after}'


def _around_hash(row: Row) -> tuple[str, str]:
    # Written out, because verification spends most of its time here.
    sequence, actor, tool, recorded_at, kind, data, history, key, content, previous, _ = row
    text = encode_basestring
    before = f'{{"actor":{text(actor)},"content":{_optional(content)},"data":{data},'
    named = f'"history":{_optional(history)},"key":{_optional(key)},"kind":{text(kind)},"previous":{text(previous)},'
    return before, f'{named}"recorded_at":{text(recorded_at)},"sequence":{sequence:d},"tool":{text(tool)}}}'


def _optional(text: str | None) -> str:
    return "null" if text is None else encode_basestring(text)
