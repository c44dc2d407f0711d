"""A rule that excepts all that it names (`IN` except `IN`) withholds from nobody whose location is known."""

from __future__ import annotations

from collections.abc import Iterator

from withhold.lint.check import Check, Finding, Given
from withhold.model.rule import territories_of


def _find(given: Given) -> Iterator[Finding]:
    for rule in given.rules:
        if rule.except_in and not territories_of(rule):
            hint = "take out of `except_in` what is meant to be withheld"
            yield Finding(
                rule, "the rule withholds nowhere: `except_in` covers all of `withheld_in`", hint, ("except_in",)
            )


CHECK = Check(
    code="withholds-nowhere",
    severity="error",
    says="A rule must withhold from somebody.",
    why="What is in except_in covers all that is in withheld_in. Nobody in a known place is kept from seeing anything, "
    "while viewers of unknown location may be.",
    find=_find,
)
