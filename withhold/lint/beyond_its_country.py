"""The law of India applies in India: it does not oblige anybody to withhold in other countries."""

from __future__ import annotations

from collections.abc import Iterator

from withhold.errors import quoted
from withhold.lint.check import Check, Context, Finding
from withhold.lint.jurisdiction import guessed_jurisdiction, where_law_applies
from withhold.model.rule import territories_of
from withhold.territories import WORLD


def _find(context: Context) -> Iterator[Finding]:
    for rule in context.rules:
        # Rules on `WORLD` have a check of their own.
        if not rule.reason.local or WORLD in rule.withheld_in:
            continue
        jurisdiction = rule.jurisdiction or guessed_jurisdiction(rule)
        if jurisdiction is None or not (beyond := territories_of(rule) - where_law_applies(jurisdiction)):
            continue
        where = f"but the rule withholds in {quoted(str(beyond))}"
        if rule.jurisdiction:
            message = f"the jurisdiction is `{jurisdiction}`, {where}"
            yield Finding(rule, message, "withhold only where that law applies", ("withheld_in",))
        else:
            message = f"demand {quoted(rule.demand)} seems to come from `{jurisdiction}`, {where}"
            hint = "withhold only where the demand has legal force, or name the `jurisdiction` that it comes from"
            yield Finding(rule, message, hint, ("withheld_in",), severity="warning")


CHECK = Check(
    code="beyond-its-country",
    severity="error",
    summary="A law must not take effect outside its jurisdiction.",
    rationale="The rule also withholds outside its `jurisdiction`, the territory whose law it follows. Without that key, the "
    "finding is a warning: the id of the demand begins with the code of a country (IN-D1, IN_D1) in which the rule withholds.",
    find=_find,
)
