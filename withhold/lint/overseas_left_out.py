"""`FR` does not include `RE` or `GP`: a rule for a French demand that applies there must name them."""

from __future__ import annotations

from collections.abc import Iterator

from withhold.lint.check import Check, Context, Finding
from withhold.lint.jurisdiction import overseas_left_out


def _find(context: Context) -> Iterator[Finding]:
    for rule in context.rules:
        law = rule.jurisdiction if rule.reason.local else None
        for message in overseas_left_out(rule.withheld_in, rule.except_in, law):
            yield Finding(rule, message, "add those in which the rule should also withhold", ("withheld_in",))


CHECK = Check(
    code="overseas-left-out",
    severity="note",
    summary="Territories that have a country code of their own should be listed.",
    rationale="Viewers in such a territory are located by its own code, so a rule on the country alone does not reach them. "
    "Add the territories where the rule applies, or state in an override that it does not apply there. Those where the law of "
    "the rule's `jurisdiction` does not apply are not reported.",
    find=_find,
)
