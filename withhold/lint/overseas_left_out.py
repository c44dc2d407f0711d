"""`FR` leaves out `RE` and `GP`: if a demand of France holds there, the rule must say so."""

from __future__ import annotations

from collections.abc import Iterator

from withhold.lint.check import Check, Finding, Given
from withhold.lint.jurisdiction import OVERSEAS
from withhold.territories import WORLD, name_of


def _find(given: Given) -> Iterator[Finding]:
    for rule in given.rules:
        named = {*rule.withheld_in, *rule.except_in}
        if WORLD in named:
            continue
        for country in rule.withheld_in:
            codes = OVERSEAS.get(country, ())
            if codes and named.isdisjoint(codes):
                listed = ", ".join(f"`{code}`" for code in codes)
                message = f"`{country}` ({name_of(country)}) leaves out {listed}"
                yield Finding(rule, message, "add those where it is to be withheld too", ("withheld_in",))


CHECK = Check(
    code="overseas-left-out",
    severity="note",
    says="Territories that have a country code of their own should be named.",
    why="Viewers there are located by that code, so a rule on the country alone does not reach them. Add the territories "
    "where it is to hold, or say in an override that it does not hold there.",
    find=_find,
)
