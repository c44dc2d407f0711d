"""A demand or a law is of one country: to withhold everywhere for it gives that country a say over all others."""

from __future__ import annotations

from collections.abc import Iterator

from withhold.lint.check import Check, Finding, Given
from withhold.lint.jurisdiction import LOCAL, words
from withhold.model.rule import Effect
from withhold.territories import WORLD


def _find(given: Given) -> Iterator[Finding]:
    for rule in given.rules:
        if rule.reason in LOCAL and WORLD in rule.withheld_in:
            does = "suspends everywhere" if rule.effect is Effect.SUSPEND else "withholds worldwide"
            hint = "withhold in the country that demands it, or give the reason that holds everywhere"
            yield Finding(rule, f"the rule {does} for a {words(rule.reason)}", hint, ("reason",))


CHECK = Check(
    code="worldwide-for-one-country",
    severity="error",
    says="What is withheld worldwide, or suspended, must have a reason that holds worldwide.",
    why="legal_demand and local_law are reasons of one jurisdiction. The platform's terms and copyright hold everywhere. "
    "A court that did order it worldwide is a case for an override.",
    find=_find,
)
