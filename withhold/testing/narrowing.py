"""Less territory: a rule that withholds in a part of the place that was ordered, or a licence for a part of its country.

A territory is replaced by a part of it, or gets its first exception. As in `widening.py`, one part stands for all that the rule
does not tell from one another: for each territory into which a case looks it is one that a case looks from; if there is no such
territory, it is a part of the first. Viewers of unknown location get the outcome that they had: `if_unknown` is added where
it takes that. So only cases that look from the territory notice.
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


class Looked(NamedTuple):
    """The places that cases about a rule look from, the rules beside it, and countries in the order in which they are tried."""

    asked: Collection[LocationKey]
    beside: Beside
    usual: Sequence[str]

    def each(
        self, wholes: Sequence[str], mutant: Callable[[str, str], Mutant], excepted: Collection[str] = ()
    ) -> Iterator[Alternatives]:
        """Yield the mutants by the parts of each territory that a case looks into, or else by those of the first with any."""
        unseen: Alternatives | None = None
        is_seen = False
        # Where cases look from a whole territory, they may notice already that the outcome in it depends on the part.
        whole_places = {place[0] for place in self.asked if not place[1]}
        for whole in sorted(wholes, key=lambda whole: whole not in whole_places):
            parts = [code for code in self._parts(whole) if not {*containing(code)} & {*excepted}]
            seen_from = [code for code in places_in(self.asked, None if whole == WORLD else whole) if code in parts]
            further = partial(self._distinct, parts, partial(mutant, whole))
            if seen_from:
                is_seen = True
                yield Alternatives([mutant(whole, code) for code in seen_from], further)
            elif parts and unseen is None:
                unseen = Alternatives((), further)
        if unseen is not None and not is_seen:
            yield unseen

    def _parts(self, whole: str) -> Sequence[str]:
        return self.usual if whole == WORLD else parts_of(whole)

    def _distinct(self, parts: Sequence[str], mutant: Callable[[str], Mutant]) -> Iterator[Mutant]:
        return map(mutant, distinct(parts, (), self.beside))


def narrowings(rule: Rule, looked: Looked, policy: Policy) -> Iterator[Alternatives]:
    """Yield the ways in which a rule, or its exceptions, reach less. `policy` settles what unknown viewers see of the rule."""
    if rule.effect.worldwide or WORLD in rule.except_in:
        return

    def excepting(_: str, code: str) -> Mutant:
        return _changed(rule, f"with {code} in `except_in`", {"except_in": (*rule.except_in, code)}, policy)

    def replacing(key: str, whole: str, code: str) -> Mutant:
        codes = dict.fromkeys(code if other == whole else other for other in named[key])
        return _changed(rule, f"with {code} for {whole} in `{key}`", {key: tuple(codes)}, policy)

    # Beside the world, other territories do nothing.
    listed = [WORLD] if WORLD in rule.withheld_in else rule.withheld_in
    named = {"withheld_in": listed, "except_in": rule.except_in}
    # First exceptions come first: a case that notices one is in the part that stands for the others, so that another one from
    # the rest of the territory notices that it was replaced. Further exceptions are widenings.
    yield from looked.each([code for code in listed if is_free(code, rule.except_in)], excepting)
    yield from looked.each(listed, partial(replacing, "withheld_in"), rule.except_in)
    yield from looked.each(rule.except_in, partial(replacing, "except_in"))


def _changed(rule: Rule, change: str, fields: dict[str, Any], policy: Policy) -> Mutant:
    """Return a rule with other territories and the outcome that it has for viewers of unknown location."""
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
