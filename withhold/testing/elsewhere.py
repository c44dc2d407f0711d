"""`elsewhere` in a case: all known places that the case does not name, with the same expected outcome.

This set of places does not depend on the rules, so a rule that is widened by mistake fails the case. Rules treat most
of these places alike. So one place represents all places that the rules in force do not distinguish, and its answer is
exact for each of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from withhold.model import Outcome, Policy, Rule, Viewer
from withhold.model.places import Places, everywhere, largest, location_of, place_of, within
from withhold.model.viewer import LocationKey
from withhold.semantics import extent, partition, reach_of
from withhold.testing.viewers import place_name

#: The key of a case, as it is written.
ELSEWHERE = "elsewhere"

_UNKNOWN: LocationKey = (None, ())


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The outcome expected at many places, and the account of the viewer there."""

    places: Places
    outcome: Outcome
    account_id: int | None = None

    def representatives(self, rules: Iterable[Rule], policy: Policy) -> Iterator[tuple[Viewer, Places]]:
        """Yield a viewer for each set of these places that rules in force do not distinguish, with the set."""
        for _, alike in partition(extent(reach_of(rule), policy) for rule in rules):
            if here := alike & self.places:
                country, inside = location_of(here & -here)
                yield (
                    Viewer(
                        country=country, subdivisions=inside, account_id=self.account_id, signal="given by the case"
                    ),
                    here,
                )


def places_elsewhere(named: Mapping[LocationKey, Outcome], outcome: Outcome) -> Places:
    """Return the places of `elsewhere` with an outcome, in a case that expects outcomes at the `named` places.

    These are all places except the unknown location, the named places, and those inside a named place with another
    outcome: `{IN: withheld, elsewhere: visible}` expects nothing of the states of India. The smallest named place counts.

    >>> found = places_elsewhere({("US", ()): Outcome.WITHHELD, ("US", ("US-MS",)): Outcome.VISIBLE}, Outcome.VISIBLE)
    >>> [bool(found & place_of(key)) for key in (("IN", ()), ("US", ("US-TX",)), ("US", ("US-MS",)), (None, ()))]
    [True, False, False, False]
    """
    found = everywhere() & ~place_of(_UNKNOWN)
    # The bit of a place precedes those of the places inside it.
    for key in sorted(named, key=place_of):
        if key != _UNKNOWN:
            inside = _inside(key)
            found = found | inside if named[key] is outcome else found & ~inside
    for key in named:
        found &= ~place_of(key)
    return found


def codes_of(places: Places) -> list[str]:
    """Return the codes of some known places: of whole territories, and then of single places in the other ones.

    >>> codes_of(within("US") | place_of(("IT", ())))
    ['US', 'IT']
    """
    found = list(largest(places))
    for code in found:
        places &= ~within(code)
    while places:
        found.append(_code(places & -places))
        places &= places - 1
    return found


def _inside(key: LocationKey) -> Places:
    return within(_code(place_of(key)))


def _code(place: Places) -> str:
    return place_name(*location_of(place))
