"""No text shows a whole address unless it is requested: no viewer, no explanation, no log."""

from __future__ import annotations

import json
import logging
import pickle
import re
from ipaddress import ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.location.mmdb_files import country, write
from withhold import Engine, RuleSet
from withhold.location import GeoIP, Resolver, TrustedProxies
from withhold.location.headers import redacted

NETWORKS: dict[str, object] = {
    "192.0.2.0/24": country("IN", "DL"),
    "192.0.2.7/32": country("US"),
    "198.51.0.0/16": country("GB"),
    "2001:db8::/32": country("DE"),
    "2001:db8:1:2:3:4:5:6/128": country("FR"),
}
HIDDEN: dict[str, object] = {"192.0.2.9/32": {"is_tor": True}, "2001:db8::/32": {}}
ADDRESSES = [
    *("192.0.2.7", "192.0.2.8", "192.0.2.9", "198.51.100.200", "203.0.113.77", "240.1.2.3", "10.0.0.77", "127.0.0.1"),
    *("2001:db8:1:2:3:4:5:6", "2001:db8:77:88:99::1", "2002:c000:207::1", "::ffff:192.0.2.7", "64:ff9b::192.0.2.7"),
    *("::192.0.2.7", "2001:0:5102:458e:8000:3fff:a65f:eb8f", "fe80::abcd:ef01", "feed:beef:dead::cafe"),
]
TEXTS = [
    *ADDRESSES,
    *("192.0.2.7:80", "[2001:db8:1:2:3:4:5:6]:443", "192.0.2.007", "192.0.2.7 ", "192.0.2.7\n", "fe80::abcd:ef01%eth0"),
    *("192.0.2.7/32", "for=192.0.2.7", '"192.0.2.7"', "0xc0000207", "3221225991", "192.0.2.7.example", "١٩٢.٠.٢.٧"),
]


@pytest.fixture(scope="module")
def geoip(tmp_path_factory: pytest.TempPathFactory) -> GeoIP:
    folder = tmp_path_factory.mktemp("privacy")
    hidden = write(folder / "hidden.mmdb", HIDDEN)
    return GeoIP(write(folder / "geo.mmdb", NETWORKS, kind="GeoIP2-City"), anonymous=hidden, wait=None)


def assert_no_address(text: str, address: str) -> None:
    """Assert that a text contains neither the address, in any spelling, nor a network that is too narrow."""
    for token in re.split(r"[^0-9a-zA-Z:./#%]+", text):
        try:
            network = ip_network(token.strip("."))
        except ValueError:
            continue
        narrow = 24 if network.version == 4 else 40 if token.startswith("2002:") else 48
        assert network.prefixlen <= narrow, text
    assert address.strip() not in text, text


@pytest.mark.parametrize("text", TEXTS)
def test_d11_texts_about_a_location_show_its_network(geoip: GeoIP, text: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    here = geoip.locate(text)
    viewer = here.viewer(7)
    for shown in (str(viewer), repr(viewer), json.dumps(viewer.to_dict()), here.why, str(here), repr(here)):
        assert_no_address(shown, text)
    assert_no_address(repr(here.evidence), text)
    assert caplog.text == ""


@pytest.mark.parametrize("header", ["x-forwarded-for", "forwarded", "x-real-ip", "cloudfront-viewer-address"])
@pytest.mark.parametrize("text", TEXTS)
def test_d11_texts_about_a_request_show_the_network_of_its_address(geoip: GeoIP, text: str, header: str) -> None:
    resolver = Resolver(geoip=geoip, proxies=TrustedProxies(["10.0.0.0/8"], header=header), cdn="cloudflare")
    value = f'for="{text}"' if header == "forwarded" else text
    for peer, headers in (
        ("10.0.0.5", [(header, value), ("CF-IPCountry", text)]),
        ("10.0.0.5", [(header, value), (header, value)]),
        (text, [(header, value)]),
    ):
        resolution = resolver.resolve(peer, headers)
        viewer, quick = resolution.viewer(), resolver.viewer(peer, headers, 7)
        texts = [
            repr(quick),
            json.dumps(quick.to_dict()),
            repr(pickle.loads(pickle.dumps(quick))),  # noqa: S301
            str(resolution),
            repr(resolution),
            str(viewer),
            repr(viewer),
            resolution.trace.why,
            repr(resolution.trace),
        ]
        # The fast path keeps the network as a number, so no address is in the object either.
        if isinstance(quick._source, tuple):
            assert quick._source[2] % (1 << (8 if quick._source[1] == 4 else 80)) == 0
        for shown in (*texts, *map(str, resolution.signals), *map(repr, resolution.signals)):
            assert_no_address(shown.replace("10.0.0.5", ""), text)


def test_d11_an_explanation_shows_the_network(geoip: GeoIP, tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text("rules: [{id: a-1, accounts: [1101], withheld_in: IN, reason: legal_demand}]")
    engine = Engine(RuleSet.load(tmp_path))
    for address in ("192.0.2.8", "192.0.2.7", "2001:db8:1:2:3:4:5:6"):
        explanation = engine.explain((None, 1101), geoip.locate(address).viewer())
        for shown in (str(explanation), json.dumps(explanation.to_dict())):
            assert address not in shown
            assert "of geo.mmdb" in shown


def test_d11_the_whole_address_is_available_on_request(geoip: GeoIP) -> None:
    resolution = Resolver(geoip=geoip).resolve("192.0.2.7", [])
    assert resolution.address == resolution.trace.address == "192.0.2.7"
    assert "  address: 192.0.2.7 (the peer is in 192.0.2.0/24," in resolution.describe(whole_address=True)
    assert str(geoip.locate("192.0.2.7").network) == "192.0.2.7/32"


@given(st.ip_addresses(), st.sampled_from(["{}", "{}:80", "[{}]", "x{}", "{}x", '"{}"', "{}%eth0", " {}"]))
def test_d11_a_bad_token_is_shown_without_its_digits(address: object, form: str) -> None:
    shown = redacted(form.format(address))
    assert not any(char.isdigit() for char in shown)
    assert str(address) not in shown or str(address) == "::"
