"""`FR` does not include `RE` or `GP`: a rule for a French demand that applies there must name them."""

from __future__ import annotations

from collections.abc import Iterator

from withhold.lint.check import Check, Context, Finding
from withhold.lint.jurisdiction import OVERSEAS, where_law_applies
from withhold.territories import WORLD, name_of


def _find(context: Context) -> Iterator[Finding]:
    for rule in context.rules:
        named = {*rule.withheld_in, *rule.except_in}
        if WORLD in named:
            continue
        for country in rule.withheld_in:
            codes = OVERSEAS.get(country, ())
            if rule.reason.local and rule.jurisdiction:
                codes = tuple(code for code in codes if code in where_law_applies(rule.jurisdiction))
            if codes and named.isdisjoint(codes):
                listed = ", ".join(f"`{code}`" for code in codes)
                message = f"`{country}` ({name_of(country)}) does not include {listed}"
                yield Finding(rule, message, "add those in which the rule should also withhold", ("withheld_in",))


CHECK = Check(
    code="overseas-left-out",
    severity="note",
    summary="Territories that have a country code of their own should be listed.",
    rationale="Viewers in such a territory are located by its own code, so a rule on the country alone does not reach them. "
    "Add the territories where the rule applies, or state in an override that it does not apply there. Those where the law of "
    "the rule's `jurisdiction` does not apply are not reported.",
    find=_find,
)
