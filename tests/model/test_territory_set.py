"""A territory set is exactly the set of its points.

The model: every country has a point of its own (what lies in no subdivision) and one for each subdivision;
one more point stands for what lies in no country, and is in `WORLD` alone. A code is the set of the points
at or below it. Everything a `TerritorySet` says is compared with Python's own sets of these points.
"""

from __future__ import annotations

import copy
import pickle
import re
from functools import cache

import pycountry
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from withhold import TerritoryError, TerritorySet
from withhold.territories import ALIASES, countries

NO_COUNTRY = "nowhere in particular"
#: Countries with nested regions, with one level of subdivisions, with none, and one that ISO does not have.
COUNTRIES = ("IT", "US", "GB", "IN", "AQ", "XK", "FR")


@cache
def parents() -> dict[str, str]:
    """Return the code directly around every point, from pycountry alone."""
    around = {found.code: found.parent_code or found.country_code for found in pycountry.subdivisions}
    around = {code: parent for code, parent in around.items() if code not in ALIASES}
    return around | dict.fromkeys(countries(), "WORLD") | {NO_COUNTRY: "WORLD"}


@cache
def points_below() -> dict[str, frozenset[str]]:
    """Return the points of every code."""
    below: dict[str, set[str]] = {}
    for point in parents():
        code: str | None = point
        while code is not None:
            below.setdefault(code, set()).add(point)
            code = parents().get(code)
    return {code: frozenset(points) for code, points in below.items() if code != NO_COUNTRY}


def points(*codes: str) -> frozenset[str]:
    return frozenset().union(*(points_below()[code] for code in codes))


codes = st.sampled_from(
    sorted(code for code in points_below() if code.partition("-")[0] in {"IT", "GB", "US", "AQ", "XK"}) + ["WORLD"] * 30
) | st.sampled_from(
    ("IT", "IT-62", "IT-RM", "IT-RI", "IT-FR", "IT-LT", "IT-VT", "GB", "GB-ENG", "GB-SCT", "US", "WORLD")
)

#: A set, and the points it should have.
Both = tuple[TerritorySet, frozenset[str]]
built: st.SearchStrategy[Both] = st.recursive(
    st.lists(codes, max_size=4).map(lambda found: (TerritorySet(found), points(*found))),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda pair: (pair[0][0] | pair[1][0], pair[0][1] | pair[1][1])),
        st.tuples(inner, inner).map(lambda pair: (pair[0][0] & pair[1][0], pair[0][1] & pair[1][1])),
        st.tuples(inner, inner).map(lambda pair: (pair[0][0] - pair[1][0], pair[0][1] - pair[1][1])),
    ),
    max_leaves=8,
)


@settings(max_examples=300)
@given(built, codes)
def test_a_code_is_in_a_set_iff_all_of_its_points_are(both: Both, code: str) -> None:
    found, model = both
    assert (code in found) == (points(code) <= model)
    assert (code.lower() in found) == (code in found)


@settings(max_examples=300)
@given(built, built)
def test_sets_are_equal_in_value_hash_and_text_iff_their_points_are(one: Both, other: Both) -> None:
    equal = one[1] == other[1]
    assert (one[0] == other[0]) is equal
    assert (str(one[0]) == str(other[0])) is equal
    if equal:
        assert hash(one[0]) == hash(other[0])
        assert list(one[0]) == list(other[0])


@settings(max_examples=300)
@given(built)
def test_sets_of_equal_points_are_equal_however_they_were_made(both: Both) -> None:
    """The union of its parts, and the world without the rest, are the same set."""
    found, model = both
    world = TerritorySet(["WORLD"])
    rest = world - found
    for again in (world - rest, (found - rest) | (found & found), found | TerritorySet(found)):
        assert again == found
        assert hash(again) == hash(found)
        assert str(again) == str(found)
    assert bool(found) is bool(model)
    assert bool(rest) is bool(points("WORLD") - model)
    assert not (found & rest)
    assert found | rest == world


@settings(max_examples=300)
@given(built)
def test_iteration_gives_the_largest_codes_that_are_wholly_inside(both: Both) -> None:
    found, model = both
    inside = {code for code, below in points_below().items() if below <= model}
    largest = {code for code in inside if parents().get(code) not in inside}
    given_ = list(found)
    assert set(given_) == largest
    assert len(given_) == len(largest), "each once"


@settings(max_examples=300)
@given(built)
def test_the_complement_has_all_other_points_and_countries_are_those_wholly_inside(both: Both) -> None:
    found, model = both
    rest = found.complement()
    assert _read(str(rest)) == points("WORLD") - model
    assert rest.complement() == found
    assert list(found.countries()) == sorted(code for code in countries() if points(code) <= model)


@settings(max_examples=300)
@given(built)
def test_the_text_determines_the_points(both: Both) -> None:
    found, model = both
    assert _read(str(found)) == model
    assert repr(found) == f"<TerritorySet {found}>"


def _read(text: str) -> frozenset[str]:
    """Return the points that the text of a set describes."""
    if text == "nowhere":
        return frozenset()
    tokens = re.findall(r"[A-Z0-9-]+|[(),]|except|but", text)
    taken = _terms(tokens, frozenset())
    assert not tokens, "all of it was read"
    return taken


def _terms(tokens: list[str], inside: frozenset[str]) -> frozenset[str]:
    """Each term toggles its code, and the terms in its parentheses toggle parts of it again."""
    while tokens and tokens[0] != ")":
        code = tokens.pop(0)
        assert not points(code) & inside or points(code) <= inside, "a term concerns one state"
        inside ^= points(code)
        if tokens[:1] == ["("] or (code == "WORLD" and tokens[:1] == ["except"]):
            closed = tokens.pop(0) == "("
            if closed:
                assert tokens.pop(0) == ("except" if points(code) <= inside else "but")
            inside = _terms(tokens, inside)
            if closed:
                assert tokens.pop(0) == ")"
        if tokens[:1] == [","]:
            tokens.pop(0)
    return inside


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (TerritorySet(), "nowhere"),
        (TerritorySet(["tr", "IN", "TR"]), "IN, TR"),
        (TerritorySet(["WORLD", "IN"]), "WORLD"),
        (TerritorySet(["IT", "IT-RM"]), "IT"),
        (TerritorySet(["IT-62", "IT-RM"]), "IT-62"),
        (TerritorySet(["IT"]) - TerritorySet(["IT-RM"]), "IT (except IT-RM)"),
        (TerritorySet(["WORLD"]) - TerritorySet(["US", "IN"]), "WORLD except IN, US"),
        (TerritorySet(["WORLD"]) - (TerritorySet(["IN"]) - TerritorySet(["IN-DL"])), "WORLD except IN (but IN-DL)"),
        (TerritorySet(["FR"]) & TerritorySet(["RE"]), "nowhere"),
    ],
)
def test_how_a_set_prints(found: TerritorySet, text: str) -> None:
    assert str(found) == text


def test_every_country_is_not_yet_the_world() -> None:
    """A viewer in no country, or at an unknown location, is in `WORLD` too (T4)."""
    everywhere = TerritorySet(countries())
    assert everywhere != TerritorySet(["WORLD"])
    assert "WORLD" not in everywhere
    assert TerritorySet(["WORLD"]) - everywhere


def test_all_subdivisions_are_not_yet_the_country() -> None:
    """Some places are in no subdivision."""
    states = TerritorySet(code for code in points("US") if code != "US")
    assert "US" not in states
    assert str(TerritorySet(["US"]) - states).startswith("US (except US-AK, ")


@pytest.mark.parametrize("code", ["ZZ", "US-XX", "XX", "", "EU"])
def test_a_code_that_does_not_exist_is_an_error(code: str) -> None:
    with pytest.raises(TerritoryError):
        TerritorySet([code])
    with pytest.raises(TerritoryError):
        assert code in TerritorySet(["IN"])


def test_other_things_are_not_in_it_and_not_equal_to_it() -> None:
    found = TerritorySet(["IN"])
    assert 5 not in found
    assert found != "IN"
    assert found != {"IN"}


def test_a_set_can_be_pickled() -> None:
    found = TerritorySet(["WORLD"]) - TerritorySet(["IT-62", "TR"])
    for again in (pickle.loads(pickle.dumps(found)), copy.deepcopy(found)):  # noqa: S301
        assert again == found
        assert str(again) == str(found)
