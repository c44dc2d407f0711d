"""The decision table for locations, row by row: what each kind of record, address and header means."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path

import pytest

from tests.location.mmdb_files import country, write
from withhold.errors import GeoIPError
from withhold.location import CDN, CDNS, GeoIP, Resolver, TrustedProxies
from withhold.location.record_place import place_of
from withhold.territories import countries

pytestmark = pytest.mark.usefixtures("way")

NETWORKS: dict[str, object] = {
    "8.8.8.0/24": country("US", registered="US"),
    "81.2.69.0/24": country("GB", registered="US"),
    "5.1.0.0/16": country(None, registered="RO"),
    "5.2.0.0/16": country(None),
    "5.3.0.0/16": {"traits": {"is_anycast": True}},
    "5.4.0.0/16": country("PH", represented="US"),
    "91.187.96.0/24": country("XK"),
    "64.4.0.0/16": country("GB", "ENG", "WBK"),
    "64.5.0.0/16": country("CN", "77"),
    "64.6.0.0/16": country("FR", "IDF", "75"),
    "64.7.0.0/16": country("PR"),
    "64.8.0.0/16": country("FR", "RE"),
    "64.9.0.0/16": country("RS", "KM", "29"),
    "64.10.0.0/16": country("FR", "IDF", "13"),
    "64.11.0.0/16": country("FR", "IDF", "ZZ"),
    "2001:db8::/32": country("DE"),
    "2606:4700::/32": country("SE"),
}
NO_COUNTRIES = ("XX", "ZZ", "AP", "EU", "A1", "A2", "O1", "AN", "??", "None", "Unknown", "", "UK", "-")
OWN_CODES = ("HK", "MO", "TW", "GI", "IM", "PR", "RE", "GF")
for at, code in enumerate((*NO_COUNTRIES, *OWN_CODES)):
    NETWORKS[f"100.{at}.0.0/16"] = country(code)
FORGERY = [("CF-IPCountry", "KE")]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("table")
    return write(folder / "city.mmdb", NETWORKS, kind="GeoIP2-City", aliases=True)


@pytest.fixture(scope="module")
def geoip(path: Path) -> GeoIP:
    return GeoIP(path, wait=None)


def test_row_01_the_country_is_that_of_the_record_never_the_registered_one(geoip: GeoIP) -> None:
    location = geoip.locate("81.2.69.142")
    assert (location.country, location.registered_country, location.state) == ("GB", "US", "known")


@pytest.mark.parametrize(("address", "registered"), [("5.1.0.1", "RO"), ("5.2.0.1", None), ("5.3.0.1", None)])
def test_row_02_no_country_is_unknown_whatever_else_there_is(
    geoip: GeoIP, address: str, registered: str | None
) -> None:
    location = geoip.locate(address)
    assert (location.country, location.state, location.registered_country) == (None, "unknown", registered)
    assert location.why.endswith("whose record names no country")


def test_row_03_a_foreign_base_is_in_the_state_that_hosts_it(geoip: GeoIP) -> None:
    location = geoip.locate("5.4.0.1")
    assert (location.country, location.represented_country) == ("PH", "US")


@pytest.mark.parametrize(
    "address", [None, "10.0.0.1", "192.168.1.1", "100.127.0.1", "127.0.0.1", "::1", "192.0.2.1", "224.0.0.1", "ff02::1"]
)
def test_row_04_none_and_private_loopback_documentation_and_multicast_addresses_are_unknown(
    geoip: GeoIP, address: str | None
) -> None:
    location = geoip.locate(address)
    assert (location.country, location.state, location.network) == (None, "unknown", None)


def test_row_05_mapped_addresses_are_unwrapped_with_or_without_aliases(geoip: GeoIP, tmp_path: Path) -> None:
    plain = GeoIP(write(tmp_path / "plain.mmdb", NETWORKS), wait=None)
    for database in (geoip, plain):
        location = database.locate("::ffff:81.2.69.142")
        assert location.country == "GB"
        assert str(location.network) == "81.2.69.0/24"
        assert location.why.startswith("as IPv4 in 81.2.69.0/24 of ")


def test_row_06_ipv4_compatible_addresses_are_unknown(geoip: GeoIP) -> None:
    assert geoip.locate("::81.2.69.142").country is None
    assert geoip.locate("::5102:458e").country is None


def test_row_07_6to4_is_the_embedded_address_or_unknown_if_strict(geoip: GeoIP, path: Path) -> None:
    assert geoip.locate("2002:5102:458e::1").country == "GB"
    assert geoip.locate("2002:a00:1::1").country is None
    assert GeoIP(path, six_to_four=False, wait=None).locate("2002:5102:458e::1").country is None


def test_row_08_teredo_is_unknown(geoip: GeoIP) -> None:
    location = geoip.locate("2001:0:5102:458e:8000:3fff:a65f:eb8f")
    assert (location.country, location.state) == (None, "unknown")
    assert "Teredo" in location.why


def test_row_09_nat64_is_unknown_unless_the_prefix_is_the_operators(geoip: GeoIP, path: Path) -> None:
    assert geoip.locate("64:ff9b::81.2.69.142").country is None
    own = GeoIP(path, nat64=["64:ff9b::/96", "2001:db8:64::/96"], wait=None)
    assert own.locate("64:ff9b::81.2.69.142").country == "GB"
    assert own.locate("2001:db8:64::5102:458e").country == "GB"
    assert own.locate("2001:db8:65::5102:458e").country == "DE"
    with pytest.raises(GeoIPError, match="bad-nat64"):
        GeoIP(path, nat64=["64:ff9b::/64"])


@pytest.mark.parametrize(
    "text",
    [
        *(
            "fe80::1%lo",
            "2001:db8::1%eth0",
            "8.8.2056",
            "8.526344",
            "134744072",
            "0x08080808",
            "010.8.8.8",
            "8.8.8.8:80",
        ),
        *("8.8.8.8 ", " 8.8.8.8", "8.8.8.8\n", "8.8.8.8\0", "٨.8.8.8", "8.8.8", "", "garbage", "[2001:db8::1]"),
        *("8" * 5000, "\ud800", "::ffff:010.8.8.8"),
    ],
)
def test_row_10_text_that_is_no_address_in_standard_notation_is_unknown(geoip: GeoIP, text: str) -> None:
    assert geoip.locate("8.8.8.8").country == "US"
    location = geoip.locate(text)
    assert (location.country, location.state, location.network) == (None, "unknown", None)
    assert location.why.endswith("is not an IP address")
    assert location.why.isprintable()


@pytest.mark.parametrize(
    ("networks", "ip_version", "other"),
    [({"8.8.8.0/24": country("US")}, 4, 6), ({"2001:db8::/32": country("DE")}, 6, 4)],
)
def test_row_11_a_database_of_one_ip_version_is_refused_at_load(
    tmp_path: Path, networks: dict[str, object], ip_version: int, other: int
) -> None:
    path = write(tmp_path / "one.mmdb", networks, ip_version=ip_version)
    with pytest.raises(GeoIPError, match=rf"has no IPv{other} networks.*\[one-ip-version\]"):
        GeoIP(path, wait=None)
    one = GeoIP(path, ip_versions=(10 - other,), wait=None)
    asked, uncovered = ("8.8.8.8", "2001:db8::1") if other == 6 else ("2001:db8::1", "8.8.8.8")
    assert one.locate(asked).country in ("US", "DE")
    assert one.locate(uncovered).why == f"one.mmdb is not used for IPv{other}"


def test_row_11_a_database_of_both_versions_without_ipv6_networks_is_used_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    geoip = GeoIP(write(tmp_path / "v4.mmdb", {"8.8.8.0/24": country("US")}), wait=None)
    assert (geoip.country("8.8.8.8"), geoip.country("2001:db8::1")) == ("US", None)
    assert caplog.messages == ["v4.mmdb has no IPv6 networks: every IPv6 address has an unknown location"]


def test_row_12_kosovo_is_accepted(geoip: GeoIP) -> None:
    assert geoip.locate("91.187.96.1").viewer().country == "XK"


def test_row_13_t1_is_anonymised_and_no_country(tmp_path: Path) -> None:
    found = CDNS["cloudflare"].read([("CF-IPCountry", "T1")])
    assert found is not None
    assert (found.country, found.state, found.anonymiser) == (None, "anonymised", "Tor exit")
    flat = write(
        tmp_path / "flat.mmdb", {"8.8.8.0/24": {"country_code": "T1"}, "2001:db8::/32": {"country_code": "DE"}}
    )
    location = GeoIP(flat, wait=None).locate("8.8.8.8")
    assert (location.country, location.state) == (None, "anonymised")


@pytest.mark.parametrize("code", NO_COUNTRIES)
def test_row_14_codes_that_are_no_countries_are_unknown(geoip: GeoIP, code: str) -> None:
    location = geoip.locate(f"100.{NO_COUNTRIES.index(code)}.0.1")
    assert (location.country, location.state) == (None, "unknown")
    found = CDNS["vercel"].read([("x-vercel-ip-country", code)])
    assert found is not None
    assert (found.country, found.state) == (None, "unknown")


def test_row_15_uk_in_a_record_is_unknown(geoip: GeoIP) -> None:
    assert geoip.locate(f"100.{NO_COUNTRIES.index('UK')}.0.1").why.endswith("whose country `UK` is not in ISO 3166-1")
    assert place_of("GB").country == "GB"


@pytest.mark.parametrize("code", OWN_CODES)
def test_row_16_places_with_a_code_of_their_own_are_countries(geoip: GeoIP, code: str) -> None:
    location = geoip.locate(f"100.{len(NO_COUNTRIES) + OWN_CODES.index(code)}.0.1")
    assert (location.country, location.subdivisions) == (code, ())


def test_row_17_a_missing_subdivision_is_unknown_and_the_country_known(geoip: GeoIP) -> None:
    location = geoip.locate("8.8.8.8")
    assert (location.country, location.subdivisions, location.state) == ("US", (), "known")
    dropped = geoip.locate("64.5.0.1")
    assert (dropped.country, dropped.subdivisions) == ("CN", ())
    assert dropped.why.endswith("whose subdivision `CN-77` is not in ISO 3166-2")


def test_row_17_known_subdivisions_are_kept_beside_unknown_ones(geoip: GeoIP) -> None:
    location = geoip.locate("64.11.0.1")
    assert location.subdivisions == ("FR-IDF",)
    assert location.why.endswith("whose subdivision `FR-ZZ` is not in ISO 3166-2")


def test_row_17_subdivisions_that_contradict_each_other_leave_the_country(geoip: GeoIP) -> None:
    location = geoip.locate("64.10.0.1")
    assert (location.country, location.subdivisions) == ("FR", ())
    assert location.why.endswith("whose subdivisions `FR-13` and `FR-IDF` are not nested")


def test_c3_a_second_code_in_a_record_is_the_place_that_it_denotes(geoip: GeoIP) -> None:
    assert (geoip.locate("64.8.0.1").country, geoip.locate("64.9.0.1").country) == ("RE", "XK")
    assert geoip.locate("64.8.0.1").viewer().location_key == ("RE", ())


def test_c4_a_department_that_was_renamed_keeps_its_region(geoip: GeoIP) -> None:
    location = geoip.locate("64.6.0.1")
    assert location.subdivisions == ("FR-IDF", "FR-75C")
    assert location.viewer().subdivisions == ("FR-75C", "FR-IDF")


def test_row_18_subdivisions_of_all_levels_are_kept(geoip: GeoIP) -> None:
    assert geoip.locate("64.4.0.1").subdivisions == ("GB-ENG", "GB-WBK")
    narrowest = CDNS["cloudfront"].read({"CloudFront-Viewer-Country": "GB", "CloudFront-Viewer-Country-Region": "WBK"})
    assert narrowest is not None
    assert narrowest.subdivisions == ("GB-WBK",)


def test_row_19_a_cdn_header_from_an_untrusted_peer_is_ignored(geoip: GeoIP) -> None:
    resolver = Resolver(geoip=geoip, proxies=TrustedProxies(["10.0.0.0/8"]), cdn="cloudflare")
    assert resolver.viewer("81.2.69.142", FORGERY).country == "GB"
    assert resolver.viewer("10.0.0.1", FORGERY).country == "KE"


def test_row_19_a_repeated_cdn_header_is_ignored(geoip: GeoIP) -> None:
    resolver = Resolver(geoip=geoip, proxies=TrustedProxies(["10.0.0.0/8"]), cdn="cloudflare")
    headers = [*FORGERY, ("cf-ipcountry", "IN"), ("X-Forwarded-For", "81.2.69.142")]
    resolution = resolver.resolve("10.0.0.1", headers)
    assert resolution.location.country == "GB"
    assert "cf-ipcountry is repeated" in str(resolution)
    assert resolver.viewer("10.0.0.1", headers[:2]).country is None


@pytest.mark.parametrize("address", ["240.16.0.9", "255.255.255.255", "2a06:98c0:3600::103"])
def test_row_20_stand_ins_of_cloudflare_are_unknown(tmp_path: Path, address: str) -> None:
    # Even if the database has records of them.
    networks = {"240.0.0.0/4": country("US"), "2a06:98c0::/29": country("US")}
    geoip = GeoIP(write(tmp_path / "all.mmdb", networks), wait=None)
    proxies = TrustedProxies(["10.0.0.0/8"], header="cf-connecting-ip")
    headers = [("CF-Connecting-IP", address)]
    assert geoip.locate(address).country == "US"
    assert proxies.client("10.0.0.1", headers) is None
    assert Resolver(geoip=geoip, proxies=proxies).viewer("10.0.0.1", headers).country is None


def test_row_20_the_country_of_a_worker_is_not_the_viewers() -> None:
    resolver = Resolver(proxies=TrustedProxies(["10.0.0.0/8"], header="cf-connecting-ip"), cdn="cloudflare")
    headers = {"CF-IPCountry": "US", "CF-Connecting-IP": "2a06:98c0:3600::103"}
    assert resolver.viewer("10.0.0.1", headers).country is None
    assert resolver.viewer("10.0.0.1", {**headers, "CF-Connecting-IP": "240.16.0.9"}).country == "US"


def test_rows_05_to_09_hold_also_if_a_database_has_networks_there(tmp_path: Path) -> None:
    wide: dict[str, object] = {"::/3": country("IN"), "2000::/3": country("IN"), "81.2.69.0/24": country("GB")}
    own: dict[str, object] = {
        f"{net}": country("IN") for net in ("2001::/32", "2002::/16", "64:ff9b::/96", "64:ff9b:1::/48")
    }
    geoip = GeoIP(write(tmp_path / "own.mmdb", {**wide, **own, "::ffff:0:0/96": country("IN")}), wait=None)
    opened = geoip._plan.open()
    for address, code in {
        "::81.2.69.142": None,
        "::ffff:81.2.69.142": "GB",
        "2001:0:5102:458e:8000:3fff:a65f:eb8f": None,
        "2002:5102:458e::1": "GB",
        "64:ff9b::81.2.69.142": None,
        "64:ff9b:1::1": None,
        "2001:1::1": "IN",
        "2003::1": "IN",
        "64:ff9c::1": "IN",
    }.items():
        answers = {geoip.locate(address).country, geoip.country(address), opened.evidence(address).country}
        assert answers == {code}, address


@pytest.mark.parametrize("address", ["::81.2.69.142", "2001:0:5102:458e:8000:3fff:a65f:eb8f", "64:ff9b::81.2.69.142"])
def test_rows_06_08_and_09_hold_while_maxminddb_answers(geoip: GeoIP, address: str) -> None:
    opened = geoip._plan.open()
    assert opened.evidence(address).country is None
    assert opened.evidence("::ffff:81.2.69.142").country == opened.evidence("2002:5102:458e::1").country == "GB"


def test_flat_schemas_and_other_keys_are_read(tmp_path: Path) -> None:
    both = {"8.8.8.0/24": "US", "2001:db8::/32": "DE"}
    shapes: dict[str, object] = {"country_code": None, "country": None}
    for key in shapes:
        path = write(tmp_path / f"{key}.mmdb", {net: {key: code} for net, code in both.items()}, kind="country ipvAll")
        assert GeoIP(path, wait=None).locate("8.8.8.8").country == "US"
    deep = write(tmp_path / "deep.mmdb", {net: {"geo": {"cc": code}} for net, code in both.items()}, kind="own")
    with pytest.raises(GeoIPError, match="unknown-schema"):
        GeoIP(deep)
    assert GeoIP(deep, country_path=("geo", "cc"), wait=None).locate("2001:db8::1").country == "DE"


def test_addresses_may_be_text_or_ipaddress_objects_only(geoip: GeoIP) -> None:
    assert geoip.locate(ip_address("8.8.8.8")).country == "US"
    assert geoip.locate(ip_address("2001:db8::1")) == geoip.locate("2001:db8::1")
    for bad in (134744072, b"8.8.8.8", ["8.8.8.8"], b"\x08" * 4):
        with pytest.raises(TypeError):
            geoip.locate(bad)  # type: ignore[arg-type]


def test_one_database_can_have_all_countries(tmp_path: Path) -> None:
    networks: dict[str, object] = {f"8.{at}.0.0/16": country(code) for at, code in enumerate(countries())}
    geoip = GeoIP(write(tmp_path / "all.mmdb", networks), wait=None)
    assert [geoip.locate(f"8.{at}.0.1").country for at in range(len(countries()))] == list(countries())


def test_each_preset_has_a_name_and_headers_of_its_own() -> None:
    assert all(isinstance(cdn, CDN) for cdn in CDNS.values())
    assert [cdn.name for cdn in CDNS.values()] == [*CDNS]
    headers = [header for cdn in CDNS.values() for header in (cdn.country_header, cdn.region_header) if header]
    assert sorted(headers) == sorted(set(headers))
