"""The hint for an unknown territory suggests the right place or none (E5)."""

from __future__ import annotations

import re

import pycountry
import pytest
from hypothesis import given
from hypothesis import strategies as st

from withhold import TerritoryError
from withhold.territories import GROUPS, countries, country_of, expand, is_subdivision, resolve, subdivisions
from withhold.territories.table import TABLE

GENERAL = "write an ISO 3166 code such as `IN` or `US-MS`, or `WORLD`"


def hint(written: str) -> str:
    with pytest.raises(TerritoryError) as caught:
        expand(written)
    return str(caught.value.hint)


def suggested(written: str) -> list[str]:
    return re.findall(r"`([^` ]+)`", hint(written))


@pytest.mark.parametrize(
    ("written", "codes"),
    [
        *((word, "WORLD") for word in ("everywhere", "all", "*", "global", "Worldwide", "world-wide", "ALL")),
        *(("US_MS", "US-MS"), ("us ms", "US-MS"), ("US/MS", "US-MS"), ("US–MS", "US-MS"), ("USMS", "US-MS")),
        *(("USA-MS", "US-MS"), ("US-Mississippi", "US-MS"), ("Mississippi", "US-MS"), ("Mississippi, US", "US-MS")),
        *(("U.S.", "US"), ("U.S.A.", "US"), ("USA", "US"), ("America", "US"), ("840", "US"), ("u.k.", "GB")),
        *(("Samoa", "WS"), ("Turkey", "TR"), ("Türkiye", "TR"), ("Russia", "RU"), ("Burma", "MM"), ("Holland", "NL")),
        *(("Swaziland", "SZ"), ("Ivory Coast", "CI"), ("Macedonia", "MK"), ("Czech Republic", "CZ"), ("UAE", "AE")),
        *(("Great Britain", "GB"), ("England", "GB-ENG"), ("South Korea", "KR"), ("North Korea", "KP")),
        *(("Zaire", "CD AO-ZAI"), ("Congo", "CD CG"), ("Korea", "KP KR"), ("Georgia", "GE US-GA")),
        *(("Virgin Islands", "VG VI"), ("Punjab", "IN-PB PK-PB"), ("St. Kitts & Nevis", "KN"), ("Bosnia", "BA")),
        *(("Guinea", "GN"), ("Mexico", "MX"), ("Bonaire", "BQ-BO"), ("The Gambia", "GM"), ("Bavaria", "DE-BY")),
        *(("Congo, The Democratic Republic of the", "CD"), ("European Union", "EU"), ("ind", "IN"), ("356", "IN")),
        *(("Republic of China", "TW"), ("La Réunion", "RE"), ("UE", "EU"), ("001", "WORLD"), ("Gaza", "PS MZ-G")),
        *(("Germny", "DE"), ("Nigera", "NE NG"), ("NO-3", "NO-03"), ("SI-1", "SI-001"), ("EA", "ES-CE ES-ML")),
        *(("NY", "US-NY"), ("DC", "US-DC"), ("TX", "US-TX"), ("OK", "US-OK"), ("UT", "US-UT"), ("RI", "US-RI")),
        *(("WY", "US-WY"), ("QC", "CA-QC"), ("ON", "CA-ON"), ("WA", "US-WA AU-WA"), ("UP", "IN-UP"), ("NSW", "AU-NSW")),
        *(("ENG", "GB-ENG"), ("Canaries", "ES-CN LC-12"), ("St. Helena", "SH"), ("Kosova", "XK"), ("Aland", "AX")),
        *(("Timor", "TL"), ("Saudi", "SA"), ("Irak", "IQ"), ("Lybia", "LY"), ("Egpyt", "EG"), ("Equador", "EC")),
        *(("Columbia", "CO"), ("Chili", "CL"), ("Indai", "IN"), ("Marocco", "MA")),
        *(("Orissa", "IN-OD"), ("New Delhi", "IN-DL"), ("US-SM", "US-MS"), ("UX-MS", "US-MS"), ("WORLE", "WORLD")),
    ],
)
def test_e5_the_intended_place_is_suggested(written: str, codes: str) -> None:
    assert hint(written).startswith("did you mean")
    assert suggested(written) == codes.split()


@pytest.mark.parametrize(
    "written",
    [
        "Roman",
        "United",
        "Islands",
        "Republic",
        "African",
        "Hyderabad",
        "[IN]",
        "NI0",
        "1",
        "US-",
        "日本",
        "N/A",
        "none",
        "unknown",
        "XW",
        "İN",
        *(
            "EN",
            "UN",
            "JA",
            "SP",
            "DR",
            "US-XX",
            "US-MZ",
            "CA-US",
            "FR-96",
            "EAST",
            "Northern",
            "Nairobi",
            "London",
            "GB-LON",
            "US-CAA",
        ),
    ],
)
def test_e5_no_place_is_suggested_if_none_fits(written: str) -> None:
    assert hint(written) == GENERAL


@pytest.mark.parametrize(
    "written", ["Europe", "Asia", "Africa", "the Americas", "OC", "150", "Middle East", "EMEA", "Gulf", "GCC", "G7"]
)
def test_e5_continents_are_not_territories(written: str) -> None:
    assert "list its countries" in hint(written)
    assert not suggested(written)


@pytest.mark.parametrize("written", ["ROW", "rest of the world", "other countries"])
def test_e5_the_rest_of_the_world_is_not_the_world(written: str) -> None:
    assert "except_in" in hint(written)


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("Democratic Republic of the Congo", "CD"),
        ("St Kitts", "KN"),
        ("EU27", "EU"),
        ("GB-NI", "GB-NIR"),
        ("GB-EGN", "GB-ENG"),
    ],
)
def test_e5_the_whole_name_decides(written: str, code: str) -> None:
    assert suggested(written) == [code]


def test_e5_eu_where_one_country_is_expected_suggests_none() -> None:
    with pytest.raises(TerritoryError) as caught:
        resolve("EU")
    assert "it is a group" in str(caught.value.hint)


@pytest.mark.parametrize("written", ["IN, PK", "IN PK", "IN;PK", "IN/PK", "[IN, PK]", "India, Pakistan"])
def test_e5_a_list_needs_brackets(written: str) -> None:
    assert hint(written) == "put brackets around a list: `[IN, PK]`"


def test_e5_the_hint_for_a_part_of_a_divided_country_names_the_division() -> None:
    assert suggested("AN-CUR") == ["BQ", "CW", "SX"]


def test_e5_a_former_country_may_also_be_the_code_of_a_state() -> None:
    assert hint("CT").startswith("it was the Canton and Enderbury Islands")
    assert suggested("CT") == ["KI", "US-CT"]


def test_e5_a_name_of_many_places_suggests_none() -> None:
    assert hint("Central").endswith("places have this name: write the code of the one you mean")


def _variants(country: object) -> set[str]:
    names = {getattr(country, key, "") for key in ("name", "common_name", "official_name", "alpha_3", "numeric")} - {""}
    comma = {name.partition(", ") for name in names if ", " in name}
    names |= {f"{rest} {first}" for first, _, rest in comma}
    return names | {f"the {name}" for name in names} | {name.replace(" and ", " & ") for name in names}


@given(st.sampled_from(list(pycountry.countries)), st.data())
def test_e5_every_name_of_a_country_suggests_it(country: object, data: st.DataObject) -> None:
    """All names, in any case, and the alpha-3 and numeric codes. Another country is suggested only if it fits too."""
    code = str(getattr(country, "alpha_2"))  # noqa: B009
    name = data.draw(st.sampled_from(sorted(_variants(country))))
    written = data.draw(st.sampled_from([name, name.upper(), name.lower(), f" {name} "]))
    assert code in suggested(written)
    assert all(other == code or is_subdivision(other) or other in countries() for other in suggested(written))


@given(st.sampled_from([code for country in countries() for code in subdivisions(country)]), st.data())
def test_e5_a_subdivision_with_another_separator_suggests_it(code: str, data: st.DataObject) -> None:
    mark = data.draw(st.sampled_from(["_", " ", "/", ".", ":", "–", " - "]))
    country, part = code.split("-", 1)
    found = suggested(f"{country}{mark}{part}".lower())
    assert code in found
    assert {country_of(other) for other in found} == {country}


@given(st.text(max_size=30) | st.sampled_from(sorted(TABLE)))
def test_e5_every_suggestion_can_be_followed(text: str) -> None:
    try:
        expand(text)
    except TerritoryError as error:
        printed = str(error.hint)
        if printed.startswith(("did you mean", "it was")):
            for code in re.findall(r"`([^`]+)`", printed):
                assert code in GROUPS or resolve(code).alias is None
