"""Without an end or a review, a rule stays in force until somebody remembers it."""

from __future__ import annotations

from collections.abc import Iterator

from withhold.lint.check import Check, Context, Finding


def _find(context: Context) -> Iterator[Finding]:
    for rule in context.rules:
        if rule.until is None and rule.review_by is None:
            hint = "add the end that the order sets, or a `review_by`, or an override that states why there is neither"
            yield Finding(rule, "the rule has neither `until` nor `review_by`", hint)


CHECK = Check(
    code="no-end",
    severity="note",
    summary="A rule should have an end or a date of review.",
    rationale="Content stays withheld long after the order is forgotten. Enter the end that the order sets as `until`. If it sets "
    "none, enter a date of review as `review_by`: with `until`, the content would be visible if nobody reviewed the rule.",
    find=_find,
)
