"""The demand `IN-D1` comes from India: no authority in another country has demanded anything."""

from __future__ import annotations

from collections.abc import Iterator

from withhold.errors import quoted
from withhold.lint.check import Check, Context, Finding
from withhold.lint.jurisdiction import jurisdiction_of
from withhold.model.rule import territories_of
from withhold.model.territory_set import TerritorySet
from withhold.territories import WORLD


def _find(context: Context) -> Iterator[Finding]:
    for rule in context.rules:
        # Rules on `WORLD` have a check of their own.
        if not rule.reason.local or WORLD in rule.withheld_in or (found := jurisdiction_of(rule)) is None:
            continue
        code, own = found
        if beyond := territories_of(rule) - TerritorySet(own):
            where = quoted(str(beyond))
            message = f"demand {quoted(rule.demand)} comes from `{code}`, but the rule withholds in {where}"
            yield Finding(rule, message, "withhold only where the demand has legal force", ("withheld_in",))


CHECK = Check(
    code="beyond-its-country",
    severity="error",
    summary="A national demand must not take effect outside its country.",
    rationale="The id of the demand begins with the code of a country (IN-D1, IN_D1), but the rule also covers other "
    "countries. Withholding is limited to the jurisdiction that issued the demand.",
    find=_find,
)
