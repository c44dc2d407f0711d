"""The definition of correct: each sentence of the contract in `withhold/README.md`, as plainly as Python can write it.

`Reference` has no index and no cache, and shares no code with `withhold.semantics` and the engine. Each question reads
all rules, so a check is O(rules). If an engine gives another answer, the engine is wrong.
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
#: Rules that hide a subject at a place. The second value is whether the rule certainly reaches a viewer there.
_Hiding = list[tuple[Rule, bool]]


class Reference:
    """Answers `check` and `anywhere` as `Engine` does.

    `varies_by_location` and `anywhere` compare all places in the world between which the rules can distinguish: some
    hundreds. To compare fewer, pass `places`, each in the form of `Viewer.location_key`. The answers are correct if
    every rule treats each place that is left out like one of those that are given.

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
        hiding = self._hiding(links, place, at)
        own = [link for link in links if self.policy.author_sees_own and link[1] and link[1] == viewer.account_id]
        others = [link for link in links if link not in own]
        # R4: the answer is certain if settling all uncertain rules one way or the other gives the same outcome.
        outcomes = {_outcome(self._hiding(links, place, at, settle), others) for settle in Settle}
        return self._decision(links, at, hiding, _outcome(hiding, others), certain=len(outcomes) == 1)

    def anywhere(self, subject: Subject, at: datetime | None = None) -> Decision:
        """Decide for viewers anywhere, as `Engine.anywhere` does (R10). O(rules)."""
        links, at = links_of(subject), datetime.now(UTC) if at is None else utc(at)
        places = self._places_to_compare(self.rules)
        found = {rule.id: (rule, True) for place in places for rule, _ in self._hiding(links, place, at)}
        hiding = list(found.values())
        return self._decision(links, at, hiding, _outcome(hiding, links), certain=True)

    def _decision(self, links: _Links, at: datetime, hiding: _Hiding, outcome: Outcome, *, certain: bool) -> Decision:
        hiding = sorted(hiding, key=lambda each: _order(each, links))
        first = hiding[0][0] if hiding else None
        in_force = [rule for rule in self.rules if _scope(rule, links) and _in_force(rule, at)]
        territories = (TerritorySet(rule.withheld_in) - TerritorySet(rule.except_in) for rule in in_force)
        outcomes = {_outcome(self._hiding(links, place, at), links) for place in self._places_to_compare(in_force)}
        edges = [edge for rule in self.rules if _scope(rule, links) for edge in _edges_after(rule, at)]
        return Decision(
            outcome=outcome,
            exempt="author" if hiding and outcome is Outcome.VISIBLE else None,
            rule_ids=tuple(rule.id for rule, _ in hiding),
            scope=_scope(first, links) if first else None,
            reason=first.reason if first else None,
            demand=first.demand if first else None,
            territories=reduce(TerritorySet.__or__, territories, NOWHERE),
            certain=certain,
            varies_by_location=len(outcomes) > 1,
            valid_until=min(edges, default=None),
            revision=self.rules.revision,
        )

    def _places_to_compare(self, rules: Iterable[Rule]) -> Iterable[LocationKey]:
        return self._places or _distinguishable_places(rules)

    def _hiding(self, links: _Links, place: LocationKey, at: datetime, settle: Settle | None = None) -> _Hiding:
        """Return the rules in force that hide a subject at a place (R4, R5).

        Uncertain rules are settled as R4 requires or, if `settle` is given, all in that way.
        """
        found = []
        for rule in self.rules:
            if not (_scope(rule, links) and _in_force(rule, at)):
                continue
            reached = _reaches(rule, place)
            by_default = Settle.WITHHOLD if rule.except_in else self.policy.unknown_location
            if reached or (reached is None and (settle or rule.if_unknown or by_default) is Settle.WITHHOLD):
                found.append((rule, reached is True))
        return found


def _scope(rule: Rule, links: _Links) -> Scope | None:
    """Return the scope in which a rule names one of some links, or None if it names none (R2, R8)."""
    if any(account in rule.accounts for _, account in links):
        return Scope.ACCOUNT
    return Scope.TWEET if any(tweet in rule.tweets for tweet, _ in links) else None


def _in_force(rule: Rule, at: datetime) -> bool:
    """Return whether a rule is in force at an instant (R1)."""
    return Period(rule.from_, rule.until).covers(at) and not any(stay.covers(at) for stay in rule.stays)


def _edges_after(rule: Rule, at: datetime) -> list[datetime]:
    """Return the later bounds of a rule at which it is in force if it is not at `at`, or not in force if it is."""
    bounds = {bound for period in ((rule.from_, rule.until), *rule.stays) for bound in period if bound and bound > at}
    return [bound for bound in bounds if _in_force(rule, bound) != _in_force(rule, at)]


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
