"""The cases that ask about each rule, and their answers after a change of the rule.

Coverage and mutation need them for every rule, case and place, so they are computed once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, TypeAlias

from withhold.engine.decider import Decider
from withhold.errors import Place
from withhold.model import IdSet, Outcome, Policy, Rule, RuleSet, Scope
from withhold.model.places import place_of
from withhold.model.tweet import Link, links_of
from withhold.model.viewer import Viewer
from withhold.semantics import ReachingRule, combine, extent, reach_of
from withhold.snapshot import Snapshot
from withhold.testing.cases import Case, CaseFile
from withhold.testing.suite import Library

#: The identity of a rule: its place, so that a rule in two rule sets counts once. For a snapshot it is the path and the
#: id, because rules of several snapshots may have the same place.
Key: TypeAlias = Place | tuple[Path, str]


@dataclass(slots=True)
class Question:
    """A case, with the rules that name its subject."""

    file: CaseFile
    case: Case
    links: tuple[Link, ...]
    rules: tuple[Rule, ...]
    #: For each viewer, the rules in force that hide the subject from them.
    _hiding: dict[Viewer, list[ReachingRule]] = field(default_factory=dict)

    def outcome(self, viewer: Viewer, without: Rule, instead: Rule | None) -> Outcome:
        """Return the outcome if one rule is replaced by another or removed."""
        if viewer not in self._hiding:
            self._hiding[viewer] = [each for rule in self.rules if (each := self._reaching(rule, viewer))]
        hiding = [each for each in self._hiding[viewer] if each.rule.id != without.id]
        if instead is not None and names(instead, self.links) and (each := self._reaching(instead, viewer)):
            hiding.append(each)
        return combine(hiding)

    def speaker(self, viewer: Viewer, without: Rule, instead: Rule | None) -> str | None:
        """Return the id of the rule that speaks if one rule is replaced by another or removed."""
        rules = [rule for rule in self.rules if rule.id != without.id]
        rules += [] if instead is None else [instead]
        narrow = [narrowed(rule, self.links) for rule in rules if names(rule, self.links)]
        decision = Decider(Snapshot.compile(RuleSet(narrow)), self.file.policy).decide(self.links, viewer, self.case.at)
        return None if decision.visible else decision.rule_id

    def _reaching(self, rule: Rule, viewer: Viewer) -> ReachingRule | None:
        """Return the rule if it is in force and hides its subjects from the viewer, otherwise None."""
        if not rule.in_force(self.case.at):
            return None
        if not extent(reach_of(rule), self.file.policy).hidden & place_of(viewer.location_key):
            return None
        exempts = self.file.policy.author_sees_own and viewer.account_id is not None
        own = exempts and not names(rule, [link for link in self.links if link[1] != viewer.account_id])
        return ReachingRule(rule, Scope.ACCOUNT, certain=True, own=own)


class Index:
    """All rules of some case files, once each, with the cases that concern them."""

    def __init__(self, files: Iterable[CaseFile], library: Library) -> None:
        self.rules: dict[Key, Rule] = {}
        self.files: dict[Key, list[CaseFile]] = {}
        self.questions: dict[Key, list[Question]] = {}
        self._deciders: dict[tuple[Path, Policy], Decider] = {}
        for file in files:
            for rule in file.measured:
                self.rules.setdefault(_key(rule, file), rule)
                self.files.setdefault(_key(rule, file), []).append(file)
            decider = self._deciders.setdefault(file.context, Decider(library.engine(file).snapshot, file.policy))
            for case in file.cases:
                links = links_of(case.subject)
                question = Question(file, case, links, tuple(rule for rule, _ in decider.concerning(links)))
                for rule in question.rules:
                    self.questions.setdefault(_key(rule, file), []).append(question)

    def contexts(self, key: Key) -> Iterator[CaseFile]:
        """Yield a case file for each rule set and policy of a rule, those with the most questions about it first."""
        asked = Counter(question.file.path for question in self.questions.get(key, ()))
        found: dict[tuple[Path, Policy], CaseFile] = {}
        for file in sorted(self.files[key], key=lambda file: -asked[file.path]):
            found.setdefault(file.context, file)
        yield from found.values()

    def concerning(self, file: CaseFile, link: Link) -> list[Rule]:
        """Return the rules of a file's rule set that name a subject."""
        return [rule for rule, _ in self._deciders[file.context].concerning((link,))]

    def postings(self, file: CaseFile, kind: Literal["accounts", "tweets"], ids: Iterable[int]) -> dict[int, int]:
        """Return one of the ids for each posting, that is, for each combination of rules that name them."""
        snapshot = self._deciders[file.context].snapshot
        table = snapshot.accounts if kind == "accounts" else snapshot.tweets
        return {posting: id_ for id_ in ids if (posting := table.find(id_)) is not None}


def _key(rule: Rule, file: CaseFile) -> Key:
    return rule.place if rule.place and not file.is_compiled else (file.context[0], rule.id)


def names(rule: Rule, links: Iterable[Link]) -> bool:
    """Return whether a rule names any id of a subject (R2, R8)."""
    return any(account in rule.accounts or tweet in rule.tweets for tweet, account in links)


def narrowed(rule: Rule, links: Iterable[Link]) -> Rule:
    """Return the rule with only the ids of a subject. It gives the same answers for this subject."""
    accounts = [account for _, account in links if account is not None and account in rule.accounts]
    tweets = [tweet for tweet, _ in links if tweet is not None and tweet in rule.tweets]
    return replace(rule, accounts=IdSet(accounts), tweets=IdSet(tweets))


def viewers_of(questions: Iterable[Question]) -> Iterator[tuple[Question, Viewer]]:
    """Yield every viewer of some cases, with the case."""
    return ((question, expected.viewer) for question in questions for expected in question.case.expect)
