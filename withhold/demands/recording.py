"""The parts that all commands share: the clerk, the transaction or its rehearsal, and the result."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from withhold.demands.fold import Data, by_number
from withhold.demands.rules import rules_from
from withhold.demands.transitions import TargetState, unknown_demand
from withhold.errors import DemandError, Problem, escaped
from withhold.ledger import Head, Ledger, NewEvent, Progress, States
from withhold.model.instants import in_fixed_width
from withhold.model.rule_set import RuleSet
from withhold.native.package import this_package

#: The greatest number of problems that a refused command lists.
_MOST = 100


@cache
def _this_tool() -> str:
    return f"withhold {this_package().version}"


@dataclass(frozen=True, slots=True)
class Clerk:
    """The person who records something, and the way of recording. Nothing verifies the name.

    `key` makes a command safe to repeat: a command with the same key is recorded once. `history` is the reason for
    recording something that took effect in the past. With `rehearse`, nothing is recorded, and the result has the rules
    before and after. `progress(done, whole)` is called at intervals while a command records many events.

    >>> Clerk("asha").tool.startswith("withhold ")
    True
    """

    actor: str
    key: str | None = None
    history: str | None = None
    rehearse: bool = False
    tool: str = field(default_factory=_this_tool)
    progress: Progress | None = field(default=None, compare=False, repr=False)


@dataclass(slots=True)
class Done:
    """The result of a command or of its rehearsal.

    `recorded` counts the recorded events by a description, `unchanged` counts the targets that were already in the
    requested state, and `passed_over` counts, by state, the targets that the command does not apply to. `stated` lists
    the safeguards that applied. `before` and `after` are the rules before and after a rehearsal.
    """

    demand: str
    recorded: Counter[str] = field(default_factory=Counter)
    unchanged: int = 0
    passed_over: Counter[str] = field(default_factory=Counter)
    stated: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    head: Head | None = None
    before: RuleSet | None = None
    after: RuleSet | None = None

    def __str__(self) -> str:
        found = ", ".join(f"{count:,} {word}" for word, count in self.recorded.items()) or "nothing"
        lines = [f"{self.demand or 'ledger'}: {found}{' (not recorded)' if self.head is None else ''}"]
        if self.unchanged:
            lines.append(f"already so: {self.unchanged:,}")
        for name, counts in (("passed over", self.passed_over), ("safeguards", self.stated)):
            if counts:
                lines.append(f"{name}: {', '.join(f'{count:,} {word}' for word, count in sorted(counts.items()))}")
        if self.stated:
            lines.append("a second person must approve the proposals: use `approve`")
        return escaped("\n".join([*lines, *self.notes]), "\n")

    def to_dict(self) -> dict[str, object]:
        """Return the result as JSON values."""
        return {
            "demand": self.demand,
            "rehearsed": self.head is None,
            "recorded": dict(self.recorded),
            "unchanged": self.unchanged,
            "passed_over": dict(self.passed_over),
            "safeguards": dict(self.stated),
            "notes": self.notes,
            "head": None if self.head is None else self.head._asdict(),
        }


class Command:
    """One command while it is built: its events and problems."""

    def __init__(self, demand_id: str, head: Head, states: States) -> None:
        self.id, self.states = demand_id, states
        #: All events of a command share the sequence of its first one.
        self.batch = head.sequence + 1
        self.done = Done(demand_id)
        self.events: list[NewEvent] = []
        self.problems: list[Problem] = []

    def demand(self) -> Data:
        """Return the state of the demand. Raises `DemandError` if there is none."""
        found = self.states.get("demand", self.id)
        if found is None:
            raise DemandError(unknown_demand(self.id, [key for key, _ in self.states.scan("demand")]))
        return found

    def targets(self) -> dict[int, Data]:
        """Return the targets of the demand by their number, in order."""
        return by_number(self.states.scan("target", f"{self.id}/"))

    def add(self, kind: str, word: str, /, **data: Any) -> None:
        """Add an event. `word` describes it in the result."""
        self.done.recorded[word] += 1
        given = {name: value for name, value in data.items() if value is not None}
        self.events.append(NewEvent(kind, {"demand": self.id, "batch": self.batch, **given}))

    def refuse(self, *problems: Problem | None) -> bool:
        """Add problems, and return whether there were any."""
        found = [problem for problem in problems if problem is not None]
        self.problems += found
        return bool(found)

    def pass_over(self, targets: Iterable[Data]) -> None:
        """Count targets that the command does not apply to."""
        self.done.passed_over.update(target["state"] for target in targets if target["state"] != TargetState.DUPLICATE)


Build = Callable[[Command], None]


def record(ledger: Ledger, clerk: Clerk, demand_id: str, build: Build, content: object) -> Done:
    """Record the events that `build` adds, in one transaction, or rehearse them.

    `build` is called within the transaction, so the states that it checks are those that its events change. Raises `DemandError` with
    the problems that it adds; then nothing is recorded.
    """
    built: list[Command] = []

    def command(head: Head, states: States) -> list[NewEvent]:
        built.append(Command(demand_id, head, states))
        build(built[-1])
        if problems := built[-1].problems:
            raise refusal(problems)
        return built[-1].events

    actor, tool, history = clerk.actor, clerk.tool, clerk.history
    if clerk.rehearse:
        before = rules_from(ledger.states("demand"), ledger.states("effect"))
        with ledger.rehearse(command, actor=actor, tool=tool, history=history) as (_, states):
            after = rules_from(states.scan("demand"), states.scan("effect"))
        built[-1].done.before, built[-1].done.after = before, after
    else:
        given = None if clerk.key is None else json.loads(json.dumps(content, default=str))
        head = ledger.write(
            command, actor=actor, tool=tool, key=clerk.key, content=given, history=history, progress=clerk.progress
        )
        if not built:
            built.append(Command(demand_id, head, States()))
            built[-1].done.notes.append("this command was recorded before, so nothing was recorded")
        built[-1].done.head = head
    return built[-1].done


def refusal(problems: Sequence[Problem]) -> DemandError:
    """Return the error with the first problems, and the number of the others."""
    more = len(problems) - _MOST
    rest = [Problem("more-problems", f"{more:,} more problem{'s' if more > 1 else ''}")] if more > 0 else []
    return DemandError(*problems[:_MOST], *rest)


def instant_text(instant: datetime | None, name: str) -> str | None:
    """Return an instant in the form of `recorded_at`, which has a fixed width, so that texts sort like instants."""
    return None if instant is None else in_fixed_width(instant, name)
