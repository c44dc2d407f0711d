"""The places in `strategies.py` represent all places in the world."""

from __future__ import annotations

from tests.strategies import PLACES, TERRITORIES
from withhold.model.viewer import LocationKey, is_in
from withhold.territories import countries, country_of, subdivisions


def _membership(place: LocationKey) -> tuple[bool | None, ...]:
    return tuple(is_in(place, code) for code in TERRITORIES)


def test_there_is_a_place_of_each_kind_that_the_territories_distinguish() -> None:
    everywhere: list[LocationKey] = [(None, ()), *((country, ()) for country in countries())]
    everywhere += [(country_of(code), (code,)) for country in countries() for code in subdivisions(country)]
    assert {_membership(place) for place in everywhere} <= {_membership(place) for place in PLACES}
