"""Sets of places are exact, and described briefly."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import PLACES, TERRITORIES
from withhold import Policy, Rule
from withhold.model.places import everywhere, place_of, within_any
from withhold.reports.whereabouts import Whereabouts, point
from withhold.semantics import extent, partition, reach_of
from withhold.territories import subdivisions

_CODES = st.lists(st.sampled_from(TERRITORIES), min_size=1, max_size=4)


@given(st.lists(_CODES, min_size=1, max_size=3))
def test_the_places_that_rules_tell_apart_are_everywhere_each_once_and_alike(lists):
    rules = [Rule(id="r", accounts=[1], withheld_in=codes, reason="terms") for codes in lists]
    reaches = [reach_of(rule) for rule in rules]
    found = partition(extent(reach, Policy()) for reach in reaches)
    for place in map(place_of, PLACES):
        [one] = [other for other, whole in found if whole & place]
        for reach in reaches:
            assert [bool(part & one) for part in (reach.surely, reach.uncertain)] == [
                bool(part & place) for part in (reach.surely, reach.uncertain)
            ]
    together = 0
    for _, whole in found:
        assert not whole & together
        together |= whole
    assert together == everywhere()


def _set(*codes, less=(), points=(), unknown=False):
    places = within_any(codes) & ~within_any(less)
    for code in points:
        places ^= point(code).places
    nowhere = place_of((None, ()))
    return Whereabouts(places | nowhere if unknown else places & ~nowhere)


@pytest.mark.parametrize(
    ("where", "message"),
    [
        (_set(), "nowhere"),
        (_set(unknown=True), "unknown location"),
        (_set("WORLD", unknown=True), "WORLD"),
        (_set("WORLD"), "WORLD but not an unknown location"),
        (_set("WORLD", less=["US"], unknown=True), "unknown location and WORLD except US"),
        (_set("US", less=["US-MS"]), "US (except US-MS)"),
        (_set("US", less=["US-MS"], points=["US"]), "US (except US-MS) but not US with no subdivision known"),
        (_set("US", points=["US"]), "US but not US with no subdivision known"),
        (_set(points=["US"]), "US with no subdivision known"),
        (_set("US-MS", "IN", points=["US"]), "IN, US-MS and US with no subdivision known"),
        (_set("IT-62", points=["IT-62"]), "IT-62 but not IT-62 with no subdivision known"),
    ],
)
def test_how_they_read(where, message):
    assert str(where) == message


@given(
    st.lists(st.sampled_from([*TERRITORIES, *subdivisions("IT")]), max_size=30),
    st.lists(st.sampled_from(["US", "IT", "IT-62"])),
)
def test_the_words_say_exactly_the_set(codes, points):
    where = _set(*codes, points=points)
    known, only, but = where.worded()
    for code in only:
        assert not point(code) & known
        known |= point(code)
    for code in but:
        assert not point(code) - known
        known -= point(code)
    assert known == where.territories
