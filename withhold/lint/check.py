"""The type of all checks, and the conversion of their findings into problems."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from withhold.errors import Problem, Severity, quoted
from withhold.model.protected import Protected
from withhold.model.rule import Rule
from withhold.model.rule_set import RuleSet


class Context(NamedTuple):
    """The input of every check: the rules, the protected accounts by their id, and the instant of the advice (UTC)."""

    rules: RuleSet
    protected: Mapping[int, Protected]
    at: datetime


class Finding(NamedTuple):
    """One problem that a check has found in one rule.

    `keys` are the keys of the rule file that the finding may concern. It is reported at the key if the rule has exactly
    one of them, otherwise at the rule. If `severity` is given, it replaces the severity of the check.
    """

    rule: Rule
    message: str
    hint: str
    keys: tuple[str, ...] = ()
    severity: Severity | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One requirement or recommendation for rules.

    `summary` states it in one sentence, and `rationale` explains it. Both are for people who read the code in a report.
    """

    code: str
    severity: Severity
    summary: str
    rationale: str
    find: Callable[[Context], Iterable[Finding]]

    def problem(self, found: Finding) -> Problem:
        """Return a finding as a problem with the code of this check."""
        return rule_problem(
            self.code, found.rule, found.message, found.hint, found.severity or self.severity, *found.keys
        )


def rule_problem(code: str, rule: Rule, message: str, hint: str, severity: Severity, *keys: str) -> Problem:
    """Return a problem of a rule.

    Its place is that of the key if the rule has exactly one of `keys`, otherwise that of the rule. A rule that was not
    read from a file has no place, so its id is used.
    """
    return Problem(code, message, rule.place_of(*keys) or f"rule {quoted(rule.id)}", hint, severity)


def first_few(values: Sequence[object], most: int = 3) -> str:
    """Return the first `most` values in backticks, and the number of the others.

    >>> first_few([1, 2, 3, 4, 5])
    '`1`, `2`, `3` and 2 more'
    """
    named = ", ".join(quoted(str(value)) for value in values[:most])
    return f"{named} and {len(values) - most:,} more" if len(values) > most else named
