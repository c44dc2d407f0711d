"""The viewer, and what is known about their location (T4)."""

from __future__ import annotations

import copy
import pickle
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.model.test_territory_set import points, points_below
from withhold import RuleSetWarning, SubjectIdError, SubjectIdTypeError, TerritoryError, Viewer, ViewerError
from withhold.model.viewer import _LOCATION_KEYS, is_in
from withhold.territories import country_of


class TestValues:
    def test_codes_are_canonical_sorted_and_unique(self) -> None:
        one = Viewer(country="gb", subdivisions=["gb-wbk", "GB-ENG", "GB-WBK"])
        assert one.location_key == ("GB", ("GB-ENG", "GB-WBK"))
        assert one == Viewer(country="GB", subdivisions=("GB-ENG", "GB-WBK"))
        assert hash(one) == hash(Viewer(country="GB", subdivisions=("GB-ENG", "GB-WBK")))

    @pytest.mark.parametrize("codes", [["US-MS", "US-TX"], ["US-TX", "US-MS", "US-CA"]])
    def test_nobody_is_in_two_states(self, codes: list[str]) -> None:
        """Otherwise `varies_by_location` could not be computed."""
        with pytest.raises(ViewerError, match="at once"):
            Viewer(country="US", subdivisions=codes)

    def test_unknown(self) -> None:
        assert Viewer.unknown() == Viewer(country=None)
        assert Viewer.unknown(account_id=5, signal="no header").account_id == 5
        assert Viewer.unknown().location_key == (None, ())

    @pytest.mark.parametrize(
        ("viewer", "text"),
        [
            (Viewer(country="IN"), "IN"),
            (Viewer(country="IN", subdivisions=["IN-DL"], signal="GeoIP"), "IN, IN-DL (GeoIP)"),
            (Viewer.unknown(), "unknown location"),
            (Viewer.unknown(signal="Tor"), "unknown location (Tor)"),
        ],
    )
    def test_how_it_prints(self, viewer: Viewer, text: str) -> None:
        assert str(viewer) == text

    @pytest.mark.parametrize(
        ("keys", "alias"),
        [
            ({"country": "UK"}, "UK"),
            ({"country": "GB", "subdivisions": ["UK-ENG"]}, "UK-ENG"),
            ({"country": "el"}, "EL"),
        ],
    )
    def test_an_alias_gives_a_warning_at_the_line_of_the_caller(self, keys: dict[str, Any], alias: str) -> None:
        with pytest.warns(RuleSetWarning, match=rf"^`{alias}` was read as `G[BR].*` \[territory-alias\]$") as caught:
            Viewer(**keys)
        assert [warning.filename for warning in caught] == [__file__]

    def test_other_codes_give_no_warning(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            Viewer(country="gb", subdivisions=["gb-eng"])


class TestErrors:
    @pytest.mark.parametrize(
        ("keys", "message", "hint"),
        [
            (
                {"country": "IN", "subdivisions": ["US-MS"]},
                "subdivision `US-MS` contradicts country `IN`",
                "`US-MS` is in `US`",
            ),
            (
                {"country": None, "subdivisions": ["US-MS"]},
                "subdivision `US-MS` has no country",
                "`US-MS` is in `US`",
            ),
            (
                {"country": "US", "subdivisions": ["US"]},
                "subdivision `US` contradicts country `US`",
                "it has its own country code: use it as `country`",
            ),
            (
                {"country": "US", "subdivisions": "US-MS"},
                "subdivisions `US-MS` is text, not a list",
                "write `('US-MS',)`",
            ),
            ({"country": "US-MS"}, "`US-MS` is not a country", "write `country='US', subdivisions=('US-MS',)`"),
            ({"country": "WORLD"}, "`WORLD` is not a country", None),
        ],
    )
    def test_contradictions(self, keys: dict[str, Any], message: str, hint: str | None) -> None:
        with pytest.raises(ViewerError) as caught:
            Viewer(**keys)
        assert (caught.value.code, caught.value.problem.message, caught.value.hint) == ("bad-viewer", message, hint)
        assert isinstance(caught.value, ValueError)

    @pytest.mark.parametrize("code", ["XX", "xx", "T1", "ZZ", "", "EU", "IND", "A1"])
    def test_a_code_that_does_not_exist_is_never_a_silent_unknown(self, code: str) -> None:
        """T3: the caller must handle a CDN's `XX` and Tor's `T1`."""
        with pytest.raises(TerritoryError):
            Viewer(country=code)

    def test_the_hint_for_xx_says_how_to_write_an_unknown_location(self) -> None:
        with pytest.raises(TerritoryError, match=r"Viewer\.unknown\(\)"):
            Viewer(country="XX")

    @pytest.mark.parametrize("value", [5, b"IN", ["IN"], True])
    def test_a_country_is_text(self, value: object) -> None:
        with pytest.raises(TerritoryError):
            Viewer(country=value)  # type: ignore[arg-type]
        with pytest.raises(TerritoryError):
            Viewer(country="IN", subdivisions=[value])  # type: ignore[list-item]

    @pytest.mark.parametrize(
        ("value", "kind"), [(0, SubjectIdError), (True, SubjectIdTypeError), ("5", SubjectIdTypeError)]
    )
    def test_an_account_is_an_id(self, value: Any, kind: type[Exception]) -> None:
        with pytest.raises(kind):
            Viewer(country="IN", account_id=value)

    def test_subdivisions_of_none_are_a_viewer_error(self) -> None:
        """A missing header gives None. The error must be better than `'NoneType' object is not iterable`."""
        with pytest.raises(ValueError, match="subdivisions"):
            Viewer(country="US", subdivisions=None)  # type: ignore[arg-type]


class TestWhereTheyAre:
    """Compare with points: a place is the set of points where the viewer may be; a territory has all, none or some."""

    @settings(max_examples=400)
    @given(
        st.sampled_from([code for code in sorted(points_below()) if country_of(code) in {"IT", "GB", "IN"}]),
        st.sampled_from([code for code in sorted(points_below()) if country_of(code) in {"IT", "GB", "WORLD", "TR"}]),
    )
    def test_one_known_subdivision(self, where: str, territory: str) -> None:
        country = country_of(where)
        found = is_in((country, (where,) if where != country else ()), territory)
        here, there = points(where), points(territory)
        wanted = True if here <= there else None if here & there else False
        assert found is wanted

    @pytest.mark.parametrize("territory", ["IN", "US-MS", "XK"])
    def test_an_unknown_location_is_unknown_for_all_but_the_world(self, territory: str) -> None:
        assert is_in((None, ()), territory) is None
        assert is_in((None, ()), "WORLD") is True

    @pytest.mark.parametrize(
        ("known", "territory", "wanted"),
        [
            ((), "US-MS", None),
            (("US-TX",), "US-MS", False),
            (("US-MS", "US-TX"), "US-MS", True),
            (("US-MS",), "US", True),
            (("US-MS",), "IN", False),
        ],
    )
    def test_the_examples_of_the_contract(self, known: tuple[str, ...], territory: str, wanted: bool | None) -> None:
        """T4."""
        assert is_in(("US", known), territory) is wanted

    @pytest.mark.parametrize(
        ("known", "territory", "wanted"),
        [
            (("IT-62", "IT-RM"), "IT-RI", False),
            (("IT-62",), "IT-RI", None),
            (("IT-62", "IT-21"), "IT-RI", None),
            (("IT-RM",), "IT-62", True),
            (("IT-RM",), "IT-21", False),
        ],
    )
    def test_the_smallest_of_nested_regions_decides(
        self, known: tuple[str, ...], territory: str, wanted: bool | None
    ) -> None:
        assert is_in(("IT", known), territory) is wanted


class TestIdentity:
    """A viewer is a place and an account; the source of the location is no part of equality."""

    def test_viewers_with_another_source_are_equal(self) -> None:
        one, other = Viewer(country="IN", account_id=5, signal="GPS"), Viewer(country="IN", account_id=5)
        assert one == other
        assert hash(one) == hash(other)
        assert one != Viewer(country="IN")
        assert one != Viewer(country="US", account_id=5)
        assert one != "IN"

    def test_each_location_is_one_object(self) -> None:
        keys = [
            Viewer(country=country, subdivisions=parts).location_key
            for country in ("US", "us")
            for parts in (["US-MS"], ("us-ms",), iter(["US-MS", "us-ms"]))
        ]
        assert all(key is keys[0] for key in keys)
        assert Viewer(country="IN").location_key is Viewer(country=" in", subdivisions=[]).location_key
        assert Viewer.unknown().location_key is Viewer(country=None).location_key

    def test_only_canonical_valid_locations_are_kept(self) -> None:
        Viewer(country="IN"), Viewer(country="US", subdivisions=["US-MS"])
        before = dict(_LOCATION_KEYS)
        for keys in ({"country": "XX"}, {"country": "in"}, {"country": "US", "subdivisions": ("US-MS", "US-TX")}):
            with suppress(ValueError):
                Viewer(**keys)
        assert before == _LOCATION_KEYS
        assert all(key in (seen, (seen, ())) for seen, key in before.items())

    def test_a_viewer_cannot_be_changed(self) -> None:
        viewer = Viewer(country="IN")
        for name in ("country", "subdivisions", "account_id", "signal", "location_key", "other"):
            with pytest.raises(AttributeError):
                setattr(viewer, name, None)

    @pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda viewer: pickle.loads(pickle.dumps(viewer))])  # noqa: S301
    def test_a_copy_has_the_text_of_the_source(self, copied: Callable[[Viewer], Viewer]) -> None:
        viewer = Viewer.located(Viewer(country="US", subdivisions=["US-MS"]).location_key, 5, ("{} {}".format, 1, 2))
        found = copied(viewer)
        assert (found, found.location_key is viewer.location_key, found.signal) == (viewer, True, "1 2")
        assert repr(found) == "Viewer(country='US', subdivisions=('US-MS',), account_id=5, signal='1 2')"
        assert found.to_dict() == viewer.to_dict()
