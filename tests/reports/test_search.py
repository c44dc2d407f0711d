"""Searches in a rule set equal brute force: each rule is asked by itself, with other means than the search uses."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from tests import strategies
from tests.implementations import every_snapshot
from tests.strategies import ACCOUNTS, HOURS, PLACES, TERRITORIES, TWEETS
from withhold import Reason, Rule, RuleSet, TerritorySet, Viewer
from withhold.lint import Protected
from withhold.model.viewer import is_in
from withhold.reports.search import Filters, matching, naming

TICK = timedelta(microseconds=1)
DEMANDS = ("D1", "D2", "D3")


@settings(max_examples=40)
@given(strategies.rule_sets())
def test_the_rules_that_name_something_are_those_of_a_full_search(rules: RuleSet) -> None:
    expected: dict[tuple[str, object], list[str]]
    expected = {("account", id_): [rule.id for rule in rules if id_ in set(rule.accounts)] for id_ in (*ACCOUNTS, 99)}
    expected |= {("tweet", id_): [rule.id for rule in rules if id_ in set(rule.tweets)] for id_ in (*TWEETS, 99)}
    expected |= {("demand", name): [rule.id for rule in rules if rule.demand == name] for name in DEMANDS}
    for searched in (rules, *every_snapshot(rules)):
        for (kind, wanted), found in expected.items():
            assert sorted(rule.id for rule in naming(searched, **{kind: wanted})) == sorted(found)  # type: ignore[arg-type]


def changes(rule: Rule, *, starts: bool) -> Iterator[datetime]:
    """Yield the instants at which a rule comes into force, or goes out of force. All its bounds are full hours."""
    for hour in HOURS:
        if rule.in_force(hour) is starts and rule.in_force(hour - TICK) is not starts:
            yield hour


protected = st.dictionaries(st.sampled_from(ACCOUNTS), st.just(Protected(1, "journalist")), max_size=2)
filters = st.builds(
    Filters,
    at=strategies.instants,
    in_force=st.booleans(),
    within=st.none() | st.lists(st.sampled_from(TERRITORIES), max_size=2).map(TerritorySet),
    demand=st.none() | st.sampled_from(DEMANDS),
    jurisdiction=st.none() | st.sampled_from(("EU", "IT")),
    reason=st.none() | st.sampled_from(Reason),
    beginning=st.none() | strategies.instants,
    ending=st.none() | strategies.instants,
    due=st.none() | strategies.instants,
    protected=st.none() | protected,
)


def is_wanted(rule: Rule, wanted: Filters) -> bool:
    at = wanted.at
    rest = [
        not wanted.in_force or rule.in_force(at),
        wanted.demand is None or rule.demand == wanted.demand,
        wanted.jurisdiction is None or rule.jurisdiction == wanted.jurisdiction,
        wanted.reason is None or rule.reason is wanted.reason,
        wanted.protected is None or not set(rule.accounts).isdisjoint(wanted.protected),
        wanted.beginning is None or any(at < each <= wanted.beginning for each in changes(rule, starts=True)),
        wanted.ending is None or any(at < each <= wanted.ending for each in changes(rule, starts=False)),
        wanted.due is None
        or (rule.review_by is not None and rule.review_by <= wanted.due and not (rule.until and rule.until <= at)),
    ]
    if wanted.within is not None:
        places = [Viewer(country=country, subdivisions=known).location_key for country, known in PLACES]
        rest.append(
            any(
                any(is_in(place, code) for code in rule.withheld_in)
                and not any(is_in(place, code) for code in rule.except_in)
                and any(is_in(place, code) for code in wanted.within)
                for place in places
            )
        )
    return all(rest)


@given(strategies.rule_sets(), filters)
def test_the_rules_that_match_are_those_of_a_full_search(rules: RuleSet, wanted: Filters) -> None:
    found = matching(rules, wanted)
    assert {each.rule.id for each in found} == {rule.id for rule in rules if is_wanted(rule, wanted)}
    assert all((each.state == "in force") is each.rule.in_force(wanted.at) for each in found)
    if wanted.beginning is None and wanted.ending is None and wanted.due is None:
        order = [rule.id for rule in rules]
        assert [each.rule.id for each in found] == sorted((each.rule.id for each in found), key=order.index)
    elif wanted.beginning is None and wanted.ending is None:
        due = [each.rule.review_by for each in found]
        assert due == sorted(due, key=lambda each: each or HOURS[0])
