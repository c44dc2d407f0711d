"""`shadowed` reports the rules that another one covers, and no others; without them every outcome is the same."""

from __future__ import annotations

from datetime import timedelta
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import strategies
from tests.lint.advising import DAY, END, START, advised, problems_with, rule
from withhold import Effect, Policy, Rule, RuleSet, Settle
from withhold.engine.reference import _reaches
from withhold.lint import lint
from withhold.lint.shadowed import hidden_by, shadows
from withhold.lint.spans import Spans
from withhold.lint.supersets import supersets

SHADOWED = ["warning rule `a`: shadowed"]


@pytest.mark.parametrize(
    "other",
    [
        {"accounts": [17, 18]},
        {"tweets": [17_000_000_000]},
        {"withheld_in": ["IN", "PK"]},
        {"from_": START - DAY},
        {"until": END + DAY},
        {"if_unknown": "withhold"},
        {"withheld_in": [], "effect": "suspend", "reason": "terms"},
        {"withheld_in": ["WORLD"], "except_in": ["TR"], "reason": "copyright"},
        {"from_": START - 3 * DAY, "stays": [(None, START - DAY), (END, None)]},
        {"until": END + 3 * DAY, "stays": [(END, END + DAY)]},
    ],
)
def test_a_rule_is_shadowed_by_one_that_withholds_more(other: dict[str, object]) -> None:
    """The order of the rules does not matter."""
    larger = rule(id="b", **other)
    for rules in ([rule(), larger], [larger, rule()]):
        found = problems_with("shadowed", rules)
        assert [problem.place for problem in found] == ["rule `a`"]


@pytest.mark.parametrize(
    "other",
    [
        {"accounts": [18, 19]},
        {"accounts": [], "tweets": [17]},
        {"withheld_in": ["IN-DL"]},
        {"except_in": ["IN-DL"]},
        {"from_": START + DAY, "until": END + DAY},
        {"from_": START - DAY, "until": END - DAY},
        {"stays": [(START + DAY, START + 2 * DAY)]},
        {"if_unknown": "show"},
    ],
)
def test_a_rule_is_not_shadowed_by_one_that_withholds_less_in_some_way(other: dict[str, object]) -> None:
    found = shadows([rule(), rule(id="b", **other)])
    assert "a" not in found


def test_of_exact_duplicates_the_first_is_kept_and_the_others_are_reported_once() -> None:
    rules = [rule(id=name) for name in "bac"]
    found = problems_with("shadowed", rules)
    assert [(problem.place, problem.message) for problem in found] == [
        ("rule `a`", "rule `b` withholds everything that this rule withholds"),
        ("rule `c`", "rule `b` withholds everything that this rule withholds"),
    ]


def test_the_rule_that_the_message_names_is_not_shadowed_itself() -> None:
    rules = [rule(), rule(id="b", accounts=[17, 18]), rule(id="c", accounts=[17, 18, 19])]
    assert {problem.message for problem in problems_with("shadowed", rules)} == {
        "rule `c` withholds everything that this rule withholds"
    }


def test_a_rule_is_shadowed_by_one_whose_stay_lies_within_its_own() -> None:
    longer = rule(stays=[(START + DAY, START + 5 * DAY)])
    shorter = rule(id="b", stays=[(START + 2 * DAY, START + 3 * DAY)])
    assert advised("shadowed", longer, shorter) == SHADOWED
    assert advised("shadowed", longer, rule(id="b", stays=[(START + 4 * DAY, START + 6 * DAY)])) == []


def brute_force(rules: list[Rule]) -> dict[str, set[str]]:
    """Compare all pairs of rules: for every place, as the reference decides, and for every hour."""

    def withheld(each: Rule) -> set[object]:
        found: set[object] = set()
        for policy, place in product(Settle, strategies.PLACES):
            reached = _reaches(each, place)
            settled = each.if_unknown or (Settle.WITHHOLD if each.except_in else policy)
            if reached or (reached is None and settled is Settle.WITHHOLD):
                found |= {(policy, place, False), (policy, place, each.effect is Effect.SUSPEND)}
        return found

    hours = [hour + half for hour in strategies.HOURS for half in (timedelta(), timedelta(minutes=30))]
    times = [strategies.START - DAY, *hours]
    reached = {each.id: withheld(each) for each in rules}
    in_force = {each.id: {time for time in times if each.in_force(time)} for each in rules}
    return {
        one.id: {
            other.id
            for other in rules
            if other is not one
            and set(one.accounts) <= set(other.accounts)
            and set(one.tweets) <= set(other.tweets)
            and reached[one.id] <= reached[other.id]
            and in_force[one.id] <= in_force[other.id]
        }
        for one in rules
    }


@settings(max_examples=150, deadline=None)
@given(strategies.rule_sets())
def test_shadows_are_those_that_comparing_all_pairs_finds(rules: RuleSet) -> None:
    compared = [each for each in rules if each.periods and hidden_by([each])[0]]
    order = {each.id: number for number, each in enumerate(compared)}
    covering = brute_force(compared)
    expected = {
        one for one, others in covering.items() if any(one not in covering[o] or order[o] < order[one] for o in others)
    }
    found = shadows(compared)
    assert set(found) == expected
    assert all(other.id in covering[one] for one, other in found.items())


@settings(max_examples=60, deadline=None)
@given(strategies.rule_sets(), strategies.policies, st.data())
def test_without_the_shadowed_rules_every_outcome_is_the_same(
    rules: RuleSet, policy: Policy, data: st.DataObject
) -> None:
    """All are left out at once: of two rules that cover each other, one remains."""
    names = {str(problem.place)[6:-1] for problem in lint(rules) if problem.code == "shadowed"}
    fewer = RuleSet(each for each in rules if each.id not in names)
    one, other = strategies.reference(rules, policy), strategies.reference(fewer, policy)
    subject, at = data.draw(strategies.subjects), data.draw(strategies.instants)
    assert one.anywhere(subject, at).outcome == other.anywhere(subject, at).outcome
    for _ in range(3):
        subject, viewer, at = (
            data.draw(strategies.subjects),
            data.draw(strategies.viewers()),
            data.draw(strategies.instants),
        )
        assert one.check(subject, viewer, at).outcome == other.check(subject, viewer, at).outcome


@given(st.lists(st.sets(st.integers(-5, 5), min_size=1), max_size=12))
def test_supersets_are_those_that_sets_of_python_find(sets: list[set[int]]) -> None:
    expected = [{number for number, other in enumerate(sets) if each <= other} for each in sets]
    assert list(supersets([sorted(each) for each in sets])) == expected


def test_a_rule_with_stays_finds_its_twin_among_many() -> None:
    """It is compared with few others, but one with the same periods is always found."""
    rules = [rule(id=f"r{n}", from_=None, until=None, stays=[(START + n * DAY, END + n * DAY)]) for n in range(200)]
    rules += [rule(id="twin", from_=None, until=None, stays=rules[0].stays)]
    found = Spans(rules).covered(list(range(201)), range(201))
    assert dict(found) == {200: 0}
