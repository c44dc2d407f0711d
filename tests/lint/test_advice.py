"""The advice as a whole: its order, its places, its overrides, and that nothing makes it stumble."""

from __future__ import annotations

import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tests import strategies
from tests.lint.advising import advised, rule
from tests.sources.writing import write
from withhold import Place, RuleSet, Snapshot
from withhold.lint import CHECKS, OF_OVERRIDES, Category, Protected, lint


def test_an_override_of_no_check_is_an_error_that_suggests_one() -> None:
    (problem,) = lint(RuleSet([rule(override={"no-ned": "x"})]))
    assert (problem.code, problem.severity, problem.hint) == ("unknown-override", "error", "did you mean `no-end`?")
    (problem,) = lint(RuleSet([rule(override={"12345": "x"})]))
    assert "`protected-account`" in str(problem.hint)


def test_an_override_that_silences_nothing_is_a_note() -> None:
    assert advised(rule(override={"no-end": "x"})) == ["note rule `a`: unused-override"]
    assert advised(rule(until=None, override={"no-end": "x"})) == []


def test_an_override_of_what_was_not_looked_for_is_not_called_unused() -> None:
    kept = RuleSet([rule(override={"protected-account": "x"})])
    assert lint(kept) == lint(kept, None) == []
    assert advised(*kept) == ["note rule `a`: unused-override"], "with a list that is empty"
    assert [each.code for each in lint(RuleSet([rule(override={"no-end": "x"})]))] == ["unused-override"]


def test_an_override_holds_for_its_rule_alone() -> None:
    other = rule(id="b", accounts=[18], until=None)
    assert advised(rule(until=None, override={"no-end": "x"}), other) == ["note rule `b`: no-end"]


def test_overrides_cannot_be_overridden() -> None:
    """A misspelt code would silence the very problem that tells of it."""
    for code in OF_OVERRIDES:
        assert advised(rule(override={code: "x"})) == ["error rule `a`: unknown-override"]


def test_advice_comes_in_the_order_of_the_places() -> None:
    places = [Place("b.yaml", 2, 3), Place("a.yaml", 10, 3), Place("a.yaml", 9, 3), None]
    rules = [rule(id=f"r{n}", accounts=[n + 1], until=None, place=place) for n, place in enumerate(places)]
    assert [str(problem.place) for problem in lint(RuleSet(rules))] == [
        "a.yaml:9:3",
        "a.yaml:10:3",
        "b.yaml:2:3",
        "rule `r3`",
    ]


def test_advice_stands_at_the_key_that_it_is_about(tmp_path: Path) -> None:
    """Or at the rule, if no key is to blame, or it is not clear which of several."""
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

    def told(rules: RuleSet) -> list[str]:
        return [f"{str(each.place).removeprefix(str(tmp_path))[1:]} {each.code}" for each in lint(rules, listed)]

    assert told(rules) == [
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
    Snapshot.compile(rules).save(tmp_path / "rules.wh")
    again = told(Snapshot.open(tmp_path / "rules.wh").rules)
    assert {place.partition(" ")[0] for place in again} == {
        "a.yaml:2:5",
        "a.yaml:13:5",
        "a.yaml:14:5",
        "b.json:1:12",
    }, "a file has the places of rules alone"


def test_every_check_speaks_for_itself() -> None:
    for check in CHECKS:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", check.code)
        assert check.find.__module__ == f"withhold.lint.{check.code.replace('-', '_')}", "its file has its name"
        assert check.says.endswith(".")
        assert check.why.endswith(".")
    assert len({check.code for check in CHECKS}) == len(CHECKS)


@given(strategies.rule_sets(), st.lists(st.builds(Protected, strategies.accounts, st.sampled_from(Category))))
def test_whatever_the_rules_there_is_advice_and_no_error(rules: RuleSet, protected: list[Protected]) -> None:
    told = lint(rules, protected)
    assert told == lint(rules, protected), "and it is the same again"
    for problem in told:
        assert problem.severity in ("error", "warning", "note")
        assert problem.hint
        for text in (problem.message, problem.hint):
            assert text[0] == "`" or text[0].islower()
            assert not text.endswith((".", " "))
            assert len(text.splitlines()) == 1
            assert len(text) < 400
    codes = {check.code for check in CHECKS}
    silenced = {(rule.id, code) for rule in rules for code, _ in rule.override if code in codes}
    assert not silenced & {(str(problem.place)[6:-1], problem.code) for problem in told}
