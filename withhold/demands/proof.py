"""Proof: which rules covered an account or a tweet during a period, at which revisions, by which decision, approved by whom.

A regulator may ask for one. People appear in it as `person 1`, `person 2` …, never by name: their names stay in the
ledger.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from withhold.demands.deciding import end_of
from withhold.demands.find import Found, entries_on, key_of
from withhold.demands.fold import Data
from withhold.demands.people import folded_name
from withhold.demands.recording import instant_text
from withhold.demands.register import FOLDS
from withhold.demands.rules import rules_from
from withhold.ledger import Event, Head, Ledger, States


@dataclass(frozen=True, slots=True)
class Step:
    """An event that a proof cites. `person` stands for a name: the same one for the same name, in one proof."""

    what: str
    sequence: int
    hash: str
    recorded_at: str
    person: str
    #: Whether it was recorded as history, after it took effect.
    afterwards: bool

    def __str__(self) -> str:
        text = f"{self.what} by {self.person}, recorded {self.recorded_at}, event {self.sequence} {self.hash[:16]}"
        return f"{text}, afterwards" if self.afterwards else text


@dataclass(frozen=True, slots=True)
class Covered:
    """A period in which a rule covered the subject, itself or by its author, and the events that the period rests on.

    `revision` is that of all rules after the command that began it, and `ended_revision` after the one that ended it.
    """

    demand: str
    subject: str
    rule: str
    effect: str
    territories: str
    start: str
    end: str | None
    how_ended: str | None
    revision: str
    ended_revision: str | None
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        until = f"until {self.end} ({self.how_ended})" if self.end else "without an end so far"
        revisions = f"revision {self.revision}" + (f", ended in {self.ended_revision}" if self.ended_revision else "")
        head = f"rule {self.rule} on {self.subject}: {self.effect} in {self.territories}, from {self.start} {until}"
        return "\n".join([head, f"  {revisions}", *(f"  {step}" for step in self.steps)])


@dataclass(frozen=True, slots=True)
class Proof:
    """What a ledger proves about a subject, up to a head."""

    subject: str
    start: str | None
    end: str | None
    head: Head
    covered: tuple[Covered, ...]

    def to_dict(self) -> dict[str, object]:
        """Return the proof as JSON values."""
        return {
            "subject": self.subject,
            "from": self.start,
            "until": self.end,
            "head": self.head._asdict(),
            "covered": [{**_values(each), "steps": [_values(step) for step in each.steps]} for each in self.covered],
        }

    def __str__(self) -> str:
        bounds = "".join(f" {word} {at}" for word, at in (("from", self.start), ("until", self.end)) if at)
        head = f"{self.subject}{bounds}, by the ledger up to event {self.head.sequence} {self.head.hash}"
        found = [str(each) for each in self.covered] or ["no rule of a demand covered it"]
        return "\n".join([head, *found, "the ledger keeps the names; nothing verified them when they were recorded"])


def _values(record: Covered | Step) -> dict[str, object]:
    return {name: getattr(record, name) for name in record.__dataclass_fields__ if name != "steps"}


def prove(ledger: Ledger, text: str, *, start: datetime | None = None, end: datetime | None = None) -> Proof:
    """Return which rules covered an account or a tweet within a period, including rules on the author of a tweet.

    Takes O(events) time. Raises `DemandError` for text that names nothing.
    """
    key = key_of(text)
    first, last = instant_text(start, "from"), instant_text(end, "until")
    entries = list(entries_on(ledger, key))
    authors = {found.target["author"] for found in entries} - {None}
    entries += [found for author in sorted(authors) for found in entries_on(ledger, author)]
    wanted = [
        (found, effect)
        for found in entries
        for effect in found.effects
        if (last is None or effect["from"] < last)
        and ((until := end_of(effect)) is None or first is None or until > first)
        if (until := end_of(effect)) is None or until > effect["from"]
    ]
    batches = {effect["batch"] for _, effect in wanted}
    batches |= {effect["ended"]["batch"] for _, effect in wanted if effect["ended"]}
    cited = {sequence for _, effect in wanted for _, sequence in _cited(effect)}
    events, revisions, head = _read(ledger, cited, batches)
    people: dict[str, str] = {}
    covered = (_covered(found, effect, events, revisions, people) for found, effect in wanted)
    return Proof(key, first, last, head, tuple(sorted(covered, key=lambda each: (each.start, each.rule))))


def _cited(effect: Data) -> Iterator[tuple[str, int]]:
    """Yield each step to cite for an effect, with the sequence of its event."""
    yield ("decided" if effect["approved"] is None else "proposed"), effect["decided"]
    if effect["approved"] is not None:
        yield "approved", effect["approved"]
    if ended := effect["ended"]:
        if ended["decided"] != ended["sequence"]:
            yield "end proposed", ended["decided"]
        yield ended["how"], ended["sequence"]


def _read(ledger: Ledger, cited: set[int], batches: set[int]) -> tuple[dict[int, Event], dict[int, str], Head]:
    """Return the cited events, the revision of all rules after each batch, and the head."""
    events: dict[int, Event] = {}
    revisions: dict[int, str] = {}
    states, batch = States(), None
    with ledger.reading() as reading:
        for event in reading.events():
            if event.data.get("batch") != batch:
                if batch in batches:
                    revisions[batch] = _revision(states)
                batch = event.data.get("batch")
            states.apply(event, FOLDS)
            if event.sequence in cited:
                events[event.sequence] = event
        if batch in batches:
            revisions[batch] = _revision(states)
        return events, revisions, reading.head


def _revision(states: States) -> str:
    return rules_from(states.scan("demand"), states.scan("effect")).revision


def _covered(
    found: Found, effect: Data, events: dict[int, Event], revisions: dict[int, str], people: dict[str, str]
) -> Covered:
    ended = effect["ended"]
    cited: Iterable[tuple[str, int]] = _cited(effect)
    return Covered(
        found.demand,
        effect["subject"],
        found.rules[effect["start"]],
        effect["effect"],
        _where(effect),
        effect["from"],
        end_of(effect),
        ended["how"] if ended else "as decided" if effect["until"] else None,
        revisions[effect["batch"]],
        revisions[ended["batch"]] if ended else None,
        tuple(_step(what, events[sequence], people) for what, sequence in cited),
    )


def _where(effect: Data) -> str:
    inside = ", ".join(effect["withheld_in"] or ())
    return f"{inside} except {', '.join(effect['except_in'])}" if effect["except_in"] else inside


def _step(what: str, event: Event, people: dict[str, str]) -> Step:
    person = people.setdefault(folded_name(event.actor), f"person {len(people) + 1}")
    return Step(what, event.sequence, event.hash, event.recorded_at, person, event.history is not None)
