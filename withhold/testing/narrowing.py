"""Mutants with less territory: a rule that withholds in only a part of a territory, or that excepts only a part.

A territory is replaced by a part of it, or gets its first exception. As in `widening.py`, one part represents all parts
that the rule does not distinguish. For each territory with viewers of cases at a part of it, that part is taken. If there is
no such territory, a part of the first one is taken. Viewers of unknown location keep their outcome: `if_unknown` is added
where that is necessary. So only cases with a viewer in the territory notice the mutant.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any, NamedTuple

from withhold.model import Policy, Rule, Settle
from withhold.model.places import place_of
from withhold.model.viewer import LocationKey
from withhold.semantics import extent, reach_of
from withhold.territories import WORLD, containing, country_of, subdivisions
from withhold.testing.mutants import Alternatives, Mutant
from withhold.testing.widening import Beside, distinct, is_free, places_in


class Vantage(NamedTuple):
    """The places of viewers in cases about a rule, the rules beside it, and countries in the order to try them."""

    asked: Collection[LocationKey]
    beside: Beside
    usual: Sequence[str]

    def each(
        self, wholes: Sequence[str], mutant: Callable[[str, str], Mutant], excepted: Collection[str] = ()
    ) -> Iterator[Alternatives]:
        """Yield mutants for the parts of each territory with viewers of cases, or else of the first one with parts."""
        unobserved: Alternatives | None = None
        is_observed = False
        # Begin with the countries of viewers whose subdivision is unknown: cases about these viewers may already notice
        # that the outcome depends on the part.
        whole_places = {place[0] for place in self.asked if not place[1]}
        for whole in sorted(wholes, key=lambda whole: whole not in whole_places):
            parts = [code for code in self._parts(whole) if not {*containing(code)} & {*excepted}]
            observed = [code for code in places_in(self.asked, None if whole == WORLD else whole) if code in parts]
            further = partial(self._distinct, parts, partial(mutant, whole))
            if observed:
                is_observed = True
                yield Alternatives([mutant(whole, code) for code in observed], further)
            elif parts and unobserved is None:
                unobserved = Alternatives((), further)
        if unobserved is not None and not is_observed:
            yield unobserved

    def _parts(self, whole: str) -> Sequence[str]:
        return self.usual if whole == WORLD else parts_of(whole)

    def _distinct(self, parts: Sequence[str], mutant: Callable[[str], Mutant]) -> Iterator[Mutant]:
        return map(mutant, distinct(parts, (), self.beside))


def narrowings(rule: Rule, vantage: Vantage, policy: Policy) -> Iterator[Alternatives]:
    """Yield the mutants in which a rule, or its exceptions, cover less territory.

    `policy` decides for viewers of unknown location.
    """
    if rule.effect.worldwide or WORLD in rule.except_in:
        return

    def excepting(_: str, code: str) -> Mutant:
        return _changed(rule, f"with {code} in `except_in`", {"except_in": (*rule.except_in, code)}, policy)

    def replacing(key: str, whole: str, code: str) -> Mutant:
        codes = dict.fromkeys(code if other == whole else other for other in named[key])
        return _changed(rule, f"with {code} for {whole} in `{key}`", {key: tuple(codes)}, policy)

    # Beside `WORLD`, other territories have no effect.
    territories = [WORLD] if WORLD in rule.withheld_in else rule.withheld_in
    named = {"withheld_in": territories, "except_in": rule.except_in}
    # First exceptions come first: a case suggested for one has its viewer in the part that represents the others. A
    # further case, in the rest of the territory, then notices a replacement. Further exceptions are in `widening.py`.
    yield from vantage.each([code for code in territories if is_free(code, rule.except_in)], excepting)
    yield from vantage.each(territories, partial(replacing, "withheld_in"), rule.except_in)
    yield from vantage.each(rule.except_in, partial(replacing, "except_in"))


def _changed(rule: Rule, change: str, fields: dict[str, Any], policy: Policy) -> Mutant:
    """Return a mutant with other territories, but the same outcome for viewers of unknown location."""
    mutated = replace(rule, **fields)
    if (settled := _settles(rule, policy)) is not _settles(mutated, policy):
        return Mutant(rule, f"{change} and `if_unknown: {settled}`", replace(mutated, if_unknown=settled))
    return Mutant(rule, change, mutated)


def _settles(rule: Rule, policy: Policy) -> Settle:
    hidden = extent(reach_of(rule), policy).hidden & place_of((None, ()))
    return Settle.WITHHOLD if hidden else Settle.SHOW


@cache
def parts_of(whole: str) -> list[str]:
    """Return the subdivisions in a country or a subdivision."""
    return [code for code in subdivisions(country_of(whole)) if code != whole and whole in containing(code)]
