"""Mutants with one more territory: which one represents the rest, and when a change counts as equivalent."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import chain, product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from typer.testing import CliRunner

from tests import strategies as house
from tests.testing.material import RULES, case_file, indexed
from tests.testing.test_mutation import answer, files, with_instead
from withhold import Outcome, Place, Policy, Rule, RuleSet, Viewer
from withhold.cli.app import app
from withhold.territories import containing, countries, subdivisions
from withhold.testing import viewer
from withhold.testing.cases import Case, Expectation
from withhold.testing.mutation import mutate
from withhold.testing.widening import by_frequency, widenings

AT = datetime(2021, 2, 10, tzinfo=UTC)
USUAL = by_frequency([])


def rule(id_="a", line=2, **fields):
    whole = {"id": id_, "accounts": [1], "withheld_in": ["IN"], "reason": "terms", "place": Place("r.yaml", line, 5)}
    return Rule(**{**whole, **fields})


def case(account=1, at=AT, **expected):
    expect = tuple(Expectation(viewer(place.replace("_", "-")), Outcome(what)) for place, what in expected.items())
    return Case(f"{account} {at} {expected}", (None, account), at, expect, None, Place("c.yaml", 1, 1))


def mutation(rules, *cases):
    return mutate(indexed(case_file(RuleSet(rules), cases, Policy())))


def of_widening(mutants):
    return [mutant.change for mutant in mutants if re.fullmatch(r"with [\w-]+ in `\w+_in`", mutant.change)]


def test_e2_a_rule_is_not_tested_by_cases_for_its_own_country_and_unknown_viewers_alone(tmp_path, monkeypatch):
    """The missing case is suggested, and with it every change is noticed."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rules.yaml").write_text(RULES.replace("    from: 2021-02-10T00:00:00Z\n", ""), encoding="utf-8")
    cases = "rules: rules.yaml\ncases:\n  - {it: one, account: 17, at: 2021-02-10T00:00:00Z, expect: {IN: withheld, unknown: visible}}\n"
    cases += "  - {it: two, account: 17, at: 2022-02-10T00:00:00Z, expect: {IN: withheld}}\n"
    (tmp_path / "all.cases.yaml").write_text(cases, encoding="utf-8")
    run = ["test", "all.cases.yaml", "--mutation-threshold", "100", "--format", "json"]
    found = CliRunner().invoke(app, run)
    mutated = json.loads(found.stdout)["mutation"]
    assert (found.exit_code, mutated["noticed"], mutated["changes"]) == (1, 7, 8)
    (suggestion,) = mutated["suggestions"]
    assert suggestion["case"]["expect"] == {"IN": "withheld", "elsewhere": "visible"}
    (noticed,) = suggestion["notices"]
    where = noticed["change"].split()[1]
    assert (where in countries(), where != "IN") == (True, True)
    assert noticed == {"rule_id": "in-1", "change": f"with {where} in `withheld_in`"}
    (tmp_path / "all.cases.yaml").write_text(f"{cases}  - {json.dumps(suggestion['case'])}\n", encoding="utf-8")
    assert CliRunner().invoke(app, run).exit_code == 0
    for wide in (where, "world"):
        widened = Path("rules.yaml").read_text(encoding="utf-8").replace("IN", f"[IN, {wide}]")
        Path("wide.yaml").write_text(widened, encoding="utf-8")
        Path("wide.cases.yaml").write_text(
            f"rules: wide.yaml\ncases:\n  - {json.dumps(suggestion['case'])}\n", encoding="utf-8"
        )
        assert CliRunner().invoke(app, ["test", "wide.cases.yaml"]).exit_code == 1, "widening the rule fails a case"


@pytest.mark.parametrize(
    ("fields", "asked", "changes"),
    [
        ({}, (), ["with AD in `withheld_in`"]),
        ({"withheld_in": ["AD"]}, (), ["with AE in `withheld_in`"]),
        ({}, ("IN",), ["with AD in `withheld_in`"]),
        ({}, ("US", "IN", "PK"), ["with PK in `withheld_in`"]),
        ({}, ("US-MS",), ["with US in `withheld_in`"]),
        ({"withheld_in": ["US-MS"]}, (), ["with AD in `withheld_in`", "with US-AK in `withheld_in`"]),
        ({"withheld_in": ["US-MS"]}, ("US-TX", "US"), ["with AD in `withheld_in`", "with US-TX in `withheld_in`"]),
        ({"withheld_in": ["US-AK"]}, ("US-AK",), ["with AD in `withheld_in`", "with US-AL in `withheld_in`"]),
        ({"withheld_in": ["US", "US-MS"]}, (), ["with AD in `withheld_in`"]),
        # A territory around one that the rule names would not be an additional one.
        ({"withheld_in": ["IT-RM"]}, ("IT-62",), ["with AD in `withheld_in`", "with IT-21 in `withheld_in`"]),
        ({"except_in": ["IN-DL"]}, ("IN-DL",), ["with AD in `withheld_in`", "with IN-AN in `except_in`"]),
        ({"except_in": ["AD"]}, (), ["with AE in `withheld_in`"]),
        ({"withheld_in": ["WORLD"]}, ("US",), []),
        ({"withheld_in": ["WORLD", "IN"]}, ("US",), []),
        ({"withheld_in": ["WORLD"], "except_in": ["GB"]}, (), ["with AD in `except_in`"]),
        ({"withheld_in": ["WORLD"], "except_in": ["GB"]}, ("GB", "FR"), ["with FR in `except_in`"]),
        (
            {"withheld_in": ["WORLD"], "except_in": ["US-MS"]},
            (),
            ["with AD in `except_in`", "with US-AK in `except_in`"],
        ),
        ({"withheld_in": ["WORLD"], "except_in": ["WORLD"]}, (), []),
        ({"withheld_in": list(countries())}, ("US",), []),
        ({"withheld_in": [*subdivisions("US")]}, (), ["with AD in `withheld_in`"]),
        ({"effect": "suspend", "withheld_in": ["WORLD"]}, ("US",), []),
    ],
)
def test_e2_one_territory_stands_for_each_part_of_the_world(fields, asked, changes):
    found = widenings(rule(**fields), [viewer(place).location_key for place in asked], lambda: (), USUAL)
    assert [next(chain(widening.asked, widening.further())).change for widening in found] == changes


def test_e2_countries_that_other_rules_name_are_tried_first():
    rules = [
        rule("a"),
        rule("b", 9, accounts=[2], withheld_in=["TR"]),
        rule("c", 16, accounts=[3], withheld_in=["TR-34"]),
    ]
    assert by_frequency(rules)[:3] == ["TR", "IN", "AD"]
    survivors = of_widening(mutation(rules, case(1, IN="withheld"), case(2, TR="withheld")).survivors)
    assert survivors == ["with TR in `withheld_in`", "with IN in `withheld_in`"]


def test_e2_any_country_that_a_case_looks_from_will_do_but_only_while_the_rule_is_in_force():
    rules = [rule(from_=AT)]
    before, after = AT - timedelta(seconds=1), AT
    assert of_widening(mutation(rules, case(at=after, IN="withheld", NO="visible")).survivors) == []
    assert of_widening(mutation(rules, case(at=after, IN="withheld", US_MS="visible")).survivors) == []
    assert of_widening(mutation(rules, case(at=before, NO="visible"), case(IN="withheld")).survivors) == [
        "with NO in `withheld_in`"
    ]
    both = [case(at=before, NO="visible"), case(at=after, IN="withheld", US="visible")]
    assert of_widening(mutation(rules, *both).survivors) == [], "not the first place of a viewer, but one that notices"


def test_e2_a_country_in_which_another_rule_does_as_much_does_not_stand_for_the_rest():
    a = rule(accounts=[1, 2])
    over = [
        rule("b", 9, accounts=[1, 2], withheld_in=["PK", "US-MS"]),
        rule("c", 16, accounts=[1, 2], withheld_in=["PK"]),
    ]
    assert (
        of_widening(mutation([a, *over], case(IN="withheld", PK="withheld")).survivors)[0] == "with US in `withheld_in`"
    )
    all_but = rule("b", 9, accounts=[1, 2], withheld_in=["WORLD"], except_in=["IN", "TR"])
    survivors = of_widening(mutation([a, all_but], case(IN="withheld", US="withheld")).survivors)
    assert survivors == ["with TR in `withheld_in`"]
    everywhere = rule("b", 9, accounts=[1, 2], withheld_in=["WORLD"])
    found = mutation([a, everywhere], case(IN="withheld", US="withheld"))
    assert of_widening(found.survivors) == []
    assert of_widening(found.equivalent) == ["with US in `withheld_in`"]


def test_e2_a_place_that_others_tell_apart_is_found_though_no_rule_names_it():
    """The other rule leaves only the region around Rome, and no rule names a place in it other than Rome."""
    rome = rule(accounts=[1, 2], withheld_in=["IT-RM"])
    but_lazio = rule("b", 9, accounts=[1, 2], withheld_in=["IT"], except_in=["IT-62"])
    survivors = of_widening(mutation([rome, but_lazio], case(IT_RM="withheld", US="visible")).survivors)
    assert "with IT-FR in `withheld_in`" in survivors


@given(files)
@settings(max_examples=12)
def test_e2_if_one_territory_more_changes_nothing_then_none_does(file):
    instants = {at + shift for at in house.HOURS for shift in (-timedelta(seconds=1), timedelta())}
    subjects = [(None, account) for account in house.ACCOUNTS] + [(tweet, None) for tweet in house.TWEETS]
    found = mutate(indexed(file))
    for mutant in found.equivalent:
        if mutant.change not in of_widening([mutant]):
            continue
        key = "withheld_in" if "`withheld_in`" in mutant.change else "except_in"
        code = mutant.change.split()[1]
        taken = {*mutant.rule.except_in, *(mutant.rule.withheld_in if key == "withheld_in" else ())} - {"WORLD"}
        others = subdivisions(code[:2]) if "-" in code else filter(countries().__contains__, (*house.TERRITORIES, "BR"))
        for other in others:
            if any(other in containing(inner) or inner in containing(other) for inner in taken):
                continue
            fields: dict[str, Any] = {key: (*getattr(mutant.rule, key), other)}
            changed = with_instead(file.rules, mutant._replace(mutated=replace(mutant.rule, **fields)))
            who = Viewer(country=other[:2], subdivisions=(other,) if "-" in other else ())
            for subject, at in product(subjects, instants):
                before, after = (answer(rules, file.policy, subject, who, at) for rules in (file.rules, changed))
                assert before is after, (mutant, other)
