"""Mutants with closed periods: a rule without `from` or `until`, or a stay without one of its bounds, gets that bound.

A new end is a year after the earliest case that observes the rule, and a new start a year before the latest one. So two
cases a year apart notice both, and would notice any other bound between them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from withhold.errors import WithholdError
from withhold.model import Period, Rule
from withhold.model.instants import in_iso
from withhold.testing.mutants import Mutant, bounds
from withhold.testing.witness import ANY

_SECOND = timedelta(seconds=1)


def closings(rule: Rule, asked: Collection[datetime]) -> Iterator[Mutant]:
    """Yield mutants of a rule, each with one of its open bounds closed.

    `asked` are the instants of cases with a viewer from whom the rule would hide its subjects, whether it is in force
    or not.
    """
    in_force = [at for at in asked if rule.in_force(at)]
    for side, bound in _closed(Period(rule.from_, rule.until), in_force):
        key = "from" if side == "start" else "until"
        yield from _valid(rule, f"with `{key}: {in_iso(bound)}`", {"from_" if key == "from" else key: bound})
    for index, stay in enumerate(rule.stays):
        for side, bound in _closed(stay, [at for at in asked if stay.covers(at)]):
            stays = (*rule.stays[:index], stay._replace(**{side: bound}), *rule.stays[index + 1 :])
            yield from _valid(rule, f"with the {side} {in_iso(bound)} of the stay {bounds(stay)}", {"stays": stays})


def _closed(period: Period, asked: Collection[datetime]) -> Iterator[tuple[str, datetime]]:
    """Yield each open side of a period, with the instant at which to close it.

    The end is a year after the earliest case, and the start a second less than a year before the latest one.
    """
    with suppress(OverflowError):  # beyond the years of `datetime`
        if period.end is None:
            yield "end", _in_years(min(asked, default=period.start or ANY), 1)
    with suppress(OverflowError):
        if period.start is None:
            latest = max(asked, default=ANY if period.end is None else period.end - _SECOND)
            yield "start", _in_years(latest, -1) + _SECOND


def _in_years(at: datetime, years: int) -> datetime:
    try:
        return at.replace(year=at.year + years)
    except ValueError:  # there is no such day, or no such year
        return at + timedelta(days=365 * years)


def _valid(rule: Rule, change: str, fields: dict[str, Any]) -> Iterator[Mutant]:
    with suppress(WithholdError):
        yield Mutant(rule, change, replace(rule, **fields))
