"""A rule whose review is overdue may withhold what no order covers any more."""

from __future__ import annotations

from collections.abc import Iterator

from withhold.lint.check import Check, Context, Finding
from withhold.model.instants import in_iso


def _find(context: Context) -> Iterator[Finding]:
    for rule in context.rules:
        due = rule.review_by
        has_ended = rule.until is not None and rule.until <= context.at
        if due is not None and due <= context.at and not has_ended:
            hint = "review the rule, then write the date of the next review, or its end as `until`"
            yield Finding(rule, f"the review was due by `{in_iso(due)}`", hint, ("review_by",))


CHECK = Check(
    code="review-overdue",
    severity="warning",
    summary="A rule should be reviewed in time.",
    rationale="The instant of `review_by` has passed, and the rule has not ended. It stays in force until somebody changes it.",
    find=_find,
)
