"""Sets of places: exact, and told in few words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import PLACES, TERRITORIES
from withhold import Policy, Rule, TerritorySet
from withhold.engine.reach import Reach
from withhold.reports.whereabouts import Whereabouts, alike, point
from withhold.territories import subdivisions

_CODES = st.lists(st.sampled_from(TERRITORIES), min_size=1, max_size=4)


@given(st.lists(_CODES, min_size=1, max_size=3))
def test_the_places_that_rules_tell_apart_are_everywhere_each_once_and_alike(lists):
    rules = [Rule(id="r", accounts=[1], withheld_in=codes, reason="terms") for codes in lists]
    reaches = frozenset(Reach.of(rule, Policy()) for rule in rules)
    found = alike(reaches)
    for place in PLACES:
        [(one, _)] = [(other, where) for other, where in found if where.has(place)]
        assert [reach.reaches(one) for reach in reaches] == [reach.reaches(place) for reach in reaches]
    whole = Whereabouts()
    for _, where in found:
        assert not where.territories & whole.territories
        whole |= where
    assert whole == Whereabouts(TerritorySet(["WORLD"]), unknown=True)


def _set(*codes, less=(), points=(), unknown=False):
    territories = TerritorySet(codes) - TerritorySet(less)
    for code in points:
        territories = territories - point(code) if point(code) & territories else territories | point(code)
    return Whereabouts(territories, unknown)


@pytest.mark.parametrize(
    ("where", "said"),
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
def test_how_they_read(where, said):
    assert str(where) == said


@given(
    st.lists(st.sampled_from([*TERRITORIES, *subdivisions("IT")]), max_size=30),
    st.lists(st.sampled_from(["US", "IT", "IT-62"])),
)
def test_the_words_say_exactly_the_set(codes, points):
    where = _set(*codes, points=points)
    told, only, but = where.worded()
    for code in only:
        assert not point(code) & told
        told |= point(code)
    for code in but:
        assert not point(code) - told
        told -= point(code)
    assert told == where.territories
