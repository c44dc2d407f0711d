"""Write a ledger as JSON Lines, and read it back.

Each event is a line: a canonical JSON object of all its fields in UTF-8. The last line holds the number of events and the
head. Lines end with `\\n` alone, and there is exactly one way to write a ledger.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import BinaryIO

from sqlalchemy import Connection, insert

from withhold.errors import LedgerError, Problem
from withhold.ledger import projection, schema
from withhold.ledger.checking import raise_for, value_problems
from withhold.ledger.event import EMPTY, Data, Head, Row, canonical, line
from withhold.ledger.ledger import Ledger
from withhold.ledger.progress import Progress, counted
from withhold.ledger.reading import PAGE, Reading
from withhold.ledger.replay import Replay, json_object

_HINT = "export the ledger again, or get another copy"


def export(ledger: Ledger, stream: BinaryIO, progress: Progress | None = None) -> Head:
    """Write all events to a binary stream as JSON Lines, and return the head. Nothing is verified.

    The events are those at the beginning of the call. `progress(done, whole)` is called at intervals.
    """
    with ledger.reading() as reading:
        head = reading.head
        for row in counted(reading.rows(), progress, head.sequence):
            try:
                stream.write(f"{line(row)}\n".encode())
            except (TypeError, ValueError):
                message = "a field of the event does not have the recorded type"
                raise LedgerError(Problem("event-changed", message, f"event {row.sequence}")) from None
        stream.write(_end(head))
    return head


def import_(ledger: Ledger, stream: Iterable[bytes]) -> Head:
    """Record the events of an export in an empty ledger, all of them or none, and return the head.

    `stream` is a binary stream, or its lines. Raises `LedgerError` with all problems, at most 100, if a single bit of
    the export differs, or if the ledger has events. Compare the head with a copy that was kept elsewhere, or pass the
    copy to `verify`: an export can be rewritten as a whole.
    """
    with ledger.database.writing() as connection:
        reading = Reading(connection)
        head = reading.head
        projection.require(reading.folds(), ledger.folds, head)
        if head != EMPTY:
            message = f"the ledger has {head.sequence:,} events already"
            raise LedgerError(Problem("ledger-not-empty", message, hint="import into a new ledger"))
        replay = Replay(ledger.folds)
        raise_for(_record(connection, stream, replay))
        projection.write(connection, replay.states, replay.head)
        return replay.head


def _end(head: Head) -> bytes:
    return f"{canonical({'events': head.sequence, 'head': head.hash})}\n".encode()


def _record(connection: Connection, lines: Iterable[bytes], replay: Replay) -> Iterator[Problem]:
    """Insert the events of an export, and yield its problems. Nothing is inserted after a problem."""
    rows: list[dict[str, object]] = []
    ended = False
    for number, raw in enumerate(lines, 1):
        place = f"line {number}"
        if ended:
            yield Problem("bad-export", "there is a line after the last one", place, _HINT)
            return
        if raw.startswith(b'{"events":') and raw == _end(replay.head):
            ended = True
            continue
        row, data = _read(raw)
        if row is None or data is None:
            yield Problem("bad-export", "the line is not an event, or not the right end", place, _HINT)
            replay.sound = False
            continue
        yield from value_problems(data, place)
        yield from replay.problems(row, data, place)
        rows.append(row._asdict())
        if len(rows) == PAGE:
            _insert(connection, rows, replay)
    if not ended:
        yield Problem(
            "bad-export", "the last line, which holds the number of events and the head, is missing", hint=_HINT
        )
    _insert(connection, rows, replay)


def _insert(connection: Connection, rows: list[dict[str, object]], replay: Replay) -> None:
    if rows and replay.sound:
        connection.execute(insert(schema.events), rows)
    rows.clear()


def _read(raw: bytes) -> tuple[Row | None, Data | None]:
    """Return an event and its data, or None if the line is not exactly what an export contains."""
    try:
        fields = json_object(raw.decode().removesuffix("\n"))
        if fields is None:
            return None, None
        data = fields["data"]
        row = Row(**{**fields, "data": canonical(data)})
        same = f"{line(row)}\n".encode() == raw
    except (KeyError, TypeError, ValueError, RecursionError):
        return None, None
    return (row, data) if same and type(data) is dict else (None, None)
