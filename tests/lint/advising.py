"""Rules on which no check has any advice. Each test changes them in one way."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from withhold import Rule, RuleSet
from withhold.errors import Problem
from withhold.lint import Protected, lint

START = datetime(2021, 2, 10, 5, tzinfo=UTC)
END = START + timedelta(days=90)
DAY = timedelta(days=1)
#: A tweet of 31 January 2021, and one of 1 April.
TWEET, LATER_TWEET = 1355667106821046272, 1377410409369399296


def rule(**keys: Any) -> Rule:
    """Return a rule on which no check has any advice, with `keys` changed."""
    fine = {"id": "a", "accounts": [17], "withheld_in": ["IN"], "reason": "legal_demand", "demand": "IN-D1"}
    return Rule(**{**fine, "jurisdiction": "IN", "from_": START, "until": END, **keys})


def problems_with(
    codes: str | Iterable[str], rules: Iterable[Rule], protected: Iterable[Protected] | None = (), at: datetime = END
) -> list[Problem]:
    """Return the advice that has one of `codes`, so that a check that is added later does not affect other tests."""
    wanted = {codes} if isinstance(codes, str) else {*codes}
    return [problem for problem in lint(RuleSet(rules), protected, at=at) if problem.code in wanted]


def advised(codes: str | Iterable[str], *rules: Rule) -> list[str]:
    """Return the advice on rules that has one of `codes`, each problem as `severity rule: code`."""
    return [f"{problem.severity} {problem.place}: {problem.code}" for problem in problems_with(codes, rules)]
