"""For most viewers only the country is known: a rule on a part of it should decide for these viewers too."""

from __future__ import annotations

from collections.abc import Iterator

from withhold.lint.check import Check, Context, Finding, first_few
from withhold.territories import is_subdivision


def _find(context: Context) -> Iterator[Finding]:
    for rule in context.rules:
        parts = [code for code in (*rule.withheld_in, *rule.except_in) if is_subdivision(code)]
        if parts and rule.if_unknown is None:
            message = f"the rule names {first_few(parts)}, but does not decide for viewers whose subdivision is unknown"
            key = "withheld_in" if parts[0] in rule.withheld_in else "except_in"
            yield Finding(rule, message, "add `if_unknown: withhold` or `if_unknown: show`", (key,))


CHECK = Check(
    code="unsettled-subdivision",
    severity="note",
    summary="A rule on a subdivision should set if_unknown.",
    rationale="Many location databases contain the country but no subdivision. Without if_unknown, a rule with except_in "
    "withholds from these viewers, and for any other rule the policy of the engine decides.",
    find=_find,
)
