"""How the signals of a request are combined: which one wins, which disagree, and which never decide."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.location.mmdb_files import country, write
from withhold.errors import ProxyError, SubjectIdError
from withhold.location import CDNS, GeoIP, Resolver, TrustedProxies

pytestmark = pytest.mark.usefixtures("way")

NETWORKS: dict[str, object] = {
    "8.8.8.0/24": country("US", "MS"),
    "8.8.9.0/24": country("US"),
    "81.2.69.0/24": country("GB", "ENG", "WBK"),
    "2001:db8::/32": country("DE"),
}
HIDDEN: dict[str, object] = {
    "8.8.9.9/32": {"is_anonymous": True, "is_tor_exit_node": True},
    "2001:db8:9::/48": {"is_anonymous": True, "is_public_proxy": True},
}
PROXY = "10.0.0.1"


@pytest.fixture(scope="module")
def geoip(tmp_path_factory: pytest.TempPathFactory) -> GeoIP:
    folder: Path = tmp_path_factory.mktemp("resolver")
    hidden = write(folder / "anonymous.mmdb", HIDDEN, kind="GeoIP2-Anonymous-IP")
    return GeoIP(write(folder / "city.mmdb", NETWORKS, kind="GeoIP2-City"), anonymous=hidden, wait=None)


@pytest.fixture
def resolver(geoip: GeoIP) -> Resolver:
    return Resolver(geoip=geoip, proxies=TrustedProxies(["10.0.0.0/8"]), cdn="cloudfront")


def headers_of(address: str, code: str | None = None, region: str | None = None) -> list[tuple[str, str]]:
    headers = [("X-Forwarded-For", address)]
    if code is not None:
        headers.append(("CloudFront-Viewer-Country", code))
    if region is not None:
        headers.append(("CloudFront-Viewer-Country-Region", region))
    return headers


def test_the_cdn_wins_and_disagreeing_signals_are_recorded(resolver: Resolver) -> None:
    resolution = resolver.resolve(PROXY, headers_of("8.8.8.8", "GB"))
    assert resolution.viewer().location_key == ("GB", ())
    assert resolution.winner is not None
    assert resolution.winner.name == "cdn"
    assert [signal.name for signal in resolution.disagreed] == ["geoip"]
    assert resolution.viewer().signal == (
        "cdn: GB (cloudfront-viewer-country is `GB`); "
        "but geoip: US, US-MS (in 8.8.8.0/24 of city.mmdb; not anonymous according to anonymous.mmdb)"
    )
    assert str(resolution).splitlines()[1:] == [
        "  address: x-forwarded-for names an address in 8.8.8.0/24",
        "  cdn: GB (cloudfront-viewer-country is `GB`) ← won",
        "  geoip: US, US-MS (in 8.8.8.0/24 of city.mmdb; not anonymous according to anonymous.mmdb) ← disagrees",
    ]


def test_the_order_can_be_reversed(geoip: GeoIP) -> None:
    resolver = Resolver(geoip=geoip, proxies=TrustedProxies(["10.0.0.0/8"]), cdn="cloudfront", order=("geoip", "cdn"))
    assert resolver.viewer(PROXY, headers_of("8.8.8.8", "GB")).location_key == ("US", ("US-MS",))
    assert resolver.viewer(PROXY, headers_of("9.9.9.9", "GB")).country == "GB"
    with pytest.raises(ValueError, match="bad-order"):
        Resolver(geoip=geoip, order=("geoip",))


def test_the_next_signal_that_agrees_on_the_country_supplies_the_subdivision(resolver: Resolver) -> None:
    resolution = resolver.resolve(PROXY, headers_of("8.8.8.8", "US"))
    assert resolution.viewer().location_key == ("US", ("US-MS",))
    assert resolution.disagreed == ()
    assert "subdivisions from geoip" in str(resolution.viewer().signal)


def test_subdivisions_disagree_if_they_have_none_in_common(resolver: Resolver) -> None:
    agreed = resolver.resolve(PROXY, headers_of("81.2.69.142", "GB", "WBK"))
    assert (agreed.viewer().subdivisions, agreed.disagreed) == (("GB-WBK",), ())
    disagreed = resolver.resolve(PROXY, headers_of("81.2.69.142", "GB", "SCT"))
    assert disagreed.viewer().subdivisions == ("GB-SCT",)
    assert [signal.name for signal in disagreed.disagreed] == ["geoip"]


def test_if_the_cdn_knows_no_country_the_next_signal_wins(resolver: Resolver) -> None:
    assert resolver.viewer(PROXY, headers_of("8.8.8.8", "XX")).location_key == ("US", ("US-MS",))
    assert resolver.viewer(PROXY, headers_of("8.8.8.8")).location_key == ("US", ("US-MS",))


def test_the_account_never_decides(resolver: Resolver) -> None:
    nowhere = resolver.resolve(PROXY, headers_of("9.9.9.9"), account_country="FR")
    assert nowhere.viewer(7).location_key == (None, ())
    assert nowhere.winner is None
    assert [str(signal) for signal in nowhere.signals if signal.name == "account"] == [
        "account: FR (the account is set to `FR`)"
    ]
    elsewhere = resolver.resolve(PROXY, headers_of("8.8.8.8"), account_country="fr")
    assert elsewhere.viewer().country == "US"
    assert [signal.name for signal in elsewhere.disagreed] == ["account"]
    assert resolver.resolve(PROXY, headers_of("8.8.8.8"), account_country="US").disagreed == ()
    assert resolver.viewer(PROXY, headers_of("9.9.9.9"), account_country="FR").country is None


def test_there_is_no_default_country() -> None:
    viewer = Resolver().viewer("81.2.69.142", [])
    assert viewer.location_key == (None, ())
    assert viewer.signal == "no signal: the peer is in 81.2.69.0/24, which is not a trusted proxy"


def test_the_viewer_has_the_account_id(resolver: Resolver) -> None:
    assert resolver.viewer(PROXY, headers_of("8.8.8.8"), account_id=1101).account_id == 1101
    with pytest.raises(SubjectIdError):
        resolver.viewer(PROXY, headers_of("8.8.8.8"), account_id=0)


@pytest.mark.parametrize("address", ["8.8.9.9", "2001:db8:9::1"])
def test_an_anonymised_viewer_is_unknown_or_located_as_configured(geoip: GeoIP, address: str) -> None:
    unknown, located = Resolver(geoip=geoip), Resolver(geoip=geoip, anonymised="located")
    assert unknown.viewer(address, []).location_key == (None, ())
    assert unknown.resolve(address, []).location.state == "anonymised"
    assert located.viewer(address, []).country == geoip.locate(address).country
    assert located.resolve(address, []).location.state == "anonymised"
    with pytest.raises(ValueError, match="nowhere"):
        Resolver(anonymised="nowhere")


def test_anonymity_in_any_signal_counts(geoip: GeoIP) -> None:
    proxies = TrustedProxies(["10.0.0.0/8"])
    unknown = Resolver(geoip=geoip, proxies=proxies, cdn="cloudfront")
    located = Resolver(geoip=geoip, proxies=proxies, cdn="cloudfront", anonymised="located")
    for headers, country_there in ((headers_of("8.8.8.8", "T1"), "US"), (headers_of("8.8.9.9", "GB"), "GB")):
        assert unknown.viewer(PROXY, headers).country is None
        assert located.viewer(PROXY, headers).country == country_there
    assert located.viewer(PROXY, headers_of("9.9.9.9", "T1")).country is None


def test_a_cdn_needs_proxies_and_a_known_name() -> None:
    with pytest.raises(ProxyError, match="untrusted-cdn"):
        Resolver(cdn="cloudflare")
    with pytest.raises(ProxyError, match=r"unknown CDN `akamai` \[unknown-cdn\]; known: `cloudflare`"):
        Resolver(proxies=TrustedProxies(), cdn="akamai")


@pytest.mark.parametrize(
    ("name", "headers", "location_key"),
    [
        ("cloudflare", {"CF-IPCountry": "GB", "cf-region-code": "ENG"}, ("GB", ("GB-ENG",))),
        ("cloudfront", {"CloudFront-Viewer-Country": "US"}, ("US", ())),
        (
            "cloudfront",
            {"CloudFront-Viewer-Country": "%55%53", "CloudFront-Viewer-Country-Region": "C%41"},
            ("US", ("US-CA",)),
        ),
        ("app-engine", {"X-Appengine-Country": "US", "X-Appengine-Region": "ca"}, ("US", ("US-CA",))),
        ("app-engine", {"X-Appengine-Country": "US", "X-Appengine-Region": "?"}, ("US", ())),
        ("app-engine", {"X-Appengine-Country": "ZZ"}, (None, ())),
        ("fastly", {"client-geo-country": "in", "client-geo-region": "DL"}, ("IN", ("IN-DL",))),
        ("fastly", {"client-geo-country": ""}, (None, ())),
        ("google", {"X-Client-Region": "US", "X-Client-Region-Subdivision": "USCA"}, ("US", ("US-CA",))),
        ("google", {"X-Client-Region": "GB", "X-Client-Region-Subdivision": "gbeng"}, ("GB", ("GB-ENG",))),
        ("google", {"X-Client-Region": "ZZ"}, (None, ())),
        ("vercel", {"x-vercel-ip-country": "FR", "x-vercel-ip-country-region": "IDF"}, ("FR", ("FR-IDF",))),
        ("vercel", {"x-vercel-ip-country": "US", "x-vercel-ip-country-region": "US-MS"}, ("US", ("US-MS",))),
        ("vercel", {"x-vercel-ip-country": "US", "x-vercel-ip-country-region": "ENG"}, ("US", ())),
        ("vercel", {"x-vercel-ip-country": "US, GB"}, (None, ())),
        ("vercel", {"x-vercel-ip-country": "United States"}, (None, ())),
    ],
)
def test_each_cdn_is_read_in_its_own_way(
    name: str, headers: dict[str, str], location_key: tuple[str | None, tuple[str, ...]]
) -> None:
    resolver = Resolver(proxies=TrustedProxies(["10.0.0.0/8"]), cdn=name)
    assert resolver.viewer(PROXY, headers).location_key == location_key
    assert resolver.viewer("81.2.69.142", headers).location_key == (None, ())
    assert resolver.viewer(PROXY, [*headers.items(), *headers.items()]).location_key == (None, ())


@pytest.mark.parametrize(
    ("country_code", "region", "where", "why"),
    [
        ("US", "PR", "PR", "cf-region-code is `PR`, cf-ipcountry `US`"),
        ("us", "US-pr", "PR", "cf-region-code is `US-pr`, cf-ipcountry `us`"),
        ("CN", "HK", "HK", "cf-region-code is `HK`, cf-ipcountry `CN`"),
        ("NL", "BQ1", "BQ, BQ-BO", "cf-region-code is `BQ1`, cf-ipcountry `NL`"),
        ("US", "MS", "US, US-MS", "cf-ipcountry is `US`, cf-region-code `MS`"),
        ("US", None, "US", "cf-ipcountry is `US`"),
        ("PR", None, "PR", "cf-ipcountry is `PR`"),
        ("XX", "PR", "unknown", "cf-ipcountry is `XX`"),
    ],
)
def test_d9_the_signal_names_the_header_that_decided(
    country_code: str, region: str | None, where: str, why: str
) -> None:
    resolver = Resolver(proxies=TrustedProxies(["10.0.0.0/8"]), cdn="cloudflare")
    headers = {"CF-IPCountry": country_code, "CF-Region-Code": region}
    [signal] = resolver.resolve(PROXY, headers).signals
    assert str(signal) == f"cdn: {where} ({why})"


@pytest.mark.parametrize(
    ("regions", "subdivisions"),
    [
        *((["BRE", "BRE"], ("FR-BRE",)), (["BRE,BRE"], ("FR-BRE",)), (["bre", " BRE , BRE"], ("FR-BRE",))),
        *(
            (["BRE", "RE"], None),
            (["BRE,RE"], None),
            (["BRE", ""], None),
            (["BRE", "x"], None),
            (["BRE" + " " * 30 + ",RE"], None),
        ),
    ],
    ids=str,
)
def test_c3_a_repeated_region_is_read_only_if_its_lines_agree(
    regions: list[str], subdivisions: tuple[str, ...] | None
) -> None:
    headers = [("CF-IPCountry", "FR"), *(("CF-Region-Code", region) for region in regions)]
    found = CDNS["cloudflare"].read(headers)
    assert found is not None
    assert (found.country, found.subdivisions) == (("FR", subdivisions) if subdivisions else (None, ()))
    reunion = CDNS["cloudflare"].read([("CF-IPCountry", "FR"), ("CF-Region-Code", "RE"), ("CF-Region-Code", "RE")])
    assert reunion is not None
    assert reunion.country == "RE"


def test_a_header_may_have_a_name_that_the_customer_chose() -> None:
    own = replace(CDNS["fastly"], country_header="x-geo")
    resolver = Resolver(proxies=TrustedProxies(["10.0.0.0/8"]), cdn=own)
    assert resolver.viewer(PROXY, {"X-Geo": "IN"}).country == "IN"
    assert resolver.viewer(PROXY, {"Client-Geo-Country": "IN"}).country is None
    assert replace(own, country_header="X-GEO").read({"x-geo": "IN"}) is not None


def test_headers_may_be_an_iterator(resolver: Resolver) -> None:
    assert resolver.viewer(PROXY, iter(headers_of("8.8.8.8", "GB"))).country == "GB"


def test_the_signal_shows_the_contents_of_headers_in_printable_form(resolver: Resolver) -> None:
    viewer = resolver.viewer(PROXY, headers_of("8.8.8.8`\n\x1b[31m" + "x" * 500, "G\nB`" * 99))
    assert viewer.country is None
    assert viewer.signal is not None
    assert viewer.signal.isprintable()
    assert len(viewer.signal) < 300
