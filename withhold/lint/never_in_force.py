"""A rule whose stays cover its whole period looks as if it were in force, but never is."""

from __future__ import annotations

from collections.abc import Iterator

from withhold.lint.check import Check, Context, Finding


def _find(context: Context) -> Iterator[Finding]:
    for rule in context.rules:
        if not rule.periods:
            hint = "end a stay earlier, or delete the rule; add an override if the court has yet to decide"
            yield Finding(rule, "the rule is never in force: its stays cover its whole period", hint, ("stays",))


CHECK = Check(
    code="never-in-force",
    severity="warning",
    summary="A rule should be in force at some time.",
    rationale="The stays of the rule cover its whole period, so it withholds nothing. An order that is stayed permanently "
    "needs no rule.",
    find=_find,
)
