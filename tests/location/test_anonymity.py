"""Databases of anonymous addresses: their flags are understood, or the database is refused when it is loaded."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.location.mmdb_files import MAXMIND, country, needs_maxmind, write
from withhold.errors import GeoIPError
from withhold.location import GeoIP, Location
from withhold.location.anonymity import AnonymousSchema, detect_anonymous_schema

HERE: dict[str, object] = {"8.8.0.0/16": country("US"), "2001:db8::/32": country("DE")}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return write(tmp_path / "geo.mmdb", HERE)


def located(place: Path, record: dict[str, object], kind: str = "own", **others: dict[str, object]) -> Location:
    """Locate an address whose anonymity record is `record`, with a database that may have one `other` record."""
    networks: dict[str, object] = {"9.9.9.9/32": others.get("other", {}), "8.8.8.0/24": record, "2001:db8::/48": record}
    hidden = write(place.with_name("anonymous.mmdb"), networks, kind=kind)
    return GeoIP(place, anonymous=hidden, wait=None).locate("8.8.8.8")


def anonymiser_of(record: dict[str, object], kind: str = "own", other: dict[str, object] | None = None) -> str | None:
    """Return the anonymiser that a record names, in a database that also contains `other`."""
    return detect_anonymous_schema(kind, [other or {}, record]).read(record).anonymiser


YES, NO = (True, 1, 1.0, "true", "True", "1", "yes"), (False, 0, "false", "0", "", "no")


@pytest.mark.parametrize(
    ("record", "name"),
    [
        ({"is_vpn": True}, "VPN"),
        ({"is_tor": True}, "Tor exit"),
        ({"is_proxy": True}, "proxy"),
        ({"is_relay": True}, "relay"),
        ({"is_anonymous": True}, "anonymiser"),
        ({"is_anonymous": True, "is_hosting": True}, "anonymiser"),
        ({"is_anonymous": True, "is_hosting": True, "is_vpn": True}, "VPN"),
        ({"is_hosting": True, "is_tor": True, "is_relay": True, "is_proxy": False}, "Tor exit"),
        ({"is_mobile": True, "is_satellite": False, "is_anycast": True, "is_vpn": True}, "VPN"),
        ({"vpn": True, "tor": False, "proxy": False, "relay": False, "hosting": True, "service": "a"}, "VPN"),
        ({"vpn": "", "tor": "true", "proxy": "", "relay": "", "hosting": "true", "service": ""}, "Tor exit"),
        ({"proxy": "true"}, "proxy"),
        ({"relay": "1"}, "relay"),
        ({"privacy": {"vpn": True, "hosting": False}}, "VPN"),
        ({"anonymous": {"is_proxy": True, "name": "a"}}, "proxy"),
        ({"traits": {"is_anonymous_proxy": True}}, "proxy"),
        ({"isVPN": True}, "VPN"),
        ({"isTor": 1}, "Tor exit"),
        ({"is_tor_exit_node": "true"}, "Tor exit"),
        ({"is_anonymous": True, "is_residential_proxy": True}, "residential proxy"),
        ({"is_anonymous": True, "is_public_proxy": True, "is_hosting_provider": True}, "public proxy"),
        ({"is_anonymous": True, "anonymizer_confidence": 1, "provider_name": "a", "is_anonymous_vpn": True}, "VPN"),
    ],
    ids=str,
)
def test_d3_flags_of_every_vendor_are_understood(record: dict[str, object], name: str) -> None:
    assert anonymiser_of(record) == name


@pytest.mark.parametrize(
    ("record", "name"),
    [
        ({"is_anonymous": True, "is_hosting": True}, "anonymiser"),
        ({"vpn": "", "tor": "true", "proxy": "", "relay": "", "hosting": "true", "service": ""}, "Tor exit"),
    ],
)
def test_d3_a_viewer_behind_an_anonymiser_has_an_unknown_location(
    place: Path, record: dict[str, object], name: str
) -> None:
    found = located(place, record)
    assert (found.anonymiser, found.state, found.country) == (name, "anonymised", "US")
    assert found.viewer().country is None
    assert found.viewer(anonymised="located").country == "US"
    assert found.why.endswith(f"; {name} according to anonymous.mmdb")


@pytest.mark.parametrize("flag", ["is_vpn", "tor", "is_proxy", "relay", "is_anonymous", "is_anonymous_vpn"])
def test_d3_flags_are_booleans_numbers_or_text(flag: str) -> None:
    for yes in YES:
        assert anonymiser_of({flag: yes}), yes
    for no in NO:
        assert not anonymiser_of({flag: no}), no


@pytest.mark.parametrize("value", ["maybe", 2, 0.5, b"\x01", [True], {"name": "a"}, "NordVPN"])
def test_d3_a_flag_that_is_neither_true_nor_false_is_refused(place: Path, value: object) -> None:
    for record in ({"is_vpn": value}, {"tor": value}, {"is_anonymous": value}):
        with pytest.raises(GeoIPError, match=r"neither true nor false \[unknown-schema\]"):
            anonymiser_of(record, other={"is_tor": True})
    with pytest.raises(GeoIPError, match=r"neither true nor false \[unknown-schema\]"):
        located(place, {"is_vpn": value}, other={"is_tor": True})


@pytest.mark.parametrize(
    "kind",
    ["GeoIP-Residential-Proxy", "GeoIP2-Residential-Proxy", "ipinfo resproxy_7d.mmdb", "Tor exit list", "VPN-IPs"],
)
def test_d3_in_a_list_every_record_marks_an_address(place: Path, kind: str) -> None:
    record: dict[str, object] = {"provider_name": "a", "anonymizer_confidence": 99, "network_last_seen": "2026-10-01"}
    assert located(place, record, kind=kind).state == "anonymised"
    assert anonymiser_of(record, kind) == anonymiser_of({"network_last_seen": "2026-10-01"}, kind)
    assert anonymiser_of({"is_vpn": False}, kind) is None


@pytest.mark.parametrize(
    "record",
    [
        *({"is_eu": True}, {"is_in_european_union": True}, {"autonomous_system_number": 1}, {}, country("US")),
        *({"is_hosting": True}, {"hosting": "true"}, {"is_hosting_provider": True}, {"is_mobile": True}),
        *({"is_legitimate_proxy": True}, {"service": "NordVPN"}, {"provider": "NordVPN"}, {"name": "Tor"}),
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", ["own", "GeoIP2-Anonymous-IP", "GeoIP2-City", "IP2Proxy-PX2"])
def test_d3_a_database_that_states_nobody_is_anonymous_is_refused(record: dict[str, object], kind: str) -> None:
    with pytest.raises(GeoIPError) as caught:
        anonymiser_of(record, kind)
    assert caught.value.code == "unknown-schema"
    assert "marks an address as anonymous" in str(caught.value)
    assert all(f"`{key}`" in str(caught.value) for key in record)


@pytest.mark.parametrize(
    "record",
    [{"is_hosting": True}, {"hosting": "true", "vpn": ""}, {"is_anonymous": True, "is_hosting_provider": True}],
)
def test_d3_a_hosting_provider_alone_hides_nobody(place: Path, record: dict[str, object]) -> None:
    assert located(place, record, other={"is_tor": True}).state == "known"


def test_a_reload_of_a_database_without_flags_keeps_the_old_one(place: Path) -> None:
    hidden = write(place.with_name("anonymous.mmdb"), {"8.8.8.0/24": {"is_vpn": True}, "2001:db8::/32": {}})
    geoip = GeoIP(place, anonymous=hidden, wait=None)
    write(hidden, {"8.8.8.0/24": {"is_eu": True}, "2001:db8::/32": {}})
    assert not geoip.reload()
    assert geoip.locate("8.8.8.8").anonymiser == "VPN"


def test_flags_after_the_sample_are_found(place: Path) -> None:
    networks: dict[str, object] = {f"7.{at // 256}.{at % 256}.0/24": {"last_seen": at} for at in range(2100)}
    hidden = write(place.with_name("anonymous.mmdb"), {**networks, "8.8.8.0/24": {"tor": "1"}, "2001:db8::/32": {}})
    assert GeoIP(place, anonymous=hidden, wait=None).locate("8.8.8.8").anonymiser == "Tor exit"


def test_a_database_of_countries_may_mark_tor_exits(tmp_path: Path) -> None:
    """Shared caches must know: the header of a CDN does not tell these viewers from others."""
    plain = write(tmp_path / "plain.mmdb", {"8.8.8.0/24": country("US"), "2001:db8::/32": country("DE")})
    marking = write(tmp_path / "tor.mmdb", {"8.8.8.0/24": country("T1"), "8.8.9.0/24": country("US")}, ip_version=4)
    assert not GeoIP(plain, wait=None).finds_anonymous
    assert GeoIP(marking, ip_versions=(4,), wait=None).finds_anonymous


def test_whether_anonymity_was_checked_is_always_stated(place: Path, caplog: pytest.LogCaptureFixture) -> None:
    unchecked = GeoIP(place, wait=None).locate("8.8.8.8")
    assert unchecked.anonymity_database is None
    checked = located(place, {"is_vpn": False})
    assert checked.anonymity_database == "anonymous.mmdb"
    assert checked.why == "in 8.8.0.0/16 of geo.mmdb; not anonymous according to anonymous.mmdb"
    geoip = GeoIP(place, anonymous=place.with_name("anonymous.mmdb"), wait=None)
    for address in (None, "garbage", "10.0.0.1", "2001:0:808:808::1"):
        assert geoip.locate(address).anonymity_database == "anonymous.mmdb"
    caplog.clear()
    located(place, {"is_vpn": False})
    assert caplog.messages == ["anonymous.mmdb marks no network as anonymous: no viewer will be treated as anonymous"]


@pytest.mark.parametrize(
    ("record", "name"),
    [
        *(({key: True}, "relay") for key in ("icloud_private_relay", "icloud_relay", "is_privaterelay", "icloudRelay")),
        *(({key: True}, "proxy") for key in ("mobile_proxy", "http_proxy", "socks_proxy", "webproxy", "socks5_proxy")),
        *(({key: True}, "public proxy") for key in ("is_openproxy", "is_publicproxy", "ispublicproxy")),
        *(({key: True}, "Tor exit") for key in ("tor_detected", "uses_tor", "is_torexit", "is_torexitnode", "has_tor")),
        *(({key: True}, "VPN") for key in ("known_vpn", "vpn_service", "vpn_or_proxy", "vpn_detected", "has_vpn")),
        *(
            ({key: True}, "VPN")
            for key in ("privacy_vpn", "privacy.vpn", "is_vpnprovider", "is_vpns", "is_corporate_vpn")
        ),
        *(({"proxy_detected": "yes"}, "proxy"), ({"is_residentialproxy": 1}, "residential proxy")),
        *(({key: "VPN"}, "VPN") for key in ("proxy_type", "anonymizer_type", "type", "usage_type", "connection_type")),
        *(({"network_type": "tor"}, "Tor exit"), ({"type": "residential proxy"}, "residential proxy")),
        *(({"tunnels": [{"type": "VPN", "anonymous": True}]}, "VPN"), ({"flags": ["vpn"]}, "VPN")),
        *(({"privacy": ["vpn", "tor"]}, "Tor exit"), ({"privacy": {"types": ["relay"]}}, "relay")),
        *(({"proxy_provider": "Nord VPN"}, "proxy"), ({"vpn_provider": "Nord"}, "VPN"), ({"vpn_name": "x"}, "VPN")),
        *(({"hosting_provider": "OVH"}, None), ({"vpn_provider": "-"}, None), ({"proxy_type": ""}, None)),
        *(({"hosting_provider": "OVH", "is_anonymous": True}, "anonymiser"), ({"is_hosting_vpn": True}, "VPN")),
        ({"is_anonymous": True, "is_hosting_provider": True, "icloud_relay": True}, "relay"),
        ({"is_anonymous": False, "anonymizer_confidence": 99}, "anonymiser"),
        ({"is_anonymous": False, "anonymizer_confidence": 0}, None),
        *(({"organization": "The Tor Project"}, None), ({"isp": "ProxyRack", "domains": ["nordvpn.com"]}, None)),
        *(({"is_torrent": True, "territory": "x", "operator": True}, None), ({"connection_type": "Cable/DSL"}, None)),
    ],
    ids=str,
)
def test_d3_one_understood_flag_does_not_hide_the_others(record: dict[str, object], name: str | None) -> None:
    assert anonymiser_of({"is_proxy": False, **record}) == name
    assert anonymiser_of(record, other={"is_proxy": False}) == name


@pytest.mark.parametrize(
    "record",
    [
        *(
            {key: value}
            for key in ("is_not_vpn", "is_vpn_free", "non_vpn", "vpn_score")
            for value in (True, False, 0, "x")
        ),
        *({"vpn": {"name": "x", "is_proxy": False}}, {"vpn": ["Nord"]}, {"tor": [1]}, {"vpn": [{"name": "x"}]}),
        *(
            {"proxy_type": "DCH"},
            {"type": "not vpn"},
            {"privacy": ["no-vpn"]},
            {"nordvpn": True},
            {"vpn_free_name": "x"},
        ),
        *({"anonymity": "elite"}, {"anonymizer_confidence": "high"}, {"my_vpn_data": {"since": 2020}}),
        *({"anonymizer_confidence": "nan"}, {"anonymizer_confidence": float("nan")}, {"vpn_confidence": "-inf"}),
    ],
    ids=str,
)
def test_d3_a_key_that_concerns_anonymity_and_is_not_understood_is_refused(record: dict[str, object]) -> None:
    with pytest.raises(GeoIPError, match=r"a record has .* \[unknown-schema\]"):
        anonymiser_of(record, other={"is_proxy": False})


@needs_maxmind
def test_maxminds_database_marks_the_addresses_that_its_flags_name() -> None:
    import maxminddb

    path = MAXMIND / "GeoIP2-Anonymous-IP-Test.mmdb"
    geoip = GeoIP(MAXMIND / "GeoIP2-Country-Test.mmdb", anonymous=path, wait=None)
    with maxminddb.open_database(path) as reader:
        for network, record in reader:
            assert isinstance(record, dict)
            specific = {"is_tor_exit_node", "is_anonymous_vpn", "is_public_proxy", "is_residential_proxy"} & set(record)
            only = set(record) == {"is_anonymous"}
            if network.version == 4:
                found = geoip.locate(network[0])
                assert (found.anonymiser is not None) == bool(specific or only), (network, record)


WORDS = st.sampled_from(
    ["is", "tor", "vpn", "proxy", "relay", "anonymous", "hosting", "provider", "eu", "mobile", "exit"]
)
KEYS = st.lists(WORDS, min_size=1, max_size=3).map("_".join)
VALUES = st.sampled_from([*YES, *NO, "maybe", 7, [1]])


@given(st.lists(st.dictionaries(KEYS, VALUES, max_size=3), min_size=1, max_size=3))
def test_d3_every_flag_is_understood_or_the_database_is_refused(records: list[dict[str, object]]) -> None:
    try:
        schema = detect_anonymous_schema("own", records)
    except GeoIPError as error:
        assert error.code == "unknown-schema"  # noqa: PT017
        return
    kinds = ("tor", "vpn", "proxy", "relay")
    for record in records:
        marked = schema.read(record).anonymiser is not None
        # `maybe` may be the name of a provider.
        named = ["maybe" if key.endswith("provider") and "is" not in key.split("_") else True for key in record]
        set_ = [key for (key, value), yes in zip(record.items(), named, strict=True) if value in (*YES, yes)]
        assert marked or not any(word in key.split("_") for key in set_ for word in kinds if "is" in key), record
        assert not marked or any(word in key.split("_") for key in set_ for word in (*kinds, "anonymous")), record


def test_the_flags_of_a_list_take_precedence() -> None:
    assert AnonymousSchema("VPN").flags({"is_tor": False}) == frozenset()
    assert AnonymousSchema("VPN").flags({"name": "a"}) == {"VPN"}
