"""Without an end, a rule stays in force until somebody remembers it."""

from __future__ import annotations

from collections.abc import Iterator

from withhold.lint.check import Check, Context, Finding


def _find(context: Context) -> Iterator[Finding]:
    for rule in context.rules:
        if rule.until is None:
            hint = "add `until`, at least as a date for review, or add an override that states why there is none"
            yield Finding(rule, "the rule has no `until`, so it never ends", hint)


CHECK = Check(
    code="no-end",
    severity="note",
    summary="A rule should have an end.",
    rationale="Content stays withheld long after the order is forgotten. Enter the end that the order sets, or a date for its "
    "review, or explain in an override why there is none.",
    find=_find,
)
