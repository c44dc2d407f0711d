"""The exceptions: one module, one tree, and each can be pickled."""

from __future__ import annotations

import copy
import inspect
import pickle
import re

import pytest

import withhold
from withhold import errors
from withhold.errors import CaseError, Place, Problem, RuleError, RuleSetError, RuleSetWarning, WithholdError, in_order

PROBLEM = Problem("unknown-territory", "unknown country `DR`", Place("rules/in.yaml", 7, 18), "did you mean `DE`?")
CLASSES = {
    name: found
    for name, found in vars(errors).items()
    if inspect.isclass(found)
    and issubclass(found, BaseException)
    and found.__module__ == errors.__name__
    and not name.startswith("_")
}


def one_of(kind: type[BaseException]) -> BaseException:
    if kind is RuleError:
        return RuleError((PROBLEM, "withheld_in"))
    if kind is RuleSetError:
        return RuleSetError([PROBLEM, Problem("bad-id", "id `x` is not a number")], 3, 2)
    if kind is CaseError:
        return CaseError(PROBLEM)
    if issubclass(kind, WithholdError):
        return kind(PROBLEM)
    return kind("`UK` was read as `GB`")


def test_the_tree_in_the_docstring_is_the_tree_of_the_classes() -> None:
    """It has the name and the built-in base class of every exception."""
    drawn = dict(re.findall(r"[├└]── (\w+) +\((\w+)\)", str(errors.__doc__)))
    drawn |= dict(re.findall(r"^    (\w+) +\((\w+)\)", str(errors.__doc__), re.MULTILINE))
    assert set(drawn) | {"WithholdError"} == set(CLASSES)
    for name, base in drawn.items():
        wanted = {base} if name.endswith("Warning") or base in CLASSES else {base, "WithholdError"}
        assert _bases(CLASSES[name]) == wanted


def _bases(kind: type) -> set[str]:
    """Return the names of the base classes. A private one is replaced by its own."""
    found = set[str]()
    for base in kind.__bases__:
        found |= _bases(base) if base.__name__.startswith("_") else {base.__name__}
    return found


def test_every_exception_is_public() -> None:
    assert set(CLASSES) <= set(withhold.__all__)


@pytest.mark.parametrize("kind", CLASSES.values())
def test_an_error_can_be_copied_and_pickled(kind: type[BaseException]) -> None:
    made = one_of(kind)
    made.add_note("of worker 3")
    for again in (pickle.loads(pickle.dumps(made)), copy.copy(made), copy.deepcopy(made)):  # noqa: S301
        assert type(again) is kind
        assert str(again) == str(made)
        assert again.args == made.args
        assert vars(again) == vars(made)


@pytest.mark.parametrize("kind", [kind for kind in CLASSES.values() if issubclass(kind, WithholdError)])
def test_every_error_has_the_code_and_the_hint_of_its_problem(kind: type[BaseException]) -> None:
    made = one_of(kind)
    assert isinstance(made, WithholdError)
    assert made.problem == PROBLEM
    assert (made.code, made.hint) == ("unknown-territory", "did you mean `DE`?")
    assert issubclass(kind, ValueError | TypeError) or kind is WithholdError


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (PROBLEM, "rules/in.yaml:7:18: unknown country `DR` [unknown-territory]; did you mean `DE`?"),
        (Problem("bad-id", "no"), "no [bad-id]"),
        (Problem("bad-id", "no", "rule `a`", severity="warning"), "rule `a`: warning: no [bad-id]"),
        (Problem("bad-id", "no", Place("a.yaml")), "a.yaml:1:1: no [bad-id]"),
    ],
)
def test_how_a_problem_prints(problem: Problem, text: str) -> None:
    assert str(problem) == text
    assert str(WithholdError(problem)) == text
    assert str(RuleError((problem, "id"))) == text


def test_how_a_rule_set_error_prints() -> None:
    assert str(RuleSetError([PROBLEM])) == f"the rule set has 1 problem:\n  {PROBLEM}"
    assert str(RuleSetError([PROBLEM, PROBLEM])) == f"the rule set has 2 problems:\n  {PROBLEM}\n  {PROBLEM}"


def test_places_are_sorted_by_line_and_column() -> None:
    """Line 10 comes after line 9."""
    places = [Place("b", 1, 1), Place("a", 10, 1), Place("a", 9, 20), Place("a", 9, 3)]
    assert sorted(places) == places[::-1]


def test_problems_are_sorted_by_place_without_duplicates() -> None:
    """Problems outside files come after those in files, and the number of further problems comes last."""
    first, second, third = (Problem("bad-id", "no", Place("a", line)) for line in (1, 2, 10))
    elsewhere, nowhere, more = (
        Problem("bad-id", "no", "rule `a`"),
        Problem("bad-id", "no"),
        Problem("more-problems", "3 more", Place("a")),
    )
    found = [more, elsewhere, nowhere, third, first, second, first]
    assert in_order(found) == [first, second, third, nowhere, elsewhere, more]
    same_place = [Problem(code, "no", Place("a", 1)) for code in ("bad-json", "bad-id")]
    assert in_order(same_place) == same_place[::-1]


def test_the_warning_is_not_a_withhold_error() -> None:
    """`except WithholdError` must not swallow it under `-W error`."""
    assert not issubclass(RuleSetWarning, WithholdError)
    assert issubclass(RuleSetWarning, UserWarning)
