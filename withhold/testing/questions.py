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
from withhold.model import Effect, IdSet, Outcome, Policy, Rule, RuleSet, Scope
from withhold.model.places import Places, place_of
from withhold.model.tweet import Link, links_of
from withhold.model.viewer import LocationKey, Viewer
from withhold.semantics import ReachingRule, combine, extent, places_by_outcome, reach_of
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

    def differs(self, without: Rule, instead: Rule | None) -> bool:
        """Return whether some expected outcome is different if one rule is replaced by another or removed."""
        return any(
            self.outcome(expected.viewer, without, instead) is not expected.outcome for expected in self.case.expect
        ) or self._differs_elsewhere(without, instead)

    def another_speaks(self, without: Rule, instead: Rule | None) -> bool:
        """Return whether a rule other than `because` speaks for a hidden subject, with one rule replaced or removed."""
        because, elsewhere = self.case.because, self.case.elsewhere
        if because is None or len(self.rules) == 1:  # a single rule speaks, or nothing is hidden
            return False
        hidden = [expected.viewer for expected in self.case.expect if expected.outcome is not Outcome.VISIBLE]
        if elsewhere is not None and elsewhere.outcome is not Outcome.VISIBLE:
            in_force = self._in_force(without, instead)
            hidden += (viewer for viewer, _ in elsewhere.representatives(in_force, self.file.policy))
        return any(self.speaker(viewer, without, instead) != because for viewer in hidden)

    def places(self) -> Places:
        """Return all places for which the case expects an outcome."""
        found = 0 if self.case.elsewhere is None else self.case.elsewhere.places
        for expected in self.case.expect:
            found |= place_of(expected.viewer.location_key)
        return found

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
        return ReachingRule(rule, Scope.ACCOUNT, certain=True, own=self._is_own(rule, viewer.account_id))

    def _is_own(self, rule: Rule, account: int | None) -> bool:
        """Return whether the policy exempts a viewer with an account from a rule, as the author (R9)."""
        exempts = self.file.policy.author_sees_own and account is not None
        return exempts and not names(rule, [link for link in self.links if link[1] != account])

    def _in_force(self, without: Rule, instead: Rule | None) -> list[Rule]:
        """Return the rules in force that name the subject if one rule is replaced by another or removed."""
        rules = [rule for rule in self.rules if rule.id != without.id]
        if instead is not None and names(instead, self.links):
            rules.append(instead)
        return [rule for rule in rules if rule.in_force(self.case.at)]

    def _differs_elsewhere(self, without: Rule, instead: Rule | None) -> bool:
        if (elsewhere := self.case.elsewhere) is None:
            return False
        hiding = (
            extent(reach_of(rule), self.file.policy)
            for rule in self._in_force(without, instead)
            if rule.effect is Effect.SUSPEND or not self._is_own(rule, elsewhere.account_id)
        )
        return elsewhere.places & ~places_by_outcome(hiding)[elsewhere.outcome] != 0


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


def location_keys(questions: Iterable[Question]) -> set[LocationKey]:
    """Return the places that cases name, without those of `elsewhere`."""
    return {expected.viewer.location_key for question in questions for expected in question.case.expect}
