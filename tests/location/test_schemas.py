"""Databases of any schema: every record that names a place is understood, or the database is refused."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.location.mmdb_files import MAXMIND, country, needs_maxmind, write
from withhold.errors import GeoIPError
from withhold.location import GeoIP
from withhold.location.schema import tell_apart

NETS = ("8.8.8.0/24", "2001:db8::/32", "9.9.9.0/24")


def database(folder: Path, *records: object, kind: str = "own") -> Path:
    """Write a database of up to three records; the first stands for those that are missing."""
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
def test_d4_what_is_not_understood_is_refused_with_what_was_found(
    tmp_path: Path, record: dict[str, object], found: str
) -> None:
    for records in ([record], [record, {}], [{}, record]):
        with pytest.raises(GeoIPError) as caught:
            GeoIP(database(tmp_path, *records), wait=0)
        assert caught.value.code == "unknown-schema"
        assert found in str(caught.value)
        assert "country_path" in str(caught.value.hint)
    # Nor is it overlooked among others that are understood.
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
    assert caught.value.hint == f"if that is where an address is, give `country_path={path}`"
    assert GeoIP(file, country_path=path, wait=None).locate("8.8.8.8").country == "GB"
    assert GeoIP(file, country_path=list(path), wait=None).locate("8.8.8.8").country == "GB"


@pytest.mark.parametrize("path", ["country.code", "country", (), [], (1, "code"), [None]])
def test_d4_a_path_that_is_none_is_refused(tmp_path: Path, path: object) -> None:
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
def test_a_record_that_names_no_place_is_fine_among_others(tmp_path: Path, nowhere: dict[str, object]) -> None:
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


def test_the_country_of_one_ip_version_alone_is_no_database_of_both(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(GeoIPError, match="has no IPv4 networks with a country"):
        GeoIP(database(tmp_path, {}, country("GB"), kind="GeoIP2-Country"), wait=None)
    GeoIP(database(tmp_path, country("GB"), {}, kind="GeoIP2-Country"), wait=None)
    assert "has no IPv6 networks with a country" in caplog.text


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
    """Return all codes and names of countries that a person would see in a record."""
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
        schema = tell_apart("own", records, path)
        found = [schema.read(record).country for record in records]
    except GeoIPError as error:
        found = error
    if not isinstance(found, GeoIPError):
        answers = found
    elif not records[0]:
        return
    else:
        # The whole way, for fewer of them.
        with TemporaryDirectory() as folder, pytest.raises(GeoIPError) as caught:
            GeoIP(database(Path(folder), *records), country_path=path, wait=None)
        assert caught.value.code in {"unknown-schema", "broken-database", "one-ip-version"}
        return
    assert any(answers)
    for record, answer in zip(records, answers, strict=False):
        if path is None and codes_in(record) and not says_that_there_is_none(record):
            assert answer in codes_in(record), record


def says_that_there_is_none(record: dict[str, object]) -> bool:
    """Return whether the place where the others have their code has none, in so many words."""
    nobody = {"ZZ", "XX", "AP", "", "-", "EU"}
    inner = record.get("country")
    said = [inner.get("iso_code") if isinstance(inner, dict) else inner, record.get("country_code")]
    return any(isinstance(code, str) and code in nobody for code in said)


@needs_maxmind
@pytest.mark.parametrize("name", ["GeoIP2-Country", "GeoLite2-Country", "GeoIP2-City", "GeoIP2-Enterprise"])
def test_every_record_of_maxminds_databases_is_understood(name: str) -> None:
    assert GeoIP(MAXMIND / f"{name}-Test.mmdb", wait=None).locate("81.2.69.142").country in ("GB", None)
