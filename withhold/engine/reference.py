"""The definition of correct: every sentence of the contract once, with no index, no cache and nothing of the engine.

It reads all rules for every question, so a check is O(rules). Where the engine differs, the engine is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import reduce

from withhold.model import Decision, Effect, Outcome, Period, Policy, Reason, Rule, RuleSet, Scope, Settle, Viewer
from withhold.model.instants import utc
from withhold.model.territory_set import NOWHERE, TerritorySet
from withhold.model.tweet import Link, Subject, links_of
from withhold.model.viewer import LocationKey, is_in
from withhold.territories import countries, country_of, is_subdivision, subdivisions

_Links = Iterable[Link]
_Said = list[tuple[Rule, bool]]  # rules that withhold, and whether they certainly do


class Reference:
    """Answers `check` and `anywhere` as `Engine` does.

    `varies_by_location` and `anywhere` compare all places in the world that the rules can tell apart, some hundreds. To
    compare fewer, give one place of each kind that they tell apart as `places`, in the form of `Viewer.location_key`.
    The answers are right if each place left out is, for every rule, like one that is given.

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
        links, at, place = links_of(subject), datetime.now(UTC) if at is None else utc(at), viewer.location_key
        said = self._said(links, place, at)
        own = [link for link in links if self.policy.author_sees_own and link[1] and link[1] == viewer.account_id]
        others = [link for link in links if link not in own]
        either = {_outcome(self._said(links, place, at, settle), others) for settle in Settle}  # R4
        return self._decision(links, at, said, _outcome(said, others), certain=len(either) == 1)

    def anywhere(self, subject: Subject, at: datetime | None = None) -> Decision:
        """Decide for whoever may get it, as `Engine.anywhere` does (R10). O(rules)."""
        links, at = links_of(subject), datetime.now(UTC) if at is None else utc(at)
        places = self._places_for(self.rules)
        said = {rule.id: (rule, True) for place in places for rule, _ in self._said(links, place, at)}
        return self._decision(links, at, list(said.values()), _outcome(list(said.values()), links), certain=True)

    def _decision(self, links: _Links, at: datetime, said: _Said, outcome: Outcome, *, certain: bool) -> Decision:
        said = sorted(said, key=lambda found: _order(found, links))
        first = said[0][0] if said else None
        in_force = [rule for rule in self.rules if _scope(rule, links) and _in_force(rule, at)]
        withheld = (TerritorySet(rule.withheld_in) - TerritorySet(rule.except_in) for rule in in_force)
        outcomes = {_outcome(self._said(links, place, at), links) for place in self._places_for(in_force)}
        edges = [edge for rule in self.rules if _scope(rule, links) for edge in _edges_after(rule, at)]
        return Decision(
            outcome=outcome,
            exempt="author" if said and outcome is Outcome.VISIBLE else None,
            rule_ids=tuple(rule.id for rule, _ in said),
            scope=_scope(first, links) if first else None,
            reason=first.reason if first else None,
            demand=first.demand if first else None,
            territories=reduce(TerritorySet.__or__, withheld, NOWHERE),
            certain=certain,
            varies_by_location=len(outcomes) > 1,
            valid_until=min(edges, default=None),
            revision=self.rules.revision,
        )

    def _places_for(self, rules: Iterable[Rule]) -> Iterable[LocationKey]:
        return self._places or _places(rules)

    def _said(self, links: _Links, place: LocationKey, at: datetime, settle: Settle | None = None) -> _Said:
        """R4, R5: the rules in force that reach a place, the uncertain ones settled as they say or as asked."""
        said = []
        for rule in self.rules:
            if not (_scope(rule, links) and _in_force(rule, at)):
                continue
            reached = _reaches(rule, place)
            otherwise = Settle.WITHHOLD if rule.except_in else self.policy.unknown_location
            if reached or (reached is None and (settle or rule.if_unknown or otherwise) is Settle.WITHHOLD):
                said.append((rule, reached is True))
        return said


def _scope(rule: Rule, links: _Links) -> Scope | None:  # R2, R8
    if any(account in rule.accounts for _, account in links):
        return Scope.ACCOUNT
    return Scope.TWEET if any(tweet in rule.tweets for tweet, _ in links) else None


def _in_force(rule: Rule, at: datetime) -> bool:  # R1
    return Period(rule.from_, rule.until).covers(at) and not any(stay.covers(at) for stay in rule.stays)


def _edges_after(rule: Rule, at: datetime) -> list[datetime]:
    bounds = {bound for period in ((rule.from_, rule.until), *rule.stays) for bound in period if bound and bound > at}
    return [bound for bound in bounds if _in_force(rule, bound) != _in_force(rule, at)]


def _reaches(rule: Rule, place: LocationKey) -> bool | None:  # R3
    listed = {is_in(place, code) for code in rule.withheld_in}
    excepted = {is_in(place, code) for code in rule.except_in}
    if listed == {False} or True in excepted:
        return False
    return None if True not in listed or None in excepted else True


def _outcome(said: _Said, others: _Links) -> Outcome:  # R6, R9: `others` are the links that are not the viewer's own
    if any(rule.effect is Effect.SUSPEND for rule, _ in said):
        return Outcome.SUSPENDED
    return Outcome.WITHHELD if any(_scope(rule, others) for rule, _ in said) else Outcome.VISIBLE


def _order(found: tuple[Rule, bool], links: _Links) -> tuple[object, ...]:  # R7
    rule, certain = found
    first = (rule.effect is not Effect.SUSPEND, _scope(rule, links) is not Scope.ACCOUNT, not certain)
    return (*first, list(Reason).index(rule.reason), rule.from_ is not None, rule.from_ or 0, rule.id)


def _places(rules: Iterable[Rule]) -> Iterator[LocationKey]:
    """Every country, and every subdivision of those of which a rule names one: all places that can differ."""
    fine = {country_of(code) for rule in rules for code in (*rule.withheld_in, *rule.except_in) if is_subdivision(code)}
    yield (None, ())
    for country in countries():
        yield (country, ())
        yield from ((country, (code,)) for code in subdivisions(country) if country in fine)
