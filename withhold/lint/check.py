"""What a check is: what it looks for, how much that matters, and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from withhold.errors import Problem, Severity, quoted
from withhold.model.protected import Protected
from withhold.model.rule import Rule
from withhold.model.rule_set import RuleSet


class Given(NamedTuple):
    """What checks look at: the rules, and who is protected, by account."""

    rules: RuleSet
    protected: Mapping[int, Protected]


class Finding(NamedTuple):
    """What a check says of one rule; `severity` where it is another than the check's own.

    `keys` are those of the rule file that it may be about: it is told at the one of them that is there.
    """

    rule: Rule
    message: str
    hint: str
    keys: tuple[str, ...] = ()
    severity: Severity | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that rules must or should not do. `says` and `why` are for whoever meets its code in a report."""

    code: str
    severity: Severity
    says: str
    why: str
    find: Callable[[Given], Iterable[Finding]]

    def problem(self, found: Finding) -> Problem:
        """Return a finding as the problem to be told."""
        return advice(self.code, found.rule, found.message, found.hint, found.severity or self.severity, *found.keys)


def advice(code: str, rule: Rule, message: str, hint: str, severity: Severity, *keys: str) -> Problem:
    """Return a problem of a rule, at the place of one of some keys or of the rule, or else by its name."""
    return Problem(code, message, rule.place_of(*keys) or f"rule {quoted(rule.id)}", hint, severity)


def some(things: Sequence[object], most: int = 3) -> str:
    """Return the first of several things as text, and how many more there are.

    >>> some([1, 2, 3, 4, 5])
    '`1`, `2`, `3` and 2 more'
    """
    named = ", ".join(quoted(str(thing)) for thing in things[:most])
    return f"{named} and {len(things) - most:,} more" if len(things) > most else named
