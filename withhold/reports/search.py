"""Search a rule set for rules that name an id or a demand, or that match filters at an instant."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from withhold.engine.explain import not_in_force, rule_facts
from withhold.errors import Place
from withhold.model.ids import IdSet
from withhold.model.protected import Protected
from withhold.model.rule import Reason, Rule, territories_of
from withhold.model.rule_set import RuleSet
from withhold.model.territory_set import TerritorySet
from withhold.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class RuleAt:
    """A rule that was found, with its state at an instant."""

    rule: Rule
    at: datetime
    #: The places in files that name the searched id. They are known only if the files were read.
    named_at: tuple[Place, ...] = ()
    #: The protected accounts that the rule names, if the search was for protected accounts.
    protected: tuple[Protected, ...] = ()

    @property
    def state(self) -> str:
        """`in force`, `stayed`, `not yet in force` or `ended`."""
        found = not_in_force(self.rule, self.at)
        return found[0].value if found else "in force"

    def to_dict(self) -> dict[str, object]:
        """Return the content of the rule, its state and its numbers of ids, as JSON values."""
        return {
            "rule_id": self.rule.id,
            "state": self.state,
            **rule_facts(self.rule),
            "accounts": len(self.rule.accounts),
            "tweets": len(self.rule.tweets),
            "protected": list(map(str, self.protected)),
            "named_at": list(map(str, self.named_at)),
        }


def naming(
    rules: RuleSet | Snapshot, *, account: int | None = None, tweet: int | None = None, demand: str | None = None
) -> list[Rule]:
    """Return the rules that name an account, a tweet or a demand, sorted by place. Give one of the three.

    O(1) for an id in a snapshot, O(rules log ids) in a rule set, and O(rules) for a demand.

    >>> rules = RuleSet([Rule(id="in-1", accounts=[17], withheld_in=["IN"], reason="legal_demand", demand="IN-D1")])
    >>> [rule.id for rule in naming(rules, account=17)], naming(rules, tweet=17), len(naming(rules, demand="IN-D1"))
    (['in-1'], [], 1)
    """
    found: Iterable[Rule]
    if demand is not None:
        found = (rule for rule in _rule_set(rules) if rule.demand == demand)
    elif isinstance(rules, Snapshot):
        table, id_ = (rules.accounts, account) if account is not None else (rules.tweets, tweet)
        posting = None if id_ is None else table.find(id_)
        found = () if posting is None else rules.rules_of(posting)
    else:
        found = (rule for rule in rules if account in rule.accounts or tweet in rule.tweets)
    return sorted(found, key=_place)


def _rule_set(rules: RuleSet | Snapshot) -> RuleSet:
    return rules.rules if isinstance(rules, Snapshot) else rules


def _place(rule: Rule) -> Place:
    """Return a key to sort rules by place: rule sets have the order of their files, and snapshots that of the ids."""
    return rule.place or Place("")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """The filters that a listed rule must match. A filter of None is not applied."""

    #: The instant of the list, in UTC: the state of a rule is that at this instant.
    at: datetime
    #: Only rules in force at the instant.
    in_force: bool = False
    #: Only rules that withhold in some part of these territories.
    within: TerritorySet | None = None
    demand: str | None = None
    jurisdiction: str | None = None
    reason: Reason | None = None
    #: Only rules that come into force after the instant and no later than this one, including rules whose stay ends.
    beginning: datetime | None = None
    #: Only rules that go out of force after the instant and no later than this one, including rules whose stay begins.
    ending: datetime | None = None
    #: Only rules whose `review_by` is not after this instant. Rules that have ended need no review.
    due: datetime | None = None
    #: Only rules that name one of these accounts.
    protected: Mapping[int, Protected] | None = None


def matching(rules: Iterable[Rule], filters: Filters) -> list[RuleAt]:
    """Return the rules that match all filters.

    With a filter by date they are sorted by that date, and then by place.
    O(rules), and with `protected` O(rules + ids log accounts).
    """
    found: list[tuple[datetime, RuleAt]] = []
    for rule in sorted(rules, key=_place):
        dates = _dates(rule, filters)
        protected = () if filters.protected is None else _protected_in(rule.accounts, filters.protected)
        if _matches(rule, filters) and all(dates) and (protected or filters.protected is None):
            found.append((min(chain(*dates), default=filters.at), RuleAt(rule, filters.at, protected=protected)))
    found.sort(key=lambda each: each[0])
    return [each for _, each in found]


def _matches(rule: Rule, filters: Filters) -> bool:
    return (
        (not filters.in_force or rule.in_force(filters.at))
        and (filters.within is None or bool(territories_of(rule) & filters.within))
        and filters.demand in (None, rule.demand)
        and filters.jurisdiction in (None, rule.jurisdiction)
        and filters.reason in (None, rule.reason)
    )


def _dates(rule: Rule, filters: Filters) -> Sequence[list[datetime]]:
    """Return the instants of a rule that match each filter by date. If one list is empty, the rule does not match."""
    at = filters.at
    starts = (period.start for period in rule.periods)
    ends = (period.end for period in rule.periods)
    found = [
        [instant for instant in instants if instant is not None and at < instant <= until]
        for instants, until in ((starts, filters.beginning), (ends, filters.ending))
        if until is not None
    ]
    if filters.due is not None:
        due = rule.review_by
        has_ended = rule.until is not None and rule.until <= at
        found.append([due] if due is not None and due <= filters.due and not has_ended else [])
    return found


def _protected_in(accounts: IdSet, protected: Mapping[int, Protected]) -> tuple[Protected, ...]:
    fewer: Collection[int]
    fewer, more = (accounts, protected) if len(accounts) < len(protected) else (protected, accounts)
    return tuple(protected[account] for account in sorted(fewer) if account in more)
