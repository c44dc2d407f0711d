"""Demands, entries and ledgers that many tests share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from withhold.demands.commands import Clerk, Resolution, receive, resolve
from withhold.demands.fields import Demand, read_demand
from withhold.demands.intake.entries import Bucket, Entry, Kind, Provenance
from withhold.demands.register import FOLDS
from withhold.ledger import EMPTY, Event, Head, NewEvent, States
from withhold.model.protected import Protected

START = datetime(2021, 2, 1, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
ASHA, RAVI = Clerk("asha"), Clerk("Ravi")
JOURNALIST = 1
PROTECTED = [Protected(JOURNALIST, "journalist")]
TWEET = 1355667106821046272

#: One entry of each sort. Account 1 is protected; tweet + 1 is by it, tweet + 2 by account 2, and tweet by somebody unknown.
ENTRIES = (
    ("account:1", Kind.ACCOUNT),
    ("account:2", Kind.ACCOUNT),
    ("account:3", Kind.ACCOUNT),
    (f"tweet:{TWEET}", Kind.TWEET),
    (f"tweet:{TWEET + 1}", Kind.TWEET),
    (f"tweet:{TWEET + 2}", Kind.TWEET),
    ("hashtag:x", Kind.HASHTAG),
    ("account:@four", Kind.ACCOUNT),
    (None, None),
)
AUTHORS = [Resolution(5, author="account:1"), Resolution(6, author="account:2")]


def demand(demand_id: str = "IN-D1", **keys: Any) -> Demand:
    """Return a demand of a ministry, or with `type="court"` of a court."""
    of_court = keys.pop("type", "executive")
    lines = [f"{name}: {value}" for name, value in {"jurisdiction": "IN", "kind": "final", **keys}.items()]
    text = "\n".join([f"id: {demand_id}", *lines, "received: 2021-01-31T18:00:00+05:30"])
    return read_demand(f"{text}\nauthority: {{name: the authority, type: {of_court}}}\n")


def entries(keys: Sequence[tuple[str | None, Kind | None]] = ENTRIES) -> list[Entry]:
    """Return entries with these keys. One without a key is an error, and a repeated one a duplicate."""
    first: dict[str, int] = {}
    found = []
    for number, (key, kind) in enumerate(keys, 1):
        again = None if key is None else first.get(key)
        bucket = Bucket.ERROR if key is None else Bucket.UNIQUE if again is None else Bucket.DUPLICATE
        first.setdefault(key or "", number)
        handle = key.removeprefix("account:@") if key and "@" in key else None
        place = Provenance("list.csv", row=number)
        found.append(Entry(number, key or "1.35E+18", place, bucket, kind, key, handle, (), again))
    return found


class MemoryLedger:
    """A ledger in memory, with the methods that demands use. Its clock is an hour later at each command."""

    def __init__(self) -> None:
        self.all: list[Event] = []
        self.current = States()
        self.now = START

    @property
    def head(self) -> Head:
        return self.all[-1].head if self.all else EMPTY

    def write(
        self,
        command: Callable[[Head, States], Sequence[NewEvent]],
        *,
        actor: str,
        tool: str,
        key: str | None = None,
        content: object = None,
        history: str | None = None,
        progress: object = None,
    ) -> Head:
        for event in self._made(command, self.current, actor, tool, history):
            self.all.append(event)
            self.current.apply(event, FOLDS)
        return self.head

    @contextmanager
    def rehearse(
        self,
        command: Callable[[Head, States], Sequence[NewEvent]],
        *,
        actor: str,
        tool: str,
        history: str | None = None,
    ) -> Iterator[tuple[list[Event], States]]:
        states = self.folded()
        events = self._made(command, states, actor, tool, history)
        for event in events:
            states.apply(event, FOLDS)
        yield events, states

    def recorded_at(self) -> str:
        return self.now.isoformat(timespec="microseconds").replace("+00:00", "Z")

    def folded(self) -> States:
        """Return the states after all events."""
        states = States()
        for event in self.all:
            states.apply(event, FOLDS)
        return states

    def _made(
        self,
        command: Callable[[Head, States], Sequence[NewEvent]],
        states: States,
        actor: str,
        tool: str,
        history: str | None,
    ) -> list[Event]:
        head, made = self.head, []
        at = self.recorded_at()
        for kind, data in command(head, states):
            hash_ = sha256(f"{head}{kind}{data}".encode()).hexdigest()
            assert history is not None or data.get("effective_at", at) >= at, "backdated"
            about = (head.sequence + 1, actor, tool, at, kind, data, history, None, None, head.hash, hash_)
            made.append(Event(*about))
            head = made[-1].head
        return made

    @contextmanager
    def reading(self) -> Iterator[MemoryLedger]:
        yield self

    def events(self, after: int = 0, until: int | None = None) -> Iterator[Event]:
        yield from self.all[after:until]

    def state(self, kind: str, key: str) -> dict[str, Any] | None:
        return self.current.get(kind, key)

    def states(self, kind: str, prefix: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
        return self.current.scan(kind, prefix)


def received(*demands: Demand, keys: Sequence[tuple[str | None, Kind | None]] = ENTRIES) -> Any:
    """Return a ledger in which demands were received with these entries, and authors were found."""
    ledger: Any = MemoryLedger()
    for each in demands or (demand(),):
        receive(ledger, ASHA, each, entries(keys))
        if keys is ENTRIES:
            resolve(ledger, ASHA, each.id, AUTHORS)
    return ledger
