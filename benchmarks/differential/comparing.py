"""Put the questions of the small world to every way of answering, and to the reference."""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from functools import cache, lru_cache
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from benchmarks.differential.exhaustive import PLACES, Batch, everything
from withhold import Decision, Engine, Policy, Reference, Rule, RuleSet, Snapshot, Tweet, View, Viewer, engine_info
from withhold.model.tweet import Subject, links_of

#: Disagreements of a batch that are told in words.
_TOLD = 5


class Compared(NamedTuple):
    """How many questions were asked, how many answers differ from the reference's, and some of those in words."""

    asked: int
    disagreements: int
    told: list[str]


def engines(rules: RuleSet, policy: Policy) -> dict[str, Engine]:
    """Return every way of answering: in C if that is there, in Python, and from a file."""
    made = {"in C": Snapshot.compile(rules, native=True)} if engine_info().native else {}
    made["in Python"] = Snapshot.compile(rules, native=False)
    with TemporaryDirectory() as folder:
        path = Path(folder, "rules.wh")
        made["in Python"].save(path)
        made["from a file"] = Snapshot.open(path)
    return {name: Engine(snapshot, policy) for name, snapshot in made.items()}


class _Remembering(Reference):
    """The reference on the rules of one subject, which finds only once which of them reach a place."""

    def __init__(self, rules: RuleSet, policy: Policy) -> None:
        super().__init__(rules, policy, places=PLACES)
        self._hiding = cache(super()._hiding)  # type: ignore[assignment, method-assign]


class _Right:
    """What is right, by subject: the reference reads every rule for every question, so it is given those that count."""

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
        return _Remembering(RuleSet(self.rules_on(subject).values()), self._policy)

    def answer(self, decision: Decision) -> Decision:
        """Return an answer of the reference with the revision of all rules."""
        return dataclasses.replace(decision, revision=self._rules.revision)


def compared(batch: Batch) -> Compared:
    """Ask all engines every question of a batch, and for each subject and instant what `anywhere` answers."""
    right = _Right(batch.rules, batch.policy)
    asked = engines(batch.rules, batch.policy)
    views = {name: cache(engine.view) for name, engine in asked.items()}
    told: list[str] = []
    count = disagreements = 0
    pushed = set()

    def hold(how: str, found: object, wanted: object, subject: Subject, viewer: Viewer | None, at: datetime) -> None:
        nonlocal disagreements
        if found == wanted:
            return
        disagreements += 1
        if len(told) < _TOLD:
            rules = "; ".join(map(_told, right.rules_on(subject).values()))
            who = "anybody" if viewer is None else f"{viewer} {viewer.account_id or ''}"
            told.append(f"{batch.name}: {how} for {who} on {subject} at {at}: {found} is not {wanted} [{rules}]")

    for subject, viewer, at in batch.questions:
        reference = right.on(subject)
        wanted = right.answer(reference.check(subject, viewer, at))
        count += 1
        for name, view_of in views.items():
            view = view_of(viewer, at)
            for how, found in _answers(view, subject):
                hold(f"{name}, {how}", found, wanted, subject, viewer, at)
            if isinstance(subject, tuple) and None not in subject:
                hold(f"{name}, withholds", view.withholds(*subject), not wanted.visible, subject, viewer, at)  # type: ignore[arg-type]
        if (subject, at) not in pushed:
            pushed.add((subject, at))
            wanted = right.answer(reference.anywhere(subject, at))
            count += 1
            for name, engine in asked.items():
                hold(f"{name}, anywhere", engine.anywhere(subject, at), wanted, subject, None, at)
    return Compared(count, disagreements, told)


def _answers(view: View, subject: Subject) -> Iterator[tuple[str, Decision]]:
    if isinstance(subject, Tweet):
        yield "check_tweet", view.check_tweet(subject).decision
    else:
        yield "check", view.check(tweet_id=subject[0], account_id=subject[1])
        yield "check again", view.check(tweet_id=subject[0], account_id=subject[1])


def _told(rule: Rule) -> str:
    said = {field.name: getattr(rule, field.name) for field in dataclasses.fields(rule) if field.compare}
    return ", ".join(f"{name} {value}" for name, value in said.items() if value not in ((), None))


def main() -> int:
    """Compare everything, show progress, and print JSON; return the exit status, which is 1 for any disagreement."""
    began = time.monotonic()
    asked = disagreements = 0
    for batch in everything():
        found = compared(batch)
        asked += found.asked
        disagreements += found.disagreements
        said = f"{batch.name}: {found.asked:,} questions, {found.disagreements:,} disagreements"
        print(f"{time.monotonic() - began:6.0f} s  {said}", *found.told, sep="\n", file=sys.stderr)
    print(json.dumps({"questions": asked, "ways": [*engines(RuleSet(), Policy())], "disagreements": disagreements}))
    return int(disagreements > 0)
