"""The places that tests ask from: properties that go through them see every place there is."""

from __future__ import annotations

from tests.strategies import PLACES, TERRITORIES
from withhold.model.viewer import LocationKey, is_in
from withhold.territories import countries, country_of, subdivisions


def _told(place: LocationKey) -> tuple[bool | None, ...]:
    return tuple(is_in(place, code) for code in TERRITORIES)


def test_there_is_a_place_of_each_kind_that_the_territories_of_rules_tell_apart() -> None:
    everywhere: list[LocationKey] = [(None, ()), *((country, ()) for country in countries())]
    everywhere += [(country_of(code), (code,)) for country in countries() for code in subdivisions(country)]
    assert {_told(place) for place in everywhere} <= {_told(place) for place in PLACES}
