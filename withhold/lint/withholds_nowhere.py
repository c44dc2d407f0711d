"""A rule whose exceptions cover all its territories (`IN` except `IN`) withholds from no viewer in a known place."""

from __future__ import annotations

from collections.abc import Iterator

from withhold.lint.check import Check, Context, Finding
from withhold.model.rule import territories_of


def _find(context: Context) -> Iterator[Finding]:
    for rule in context.rules:
        if rule.except_in and not territories_of(rule):
            message = "the rule withholds nowhere: `except_in` covers all of `withheld_in`"
            hint = "remove the places where the rule should withhold from `except_in`"
            yield Finding(rule, message, hint, ("except_in",))


CHECK = Check(
    code="withholds-nowhere",
    severity="error",
    summary="A rule must withhold from somebody.",
    rationale="The territories in except_in cover all those in withheld_in. The rule withholds nothing from viewers in a "
    "known place, but may do so from viewers of unknown location.",
    find=_find,
)
