"""Codes, aliases, groups, and the territories that contain them (T1 to T6)."""

from __future__ import annotations

import pycountry
import pytest
from hypothesis import given
from hypothesis import strategies as st

from withhold import Rule, RuleSetWarning, TerritoryError, Viewer
from withhold.territories import (
    ALIASES,
    GROUPS,
    Resolved,
    containing,
    countries,
    country_of,
    expand,
    is_subdivision,
    name_of,
    resolve,
    resolve_jurisdiction,
    subdivisions,
)

ALL_COUNTRIES = sorted(found.alpha_2 for found in pycountry.countries)
#: ISO 3166-2 lists some places a second time, as parts of a country (T5): those codes are aliases.
#: `NO-30` and two others are still listed, although they were divided in 2024.
ALL_SUBDIVISIONS = sorted(
    found.code for found in pycountry.subdivisions if found.code not in {*ALIASES, "NO-30", "NO-38", "NO-54"}
)


def test_every_iso_code_is_read_in_any_case() -> None:
    """T1, T2."""
    for code in (*ALL_COUNTRIES, *ALL_SUBDIVISIONS, "XK", "WORLD"):
        for written in (code, code.lower(), code.title(), f" {code}\n"):
            assert resolve(written) == Resolved(code, None)


def test_there_are_250_countries_and_kosovo_is_one_of_them() -> None:
    assert set(countries()) == {*ALL_COUNTRIES, "XK"}
    assert len(countries()) == 250
    assert list(countries()) == sorted(countries())
    assert name_of("XK") == "Kosovo"


def test_a_subdivision_is_inside_its_country_and_the_world() -> None:
    """Each step goes to the parent that ISO gives, so there are no cycles."""
    parent = {found.code: found.parent_code for found in pycountry.subdivisions}
    for code in ALL_SUBDIVISIONS:
        chain = containing(code)
        assert chain[0] == code
        assert chain[-2:] == (country_of(code), "WORLD")
        assert [parent[inner] for inner in chain[:-2]] == [*chain[1:-2], None]
        assert len(set(chain)) == len(chain)


@pytest.mark.parametrize("code", ["IN", "XK", "AQ"])
def test_only_the_world_contains_a_country(code: str) -> None:
    assert containing(code) == (code, "WORLD")


def test_subdivisions_are_those_of_the_country_alone() -> None:
    assert {"NO-31", "NO-56"} <= set(subdivisions("NO"))
    assert set(subdivisions("US")) == {code for code in ALL_SUBDIVISIONS if code.startswith("US-")}
    assert subdivisions("IT")["IT-RM"] == "IT-62"
    assert subdivisions("IT")["IT-62"] == "IT"
    assert subdivisions("XK") == {}
    assert subdivisions("ZZ") == {}


@pytest.mark.parametrize(
    ("written", "code", "alias"),
    [
        ("UK", "GB", "UK"),
        ("uk", "GB", "UK"),
        ("EL", "GR", "EL"),
        ("uk-sct", "GB-SCT", "UK-SCT"),
        ("GB", "GB", None),
        ("GR", "GR", None),
        ("BR-EL", None, None),
        ("UA", "UA", None),
        ("us-pr", "PR", "US-PR"),
        ("CN-HK", "HK", "CN-HK"),
        ("FR-974", "RE", "FR-974"),
        ("FI-01", "AX", "FI-01"),
    ],
)
def test_aliases_are_read_and_reported(written: str, code: str | None, alias: str | None) -> None:
    """T2; and only in the position of the country."""
    if code is None:
        with pytest.raises(TerritoryError):
            resolve(written)
    else:
        assert resolve(written) == Resolved(code, alias)


def test_an_alias_is_never_an_iso_code() -> None:
    assert not set(ALIASES) & set(countries())
    for alias, code in ALIASES.items():
        assert resolve(code) == Resolved(code, None)
        assert not is_subdivision(alias) or alias not in subdivisions(country_of(alias))


@pytest.mark.parametrize(
    ("second", "own"),
    [
        *(("NL-BQ1", "BQ-BO"), ("NL-BQ2", "BQ-SA"), ("NL-BQ3", "BQ-SE"), ("NO-21", "SJ"), ("NO-22", "SJ")),
        *(("NL-AW", "AW"), ("CN-TW", "TW"), ("US-UM", "UM"), ("FR-TF", "TF")),
    ],
)
def test_a_place_that_is_listed_twice_has_one_code(second: str, own: str) -> None:
    """T5: a viewer in Bonaire is located in `BQ`, so a rule on `NL-BQ1` would never reach them."""
    assert resolve(second) == Resolved(own, second)


def test_no_second_code_was_forgotten() -> None:
    """A subdivision with the name of another country is either a second code of it, or is listed here."""
    names = {found.name: found.alpha_2 for found in pycountry.countries}
    same_name = {
        found.code: names[found.name]
        for found in pycountry.subdivisions
        if found.name in names and names[found.name] != found.country_code
    }
    namesakes = {"BE-WLX": "LU", "GN-ML": "ML", "NG-NI": "NE", "US-GA": "GE"}
    assert {code: own for code, own in same_name.items() if ALIASES.get(code) != own} == namesakes


@pytest.mark.parametrize(
    ("written", "message", "hint"),
    [
        ("DR", "unknown country `DR`", "write an ISO 3166 code such as `IN` or `US-MS`, or `WORLD`"),
        ("NI0", "unknown territory `NI0`", None),
        ("GBR", "unknown territory `GBR`", "did you mean `GB` (United Kingdom)?"),
        ("ind", "unknown territory `ind`", "did you mean `IN` (India)?"),
        ("India", "unknown territory `India`", "did you mean `IN` (India)?"),
        ("WORDL", "unknown territory `WORDL`", "did you mean `WORLD`?"),
        ("EUU", "unknown territory `EUU`", None),
        ("EEB", "unknown territory `EEB`", "did you mean `EEA`?"),
        ("US-MZ", "unknown subdivision `US-MZ`", "write an ISO 3166 code such as `IN` or `US-MS`, or `WORLD`"),
        ("US-SM", "unknown subdivision `US-SM`", "did you mean `US-MS` (Mississippi)?"),
        ("IM-A", "unknown subdivision `IM-A`", None),
        ("", "unknown territory ``", None),
        ("-", "unknown subdivision `-`", None),
        ("US-", "unknown subdivision `US-`", None),
        ("1", "unknown territory `1`", None),
    ],
)
def test_a_code_that_does_not_exist_suggests_the_nearest(written: str, message: str, hint: str | None) -> None:
    """T2. Swapped letters and neighbouring keys are the most likely mistakes."""
    with pytest.raises(TerritoryError) as caught:
        resolve(written)
    assert caught.value.problem.message == message
    assert caught.value.code == "unknown-territory"
    assert caught.value.hint == (hint or "write an ISO 3166 code such as `IN` or `US-MS`, or `WORLD`")


@given(st.text(max_size=6) | st.text(st.sampled_from("ABCXYZUKEL-1 "), max_size=6))
def test_any_text_is_a_code_or_a_territory_error_with_a_hint_that_can_be_followed(text: str) -> None:
    found = _resolved(text)
    if isinstance(found, Resolved):
        assert resolve(found.code) == Resolved(found.code, None), "a canonical code stands for itself"
    else:
        hint = str(found.hint)
        assert hint != "None"
        if hint.startswith("did you mean `"):
            assert expand(hint.removeprefix("did you mean `").partition("`")[0])


def _resolved(text: str) -> Resolved | TerritoryError:
    try:
        return resolve(text)
    except TerritoryError as error:
        return error


@pytest.mark.parametrize("suffix", ["ENGL", "XXX"])
def test_a_suggestion_for_a_subdivision_of_an_alias_stays_in_its_country(suffix: str) -> None:
    with pytest.raises(TerritoryError) as caught:
        resolve(f"UK-{suffix}")
    assert "`HK`" not in str(caught.value.hint)


def test_the_hints_for_xx_and_xy_say_what_to_write_instead() -> None:
    """T3."""
    for written in ("XX", "xx"):
        with pytest.raises(TerritoryError) as caught:
            resolve(written)
        assert caught.value.problem.message == f"`{written}` is not a territory"
        assert "write `WORLD`" in str(caught.value.hint)
        assert "unknown location" in str(caught.value.hint)
    with pytest.raises(TerritoryError) as caught:
        resolve("XY")
    assert (
        caught.value.hint
        == "in Twitter's data `XY` means worldwide for copyright: write `WORLD` with `reason: copyright`"
    )


@pytest.mark.parametrize(("inner", "outer"), [("RE", "FR"), ("PR", "US"), ("HK", "CN"), ("AX", "FI"), ("XK", "RS")])
def test_a_territory_with_its_own_code_is_not_in_the_country_it_belongs_to(inner: str, outer: str) -> None:
    """T5; nor is it in a group of which the country is a member."""
    assert outer not in containing(inner)
    assert inner not in GROUPS["EU"]


class TestGroups:
    def test_the_known_groups(self) -> None:
        assert len(GROUPS["EU"]) == 27
        assert {"GR", "HR", "CY", "IE"} <= set(GROUPS["EU"])
        assert not {"GB", "CH", "NO", "EL"} & set(GROUPS["EU"])
        assert set(GROUPS["EEA"]) - set(GROUPS["EU"]) == {"IS", "LI", "NO"}
        for members in GROUPS.values():
            assert all(resolve(code) == Resolved(code, None) for code in members)
            assert list(members) == sorted(set(members))

    def test_a_group_expands_and_a_code_does_not(self) -> None:
        assert [found.code for found in expand(" eu ")] == list(GROUPS["EU"])
        assert expand("us-ms") == (Resolved("US-MS", None),)
        assert expand("gulf", {"GULF": ("AE",)}) == (Resolved("AE", None),)
        assert expand("Uk") == (Resolved("GB", "UK"),)

    def test_no_group_has_the_name_of_a_code(self) -> None:
        assert not set(GROUPS) & {*countries(), *ALIASES, "WORLD", "XX", "XY"}

    def test_a_group_is_not_suggested_for_itself_where_only_codes_are_read(self) -> None:
        """`EU` is not a country, and `RU` is certainly not the intended one."""
        with pytest.raises(TerritoryError) as caught:
            resolve("EU")
        assert not str(caught.value.hint).startswith("did you mean")


def test_a_jurisdiction_is_any_place_or_the_union() -> None:
    for code in (*ALL_COUNTRIES, *ALL_SUBDIVISIONS, "XK", "EU"):
        assert resolve_jurisdiction(f" {code.lower()}\n") == Resolved(code, None)
    assert [resolve_jurisdiction(code) for code in ("el", "IN-OR")] == [
        Resolved("GR", "EL"),
        Resolved("IN-OD", "IN-OR"),
    ]


@pytest.mark.parametrize(
    ("written", "code", "hint"),
    [
        ("WORLD", "bad-jurisdiction", None),
        ("eea", "bad-jurisdiction", None),
        ("XX", "unknown-territory", None),
        ("Worldwide", "unknown-territory", None),
        ("European Economic Area", "unknown-territory", None),
        ("IN, PK", "unknown-territory", None),
        ("Europe", "unknown-territory", None),
        ("", "unknown-territory", None),
        ("European Union", "unknown-territory", "did you mean `EU`?"),
        ("Germany", "unknown-territory", "did you mean `DE` (Germany)?"),
        ("US_MS", "unknown-territory", "did you mean `US-MS` (Mississippi)?"),
        ("SU", "unknown-territory", "it was"),
    ],
)
def test_a_jurisdiction_that_does_not_exist_suggests_one(written: str, code: str, hint: str | None) -> None:
    """No hint suggests `WORLD`, a list or a group: they are not jurisdictions."""
    with pytest.raises(TerritoryError) as caught:
        resolve_jurisdiction(written)
    general = "write the territory whose law it is: a country such as `IN`, a subdivision such as `US-MS`, or `EU`"
    assert caught.value.code == code
    assert str(caught.value.hint).startswith(hint or general)


def test_names() -> None:
    assert name_of("TW") == "Taiwan"
    assert name_of("US-MS") == "Mississippi"
    assert name_of("WORLD") == "WORLD"
    assert name_of("ZZ-1") == "ZZ-1"


def test_the_hyphen_makes_a_subdivision() -> None:
    assert is_subdivision("US-MS")
    assert not is_subdivision("US")
    assert country_of("US-MS") == country_of("US") == "US"


def test_an_alias_warns_wherever_it_is_read() -> None:
    """T2: also in a rule that is created in Python."""
    with pytest.warns(RuleSetWarning, match="`UK` was read as `GB`"):
        Viewer(country="UK")
    with pytest.warns(RuleSetWarning, match="`UK` was read as `GB`"):
        Rule(id="a", accounts=[1], withheld_in=["UK"], reason="terms")
    with pytest.warns(RuleSetWarning, match="`UK` was read as `GB`") as caught:
        Rule(id="a", accounts=[1], withheld_in=["IN"], reason="terms", jurisdiction="UK")
    assert caught[0].filename == __file__, "a warning points to the caller of `Rule`"


@pytest.mark.parametrize("written", ["ın", "uſ", "ﬁ", "ＩＮ"])
def test_letters_of_other_alphabets_are_not_a_code(written: str) -> None:
    """The upper case of the first one is `IN`, but it is probably a typing error."""
    with pytest.raises(TerritoryError):
        resolve(written)
