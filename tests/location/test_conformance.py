"""The expected answers for MaxMind's test databases, on these and on databases of the same shape."""

from __future__ import annotations

from pathlib import Path

import maxminddb
import pytest

from tests.location.mmdb_files import MAXMIND, country, needs_maxmind, write
from withhold.location import GeoIP, Location

COUNTRY: dict[str, object] = {
    "81.2.69.142/31": country("GB", registered="US"),
    "2.125.160.216/29": country("GB", registered="FR"),
    "67.43.156.0/24": country("BT", registered="RO"),
    "202.196.224.0/20": country("PH", registered="PH", represented="US"),
    "214.1.1.0/24": {"traits": {"is_anycast": True}},
    "217.65.48.0/20": country("GI"),
    "89.160.20.112/28": country("SE"),
    "2a02:d500::/29": country(None),
    "2001:220::/128": country("SE"),
    "2001:220::1/128": country("KR"),
    "2001:238::/32": country("TW"),
    "2001:2e0::/32": country("HK"),
}
CITY: dict[str, object] = {
    "2.125.160.216/29": country("GB", "ENG", "WBK", registered="FR"),
    "202.196.224.0/20": country("PH", registered="PH"),
    "2001:218::/32": country("JP"),
}
ENTERPRISE: dict[str, object] = {
    "5.83.124.0/22": {"registered_country": {"iso_code": "RO"}, "traits": {"user_type": "business"}},
    "6.1.0.0/16": country("US"),
    "1.231.232.0/24": country("UA", "43"),
    "2001:218::/32": country("JP"),
}
ANONYMOUS: dict[str, object] = {
    "65.0.0.0/13": {"is_anonymous": True, "is_tor_exit_node": True},
    "1.2.0.0/16": {"is_anonymous": True, "is_anonymous_vpn": True},
    "71.160.223.0/24": {"is_anonymous": True, "is_hosting_provider": True},
    "2001:218::/32": {},
}
OWN: dict[str, dict[str, object]] = {"Country": COUNTRY, "City": CITY, "Enterprise": ENTERPRISE}

#: Database, address, country, subdivisions, and other attributes.
Row = tuple[str, str, str | None, tuple[str, ...], dict[str, object]]
ROWS: list[Row] = [
    ("Country", "81.2.69.142", "GB", (), {"registered_country": "US"}),
    ("Country", "2.125.160.216", "GB", (), {"registered_country": "FR"}),
    ("Country", "67.43.156.1", "BT", (), {"registered_country": "RO"}),
    ("Country", "202.196.224.1", "PH", (), {"represented_country": "US"}),
    ("Country", "214.1.1.1", None, (), {}),
    ("Country", "2a02:d500::1", None, (), {}),
    ("Enterprise", "5.83.124.1", None, (), {"registered_country": "RO"}),
    ("Enterprise", "6.1.0.1", "US", (), {}),
    ("Enterprise", "1.231.232.1", "UA", ("UA-43",), {}),
    ("Country", "2001:220::", "SE", (), {}),
    ("Country", "2001:220::1", "KR", (), {}),
    ("Country", "::ffff:81.2.69.142", "GB", (), {}),
    ("Country", "::81.2.69.142", None, (), {}),
    ("Country", "2001:0:5102:458e:8000:3fff:a65f:eb8f", None, (), {}),
    ("Country", "2002:5102:458e::1", "GB", (), {}),
    ("City", "2.125.160.216", "GB", ("GB-ENG", "GB-WBK"), {}),
    ("City", "202.196.224.1", "PH", (), {}),
    ("Country", "2001:238::1", "TW", (), {}),
    ("Country", "2001:2e0::1", "HK", (), {}),
    ("Country", "217.65.48.1", "GI", (), {}),
    ("Country", "10.0.0.1", None, (), {}),
    ("Country", "100.64.0.1", None, (), {}),
    ("Country", "192.0.2.1", None, (), {}),
    ("Country", "2a06:98c0:3600::103", None, (), {}),
    *(
        (database, bad, None, (), {})
        for database in OWN
        for bad in ("134744072", "010.8.8.8", "8.8.2056", "fe80::1%lo")
    ),
]


@pytest.fixture(scope="module", params=["own", pytest.param("maxmind", marks=needs_maxmind)])
def databases(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    if request.param == "maxmind":
        return {name: MAXMIND / f"GeoIP2-{name}-Test.mmdb" for name in (*OWN, "Anonymous-IP")}
    folder = tmp_path_factory.mktemp("conformance")
    paths = {
        name: write(folder / f"{name}.mmdb", networks, kind=f"GeoIP2-{name}", aliases=True)
        for name, networks in OWN.items()
    }
    return {**paths, "Anonymous-IP": write(folder / "anonymous.mmdb", ANONYMOUS, kind="GeoIP2-Anonymous-IP")}


@pytest.fixture(scope="module")
def located(databases: dict[str, Path]) -> dict[str, GeoIP]:
    return {name: GeoIP(databases[name], wait=None) for name in OWN}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]} {row[1]}")
def test_an_address_of_the_test_databases(located: dict[str, GeoIP], row: Row) -> None:
    database, address, code, parts, more = row
    location = located[database].locate(address)
    assert (location.country, location.subdivisions) == (code, parts)
    assert location.state == ("known" if code else "unknown")
    assert {name: getattr(location, name) for name in more} == more
    assert location.viewer().location_key == (code, tuple(sorted(parts)))


@pytest.mark.parametrize("address", ["::81.2.69.142", "2001:0:5102:458e:8000:3fff:a65f:eb8f"])
def test_a_raw_look_up_of_these_would_give_gb(databases: dict[str, Path], address: str) -> None:
    with maxminddb.open_database(databases["Country"]) as reader:
        record = reader.get(address)
    assert isinstance(record, dict)
    assert record["country"]["iso_code"] == "GB"  # type: ignore[call-overload, index]


def test_6to4_is_unknown_if_it_is_not_read(databases: dict[str, Path]) -> None:
    strict = GeoIP(databases["Country"], six_to_four=False, wait=None)
    assert strict.locate("2002:5102:458e::1").why == "the address is a 6to4 address"
    assert strict.locate("2002:5102:458e::1").country is None
    assert strict.locate("81.2.69.142").country == "GB"


@pytest.mark.parametrize(("address", "name"), [("65.0.0.1", "Tor exit"), ("1.2.0.1", "VPN")])
def test_the_anonymous_ip_database_marks_these(databases: dict[str, Path], address: str, name: str) -> None:
    location = GeoIP(databases["Country"], anonymous=databases["Anonymous-IP"], wait=None).locate(address)
    assert (location.state, location.anonymiser) == ("anonymised", name)
    assert location.why.endswith(f"; {name} according to {databases['Anonymous-IP'].name}")


def test_a_hosting_provider_alone_hides_nobody(databases: dict[str, Path]) -> None:
    geoip = GeoIP(databases["Country"], anonymous=databases["Anonymous-IP"], wait=None)
    assert geoip.locate("71.160.223.1").anonymiser is None


def test_network_and_why_describe_the_record(located: dict[str, GeoIP], databases: dict[str, Path]) -> None:
    location: Location = located["Country"].locate("81.2.69.142")
    assert str(location.network) == "81.2.69.142/31"
    assert location.why == f"within 81.2.69.0/24 of {databases['Country'].name}"
    assert location.viewer(account_id=7).signal == location.why
    assert located["Country"].locate("10.0.0.1").network is None
