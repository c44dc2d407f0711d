"""Mutants with less territory or time: what cases for one place or instant miss, and which one represents the rest."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain, product
from typing import Any

import pytest
from hypothesis import given, settings

from tests import strategies as house
from tests.testing.material import indexed
from tests.testing.test_mutation import answer, files, with_instead
from tests.testing.test_widening import AT, USUAL, case, mutation, rule
from withhold import Policy, Viewer
from withhold.testing import viewer
from withhold.testing.closing import closings
from withhold.testing.mutation import mutate
from withhold.testing.narrowing import Vantage, narrowings, parts_of

LATER, BEFORE = AT.replace(year=2022), AT.replace(year=2020)


def survivors(rules, *cases):
    return {mutant.change for mutant in mutation(rules, *cases).survivors}


@pytest.mark.parametrize(
    ("fields", "places", "unnoticed", "enough"),
    [
        (
            {"withheld_in": ["WORLD"]},
            {"US": "withheld", "unknown": "withheld"},
            "with US for WORLD in `withheld_in` and `if_unknown: withhold`",
            {"FR": "withheld"},
        ),
        ({"withheld_in": ["WORLD"]}, {"unknown": "withheld"}, "with AD in `except_in`", {"US": "withheld"}),
        (
            {"withheld_in": ["US"]},
            {"US_MS": "withheld", "IN": "visible", "unknown": "visible"},
            "with US-MS for US in `withheld_in`",
            {"US": "withheld"},
        ),
        (
            {"withheld_in": ["US"]},
            {"US_MS": "withheld", "IN": "visible", "unknown": "visible"},
            "with US-MS for US in `withheld_in`",
            {"US_CA": "withheld"},
        ),
        (
            {"withheld_in": ["IN", "GB"]},
            {"IN": "withheld", "GB_ENG": "withheld", "US": "visible", "unknown": "visible"},
            "with GB-ENG for GB in `withheld_in`",
            {"GB_SCT": "withheld"},
        ),
        (
            {"withheld_in": ["GB-ENG"]},
            {"GB_WBK": "withheld", "GB_SCT": "visible", "IN": "visible", "unknown": "visible"},
            "with GB-WBK for GB-ENG in `withheld_in`",
            {"GB_ENG": "withheld"},
        ),
        (
            {"withheld_in": ["WORLD"], "except_in": ["GB"]},
            {"US": "withheld", "GB_ENG": "visible", "unknown": "withheld"},
            "with US for WORLD in `withheld_in`",
            {"FR": "withheld"},
        ),
        (
            {"withheld_in": ["WORLD"], "except_in": ["GB"]},
            {"US": "withheld", "GB_ENG": "visible", "unknown": "withheld"},
            "with GB-ENG for GB in `except_in`",
            {"GB": "visible"},
        ),
        (
            {"withheld_in": ["IN"], "if_unknown": "withhold"},
            {"IN": "withheld", "US": "visible", "unknown": "withheld"},
            "with IN-AN in `except_in`",
            {"IN_DL": "withheld", "IN_AN": "withheld"},
        ),
    ],
)
def test_e2_a_part_in_place_of_the_whole_goes_unnoticed_by_cases_for_that_part_alone(fields, places, unnoticed, enough):
    """Viewers of unknown location see no difference, whatever the rule leaves to the policy."""
    assert unnoticed in survivors([rule(**fields)], case(**places))
    assert unnoticed not in survivors([rule(**fields)], case(**{**places, **enough}))


@pytest.mark.parametrize(
    ("fields", "asked", "changes"),
    [
        ({}, (), ["with IN-AN in `except_in` and `if_unknown: show`", "with IN-AN for IN in `withheld_in`"]),
        ({"if_unknown": "withhold"}, (), ["with IN-AN in `except_in`", "with IN-AN for IN in `withheld_in`"]),
        (
            {"if_unknown": "show", "withheld_in": ["WORLD"]},
            (),
            [
                "with AD in `except_in` and `if_unknown: withhold`",
                "with AD for WORLD in `withheld_in` and `if_unknown: withhold`",
            ],
        ),
        # A place without parts has neither mutant.
        ({"withheld_in": ["US-MS"]}, ("US-MS",), []),
        ({"withheld_in": ["GI"]}, ("GI",), []),
        # Each territory with a viewer in a part of it has its own mutant. Without any, the first territory has one.
        (
            {"withheld_in": ["FR", "IN", "US"], "if_unknown": "show"},
            ("US-MS", "IN-DL", "FR"),
            [
                "with IN-DL in `except_in`",
                "with US-MS in `except_in`",
                "with IN-DL for IN in `withheld_in`",
                "with US-MS for US in `withheld_in`",
            ],
        ),
        (
            {"withheld_in": ["FR", "IN"], "if_unknown": "show"},
            ("IN",),
            ["with IN-AN in `except_in`", "with IN-AN for IN in `withheld_in`"],
        ),
        ({"except_in": ["IN-DL"]}, ("IN-DL", "IN-KA"), ["with IN-KA for IN in `withheld_in`"]),
        ({"withheld_in": ["WORLD", "IN"], "except_in": ["IN"]}, ("IN-DL",), None),
        ({"withheld_in": ["WORLD"], "except_in": ["WORLD"]}, ("IN",), []),
        ({"effect": "suspend", "withheld_in": ["WORLD"]}, ("IN",), []),
    ],
)
def test_e2_one_part_stands_for_each_territory(fields, asked, changes):
    vantage = Vantage([viewer(place).location_key for place in asked], lambda: (), USUAL)
    found = [next(chain(each.asked, each.further())).change for each in narrowings(rule(**fields), vantage, Policy())]
    if changes is None:
        changes = ["with AD for WORLD in `withheld_in`", "with IN-DL for IN in `except_in`"]
    assert found == changes


@given(files)
@settings(max_examples=12)
def test_e2_if_one_part_for_the_whole_changes_nothing_then_none_does(file):
    subjects = [(None, account) for account in house.ACCOUNTS] + [(tweet, None) for tweet in house.TWEETS]
    viewers = [Viewer(country=country, subdivisions=inside) for country, inside in house.PLACES]
    for mutant in mutate(indexed(file)).equivalent:
        if " for " not in mutant.change or mutant.mutated is None:
            continue
        _, part, _, whole, _, key, *_ = mutant.change.replace("`", "").split()
        parts = ("IN", "US", "IT", "BR") if whole == "WORLD" else [*parts_of(whole)[:2], part]
        for other in parts:
            if whole == "WORLD" and other in mutant.rule.except_in:
                continue
            codes = [other if code == part else code for code in getattr(mutant.mutated, key)]
            fields: dict[str, Any] = {key: codes}
            changed = with_instead(file.rules, mutant._replace(mutated=replace(mutant.mutated, **fields)))
            for subject, who, at in product(subjects, viewers, house.HOURS):
                before, after = (answer(rules, file.policy, subject, who, at) for rules in (file.rules, changed))
                assert before is after, (mutant, other)


def test_e3_open_time_that_ends_goes_unnoticed_by_cases_of_less_than_a_year():
    places = {"US": "withheld", "IN": "visible", "unknown": "visible"}
    us = rule(withheld_in=["US"])
    until, from_ = "with `until: 2022-02-10T00:00:00Z`", "with `from: 2020-02-10T00:00:01Z`"
    assert survivors([us], case(**places)) == {until, from_}
    months_later = case(at=AT.replace(month=12), US="withheld")
    assert survivors([us], case(**places), months_later) == {until, "with `from: 2020-12-10T00:00:01Z`"}
    for enough in (LATER, BEFORE):
        assert survivors([us], case(**places), case(at=enough, US="withheld")) == set(), (
            "two cases a year apart notice both"
        )
    assert survivors([us], case(**places), case(at=LATER, IN="visible")) == {until, from_}, (
        "in it the rule affects nobody"
    )


def test_e3_every_bound_that_is_open_is_closed_where_that_makes_a_rule():
    def changes(*asked, **fields):
        return [mutant.change for mutant in closings(rule(**fields), asked)]

    assert changes() == ["with `until: 2022-01-01T00:00:00Z`", "with `from: 2020-01-01T00:00:01Z`"]
    assert changes(from_=AT) == ["with `until: 2022-02-10T00:00:00Z`"]
    assert changes(until=AT) == ["with `from: 2020-02-10T00:00:00Z`"]
    assert changes(from_=BEFORE, until=AT) == []
    assert changes(LATER, AT, from_=BEFORE) == ["with `until: 2022-02-10T00:00:00Z`"]
    assert changes(BEFORE, from_=AT) == ["with `until: 2022-02-10T00:00:00Z`"], "the rule is not in force in that case"
    assert changes(AT, from_=BEFORE, until=LATER, stays=[(AT, None)]) == [
        "with the end 2022-02-10T00:00:00Z of the stay from 2021-02-10T00:00:00Z"
    ]
    assert changes(from_=BEFORE, until=LATER, stays=[(None, AT)]) == [
        "with the start 2020-02-10T00:00:00Z of the stay until 2021-02-10T00:00:00Z"
    ]
    assert changes(effect="suspend", withheld_in=["WORLD"], until=AT) == ["with `from: 2020-02-10T00:00:00Z`"]
    leap = datetime(2024, 2, 29, tzinfo=UTC)
    assert changes(from_=leap) == ["with `until: 2025-02-28T00:00:00Z`"]
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    assert changes(from_=last) == [], "there is no year after it"
    assert changes(first, until=LATER) == []
