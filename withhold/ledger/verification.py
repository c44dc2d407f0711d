"""Verify that the events and states of a ledger are unchanged."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from withhold.errors import Problem, in_backticks, quoted
from withhold.ledger import projection, schema, triggers
from withhold.ledger.checking import raise_for
from withhold.ledger.event import EMPTY, Head, canonical
from withhold.ledger.folds import States
from withhold.ledger.ledger import Ledger
from withhold.ledger.progress import Progress, counted
from withhold.ledger.reading import PAGE, Reading
from withhold.ledger.replay import Replay, json_object

_HINT = "export the ledger, and import it into a new one, which computes the states again"


@dataclass(frozen=True, slots=True)
class Verification:
    """The result of `verify` for a ledger without problems.

    `given` is the event of the given head, or None if no head was given. `states` is the number of current states that
    were compared with those computed from the events, or None if the ledger was opened without the folds that made them.

    >>> print(Verification(Head(2, "9" * 64), given=None, states=None))
    2 events are unchanged; the head is 9999999999999999999999999999999999999999999999999999999999999999
    the current states were not compared: the ledger was opened without their folds
    no head was given: this does not show whether the last events were removed, or all were rewritten
    """

    head: Head
    given: Head | None
    states: int | None

    def __str__(self) -> str:
        lines = [f"{self.head.sequence:,} events are unchanged; the head is {self.head.hash}"]
        if self.states is None:
            lines.append("the current states were not compared: the ledger was opened without their folds")
        else:
            lines.append(f"{self.states:,} current states agree with the events")
        if self.given is None:
            lines.append(
                "no head was given: this does not show whether the last events were removed, or all were rewritten"
            )
        else:
            later = self.head.sequence - self.given.sequence
            after = f"; no head was given for the {later:,} events after it" if later else ""
            lines.append(f"the given head is that of event {self.given.sequence:,}{after}")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, object]:
        """Return the result as JSON values."""
        given = None if self.given is None else {"events": self.given.sequence, "head": self.given.hash}
        return {
            "valid": True,
            "events": self.head.sequence,
            "head": self.head.hash,
            "given": given,
            "states": self.states,
        }


def verify(ledger: Ledger, head: Head | str | None = None, progress: Progress | None = None) -> Verification:
    """Check every event of a ledger, its triggers, and its current states, which are computed again.

    `head`, or only its hash, is the head of the ledger at an earlier time, kept elsewhere. With it, everything up to
    that event is proven. Without it, an event that was changed, removed, added or moved is found, but not the removal of
    the last events or a new chain of hashes. Raises `LedgerError` with all problems, at most 100.

    `progress(done, whole)` is called at intervals. Others may write meanwhile. Takes about 20 seconds for a million
    events.
    """
    wanted = head.hash if isinstance(head, Head) else head
    given = EMPTY if wanted == EMPTY.hash else None
    with ledger.database.reading() as connection:
        reading, replay = Reading(connection), Replay(ledger.folds)
        events = reading.head.sequence
        outdated = projection.problem(reading.folds(), ledger.folds, reading.head)
        states = None if outdated else connection.execute(select(func.count()).select_from(schema.states)).scalar_one()
        whole = events + (states or 0)

        def problems() -> Generator[Problem]:
            nonlocal given
            yield from filter(None, [triggers.problem(connection), outdated if ledger.folds else None])
            for row in counted(reading.rows(), progress, whole):
                yield from replay.problems(row, json_object(row.data), f"event {row.sequence}")
                if row.hash == wanted:
                    given = replay.head
            if wanted is not None and (given is None or (isinstance(head, Head) and given != head)):
                hint = "the last events were removed, the ledger was rewritten, or the head is that of another ledger"
                of_event = f" of event {head.sequence}" if isinstance(head, Head) else ""
                message = f"the given head{of_event}, {in_backticks(wanted)}, is not in the ledger"
                yield Problem("head-not-found", message, hint=hint)
            if states is not None and replay.sound:
                yield from _different(connection, replay.states, progress, events, whole)

        with closing(problems()) as found:  # which closes its cursors before the connection, also after 100 problems
            raise_for(found)
        return Verification(replay.head, given, states)


def _different(
    connection: Connection, states: States, progress: Progress | None, events: int, whole: int
) -> Iterator[Problem]:
    """Yield the differences between the states of the projection and the computed ones."""
    with connection.execute(select(schema.states).execution_options(yield_per=PAGE)) as rows:
        for kind, key, data, sequence, hash_ in counted(rows, progress, whole, events):
            computed = states.pop(kind, key)
            if computed is None or computed.data is None:
                yield _state_problem(kind, key, "does not follow from the events")
            elif data != canonical(computed.data) or (sequence, hash_) != computed.head:
                yield _state_problem(kind, key, "does not agree with the events")
    for kind, key, missing, _ in states.changed():
        if missing is not None:
            yield _state_problem(kind, key, "is missing")


def _state_problem(kind: str, key: str, what: str) -> Problem:
    return Problem("state-changed", f"the state {quoted(kind)} {quoted(key)} {what}", hint=_HINT)
