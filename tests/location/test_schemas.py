"""Databases of any schema: every record that names a place is understood, or the database is refused."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.location.mmdb_files import MAXMIND, country, needs_maxmind, write
from withhold.errors import GeoIPError
from withhold.location import GeoIP
from withhold.location.schema import detect_schema

NETS = ("8.8.8.0/24", "2001:db8::/32", "9.9.9.0/24")


def database(folder: Path, *records: object, kind: str = "own") -> Path:
    """Write a database of up to three records. The first one is repeated if there is only one."""
    found = [*records, *([records[0]] * (2 - len(records)))]
    return write(folder / "own.mmdb", dict(zip(NETS, found, strict=False)), kind=kind)


@pytest.mark.parametrize("code", ["gb", "Gb", "gB"])
@pytest.mark.parametrize("shape", ["maxmind", "country_code", "country", "path"])
def test_d4_codes_in_lower_case_are_read(tmp_path: Path, code: str, shape: str) -> None:
    record: dict[str, object] = {
        "maxmind": {"country": {"iso_code": code}, "registered_country": {"iso_code": "US"}},
        "country_code": {"country_code": code, "country": "United Kingdom"},
        "country": {"country": code},
        "path": {"geo": {"cc": code}},
    }[shape]  # type: ignore[assignment]
    path = ("geo", "cc") if shape == "path" else None
    geoip = GeoIP(database(tmp_path, record, {**record}), country_path=path, wait=None)
    assert geoip.locate("8.8.8.8").country == geoip.locate("2001:db8::1").country == "GB"


@pytest.mark.parametrize(
    ("record", "found"),
    [
        ({"country": "GBR"}, "`country` is `GBR`"),
        ({"country_code": "GBR"}, "`country_code` is `GBR`"),
        ({"country": {"iso_code": "GBR"}}, "`country.iso_code` is `GBR`"),
        ({"country": "United Kingdom"}, "`country` is `United Kingdom`"),
        ({"country": {"iso_code": "United Kingdom"}}, "`country.iso_code` is `United Kingdom`"),
        ({"country": {"names": {"en": "United Kingdom"}}}, "`country.names.en` is `United Kingdom`"),
        ({"country": {"code": "GB"}}, "`country.code` is `GB`"),
        ({"country": {"geoname_id": 2635167}}, "`country.geoname_id` is `2635167`"),
        ({"country_code": "826"}, "`country_code` is `826`"),
        ({"country_code2": "GB"}, "`country_code2` is `GB`"),
        ({"countryCode": "GB"}, "`countryCode` is `GB`"),
        ({"location": {"country": "GB"}}, "`location.country` is `GB`"),
        ({"countries": [{"code": "GB"}]}, "`countries.code` is `GB`"),
        ({"geo": {"cc": "GB"}}, "`geo.cc` is `GB`"),
        ({"iso_code": "GB"}, "`iso_code` is `GB`"),
        ({"where": "GB"}, "`where` is `GB`"),
        ({"country": "JA"}, "`country` is `JA`"),
        ({"country": "ß"}, "`country` is `ß`"),
    ],
    ids=str,
)
def test_d4_an_unknown_schema_is_refused_and_the_message_shows_the_values(
    tmp_path: Path, record: dict[str, object], found: str
) -> None:
    for records in ([record], [record, {}], [{}, record]):
        with pytest.raises(GeoIPError) as caught:
            GeoIP(database(tmp_path, *records), wait=0)
        assert caught.value.code == "unknown-schema"
        assert found in str(caught.value)
        assert "country_path" in str(caught.value.hint)
    # It is not overlooked among records that are understood either.
    if "where" not in record:
        for good in ({"country_code": "SE"}, {"country": {"iso_code": "SE"}}, {"country": "SE"}):
            with pytest.raises(GeoIPError) as caught:
                GeoIP(database(tmp_path, good, good, record), wait=None)
            assert caught.value.code in {"unknown-schema", "broken-database"}


@pytest.mark.parametrize(
    ("record", "path"),
    [
        ({"country": {"code": "GB"}}, ("country", "code")),
        ({"geo": {"cc": "GB"}, "registered": {"cc": "US"}}, ("geo", "cc")),
        ({"location": {"country": {"alpha2": "GB"}}}, ("location", "country", "alpha2")),
        ({"country_code2": "GB"}, ("country_code2",)),
    ],
)
def test_d4_the_hint_names_a_path_that_works(tmp_path: Path, record: dict[str, object], path: tuple[str, ...]) -> None:
    file = database(tmp_path, record)
    with pytest.raises(GeoIPError) as caught:
        GeoIP(file)
    assert caught.value.hint == f"if that is the country of an address, give `country_path={path}`"
    assert GeoIP(file, country_path=path, wait=None).locate("8.8.8.8").country == "GB"
    assert GeoIP(file, country_path=list(path), wait=None).locate("8.8.8.8").country == "GB"


@pytest.mark.parametrize("path", ["country.code", "country", (), [], (1, "code"), [None]])
def test_d4_an_invalid_path_is_refused(tmp_path: Path, path: object) -> None:
    with pytest.raises(GeoIPError, match=r"bad-country-path.*country_path=\('country', 'code'\)"):
        GeoIP(database(tmp_path, {"country": {"code": "GB"}}), country_path=path)  # type: ignore[arg-type]


def test_d4_a_path_that_leads_to_no_code_is_refused(tmp_path: Path) -> None:
    file = database(tmp_path, {"country": {"code": "GBR"}}, {"country": {"code": "GB"}})
    for path in (("country", "code"), ("country", "iso_code"), ("nowhere",)):
        with pytest.raises(GeoIPError, match="unknown-schema"):
            GeoIP(file, country_path=path, wait=None)


@pytest.mark.parametrize(
    "nowhere",
    [
        *(
            {},
            {"country": {}},
            {"country": {"iso_code": ""}},
            {"country": {"iso_code": "None"}},
            {"continent": {"code": "EU"}},
        ),
        *({"registered_country": {"iso_code": "RO"}}, {"represented_country": {"iso_code": "US"}}),
        *({"traits": {"is_anycast": True, "mobile_country_code": "310"}}, {"country": {"is_in_european_union": True}}),
        {"continent": {"code": "AF", "names": {"en": "Africa"}}, "subdivisions": [{"iso_code": "ENG"}]},
    ],
    ids=str,
)
def test_a_record_that_names_no_place_is_accepted_among_others(tmp_path: Path, nowhere: dict[str, object]) -> None:
    geoip = GeoIP(database(tmp_path, country("GB"), country("GB"), nowhere, kind="GeoIP2-City"), wait=None)
    assert geoip.locate("9.9.9.9").state == "unknown"
    with pytest.raises(GeoIPError, match=r"unknown-schema|one-ip-version"):
        GeoIP(database(tmp_path, nowhere), wait=None)


def test_subdivisions_are_read_wherever_the_country_is(tmp_path: Path) -> None:
    record = {"country": {"iso_code": "GB", "code": "GB"}, "subdivisions": [{"iso_code": "ENG"}]}
    for kind in ("own City", "own"):
        for path in (None, ("country", "iso_code"), ("country", "code")):
            geoip = GeoIP(database(tmp_path, record, kind=kind), country_path=path, wait=None)
            assert geoip.locate("8.8.8.8").subdivisions == ("GB-ENG",)


def test_a_database_with_countries_for_one_ip_version_only(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(GeoIPError, match="has no IPv4 networks with a country"):
        GeoIP(database(tmp_path, {}, country("GB"), kind="GeoIP2-Country"), wait=None)
    GeoIP(database(tmp_path, country("GB"), {}, kind="GeoIP2-Country"), wait=None)
    assert "has no IPv6 networks with a country" in caplog.text


@pytest.mark.parametrize(
    ("country", "part", "found"),
    [("FR", "RE", ("RE", ())), ("US", "PR", ("PR", ())), ("US", "MS", ("US", ("US-MS",))), ("DE", "?", ("DE", ()))],
)
def test_d4_the_region_of_a_flat_database_is_read(country: str, part: str, found: tuple[str, tuple[str, ...]]) -> None:
    whole = part if part == "?" else f"{country}-{part}"
    records: list[Any] = [
        *({key: part} for key in ("region_code", "subdivision_code", "region_iso_code", "regionCode", "state_code")),
        *({key: whole} for key in ("iso_3166_2", "subdivision_code", "region", "iso3166-2")),
        *({"subdivisions": inner} for inner in ([part], [{"iso_code": part}], {"iso_code": part})),
        *({"region": {"code": part}}, {"location": {"region_code": part, "region": "Somewhere"}}),
        {"region_code": part, "region": "Somewhere", "city": "Hello", "continent_code": "EU", "region_geoname_id": 5},
    ]
    for record in records:
        for around in ({"country_code": country}, {"country": country}):
            place = detect_schema("own", [{**around, **record}]).read({**around, **record})
            assert (place.country, place.subdivisions) == found, record
    for key in ("subdivision", "most_specific_subdivision"):
        record = {"country": {"iso_code": country}, key: {"iso_code": part, "names": {"en": "Hello"}}}
        place = detect_schema("own", [record]).read(record)
        assert (place.country, place.subdivisions) == found, record


def test_d4_a_numeric_region_is_read() -> None:
    record = {"country_code": "FR", "region_code": 75}
    assert detect_schema("own", [record]).read(record).subdivisions == ("FR-75C",)


@pytest.mark.parametrize("code", ["YU", "SU", "XC", "XN", "JA"])
def test_d4_a_code_that_denotes_no_single_place_is_refused(code: str) -> None:
    for record in ({"country_code": code}, {"country_code": code, "country_name": "United Kingdom"}):
        with pytest.raises(GeoIPError, match=f"`country_code` is `{code}`"):
            detect_schema("own", [{"country_code": "IN"}, record])


@pytest.mark.parametrize(
    "record",
    [
        *({"country_code": "", "country_name": "India"}, {"country_code": "-", "country_name": "India"}),
        *({"country_code": "", "country_code3": "IND"}, {"country_code": "ZZ", "country_name": "India"}),
        *({"country_code": "EU", "country_name": "France"}, {"geo": {"code": "IN"}}, {"code": "IN"}),
        *({"location": "India"}, {"country_code": "ZZ", "geo": {"code": "IN"}}),
    ],
    ids=str,
)
def test_d4_a_country_at_other_keys_of_a_record_without_a_code_is_refused(record: dict[str, object]) -> None:
    with pytest.raises(GeoIPError, match="in a way that is not understood"):
        detect_schema("own", [{"country_code": "US"}, record])


@pytest.mark.parametrize(
    "record",
    [
        *({"country_code": "EU", "country_name": "Europe"}, {"country_code": "-", "country_name": "-"}),
        *({"country_code": "ZZ", "country_name": "Reserved"}, {"country_code": "A2", "country_name": "Satellite"}),
        *({"city": {"names": {"en": "Georgia"}}}, {"location": {"time_zone": "Singapore"}}, {"language_code": "IN"}),
        *({"continent_code": "AS"}, {"registered_country_code": "IN"}, {"location": {"latitude": 1.5}}),
    ],
    ids=str,
)
def test_a_record_without_a_recognisable_country_is_accepted_among_others(record: dict[str, object]) -> None:
    assert detect_schema("own", [{"country_code": "US"}, record]).read(record).country is None


@pytest.mark.parametrize("record", [{"country": {"iso_code": "IN"}}, {"country_code": "IN"}, {"country": {"code": ""}}])
def test_d4_with_a_path_too_a_country_at_other_keys_is_refused(record: dict[str, object]) -> None:
    found = {"country_name": "India", **record}
    with pytest.raises(GeoIPError, match="in a way that is not understood"):
        detect_schema("own", [{"country": {"code": "GB"}}, found], ("country", "code"))


@pytest.mark.parametrize(
    ("record", "path"),
    [
        ({"continent_code": "AS"}, ("continent_code",)),
        ({"continent": {"code": "AS"}}, ("continent", "code")),
        ({"registered_country_code": "AS"}, None),
        ({"as_country": "AS"}, None),
        ({"organization": {"country": "AS"}}, None),
    ],
)
def test_d4_the_hint_suggests_no_path_to_another_kind_of_value(
    record: dict[str, object], path: tuple[str, ...] | None
) -> None:
    with pytest.raises(GeoIPError) as caught:
        detect_schema("own", [record])
    assert "give `country_path" not in str(caught.value.hint)
    if path:
        with pytest.raises(GeoIPError, match="bad-country-path"):
            detect_schema("own", [record], path)


CODES = st.sampled_from(
    ["GB", "gb", "SE", "US", "GBR", "United Kingdom", "826", "ZZ", "XX", "AP", "", "-", "EU", "xk", "JA"]
)
KEYS = st.sampled_from(
    ["country", "country_code", "iso_code", "code", "cc", "location", "geo", "names", "asn", "x", "CountryCode"]
)
SHAPES = st.recursive(
    CODES | st.booleans() | st.integers(0, 999),
    lambda inner: st.dictionaries(KEYS, inner, max_size=3) | st.lists(inner, max_size=2),
    max_leaves=6,
)
RECORDS = st.one_of(
    st.dictionaries(KEYS, SHAPES, max_size=3),
    CODES.map(lambda code: {"country": {"iso_code": code}}),
    CODES.map(lambda code: {"country_code": code}),
    CODES.map(lambda code: {"country": {"code": code}}),
)
PATHS = st.none() | st.lists(KEYS, min_size=1, max_size=2).map(tuple)
COUNTRIES = {"GB", "SE", "US", "XK"}


def codes_in(thing: object, below_a_country: bool = False) -> set[str]:
    """Return all codes and names of countries that a person would recognise in a record."""
    if isinstance(thing, dict):
        return set().union(*(codes_in(inner, below_a_country or key in NAMING) for key, inner in thing.items()))
    if isinstance(thing, list):
        return set().union(*(codes_in(inner, below_a_country) for inner in thing))
    readable = isinstance(thing, str) and thing.upper() in COUNTRIES | {"GBR", "UNITED KINGDOM", "JA"}
    return {str(thing).upper()} if readable and below_a_country else set()


NAMING = {"country", "country_code", "CountryCode", "cc", "iso_code"}


@settings(deadline=None)
@given(st.lists(RECORDS, min_size=1, max_size=3), PATHS)
def test_d4_every_record_that_names_a_place_is_understood_or_the_database_is_refused(
    records: list[dict[str, object]], path: tuple[str, ...] | None
) -> None:
    found: list[str | None] | GeoIPError
    try:
        schema = detect_schema("own", records, path)
        found = [schema.read(record).country for record in records]
    except GeoIPError as error:
        found = error
    if not isinstance(found, GeoIPError):
        answers = found
    elif not records[0]:
        return
    else:
        # Such a database is refused when it is loaded, too.
        with TemporaryDirectory() as folder, pytest.raises(GeoIPError) as caught:
            GeoIP(database(Path(folder), *records), country_path=path, wait=None)
        assert caught.value.code in {"unknown-schema", "broken-database", "one-ip-version"}
        return
    assert any(answers)
    for record, answer in zip(records, answers, strict=False):
        if path is None and codes_in(record) and not states_that_there_is_none(record):
            assert answer in codes_in(record), record


def states_that_there_is_none(record: dict[str, object]) -> bool:
    """Return whether a record has a value that means `no country` at the keys where other records have a code."""
    nobody = {"ZZ", "XX", "AP", "", "-", "EU"}
    inner = record.get("country")
    values = [inner.get("iso_code") if isinstance(inner, dict) else inner, record.get("country_code")]
    return any(isinstance(code, str) and code in nobody for code in values)


@needs_maxmind
@pytest.mark.parametrize("name", ["GeoIP2-Country", "GeoLite2-Country", "GeoIP2-City", "GeoIP2-Enterprise"])
def test_every_record_of_maxminds_databases_is_understood(name: str) -> None:
    assert GeoIP(MAXMIND / f"{name}-Test.mmdb", wait=None).locate("81.2.69.142").country in ("GB", None)
