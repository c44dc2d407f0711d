"""`lint` as a whole: its order, places and overrides; any rule set gets advice, never an exception."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tests import strategies
from tests.lint import check_table
from tests.lint.advising import advised, problems_with, rule
from tests.sources.writing import write
from withhold import Place, RuleSet, Snapshot
from withhold.lint import CHECKS, OVERRIDE_CODES, Category, Protected, lint

#: The codes that the tests of overrides are about.
CODES = ("no-end", "protected-account", *OVERRIDE_CODES)


def test_overriding_an_unknown_check_is_an_error_that_suggests_a_check() -> None:
    (problem,) = problems_with("unknown-override", [rule(override={"no-ned": "x"})])
    assert (problem.severity, problem.hint) == ("error", "did you mean `no-end`?")
    (problem,) = problems_with("unknown-override", [rule(override={"12345": "x"})])
    assert "`protected-account`" in str(problem.hint)


def test_an_override_that_silences_nothing_is_a_note() -> None:
    assert advised(CODES, rule(override={"no-end": "x"})) == ["note rule `a`: unused-override"]
    assert advised(CODES, rule(until=None, override={"no-end": "x"})) == []


def test_without_a_list_of_protected_accounts_no_override_of_that_check_is_unused() -> None:
    kept = rule(override={"protected-account": "x"})
    assert lint(RuleSet([kept])) == lint(RuleSet([kept]), None)
    assert problems_with(CODES, [kept], None) == []
    assert advised(CODES, kept) == ["note rule `a`: unused-override"], "the list is empty"
    (problem,) = problems_with(CODES, [rule(override={"no-end": "x"})], None)
    assert problem.code == "unused-override"


def test_an_override_applies_to_its_own_rule_only() -> None:
    other = rule(id="b", accounts=[18], until=None)
    assert advised(CODES, rule(until=None, override={"no-end": "x"}), other) == ["note rule `b`: no-end"]


def test_overrides_cannot_be_overridden() -> None:
    """Otherwise a misspelt code could silence the problem that reports it."""
    for code in OVERRIDE_CODES:
        assert advised(CODES, rule(override={code: "x"})) == ["error rule `a`: unknown-override"]


def test_advice_is_sorted_by_place() -> None:
    places = [Place("b.yaml", 2, 3), Place("a.yaml", 10, 3), Place("a.yaml", 9, 3), None]
    rules = [rule(id=f"r{n}", accounts=[n + 1], until=None, place=place) for n, place in enumerate(places)]
    assert [str(problem.place) for problem in problems_with("no-end", rules)] == [
        "a.yaml:9:3",
        "a.yaml:10:3",
        "b.yaml:2:3",
        "rule `r3`",
    ]


def test_advice_is_reported_at_the_key_that_it_concerns(tmp_path: Path) -> None:
    """Or at the rule, if it concerns no key, or if the rule has several of the keys."""
    write(
        tmp_path,
        {
            "a.yaml": """\
rules:
  - demand: IN-D1
    reason: legal_demand
    id: keys
    withheld_in: [IN, US-MS]
    except_in: IN-DL
    override: {no-ned: x}
    tweets: [1377410409369399296]
    from: 2021-02-10T05:00:00Z
    stays: {until: 2021-02-10T05:00:00Z}
    accounts:
      - 17
  - {id: on-one-line, ids_file: ids.csv, withheld_in: TR-34, from: 2021-02-10T05:00:00Z, demand: TR-1, reason: local_law}
  - id: either
    ids_file: ids.csv
    accounts: 18
    withheld_in: WORLD
    except_in: WORLD
    reason: terms
""",
            "b.json": '{"rules": [{"id": "json", "accounts": [17], "tweets": [5],\n"withheld_in": "IN", "reason": "terms"}]}',
            "ids.csv": "kind,id\naccount,17\n",
        },
    )
    rules = RuleSet.load(tmp_path)
    listed = [Protected(17, Category.JOURNALIST)]

    def places_and_codes(rules: RuleSet, codes: Iterable[str]) -> list[str]:
        found = problems_with(codes, rules, listed)
        return [f"{str(each.place).removeprefix(str(tmp_path))[1:]} {each.code}" for each in found]

    expected = [
        "a.yaml:2:5 no-end",
        "a.yaml:5:5 beyond-its-country",
        "a.yaml:5:5 unsettled-subdivision",
        "a.yaml:7:5 unknown-override",
        "a.yaml:9:5 id-not-yet-made",
        "a.yaml:10:5 stay-without-effect",
        "a.yaml:11:5 protected-account",
        "a.yaml:13:5 no-end",
        "a.yaml:13:23 protected-account",
        "a.yaml:13:42 unsettled-subdivision",
        "a.yaml:14:5 no-beginning",
        "a.yaml:14:5 no-end",
        "a.yaml:14:5 protected-account",
        "a.yaml:18:5 withholds-nowhere",
        "b.json:1:12 no-beginning",
        "b.json:1:12 no-end",
        "b.json:1:27 protected-account",
    ]
    codes = {line.partition(" ")[2] for line in expected}
    assert places_and_codes(rules, codes) == expected
    Snapshot.compile(rules).save(tmp_path / "rules.wh")
    again = places_and_codes(Snapshot.open(tmp_path / "rules.wh").rules, codes)
    assert {place.partition(" ")[0] for place in again} == {
        "a.yaml:2:5",
        "a.yaml:13:5",
        "a.yaml:14:5",
        "b.json:1:12",
    }, "a snapshot stores the places of rules only"


def test_every_check_has_a_code_a_file_and_an_explanation() -> None:
    for check in CHECKS:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", check.code)
        assert check.find.__module__ == f"withhold.lint.{check.code.replace('-', '_')}", (
            "the file is named after the code"
        )
        assert check.summary.endswith(".")
        assert check.rationale.endswith(".")
    assert len({check.code for check in CHECKS}) == len(CHECKS)


def test_the_readme_has_a_row_for_every_check() -> None:
    assert check_table.rows_in_readme() == check_table.rows(), "run `python -m tests.lint.check_table`"


@given(strategies.rule_sets(), st.lists(st.builds(Protected, strategies.accounts, st.sampled_from(Category))))
def test_any_rule_set_gets_well_formed_advice(rules: RuleSet, protected: list[Protected]) -> None:
    problems = lint(rules, protected)
    assert problems == lint(rules, protected), "a second time, the advice is the same"
    for problem in problems:
        assert problem.severity in ("error", "warning", "note")
        assert problem.hint
        for text in (problem.message, problem.hint):
            assert text[0] == "`" or text[0].islower()
            assert not text.endswith((".", " "))
            assert len(text.splitlines()) == 1
            assert len(text) < 400
    codes = {check.code for check in CHECKS}
    silenced = {(rule.id, code) for rule in rules for code, _ in rule.override if code in codes}
    assert not silenced & {(str(problem.place)[6:-1], problem.code) for problem in problems}
