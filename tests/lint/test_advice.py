"""The advice as a whole: its order, its places, its overrides, and that nothing makes it stumble."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from tests import strategies
from tests.lint.advising import advised, rule
from withhold import Place, RuleSet
from withhold.lint import CHECKS, OF_OVERRIDES, Category, Protected, lint


def test_an_override_of_no_check_is_an_error_that_suggests_one() -> None:
    (problem,) = lint(RuleSet([rule(override={"no-ned": "x"})]))
    assert (problem.code, problem.severity, problem.hint) == ("unknown-override", "error", "did you mean `no-end`?")
    (problem,) = lint(RuleSet([rule(override={"12345": "x"})]))
    assert "`protected-account`" in str(problem.hint)


def test_an_override_that_silences_nothing_is_a_note() -> None:
    assert advised(rule(override={"no-end": "x"})) == ["note rule `a`: unused-override"]
    assert advised(rule(until=None, override={"no-end": "x"})) == []


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


def test_every_check_speaks_for_itself() -> None:
    for check in CHECKS:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", check.code)
        assert re.fullmatch(r"[a-z]+(_[a-z]+){2,}", check.name), "a sentence"
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
