"""A rule for a legal demand that does not name the demand cannot be traced to its legal basis."""

from __future__ import annotations

from collections.abc import Iterator

from withhold.lint.check import Check, Context, Finding
from withhold.model.rule import Reason


def _find(context: Context) -> Iterator[Finding]:
    for rule in context.rules:
        if rule.reason is Reason.LEGAL_DEMAND and rule.demand is None:
            message = "the rule has the reason `legal_demand`, but names no demand"
            yield Finding(rule, message, "add `demand`, the reference of the legal demand")


CHECK = Check(
    code="unnamed-demand",
    severity="warning",
    summary="A rule for a legal demand should name the demand.",
    rationale="When a demand is withdrawn or quashed, its rules must be found; and a notice to users may name the demand.",
    find=_find,
)
