"""The place that the codes of a record denote: second codes, former codes, codes that contradict each other."""

from __future__ import annotations

import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from withhold import Viewer
from withhold.location import CDNS
from withhold.location.record_place import place_of
from withhold.location.schema import detect_schema
from withhold.territories import ALIASES, containing, countries, country_of, is_subdivision, subdivisions
from withhold.territories.iso import is_in_use
from withhold.territories.table import TABLE


def located(country: str, *parts: str | None) -> tuple[str | None, tuple[str, ...]]:
    place = place_of(country, parts)
    return place.country, place.subdivisions


@pytest.mark.parametrize(
    ("country", "part", "own"),
    [
        *(("FR", part, part) for part in ("RE", "GP", "GF", "MQ", "YT", "PM", "BL", "MF", "NC", "PF", "TF", "WF")),
        *(("FR", part, own) for part, own in (("974", "RE"), ("LRE", "RE"), ("GUA", "GP"), ("988", "NC"))),
        *(("CN", part, own) for part, own in (("71", "TW"), ("91", "HK"), ("92", "MO"), ("TW", "TW"), ("HK", "HK"))),
        *(("RS", part, "XK") for part in ("KM", "25", "26", "27", "28", "29")),
        *(("US", part, part) for part in ("PR", "GU", "AS", "MP", "VI", "UM", "FM", "MH", "PW")),
        *(("NL", "AW", "AW"), ("NL", "CW", "CW"), ("NL", "SX", "SX"), ("FI", "01", "AX"), ("FI", "1", "AX")),
        *(("NO", "21", "SJ"), ("NO", "22", "SJ"), ("GB", "GSY", "GG"), ("GB", "IOM", "IM"), ("DK", "GL", "GL")),
    ],
)
def test_c3_a_second_code_is_the_place_with_its_own_code(country: str, part: str, own: str) -> None:
    """T5. Otherwise the viewer would certainly be in the country, and a rule on the place would not reach them."""
    for written in (part, part.lower(), f"{country}-{part}"):
        assert located(country, written) == (own, ())
    assert located(country, part, "nowhere") == (own, ())


def test_c3_the_subdivisions_of_such_a_place_are_kept() -> None:
    assert located("NL", "BQ1") == ("BQ", ("BQ-BO",))
    assert located("RS", "KM", "25") == located("RS", "25", "KM") == ("XK", ())
    assert located("FR", "RE", "974") == ("RE", ())


def test_c3_cloudfront_sends_only_the_second_code() -> None:
    headers = {"CloudFront-Viewer-Country": "FR", "CloudFront-Viewer-Country-Region": "RE"}
    found = CDNS["cloudfront"].read(headers)
    assert found is not None
    assert (found.country, found.subdivisions) == ("RE", ())


@pytest.mark.parametrize(
    ("country", "parts", "subdivisions"),
    [
        ("FR", ("IDF", "75"), ("FR-IDF", "FR-75C")),
        ("FR", ("75", "IDF"), ("FR-IDF", "FR-75C")),
        ("FR", ("FR-IDF", "fr-75"), ("FR-IDF", "FR-75C")),
        ("FR", ("idf", "75c"), ("FR-IDF", "FR-75C")),
        ("FR", ("ZZ", "75"), ("FR-75C",)),
        ("FR", ("IDF", "ZZ"), ("FR-IDF",)),
        ("FR", ("IDF", None), ("FR-IDF",)),
        ("FR", ("IDF", ""), ("FR-IDF",)),
        ("FR", ("IDF", "ı"), ("FR-IDF",)),
        ("FR", ("ARA", "1"), ("FR-ARA", "FR-01")),
        ("SI", ("1",), ("SI-001",)),
        ("FR", ("J", "75"), ("FR-IDF", "FR-75C")),
        ("IT", ("23", "AO"), ("IT-23",)),
        ("IN", ("TG",), ("IN-TS",)),
        ("CN", ("22",), ("CN-JL",)),
        ("NO", ("31",), ("NO-31",)),
        ("NO", ("20",), ("NO-56",)),
        ("ZA", ("ZN",), ("ZA-KZN",)),
        *(("NO", (part,), ()) for part in ("30", "38", "54")),
        *(("NP", (part,), ()) for part in ("LU", "1")),
        ("BD", ("5",), ()),
        ("FR", ("IDF", "13"), ()),
        ("FR", ("13", "IDF", "75"), ()),
        # The successors of a divided place may be in one region, and two contradicting places in one that contains both.
        *(("GB", (part,), ("GB-ENG",)) for part in ("NTH", "CHS")),
        *(("GB", (part,), ("GB-NIR",)) for part in ("LSB", "CSR")),
        ("PH", ("MAG",), ("PH-14",)),
        ("FR", ("OCC", "31", "09"), ("FR-OCC",)),
        ("FR", ("31", "09"), ("FR-OCC",)),
        ("BQ", ("NL-BQ1",), ("BQ-BO",)),
        ("RE", ("FR-974",), ()),
    ],
)
def test_c4_all_known_parts_of_a_place_are_kept(
    country: str, parts: tuple[str | None, ...], subdivisions: tuple[str, ...]
) -> None:
    """An unknown code does not affect the others. Of codes that contradict each other the place that contains them is kept."""
    assert located(country, *parts) == (country, subdivisions)


@pytest.mark.parametrize(
    ("country", "parts"),
    [
        *(("FR", parts) for parts in (("RE", "IDF"), ("974", "971"), ("IDF", "974"), ("RE", "GB-ENG"))),
        *(("RS", parts) for parts in (("KM", "VO"), ("KM", "24"))),
        *(("FI", ("AX", "18")), ("GB", ("CHA",)), ("GB", ("CHA", "ENG")), ("US", ("GB-ENG",)), ("DE", ("SH-AC",))),
        *(("US", ("PR", "CA")), ("CN", ("HK", "GD")), ("NL", ("BQ1", "NH"))),
    ],
)
def test_c3_parts_in_different_countries_give_an_unknown_location(country: str, parts: tuple[str, ...]) -> None:
    """T5. It is unknown which one is right, so a rule on neither place may certainly not reach the viewer."""
    assert located(country, *parts) == (None, ())
    assert "subdivision" in place_of(country, parts).note


@pytest.mark.parametrize("part", ["UM-76", "US-UM-76", "um-76"])
def test_c3_a_part_of_such_a_place_is_read_by_its_full_code(part: str) -> None:
    assert located("US", part) == ("UM", ("UM-76",))
    assert located("US", "UM-XX") == ("UM", ())
    assert located("GB", "SH-AC") == ("SH", ("SH-AC",))


def test_c4_in_records_a_merged_code_is_the_larger_place() -> None:
    """A viewer in the part is in the larger place. Only in rules may the larger place not replace the part."""
    for row in (row for row in TABLE.values() if row.how == "merged" and is_subdivision(row.code)):
        country, _, part = row.code.partition("-")
        place = place_of(country, [part])
        assert place.country == country_of(row.now[0]), row
        if len(row.now) == 1 and not is_in_use(row.code):
            assert place.subdivisions == (row.now[0],), row


@pytest.mark.parametrize(
    ("code", "country", "subdivisions"),
    [
        *(("EL", "GR", ()), ("DD", "DE", ()), ("JT", "UM", ()), ("CT", "KI", ()), ("DG", "IO", ())),
        *(("CQ", "GG", ()), ("EA", "ES", ()), ("IC", "ES", ("ES-CN",)), ("AC", "SH", ("SH-AC",))),
        *(("TA", "SH", ("SH-TA",)), ("CP", "FR", ("FR-CP",))),
    ],
)
def test_c4_other_codes_of_one_place_are_read(code: str, country: str, subdivisions: tuple[str, ...]) -> None:
    for record in ({"country_code": code}, {"country": {"iso_code": code}}):
        place = detect_schema("own", [record]).read(record)
        assert (place.country, place.subdivisions) == (country, subdivisions)
    for cdn in CDNS.values():
        found = cdn.read({cdn.country_header: code})
        assert found is not None
        assert found.country == country
    assert place_of("US", registered=code).registered_country == country


def test_c4_the_subdivisions_of_such_a_code_are_read() -> None:
    assert located("IC", "GC") == ("ES", ("ES-CN", "ES-GC"))
    assert located("IC", "MD") == ("ES", ())


def test_d11_the_note_on_a_place_contains_no_address() -> None:
    for written in ("192.0.2.7", "2001:db8::7", "US-192.0.2.7"):
        for place in (place_of("US", [written]), place_of("US", ["CA", written]), place_of(written)):
            assert "192.0" not in place.note
            assert "2001" not in place.note


@pytest.mark.parametrize(("code", "country"), [("TP", "TL"), ("ZR", "CD"), ("BU", "MM"), ("FX", "FR")])
def test_c4_former_countries_with_one_successor_are_read(code: str, country: str) -> None:
    assert place_of(code).country == country


@pytest.mark.parametrize("code", ["AN", "CS", "SU", "YU", "NT", "EU", "WORLD", "XC", "US-CA"])
def test_c4_other_former_and_reserved_codes_are_no_countries(code: str) -> None:
    assert place_of(code).country is None


def test_c4_records_are_read_without_a_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for row in TABLE.values():
            country, _, part = row.code.partition("-")
            place_of(country, [part] if part else [])


_PARTS = st.sampled_from(
    [None, "", "ZZ", "1", *(code.partition("-")[2] for code in TABLE), *(part for part in ("IDF", "75", "RE", "KM"))]
)


@given(
    st.sampled_from([*countries(), "AN", "TP", "ZZ", "UK"]),
    st.lists(_PARTS | st.text(max_size=4), max_size=4),
    st.data(),
)
def test_any_codes_of_a_record_give_a_valid_location_of_a_viewer(
    country: str, parts: list[str | None], data: st.DataObject
) -> None:
    """The codes of the result are in use, one inside the other, broadest first. The order of the parts does not matter."""
    if own := list(subdivisions(country)):
        parts.append(data.draw(st.sampled_from(own)))
    place = place_of(country, parts)
    Viewer(country=place.country, subdivisions=place.subdivisions)
    assert not set(place.subdivisions) & set(ALIASES)
    assert all(is_subdivision(code) and country_of(code) == place.country for code in place.subdivisions)
    assert [*map(len, map(containing, place.subdivisions))] == sorted(map(len, map(containing, place.subdivisions)))
    again = place_of(country, data.draw(st.permutations(parts)))
    assert (again.country, again.subdivisions) == (place.country, place.subdivisions)
