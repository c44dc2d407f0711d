"""Long input: loading, compiling, linting and comparing take time in proportion to its length.

The tests count steps of the interpreter, because times are unreliable on a busy machine.
"""

from __future__ import annotations

import sys
import tracemalloc
import warnings
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from withhold import Engine, Policy, Rule, RuleSet, RuleSetError, Snapshot, Viewer
from withhold.lint import lint
from withhold.reports.difference import differences
from withhold.territories import countries, subdivisions

# From Python 3.12 on, the first call of a function has other steps than later ones.
pytestmark = pytest.mark.skipif(sys.version_info >= (3, 12), reason="steps are counted with Python 3.11 only")

HEAD = "rules:\n- id: a\n  accounts: 1\n  reason: terms\n  withheld_in: IN\n"
START = datetime(2021, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
CODES = ", ".join(f'"{code}"' for code in countries())


def steps(function: Callable[[], object]) -> int:
    """Return the number of steps of the interpreter in this library during a call."""
    count = 0

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal count
        if "withhold" not in frame.f_code.co_filename:
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function()
    finally:
        sys.settrace(before)
    return count


def is_in_proportion(prepare: Callable[[int], Callable[[], object]], few: int = 60) -> None:
    prepare(few)()  # fills caches
    small, large = steps(prepare(few)), steps(prepare(4 * few))
    assert large < 6 * small, f"{small:,} steps for {few}, {large:,} for {4 * few}"


def lines(text: str, number: int) -> str:
    return "".join(text.format(at) for at in range(number))


@pytest.mark.parametrize(
    "content",
    [
        lambda n: HEAD + lines("  key{}x: 1\n", n),
        lambda n: lines("key{}x: 1\n", n) + "rules: []\n",
        lambda n: HEAD + "  stays:\n  - until: 2021-01-01T00:00:00Z\n" + lines("    key{}x: 1\n", n),
        lambda n: HEAD + "  stays:\n" + lines("  - {{from: x{}}}\n", n),
        lambda n: HEAD + "  accounts: 1\n" * n,
        lambda n: "rules: []\n" * n,
        lambda n: HEAD + "  override:\n" + lines("    code{}: ''\n", n),
        lambda n: HEAD + "  override:\n" + lines("    code{}: x\n", n),
        lambda n: HEAD + "  except_in: [" + "EU, " * n + "]\n",
        lambda n: HEAD + "  except_in: [" + "UK, " * n + "]\n",
        lambda n: f"groups: {{all: [{CODES}]}}\n{HEAD}  except_in: [" + "all, " * n + "]\n",
        lambda n: "groups:\n" + lines("  g{}: [AE]\n", n) + HEAD,
        lambda n: "groups:\n" + "  g: [AE]\n" * n + HEAD,
        lambda n: "groups:\n" + lines("  g{}: [g0, UA-43, AE]\n", n).replace("[g0, ", "[", 1) + HEAD,
        lambda n: "groups:\n  g0: [AE]\n" + "".join(f"  g{at + 1}: [g{at}, IR]\n" for at in range(n)) + HEAD,
        lambda n: "groups:\n" + "".join(f"  g{at}: [g{at + 1}]\n" for at in range(n)) + f"  g{n}: [AE]\n" + HEAD,
        lambda n: "groups:\n" + "".join(f"  g{at}: [g{(at + 1) % n}]\n" for at in range(n)) + HEAD,
        lambda n: "groups:\n" + lines("  g{0}: [g{0}]\n", n) + HEAD,
        lambda n: "groups:\n  g: [" + "AE, " * n + "]\n" + HEAD,
        lambda n: HEAD + "  tweets: [" + lines("x{}, ", n) + "]\n",
        lambda n: HEAD + lines("- {{id: a, accounts: {}1, reason: terms, withheld_in: IN}}\n", n),
        lambda n: HEAD + lines("- {{id: r{0}, accounts: 1, reason: r{0}, withheld_in: IN}}\n", n),
        lambda n: HEAD + lines("- {{id: r{0}, accounts: 1, reason: terms, withheld_in: IN, key{0}: 1}}\n", n),
    ],
)
def test_c9_loading(tmp_path: Path, content: Callable[[int], str]) -> None:
    def prepare(number: int) -> Callable[[], object]:
        path = tmp_path / f"{number}.yaml"
        path.write_text(content(number))
        return lambda: load(path)

    is_in_proportion(prepare)


def load(path: Path) -> RuleSet | RuleSetError:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return RuleSet.load(path)
        except RuleSetError as error:
            return error


def test_c9_ten_thousand_unknown_keys_are_all_reported_and_the_first_have_a_hint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    guesses = 0

    def guess(*_: object, **__: object) -> list[str]:
        nonlocal guesses
        guesses += 1
        return []

    monkeypatch.setattr("difflib.get_close_matches", guess)
    path = tmp_path / "in.yaml"
    path.write_text(HEAD + lines("  key{}x: 1\n", 10_000))
    error = load(path)
    assert isinstance(error, RuleSetError)
    assert [problem.code for problem in error.problems] == ["unknown-key"] * 10_000
    assert guesses < 100


def test_c9_a_group_may_be_named_thousands_of_times(tmp_path: Path) -> None:
    path = tmp_path / "in.yaml"
    path.write_text(f"groups: {{all: [{CODES}]}}\n{HEAD}  except_in: [" + "all, " * 5000 + "]\n")
    tracemalloc.start()
    try:
        rules = RuleSet.load(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(rules["a"].except_in) == len(countries())
    assert peak < 20_000_000, "with 250 members for each, it would be ten times as much"


def test_c9_many_tag_directives_are_refused_before_they_are_read(tmp_path: Path) -> None:
    path = tmp_path / "in.yaml"
    path.write_text("# a\n" + lines("%TAG !a{}! x\n", 50_000) + "---\n" + HEAD)
    error = load(path)
    assert isinstance(error, RuleSetError)
    assert str(error.problems[0]).endswith("tag directives [bad-yaml]; remove them: tags are not supported")


def rule(number: int, **more: object) -> Rule:
    values: dict[str, object] = {"id": f"r{number:05}", "accounts": [1], "withheld_in": "IN", "reason": "terms"}
    return Rule(**{**values, **more})  # type: ignore[arg-type]


def subset(number: int, things: Iterable[object]) -> list[object]:
    return [thing for at, thing in enumerate(things) if number >> at & 1]


SETS: list[Callable[[int], list[Rule]]] = [
    lambda n: [rule(at) for at in range(n)],
    lambda n: [rule(at, from_=START + at * HOUR, until=START + (at + n) * HOUR) for at in range(n)],
    lambda n: [rule(at, from_=START + at * HOUR, until=START + (3 * n - at) * HOUR) for at in range(n)],
    lambda n: [rule(at, from_=START, stays=[(START + at * HOUR, START + (at + 2) * HOUR)]) for at in range(n)],
    lambda n: [rule(0, stays=[(START + 2 * at * HOUR, START + (2 * at + 1) * HOUR) for at in range(n)])],
    lambda n: [rule(at, accounts=[1, at // 2 + 2]) for at in range(n)],
    lambda n: [rule(at, demand=f"IN-{at}", reason="legal_demand") for at in range(n)],
    lambda n: [rule(at, override={f"check-{at}": "x", "rounded-ids": "y"}) for at in range(n)],
]


@pytest.mark.parametrize("make", SETS)
def test_c9_compiling_in_python(make: Callable[[int], list[Rule]]) -> None:
    def prepare(number: int) -> Callable[[], object]:
        rules = RuleSet(make(number))
        return lambda: Snapshot.compile(rules, native=False)

    is_in_proportion(prepare)


@pytest.mark.parametrize("make", SETS)
def test_c9_linting(make: Callable[[int], list[Rule]]) -> None:
    def prepare(number: int) -> Callable[[], object]:
        rules = RuleSet(make(number))
        return lambda: lint(rules)

    is_in_proportion(prepare)


@pytest.mark.parametrize("make", SETS)
def test_c9_comparing(make: Callable[[int], list[Rule]]) -> None:
    def prepare(number: int) -> Callable[[], object]:
        rules = make(number)
        old, new = (Snapshot.compile(RuleSet(some)) for some in (rules, rules[:-1]))
        return lambda: list(differences(old, new))

    is_in_proportion(prepare, few=50)


def test_c9_thousands_of_rules_on_one_account_take_little_memory_in_python() -> None:
    rules = RuleSet([rule(at) for at in range(3000)])
    tracemalloc.start()
    try:
        Snapshot.compile(rules, native=False)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 10_000_000, "with all intermediate combinations it would be 36 MB"


def test_c9_each_rule_is_compared_with_some_hundreds_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("withhold.lint.shadowed._COMPARED", 20)
    names = list(countries())[:9]
    for make in (
        lambda n: [rule(at, accounts=[7, *subset(at, range(10, 30))]) for at in range(n)],
        lambda n: [rule(at, withheld_in=["IN", *subset(at, names)]) for at in range(n)],
    ):
        rules = [RuleSet(make(number)) for number in (100, 400)]
        small, large = (steps(lambda each=each: lint(each)) for each in rules)  # type: ignore[misc]
        assert large < 8 * small


@pytest.mark.parametrize("own", [False, True])
def test_c9_the_first_decision_on_an_account_of_many_rules(own: bool) -> None:
    """Each rule lists all subdivisions of a country: the outcome is the same in all of it, and only certainty differs."""
    divided = [codes for country in countries() if (codes := sorted(subdivisions(country)))]
    policy = Policy(unknown_location="withhold", author_sees_own=own)

    def prepare(number: int) -> Callable[[], object]:
        snapshot = Snapshot.compile(RuleSet([rule(at, withheld_in=divided[at]) for at in range(number)]))
        return lambda: Engine(snapshot, policy).check((2, 1), Viewer(country="IN"))

    prepare(160)()  # reads the territories of all rules
    is_in_proportion(prepare, few=40)
