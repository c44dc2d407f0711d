"""A rule without an end is in force until somebody remembers it."""

from __future__ import annotations

from collections.abc import Iterator

from withhold.lint.check import Check, Finding, Given


def _find(given: Given) -> Iterator[Finding]:
    for rule in given.rules:
        if rule.until is None:
            hint = "add `until`, if only as a date of review, or an override that says why it has none"
            yield Finding(rule, "the rule has no end", hint)


CHECK = Check(
    code="no-end",
    severity="note",
    says="A rule should end.",
    why="Content stays withheld when the order is long forgotten. Write the end that the order has, or the date at which "
    "it is to be reviewed, or say in an override why there is none.",
    find=_find,
)
