"""A demand or a law belongs to one jurisdiction: withholding worldwide would extend it to all others."""

from __future__ import annotations

from collections.abc import Iterator

from withhold.lint.check import Check, Context, Finding
from withhold.model.rule import Reason
from withhold.territories import WORLD

_LOCAL = [reason for reason in Reason if reason.local]


def _find(context: Context) -> Iterator[Finding]:
    for rule in context.rules:
        if rule.reason.local and WORLD in rule.withheld_in:
            message = (
                f"the rule {rule.effect}s worldwide, but its reason `{rule.reason}` applies in one jurisdiction only"
            )
            hint = "withhold in that jurisdiction alone, or give a reason that applies worldwide"
            yield Finding(rule, message, hint, ("reason",))


CHECK = Check(
    code="worldwide-for-one-country",
    severity="error",
    summary="A rule that withholds or suspends worldwide must have a reason that applies worldwide.",
    rationale=f"The reasons {' and '.join(_LOCAL)} apply in one jurisdiction; the other reasons apply everywhere. If a court "
    "did order worldwide withholding, add an override.",
    find=_find,
)
