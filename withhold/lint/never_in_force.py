"""A rule whose stays cover all of its period is never in force, and looks as if it were."""

from __future__ import annotations

from collections.abc import Iterator

from withhold.lint.check import Check, Finding, Given


def _find(given: Given) -> Iterator[Finding]:
    for rule in given.rules:
        if not rule.periods:
            hint = "end a stay earlier, or delete the rule; keep it with an override if the court may still decide"
            yield Finding(rule, "the rule is never in force: its stays cover all of its period", hint, ("stays",))


CHECK = Check(
    code="never-in-force",
    severity="warning",
    says="A rule should be in force at some time.",
    why="Its stays cover its whole period, so it withholds nothing. An order that is stayed for good needs no rule.",
    find=_find,
)
