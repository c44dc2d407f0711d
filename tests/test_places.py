"""The places in `strategies.py` represent all places in the world."""

from __future__ import annotations

from hypothesis import given, settings

from tests import strategies
from tests.strategies import PLACES, TERRITORIES
from withhold import Reference
from withhold.model.viewer import LocationKey, is_in
from withhold.territories import countries, country_of, subdivisions


def _membership(place: LocationKey) -> tuple[bool | None, ...]:
    return tuple(is_in(place, code) for code in TERRITORIES)


def test_there_is_a_place_of_each_kind_that_the_territories_distinguish() -> None:
    everywhere: list[LocationKey] = [(None, ()), *((country, ()) for country in countries())]
    everywhere += [(country_of(code), (code,)) for country in countries() for code in subdivisions(country)]
    assert {_membership(place) for place in everywhere} <= {_membership(place) for place in PLACES}


@settings(max_examples=30)
@given(strategies.rule_sets(), strategies.policies, strategies.subjects, strategies.viewers(), strategies.instants)
def test_with_these_places_the_reference_gives_the_same_answers_as_with_the_whole_world(
    rules, policy, subject, viewer, at
) -> None:
    whole, small = Reference(rules, policy), strategies.reference(rules, policy)
    assert small.check(subject, viewer, at) == whole.check(subject, viewer, at)
    assert small.anywhere(subject, at) == whole.anywhere(subject, at)
