"""The sides of a rule that cases have tried, and those that can be tried at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.testing.material import case_file, indexed
from withhold import Outcome, Place, Policy, Rule, RuleSet
from withhold.testing import viewer
from withhold.testing.cases import Case, Expectation
from withhold.testing.coverage import coverage, share

HERE = Place("rules.yaml", 2, 5)
START = datetime.fromisoformat("2021-02-10T00:00:00Z")
DAY = timedelta(days=1)
FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


def covered(rule, *asked, policy=None):
    """Return the coverage of a rule by (place, instant) pairs. Coverage does not depend on outcomes."""
    cases = [
        Case(f"case {number}", (None, 17), at, (Expectation(viewer(place), Outcome.VISIBLE),), None, HERE)
        for number, (place, at) in enumerate(asked)
    ]
    (found,) = coverage(indexed(case_file(RuleSet([rule]), cases, policy or Policy())))
    return found


def rule(**fields):
    given = {"accounts": [17], "withheld_in": ["IN"], "reason": "terms", **fields}
    return Rule(id="a", place=HERE, **given)


@pytest.mark.parametrize(
    ("fields", "sides"),
    [
        ({}, ["deciding", "a viewer inside", "a viewer outside", "a viewer who may be inside"]),
        ({"withheld_in": ["WORLD"]}, ["deciding", "a viewer inside"]),
        ({"effect": "suspend", "withheld_in": ["WORLD"]}, ["deciding", "a viewer inside"]),
        (
            {"withheld_in": ["WORLD"], "except_in": ["GB"]},
            ["deciding", "a viewer inside", "an excepted viewer", "a viewer who may be inside"],
        ),
        # Nobody is certainly inside, but a viewer of unknown location may be.
        (
            {"withheld_in": ["IN"], "except_in": ["IN"]},
            ["deciding", "a viewer outside", "an excepted viewer", "a viewer who may be inside"],
        ),
        (
            {"withheld_in": ["WORLD"], "from_": START, "until": START + DAY, "stays": [(START - DAY, START)]},
            ["deciding", "a viewer inside", "before it begins", "after it ends"],
        ),
        (
            {"withheld_in": ["WORLD"], "stays": [(None, START)]},
            ["deciding", "a viewer inside", "in the stay until 2021-02-10T00:00:00Z"],
        ),
        # Equal stays count once, and no instant precedes the first one.
        (
            {"withheld_in": ["WORLD"], "stays": [(None, START)] * 2},
            ["deciding", "a viewer inside", "in the stay until 2021-02-10T00:00:00Z"],
        ),
        ({"withheld_in": ["WORLD"], "from_": FIRST}, ["deciding", "a viewer inside"]),
        ({"withheld_in": ["WORLD"], "stays": [(None, FIRST)]}, ["deciding", "a viewer inside"]),
        ({"withheld_in": ["WORLD"], "until": LAST}, ["deciding", "a viewer inside", "after it ends"]),
        # Never in force.
        ({"from_": START, "until": START + DAY, "stays": [(START - DAY, START + DAY)]}, []),
        ({"until": FIRST}, []),
        # Nothing is ever withheld from anybody.
        (
            {"except_in": ["IN"], "if_unknown": "show", "from_": START, "stays": [(START, START + DAY)]},
            ["a viewer outside", "an excepted viewer", "a viewer who may be inside"],
        ),
    ],
)
def test_what_there_is_to_try(fields, sides):
    assert list(covered(rule(**fields)).sides) == sides


def test_each_side_is_tried_by_who_stands_on_it():
    whole = {"from_": START, "until": START + 5 * DAY, "stays": [(START + DAY, START + 2 * DAY)]}
    exact = {
        "deciding": ("IN", START),
        "a viewer outside": ("US", START),
        "an excepted viewer": ("IN-DL", START),
        "before it begins": ("IN-KA", START - timedelta(seconds=1)),
        "after it ends": ("IN-KA", START + 5 * DAY),
        "in the stay from 2021-02-11T00:00:00Z until 2021-02-12T00:00:00Z": ("IN-KA", START + DAY),
    }
    for side, asked in exact.items():
        found = covered(rule(except_in=["IN-DL"], **whole), asked)
        assert found.tried == ({side, "a viewer who may be inside"} if side == "deciding" else {side})
    everything = covered(rule(except_in=["IN-DL"], **whole), ("IN-KA", START), *exact.values())
    assert everything.untried == ()
    assert share([everything]) == (8, 8)


def test_who_would_see_no_difference_tries_no_edge():
    """A viewer elsewhere sees the subject before, during and after the period."""
    assert covered(rule(from_=START), ("US", START - DAY)).tried == frozenset()


def test_the_last_instant_there_is_comes_after_what_ends_there():
    found = covered(rule(withheld_in=["WORLD"], until=LAST), ("IN", START), ("IN", LAST))
    assert found.untried == ()


def test_an_unknown_viewer_makes_a_rule_speak_if_the_policy_withholds():
    assert not covered(rule(), ("unknown", START)).speaks
    assert covered(rule(), ("unknown", START), policy=Policy(unknown_location="withhold")).speaks


def test_a_rule_of_two_rule_sets_is_covered_once_by_the_cases_of_both():
    """For example, one case file names a directory, and another one names a file in it."""
    asked = [
        Case("in", (None, 17), START, (Expectation(viewer("IN"), Outcome.WITHHELD),), None, HERE),
        Case("out", (None, 17), START, (Expectation(viewer("US"), Outcome.VISIBLE),), None, HERE),
    ]
    beside = Rule(id="b", accounts=[1], withheld_in=["IN"], reason="terms", place=Place("rules.yaml", 9, 5))
    both = case_file(RuleSet([rule(), beside]), asked[:1], Policy(), "both")
    alone = case_file(RuleSet([rule()]), asked[1:], Policy(), "alone")
    first, second = coverage(indexed(both, alone))
    assert first.tried == {"deciding", "a viewer inside", "a viewer outside"}
    assert (second.rule.id, list(second.tried), second.cases) == ("b", [], 0)
