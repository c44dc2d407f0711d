"""Find the entries of demands that name an account, a tweet or another target."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from withhold.demands.deciding import end_of
from withhold.demands.fold import Data
from withhold.demands.intake.entries import Role
from withhold.demands.intake.targets import read_target
from withhold.demands.rules import parts
from withhold.errors import DemandError, Problem
from withhold.ledger import Ledger
from withhold.model.ids import MAX_ID


@dataclass(frozen=True, slots=True)
class Found:
    """An entry of a demand that names a subject, and the rules of its effects."""

    demand: str
    number: int
    target: Data
    #: The rules by the events that began the effects, in order.
    rules: Mapping[int, str]
    effects: tuple[Data, ...]

    @property
    def last_rule(self) -> str | None:
        """The rule of the last effect, or None if there was none."""
        return self.rules[self.effects[-1]["start"]] if self.effects else None

    def in_force(self, instant: str) -> bool:
        """Return whether a rule affects the entry at an instant, which is text in the form of `recorded_at`."""
        return any(
            effect["from"] <= instant and ((end := end_of(effect)) is None or instant < end) for effect in self.effects
        )


def key_of(text: str) -> str:
    """Return the canonical key of a handle, URL, id or hashtag in any form that orders use.

    >>> key_of("https://x.com/User_1"), key_of("account:1101")
    ('account:@user_1', 'account:1101')

    Raises `DemandError` for text that names nothing.
    """
    reading = read_target(text.strip(), Role.TARGET, MAX_ID) if text.strip() else None
    if reading is None or reading.key is None:
        why = "the target is empty" if reading is None else "; ".join(note.text for note in reading.notes)
        hint = "write `account:ID`, `tweet:ID`, `@handle`, `#hashtag` or a URL"
        raise DemandError(Problem("bad-target", why or "it names no target", hint=hint))
    return reading.key


def find(ledger: Ledger, text: str) -> list[Found]:
    """Return the entries of all demands that name a target, as received or as resolved, sorted by demand.

    Duplicates are left out. Raises `DemandError` for text that names nothing.
    """
    return list(entries_on(ledger, key_of(text)))


def entries_on(ledger: Ledger, key: str) -> Iterator[Found]:
    """Yield the entries that name the subject with a key, without duplicates."""
    subject = ledger.state("subject", key) or {"targets": []}
    rules: dict[str, dict[str, str]] = {}
    for name in sorted(subject["targets"], key=_by_number):
        demand, _, number = name.partition("/")
        target = ledger.state("target", name)
        if target is None or target["state"] == "duplicate":
            continue
        if key not in (target["bound"], target["key"]):
            continue  # it was bound to something else since
        if demand not in rules:
            found = parts(ledger.states("effect", f"{demand}/"))
            rules[demand] = {each: part.id for part in found for each, _ in part.effects}
        effects = [(start, ledger.state("effect", f"{name}/{start}")) for start in target["effects"]]
        yield Found(
            demand,
            int(number),
            target,
            {start: rules[demand][f"{name}/{start}"] for start in target["effects"]},
            tuple(effect for _, effect in effects if effect is not None),
        )


def _by_number(name: str) -> tuple[str, int]:
    demand, _, number = name.partition("/")
    return demand, int(number)
