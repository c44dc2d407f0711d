"""A rule without a beginning says of all the past that something was withheld."""

from __future__ import annotations

from collections.abc import Iterator

from withhold.lint.check import Check, Finding, Given


def _find(given: Given) -> Iterator[Finding]:
    for rule in given.rules:
        if rule.from_ is None:
            hint = "add `from`: when it came, or is to come, into force"
            yield Finding(rule, "the rule has no beginning, so it is in force at any time in the past", hint)


CHECK = Check(
    code="no-beginning",
    severity="note",
    says="A rule should begin.",
    why="Asked about an instant in the past, such a rule answers that it was in force then. An audit or a report over "
    "time counts what was not yet withheld.",
    find=_find,
)
