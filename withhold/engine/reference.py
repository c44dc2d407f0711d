"""The definition of correct: each sentence of the contract in `withhold/README.md`, as plainly as Python can put it.

`Reference` has no index and no cache, and shares no code with `withhold.semantics` and the engine. Each question reads
all rules, so a check is O(rules). If an engine gives another answer, the engine is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import NamedTuple

from withhold.model import (
    Decision,
    Disclosure,
    Effect,
    Freshness,
    Outcome,
    Period,
    Policy,
    Reason,
    Rule,
    RuleSet,
    Scope,
    Settle,
    VariesBy,
    Viewer,
)
from withhold.model.freshness import answer_revision
from withhold.model.instants import utc
from withhold.model.territory_set import NOWHERE, TerritorySet
from withhold.model.tweet import Link, Subject, links_of
from withhold.model.viewer import LocationKey, is_in
from withhold.territories import countries, country_of, is_subdivision, subdivisions

_Links = Iterable[Link]
#: Rules that hide a subject at a place. The second value is whether the rule certainly reaches a viewer there.
_Hiding = list[tuple[Rule, bool]]
#: Rules in force, and whether each reaches viewers at one place; None if that is uncertain. The same for every place.
_Reached = list[tuple[Rule, bool | None]]
_Everywhere = list[tuple[LocationKey, _Reached]]

#: The first instant that can be represented, and the difference between neighbouring instants.
_FIRST, _TICK = datetime.min.replace(tzinfo=UTC), timedelta(microseconds=1)


class _Answer(NamedTuple):
    hiding: _Hiding
    outcome: Outcome
    certain: bool


class Reference:
    """Answers `check` and `anywhere` as `Engine` does.

    `varies_by_location` and `anywhere` compare all places in the world that the rules can distinguish: a few
    hundred. To compare fewer, pass `places`, each in the form of `Viewer.location_key`. The answers are correct if
    every rule treats each omitted place like one of the given ones.

    >>> from withhold import Rule
    >>> rules = RuleSet([Rule(id="in-1", accounts=[17], withheld_in=["IN"], reason="legal_demand")])
    >>> small = Reference(rules, places=[(None, ()), ("IN", ()), ("US", ())])
    >>> small.check((20, 17), Viewer(country="IN")) == Reference(rules).check((20, 17), Viewer(country="IN"))
    True
    """

    def __init__(self, rules: RuleSet, policy: Policy | None = None, *, places: Iterable[LocationKey] = ()) -> None:
        self.rules, self.policy = rules, policy or Policy()
        self._places = [Viewer(country=country, subdivisions=known).location_key for country, known in places]

    def check(self, subject: Subject, viewer: Viewer, at: datetime | None = None) -> Decision:
        """Decide for one viewer, as `Engine.check` does. O(rules)."""
        links, at = links_of(subject), datetime.now(UTC) if at is None else utc(at)
        rules = self._in_force(links, at)
        answer = self._answer(_reached(rules, viewer.location_key), links, viewer.account_id)
        everywhere = self._everywhere(rules)
        return self._decision(rules, links, answer, everywhere, self._freshness(rules, links, at, everywhere))

    def anywhere(self, subject: Subject, at: datetime | None = None) -> Decision:
        """Decide for viewers anywhere, as `Engine.anywhere` does (R10). O(rules)."""
        links, at = links_of(subject), datetime.now(UTC) if at is None else utc(at)
        rules = self._in_force(links, at)
        everywhere = self._everywhere(rules)
        found = {rule.id: (rule, True) for _, reached in everywhere for rule, _ in self._hiding(reached)}
        hiding = sorted(found.values(), key=lambda each: _order(each, links))
        since, until = self._validity(links, at)
        fresh = Freshness(since=since, valid_until=until, answer_revision=self._answer_revision)
        answer = _Answer(hiding, _outcome(hiding, links), certain=True)
        return self._decision(rules, links, answer, everywhere, fresh)

    def _decision(
        self, rules: list[Rule], links: _Links, answer: _Answer, everywhere: _Everywhere, freshness: Freshness
    ) -> Decision:
        hiding, outcome, certain = answer
        first = hiding[0][0] if hiding else None
        disclosures = {rule.disclosure for rule, _ in hiding}
        disclosed = [rule for rule in rules if rule.disclosure is not Disclosure.NONE]
        return Decision(
            outcome=outcome,
            exempt="author" if hiding and outcome is Outcome.VISIBLE else None,
            rule_ids=tuple(rule.id for rule, _ in hiding),
            scope=_scope(first, links) if first else None,
            reason=first.reason if first else None,
            demand=first.demand if first else None,
            jurisdiction=first.jurisdiction if first else None,
            disclosure=next((each for each in Disclosure if each in disclosures), None),
            territories=self._territories(rules),
            disclosed_in=self._territories(disclosed),
            certain=certain,
            varies_by_location=self._varies(links, everywhere),
            valid_until=freshness.valid_until,
            revision=self.rules.revision,
            freshness=freshness,
        )

    def _territories(self, rules: list[Rule]) -> TerritorySet:
        """Return where at least one of the rules withholds."""
        each = (TerritorySet(rule.withheld_in) - TerritorySet(rule.except_in) for rule in rules)
        return reduce(TerritorySet.__or__, each, NOWHERE)

    def _varies(self, links: _Links, everywhere: _Everywhere) -> bool:
        """Return whether viewers at some places get another outcome than at others."""
        return len({_outcome(self._hiding(reached), links) for _, reached in everywhere}) > 1

    def _in_force(self, links: _Links, at: datetime) -> list[Rule]:
        """Return the rules in force that name one of some links."""
        return [rule for rule in self.rules if _scope(rule, links) and _in_force(rule, at)]

    def _everywhere(self, rules: list[Rule]) -> _Everywhere:
        """Return whom some rules reach at each place that they can distinguish."""
        return [(place, _reached(rules, place)) for place in self._places or _distinguishable_places(rules)]

    def _answer(self, reached: _Reached, links: _Links, account: int | None) -> _Answer:
        """Return the answer for viewers at the place where rules reach them so, of whom `account` is the account."""
        hiding = sorted(self._hiding(reached), key=lambda each: _order(each, links))
        own = [link for link in links if self.policy.author_sees_own and link[1] and link[1] == account]
        others = [link for link in links if link not in own]
        # R4: the answer is certain if settling all uncertain rules one way or the other gives the same outcome.
        outcomes = {_outcome(self._hiding(reached, settle), others) for settle in Settle}
        return _Answer(hiding, _outcome(hiding, others), certain=len(outcomes) == 1)

    def _freshness(self, rules: list[Rule], links: _Links, at: datetime, everywhere: _Everywhere) -> Freshness:
        """Compare the answers for viewers at all places, for authors of the subject and for others (A6)."""
        authors = {account for _, account in links if account}
        by_country: dict[str | None, set[object]] = {}
        for place, reached in everywhere:
            fields: list[object] = []
            for account in (None, *authors) if self.policy.author_sees_own else (None,):
                hiding, *rest = self._answer(reached, links, account)
                fields.append((*(rule.id for rule, _ in hiding), *rest))
            by_country.setdefault(place[0], set()).add(tuple(fields))
        part = VariesBy.COUNTRY if len(set().union(*by_country.values())) > 1 else VariesBy.NONE
        since, until = self._validity(links, at)
        return Freshness(
            since=since,
            valid_until=until,
            varies_by=VariesBy.SUBDIVISION if any(len(found) > 1 for found in by_country.values()) else part,
            personal=self.policy.author_sees_own
            and any(_scope(rule, [link]) for rule in rules for link in links if link[1]),
            answer_revision=self._answer_revision,
        )

    @property
    def _answer_revision(self) -> str:
        return answer_revision(self.rules.revision, self.policy)

    def _validity(self, links: _Links, at: datetime) -> tuple[datetime | None, datetime | None]:
        """Return the last instant up to `at`, and the first one after it, at which a rule on the links begins or ends."""
        changes = [change for rule in self.rules if _scope(rule, links) for change in _changes(rule)]
        return max((c for c in changes if c <= at), default=None), min((c for c in changes if c > at), default=None)

    def _hiding(self, reached: _Reached, settle: Settle | None = None) -> _Hiding:
        """Return the rules that hide their subjects where they reach viewers so (R4, R5).

        Uncertain rules are settled as R4 requires or, if `settle` is given, all in that way.
        """
        found = []
        for rule, reaches in reached:
            by_default = Settle.WITHHOLD if rule.except_in else self.policy.unknown_location
            if reaches or (reaches is None and (settle or rule.if_unknown or by_default) is Settle.WITHHOLD):
                found.append((rule, reaches is True))
        return found


def _reached(rules: Iterable[Rule], place: LocationKey) -> _Reached:
    """Return each rule with whether it reaches viewers at a place (R3)."""
    return [(rule, _reaches(rule, place)) for rule in rules]


def _scope(rule: Rule, links: _Links) -> Scope | None:
    """Return the scope in which a rule names one of the links, or None if it names none (R2, R8)."""
    if any(account in rule.accounts for _, account in links):
        return Scope.ACCOUNT
    return Scope.TWEET if any(tweet in rule.tweets for tweet, _ in links) else None


def _in_force(rule: Rule, at: datetime) -> bool:
    """Return whether a rule is in force at an instant (R1)."""
    return Period(rule.from_, rule.until).covers(at) and not any(stay.covers(at) for stay in rule.stays)


def _changes(rule: Rule) -> list[datetime]:
    """Return the bounds of a rule at which it comes into force or goes out of force."""
    bounds = {bound for period in ((rule.from_, rule.until), *rule.stays) for bound in period if bound}
    return [bound for bound in bounds if _in_force(rule, bound) != (bound > _FIRST and _in_force(rule, bound - _TICK))]


def _reaches(rule: Rule, place: LocationKey) -> bool | None:
    """Return whether a rule reaches a viewer at a place; None if that is uncertain (R3)."""
    included = {is_in(place, code) for code in rule.withheld_in}
    excepted = {is_in(place, code) for code in rule.except_in}
    if included == {False} or True in excepted:
        return False
    return None if True not in included or None in excepted else True


def _outcome(hiding: _Hiding, others: _Links) -> Outcome:
    """Return the outcome of rules that hide a subject (R6).

    `others` are the links that are not the viewer's own. A rule that names none of these does not withhold (R9).
    """
    if any(rule.effect is Effect.SUSPEND for rule, _ in hiding):
        return Outcome.SUSPENDED
    return Outcome.WITHHELD if any(_scope(rule, others) for rule, _ in hiding) else Outcome.VISIBLE


def _order(found: tuple[Rule, bool], links: _Links) -> tuple[object, ...]:
    """Return a sort key that puts the rule that speaks first (R7)."""
    rule, certain = found
    first = (rule.effect is not Effect.SUSPEND, _scope(rule, links) is not Scope.ACCOUNT, not certain)
    return (*first, list(Reason).index(rule.reason), rule.from_ is not None, rule.from_ or 0, rule.id)


def _distinguishable_places(rules: Iterable[Rule]) -> Iterator[LocationKey]:
    """Yield all places that rules can distinguish.

    These are the unknown location, every country, and all subdivisions of each country with a subdivision that a rule
    names.
    """
    codes = {code for rule in rules for code in (*rule.withheld_in, *rule.except_in)}
    divided = {country_of(code) for code in codes if is_subdivision(code)}
    yield (None, ())
    for country in countries():
        yield (country, ())
        if country in divided:
            yield from ((country, (code,)) for code in subdivisions(country))
