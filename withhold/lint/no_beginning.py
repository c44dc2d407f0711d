"""Without a beginning, a rule states that its subjects have always been withheld."""

from __future__ import annotations

from collections.abc import Iterator

from withhold.lint.check import Check, Context, Finding


def _find(context: Context) -> Iterator[Finding]:
    for rule in context.rules:
        if rule.from_ is None:
            hint = "add `from`, the time at which the rule came or will come into force"
            yield Finding(rule, "the rule has no `from`, so it counts as in force at any time in the past", hint)


CHECK = Check(
    code="no-beginning",
    severity="note",
    summary="A rule should have a beginning.",
    rationale="Such a rule counts as in force at every instant in the past. Audits and reports on the past then "
    "count content that was not yet withheld.",
    find=_find,
)
