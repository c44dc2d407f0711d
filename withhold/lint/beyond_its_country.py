"""A demand `IN-D1` is India's: whatever a rule withholds for it in other countries, nobody there has demanded."""

from __future__ import annotations

from collections.abc import Iterator

from withhold.errors import quoted
from withhold.lint.check import Check, Finding, Given
from withhold.lint.jurisdiction import LOCAL, jurisdiction_of
from withhold.model.rule import territories_of
from withhold.model.territory_set import TerritorySet
from withhold.territories import WORLD


def _find(given: Given) -> Iterator[Finding]:
    for rule in given.rules:
        # What is withheld worldwide has a check of its own.
        if rule.reason not in LOCAL or WORLD in rule.withheld_in or (found := jurisdiction_of(rule)) is None:
            continue
        code, own = found
        if beyond := territories_of(rule) - TerritorySet(own):
            message = f"the demand {quoted(rule.demand)} is of `{code}`, and the rule withholds in {_cut(str(beyond))}"
            yield Finding(rule, message, "withhold only where the demand has force", ("withheld_in",))


def _cut(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:60]} …"


CHECK = Check(
    code="beyond-its-country",
    severity="error",
    says="A national demand must not be given effect beyond its country.",
    why="The demand's id begins with the code of a country (IN-D1, IN_D1), and the rule withholds in others too. "
    "Withholding is limited to the jurisdiction that has issued the demand.",
    find=_find,
)
