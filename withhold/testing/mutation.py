"""Mutation testing: find changes to rules that no case notices, and suggest cases that would notice them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Literal, NamedTuple

from withhold.model import IdSet, Rule
from withhold.model.places import location_of, within, within_any
from withhold.model.tweet import Link
from withhold.model.viewer import LocationKey
from withhold.semantics import extent, reach_of
from withhold.territories import WORLD, country_of, is_subdivision, subdivisions
from withhold.testing.cases import CaseFile
from withhold.testing.closing import closings
from withhold.testing.merging import merge
from withhold.testing.mutants import Alternatives, Mutant, ids_to_drop, mutants
from withhold.testing.narrowing import Vantage, narrowings
from withhold.testing.questions import Index, Key, Question, location_keys, names
from withhold.testing.suggestion import Suggestion
from withhold.testing.widening import by_frequency, widenings
from withhold.testing.witness import Witness, find

#: Suggested cases, by file, subject and instant. One case may notice several changes, even of several rules.
Suggestions = dict[tuple[Path, Link, datetime], Suggestion]


class Untested(NamedTuple):
    """A rule that no case asks about, and the number of its changes, none of which is noticed."""

    rule: Rule
    changes: int


@dataclass(slots=True)
class Mutation:
    """The results of all changes of all rules, each made alone."""

    killed: int = 0
    #: Changes that no viewer can observe. They are not counted.
    equivalent: list[Mutant] = field(default_factory=list)
    survivors: list[Mutant] = field(default_factory=list)
    untested: list[Untested] = field(default_factory=list)
    suggestions: list[Suggestion] = field(default_factory=list)
    #: The rules with changes that no case notices.
    open: list[Key] = field(default_factory=list)

    @property
    def counted(self) -> int:
        return self.killed + len(self.survivors) + sum(rule.changes for rule in self.untested)


def mutate(
    index: Index, advance: Callable[[int], None] | None = None, *, only: Iterable[Key] | None = None
) -> Mutation:
    """Make each change of each rule, and run the cases that concern it. All cases must pass on the unchanged rules.

    `advance` is called with the number of finished rules. With `only`, just these rules are changed.
    """
    found = Mutation()
    suggestions: Suggestions = {}
    usual = by_frequency(index.rules.values())
    for done, key in enumerate(index.rules if only is None else only, 1):
        before = len(found.survivors) + len(found.untested)
        _mutate(key, index, found, suggestions, usual)
        if len(found.survivors) + len(found.untested) > before:
            found.open.append(key)
        if advance is not None:
            advance(done)
    found.suggestions = merge(suggestions.values(), index)
    return found


def _mutate(key: Key, index: Index, found: Mutation, suggestions: Suggestions, usual: Sequence[str]) -> None:
    rule, questions = index.rules[key], index.questions.get(key, [])
    contexts = list(index.contexts(key))
    asked = {link for question in questions for link in question.links}
    asked_accounts = {account for _, account in asked if account is not None}
    asked_tweets = {tweet for tweet, _ in asked if tweet is not None}
    accounts, drop_accounts = _ids(rule, "accounts", asked_accounts, index, contexts)
    tweets, drop_tweets = _ids(rule, "tweets", asked_tweets, index, contexts)
    drop = {"accounts": drop_accounts, "tweets": drop_tweets}
    small = replace(rule, accounts=accounts, tweets=tweets)
    single = [*mutants(small, drop), *closings(small, _instants(small, questions))]
    changes = [Alternatives([mutant]) for mutant in single if questions or not _has_no_effect(mutant, contexts)]
    seen_from = location_keys(questions) | _elsewhere(small, questions, usual)
    vantage = Vantage(seen_from, partial(_beside, small, index, contexts), usual)
    changes += widenings(small, *vantage)
    changes += narrowings(small, vantage, contexts[0].policy)
    own: list[Suggestion] = []
    for number, change in enumerate(changes):
        result = _tried(change, questions, own, suggestions, index, contexts, asked)
        if result is None:
            found.killed += 1
            continue
        mutant, seen = result
        if seen is None:
            found.equivalent.append(mutant)
            continue
        seen.notices.append(mutant)
        if not questions:  # one suggested case is enough for a rule without cases; the next run suggests more
            found.untested.append(Untested(rule, len(changes) - number))
            return
        found.survivors.append(mutant)


def _tried(
    change: Alternatives,
    questions: Sequence[Question],
    own: list[Suggestion],
    suggestions: Suggestions,
    index: Index,
    contexts: Sequence[CaseFile],
    asked: set[Link],
) -> tuple[Mutant, Suggestion | None] | None:
    """Return None if a case notices a change.

    Otherwise return the first mutant that a case could notice, with such a case, which was suggested earlier or is
    suggested now. If no case could notice any mutant, return the first mutant and None.
    """
    if any(_is_noticed(mutant, questions) for mutant in change.asked):
        return None
    first: Mutant | None = None
    for number, mutant in enumerate(chain(change.asked, change.further())):
        first = first or mutant
        if number >= len(change.asked) and _is_noticed(mutant, questions):
            return None
        if (case := next((case for case in own if _would_notice(case, mutant, index)), None)) is not None:
            return mutant, case
        for file, who in _witnesses(mutant, contexts, index, asked):
            case = suggestions.setdefault((file.path, who.link, who.at), Suggestion(file, [who.link], who.at))
            case.add(who, mutant.rule, index.concerning(file, who.link))
            own.append(case)
            return mutant, case
    assert first is not None  # noqa: S101  # a change has at least one mutant
    return first, None


def _instants(rule: Rule, questions: Iterable[Question]) -> set[datetime]:
    """Return the instants of cases with a viewer from whom the rule hides its subjects when it is in force."""
    return {
        question.case.at
        for question in questions
        if extent(reach_of(rule), question.file.policy).hidden & question.places()
    }


def _elsewhere(rule: Rule, questions: Iterable[Question], usual: Sequence[str]) -> set[LocationKey]:
    """Return places of `elsewhere` of cases at which the rule is in force.

    They represent the others: a country, and a part of each country of which the rule names another part.
    """
    found: set[LocationKey] = set()
    named = [code for code in (*rule.withheld_in, *rule.except_in) if code != WORLD]
    in_part = {country_of(code) for code in named if is_subdivision(code)} - {*named}
    for question in questions:
        if question.case.elsewhere is None or not rule.in_force(question.case.at):
            continue
        places = question.case.elsewhere.places & ~within_any(named)
        for candidates in (usual, *(list(subdivisions(country)) for country in in_part)):
            # The last one: a country that rules seldom name, so that no other rule has an effect there.
            code = next((code for code in reversed(candidates) if within(code) & places == within(code)), None)
            if code is not None:
                found.add(location_of(within(code) & -within(code)))
    return found


def _beside(rule: Rule, index: Index, contexts: Iterable[CaseFile]) -> Iterator[Rule]:
    """Yield a rule, and the other rules that name one of its subjects."""
    yield rule
    links: list[Link] = [*((None, account) for account in rule.accounts), *((tweet, None) for tweet in rule.tweets)]
    for file in contexts:
        for link in links:
            yield from (other for other in index.concerning(file, link) if other.id != rule.id)


def _ids(
    rule: Rule, kind: Literal["accounts", "tweets"], asked: set[int], index: Index, contexts: Iterable[CaseFile]
) -> tuple[IdSet, list[int]]:
    """Return ids that represent a whole list, and those among them to drop.

    Ids that no case mentions are interchangeable if the same rules name them.
    """
    ids: IdSet = getattr(rule, kind)
    drop = ids_to_drop(ids, asked)
    kept = {*drop, *(id_ for id_ in asked if id_ in ids), *list(ids)[:1], *list(ids)[-1:]}
    for file in contexts:
        kept.update(index.postings(file, kind, ids).values())
    return IdSet(kept), drop


def _has_no_effect(mutant: Mutant, contexts: Sequence[CaseFile]) -> bool:
    """Return whether a change has no effect even if there are no other rules.

    This is a fast check before the exact one.
    """
    rule, mutated = mutant.rule, mutant.mutated
    if mutated is None or (mutated.accounts, mutated.tweets, mutated.periods) != (
        rule.accounts,
        rule.tweets,
        rule.periods,
    ):
        return False
    reaches = reach_of(rule), reach_of(mutated)
    before, after = ([extent(reach, file.policy) for file in contexts] for reach in reaches)
    return [(one.effect, one.hidden) for one in before] == [(one.effect, one.hidden) for one in after]


def _is_noticed(mutant: Mutant, questions: Iterable[Question]) -> bool:
    """Return whether some case gets an unexpected outcome, or a different rule speaks."""
    questions = list(questions)
    return any(question.differs(mutant.rule, mutant.mutated) for question in questions) or any(
        question.another_speaks(mutant.rule, mutant.mutated) for question in questions
    )


def _would_notice(case: Suggestion, mutant: Mutant, index: Index) -> bool:
    """Return whether an earlier suggested case notices another change too."""
    if not names(mutant.rule, case.links):
        return False
    (link,) = case.links
    return case.question(index.concerning(case.file, link)).differs(mutant.rule, mutant.mutated)


def _witnesses(
    mutant: Mutant, contexts: Iterable[CaseFile], index: Index, asked: set[Link]
) -> Iterator[tuple[CaseFile, Witness]]:
    """Yield viewers who would notice a change, first for subjects that cases ask about already."""
    for file in contexts:
        for link, others in _subjects(mutant, file, index, asked):
            witness = find(mutant.rule, mutant.mutated, link, others, file.policy)
            if witness is not None:
                yield file, witness


def _subjects(mutant: Mutant, file: CaseFile, index: Index, asked: set[Link]) -> Iterator[tuple[Link, list[Rule]]]:
    """Yield subjects that a change may affect, each with the other rules that name it; one for each set of rules."""
    rule, mutated = mutant.rule, mutant.mutated
    accounts, tweets = {account for _, account in asked}, {tweet for tweet, _ in asked}
    links: list[Link] = [(None, account) for account in sorted(rule.accounts, key=lambda id_: id_ not in accounts)]
    links += [(tweet, None) for tweet in sorted(rule.tweets, key=lambda id_: id_ not in tweets)]
    if mutated is not None and (mutated.accounts, mutated.tweets) != (rule.accounts, rule.tweets):
        links = [link for link in links if not names(mutated, [link])]
    seen: set[frozenset[str]] = set()
    for link in links:
        others = [other for other in index.concerning(file, link) if other.id != rule.id]
        if (together := frozenset(other.id for other in others)) not in seen:
            seen.add(together)
            yield link, others
