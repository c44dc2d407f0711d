"""Compare the answers of all implementations in the small world with those of the reference."""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import cache, lru_cache
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from benchmarks.differential.exhaustive import PLACES, Batch, everything
from withhold import (
    Decision,
    Engine,
    Freshness,
    Policy,
    Reference,
    Rule,
    RuleSet,
    Snapshot,
    TerritorySet,
    Tweet,
    View,
    Viewer,
    engine_info,
)
from withhold.model.tweet import Link, Subject, links_of
from withhold.model.viewer import LocationKey

#: The maximum number of wrong answers of a batch that are described.
_EXAMPLES = 5


class Compared(NamedTuple):
    """The numbers of questions and of answers that differ from the reference, and the first such answers as text."""

    questions: int
    disagreements: int
    examples: list[str]


def engines(rules: RuleSet, policy: Policy) -> dict[str, Engine]:
    """Return an engine of each implementation: in C if it is compiled, in Python, and from a file."""
    made = {"in C": Snapshot.compile(rules, native=True)} if engine_info().native else {}
    made["in Python"] = Snapshot.compile(rules, native=False)
    with TemporaryDirectory() as folder:
        path = Path(folder, "rules.wh")
        made["in Python"].save(path)
        made["from a file"] = Snapshot.open(path)
    return {name: Engine(snapshot, policy) for name, snapshot in made.items()}


_Everywhere = list[tuple[LocationKey, list[tuple[Rule, bool | None]]]]


class _Remembering(Reference):
    """A `Reference` for the rules on one subject, which evaluates them only once for each place."""

    def __init__(self, rules: RuleSet, policy: Policy) -> None:
        super().__init__(rules, policy, places=PLACES)
        self._found: dict[object, _Everywhere] = {}
        self._fresh: dict[object, Freshness] = {}
        self._where: dict[object, TerritorySet] = {}
        self._varying: dict[object, bool] = {}

    def _territories(self, rules: list[Rule]) -> TerritorySet:
        key = (*map(id, rules),)
        if key not in self._where:
            self._where[key] = super()._territories(rules)
        return self._where[key]

    def _varies(self, links: Iterable[Link], everywhere: _Everywhere) -> bool:
        key = id(everywhere)  # each is kept
        if key not in self._varying:
            self._varying[key] = super()._varies(links, everywhere)
        return self._varying[key]

    def _everywhere(self, rules: list[Rule]) -> _Everywhere:
        key = (*map(id, rules),)
        if key not in self._found:
            self._found[key] = super()._everywhere(rules)
        return self._found[key]

    def _freshness(
        self,
        rules: list[Rule],
        links: Iterable[Link],
        at: datetime,
        everywhere: _Everywhere,
    ) -> Freshness:
        if at not in self._fresh:
            self._fresh[at] = super()._freshness(rules, links, at, everywhere)
        return self._fresh[at]


class _Right:
    """The right answers. `Reference` reads every rule for every question, so each subject gets one with its own rules."""

    def __init__(self, rules: RuleSet, policy: Policy) -> None:
        self._rules, self._policy = rules, policy
        self._naming: dict[tuple[str, int], list[Rule]] = {}
        for rule in rules:
            for kind in ("tweets", "accounts"):
                for id_ in getattr(rule, kind):
                    self._naming.setdefault((kind, id_), []).append(rule)
        self.on = lru_cache(maxsize=4096)(self._on)

    def rules_on(self, subject: Subject) -> dict[str, Rule]:
        """Return the rules that name a subject, by id."""
        named = chain.from_iterable(zip(("tweets", "accounts"), link, strict=True) for link in links_of(subject))
        return {rule.id: rule for kind, id_ in named if id_ for rule in self._naming.get((kind, id_), ())}

    def _on(self, subject: Subject) -> Reference:
        rules = RuleSet(self.rules_on(subject).values())
        rules._digest = self._rules.digest  # answers have the revision of the whole rule set
        return _Remembering(rules, self._policy)


def compared(batch: Batch) -> Compared:
    """Ask all engines every question of a batch, and `anywhere` for each subject and instant."""
    right = _Right(batch.rules, batch.policy)
    implementations = engines(batch.rules, batch.policy)
    views = {name: cache(engine.view) for name, engine in implementations.items()}
    examples: list[str] = []
    count = disagreements = 0
    pushed: set[tuple[Subject, datetime]] = set()

    def compare(how: str, found: object, wanted: object, subject: Subject, viewer: Viewer | None, at: datetime) -> None:
        nonlocal disagreements
        if found == wanted:
            return
        disagreements += 1
        if len(examples) < _EXAMPLES:
            rules = "; ".join(map(_described, right.rules_on(subject).values()))
            who = "all viewers" if viewer is None else f"{viewer} {viewer.account_id or ''}"
            examples.append(f"{batch.name}: {how} for {who} on {subject} at {at}: {found} is not {wanted} [{rules}]")

    for subject, viewer, at in batch.questions:
        reference = right.on(subject)
        wanted = reference.check(subject, viewer, at)
        count += 1
        for name, view_of in views.items():
            view = view_of(viewer, at)
            for how, found in _answers(view, subject):
                compare(f"{name}, {how}", found, wanted, subject, viewer, at)
            if isinstance(subject, tuple) and None not in subject:
                hidden = view.withholds(*subject)  # type: ignore[arg-type]
                compare(f"{name}, withholds", hidden, not wanted.visible, subject, viewer, at)
        if (subject, at) not in pushed:
            pushed.add((subject, at))
            wanted = reference.anywhere(subject, at)
            count += 1
            for name, engine in implementations.items():
                compare(f"{name}, anywhere", engine.anywhere(subject, at), wanted, subject, None, at)
    return Compared(count, disagreements, examples)


def _answers(view: View, subject: Subject) -> Iterator[tuple[str, Decision]]:
    if isinstance(subject, Tweet):
        yield "check_tweet", view.check_tweet(subject).decision
    else:
        yield "check", view.check(tweet_id=subject[0], account_id=subject[1])
        yield "check again", view.check(tweet_id=subject[0], account_id=subject[1])


def _described(rule: Rule) -> str:
    values = {field.name: getattr(rule, field.name) for field in dataclasses.fields(rule) if field.compare}
    return ", ".join(f"{name} {value}" for name, value in values.items() if value not in ((), None))


def main() -> int:
    """Compare all batches, show progress, and print JSON. Return the exit status, which is 1 if any answer differs."""
    began = time.monotonic()
    questions = disagreements = 0
    for batch in everything():
        found = compared(batch)
        questions += found.questions
        disagreements += found.disagreements
        result = f"{batch.name}: {found.questions:,} questions, {found.disagreements:,} wrong answers"
        print(f"{time.monotonic() - began:6.0f} s  {result}", *found.examples, sep="\n", file=sys.stderr)
    print(json.dumps({"questions": questions, "ways": [*engines(RuleSet(), Policy())], "disagreements": disagreements}))
    return int(disagreements > 0)
