"""Mutants with one more territory: a rule that withholds where nobody ordered it, or that excepts one country too many.

There are hundreds of territories to add. One represents all territories that the rule does not distinguish: the rest of
the world, and the rest of each country with a part that the rule names. If a case has a viewer in one of them and
notices the change, that one is used. Otherwise the first one that some viewer would notice is used, so that a change
counts as equivalent only if it is equivalent for all these territories.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from withhold.model import Rule
from withhold.model.viewer import LocationKey
from withhold.territories import WORLD, containing, countries, country_of, is_subdivision, subdivisions
from withhold.testing.mutants import Alternatives, Mutant

#: Return the rule, and the other rules that name one of its subjects.
Beside = Callable[[], Iterable[Rule]]


def widenings(
    rule: Rule, asked: Collection[LocationKey], beside: Beside, usual: Sequence[str]
) -> Iterator[Alternatives]:
    """Yield a widening of the territories for each part of the world with places to add, and then of the exceptions.

    `asked` are the places of viewers in cases about the rule. `usual` are all countries in the order in which they are
    tried.
    """
    if rule.effect.worldwide:
        return
    for key, named, excepted in (("withheld_in", rule.withheld_in, rule.except_in), ("except_in", rule.except_in, ())):
        if WORLD in named or not named:
            continue
        # Adding an exception to a list of countries is the same as removing a country, which is another mutant. For
        # `WORLD` it is not.
        everywhere = [None] if key == "withheld_in" or WORLD in rule.withheld_in else []
        in_part = {country_of(code) for code in named if is_subdivision(code)} - {*named}
        for country in (*everywhere, *sorted(in_part)):
            taken = [code for code in (*named, *excepted) if code != WORLD]
            observed = [code for code in places_in(asked, country) if is_free(code, taken)]
            rest = partial(distinct, usual if country is None else list(subdivisions(country)), taken, beside)
            if observed or any(rest()):
                yield _widening(rule, key, observed, rest)


def _widening(rule: Rule, key: str, observed: Iterable[str], rest: Callable[[], Iterator[str]]) -> Alternatives:
    def mutant(code: str) -> Mutant:
        fields: dict[str, Any] = {key: (*getattr(rule, key), code)}
        return Mutant(rule, f"with {code} in `{key}`", replace(rule, **fields))

    return Alternatives(map(mutant, observed), lambda: map(mutant, rest()))


def by_frequency(rules: Iterable[Rule]) -> list[str]:
    """Return all countries, the most frequent in rules first, because adding one of these is the likeliest mistake."""
    counts = Counter(country_of(code) for rule in rules for code in rule.withheld_in if code != WORLD)
    return sorted(countries(), key=lambda code: -counts[code])


def places_in(asked: Iterable[LocationKey], whole: str | None) -> list[str]:
    """Return the countries of viewers, or with `whole` their narrowest known subdivisions in that territory."""
    if whole is None:
        return sorted({place[0] for place in asked if place[0] is not None})
    inside = {max(place[1], key=lambda code: len(containing(code))) for place in asked if place[1]}
    return sorted(code for code in inside if code != whole and whole in containing(code))


def distinct(candidates: Iterable[str], taken: Sequence[str], beside: Beside) -> Iterator[str]:
    """Yield the first free place, and one place for each other set of free places that the rules do not distinguish."""
    free = (code for code in candidates if is_free(code, taken))
    for first in free:
        yield first
        named = {code for rule in beside() for code in (*rule.withheld_in, *rule.except_in)}
        inside: dict[str, list[str]] = {}
        for code in sorted(named):
            for around in containing(code):
                inside.setdefault(around, []).append(code)
        seen = set()
        for code in (first, *free):
            alike = (tuple(around for around in containing(code) if around in named), tuple(inside.get(code, ())))
            if alike not in seen and code != first:
                yield code
            seen.add(alike)


def is_free(code: str, taken: Iterable[str]) -> bool:
    """Return whether a place is in none of the `taken` territories, and contains none of them."""
    return not any(code in containing(other) or other in containing(code) for other in taken)
