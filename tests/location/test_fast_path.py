"""`Resolver.viewer` and `Resolver.resolve` give the same viewer: the same place, account and text.

`resolve` is the definition. It reads all headers, in a form that is easy to explain; `viewer` has fast paths beside it. The
independent expectations are in `test_spoofing.py`, `test_decision_table.py` and `test_proxies.py`.
"""

from __future__ import annotations

import copy
import itertools
import pickle
import random
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.datastructures import Headers as StarletteHeaders

from tests.location.mmdb_files import country, write
from tests.location.test_spoofing import DEPLOYMENTS, TRUST, forged_headers
from withhold.location import CDNS, GeoIP, Resolver, TrustedProxies
from withhold.location.fast_path import KEPT

CITY: dict[str, object] = {
    "8.8.8.0/24": country("US", "MS"),
    "8.8.9.0/24": country("US"),
    "81.2.69.0/24": country("GB", "ENG", "WBK"),
    "81.2.70.0/25": country("CN", "77"),
    "81.2.70.128/26": country("SE"),
    "81.2.70.200/32": country("US", "TX"),
    "1.1.0.0/16": country("KE"),
    "2.2.0.0/16": country("FR", "RE"),
    "3.3.0.0/16": country(None),
    "240.0.0.0/8": country("KE"),
    "10.0.0.0/8": country("KE"),
    "2001:db8::/32": country("DE"),
    "2001:db8:9::/48": country("GB", "ENG"),
    "2001:db8:a:1::/64": country("GB", "SCT"),
    "2001:db8:a:2::1/128": country("SE"),
    "2a06:98c0::/32": country("US"),
}
COUNTRY: dict[str, object] = {
    network: {name: value for name, value in record.items() if name != "subdivisions"}  # type: ignore[attr-defined]
    for network, record in CITY.items()
}
HIDDEN: dict[str, object] = {
    "8.8.9.9/32": {"is_anonymous": True, "is_tor_exit_node": True},
    "1.1.128.0/17": {"is_anonymous_vpn": True},
    "2001:db8:a:2::/64": {"is_public_proxy": True},
}
ADDRESSES = (
    *("8.8.8.8", "8.8.9.9", "8.8.9.10", "81.2.69.142", "81.2.70.5", "81.2.70.130", "81.2.70.200", "81.2.70.250"),
    *("1.1.1.1", "1.1.200.1", "2.2.2.2", "3.3.3.3", "198.51.100.9", "240.1.2.3", "10.0.0.1", "10.9.9.9", "0.0.0.1"),
    *(
        "2001:db8::1",
        "2001:db8:9::1",
        "2001:db8:a:1::1",
        "2001:db8:a:2::1",
        "2001:db8:a:3::1",
        "2001:db7::1",
        "fd00::5",
    ),
    *(
        "::ffff:8.8.8.8",
        "::ffff:10.0.0.1",
        "::8.8.8.8",
        "2002:808:808::1",
        "2a06:98c0:3600::103",
        "::1",
        "255.255.255.255",
    ),
)
ODD_TOKENS = (
    "",
    " ",
    "unknown",
    "8.8.8.8:80",
    "[2001:db8::1]:80",
    '"8.8.8.8"',
    "010.8.8.8",
    "8.8.2056",
    "1" * 50,
    "\x00",
    "ÿ",
    "1.1.1",
)
NAMES = (
    *("X-Forwarded-For", "x-forwarded-for", "X-FORWARDED-FOR", "CF-IPCountry", "cf-ipcountry", "CF-Region-Code"),
    *(
        "Host",
        "user-agent",
        "Accept",
        "cookie",
        "http_x_forwarded_for",
        "Http-Thing",
        "x-forwarded-for:",
        " x-a",
        "headers",
    ),
    *(
        "HOST",
        "REQUEST_METHOD",
        "HTTP_X_FORWARDED_FOR",
        "x_forwarded_for",
        "forwarded",
        "cf-connecting-ip",
        "\u212a-a",
        "é",
        "",
    ),
)
CODES = ("US", "us", "GB", "SE", "XX", "T1", "UK", "RE", "FR", "", "US, GB", "ZZ", "%55S", "USA", "8.8.8.8")
REGIONS = ("MS", "ENG", "SCT", "", "RE", "ms", "MS,MS", "MS,TX", "US-MS", "77", "zz")

addresses = st.sampled_from(ADDRESSES)
tokens = addresses | addresses | addresses | st.sampled_from(ODD_TOKENS)
chains = st.lists(tokens, max_size=5).flatmap(
    lambda each: st.sampled_from([",", ", ", " ,", "\t,,"]).map(lambda by: by.join(each))
)
values = chains | st.sampled_from(CODES) | st.sampled_from(REGIONS)
lines = st.lists(st.tuples(st.sampled_from(NAMES), values), max_size=4)
usual = st.tuples(chains, st.none() | st.sampled_from(CODES), st.none() | st.sampled_from(REGIONS)).map(
    lambda drawn: [
        ("Host", "example"),
        ("User-Agent", "x"),
        ("X-Forwarded-For", drawn[0]),
        *[("CF-IPCountry", drawn[1])] * (drawn[1] is not None),
        *[("CF-Region-Code", drawn[2])] * (drawn[2] is not None),
    ]
)


class Own(Mapping[str, str]):
    """A mapping of a class that nobody has seen before."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self.pairs = dict(pairs)

    def __getitem__(self, name: str) -> str:
        return self.pairs[name]

    def __iter__(self) -> Any:
        return iter(self.pairs)

    def __len__(self) -> int:
        return len(self.pairs)


def in_bytes(pairs: list[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1", "replace").lower(), value.encode("latin-1")) for name, value in pairs]


def environ(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    named = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in pairs}
    return {"REQUEST_METHOD": "GET", "wsgi.version": (1, 0), "wsgi.multithread": True, **named}


CARRIERS: dict[str, Any] = {
    "text pairs": list,
    "bytes pairs": in_bytes,
    "a tuple": tuple,
    "lists": lambda pairs: [list(pair) for pair in pairs],
    "a mixture": lambda pairs: [*in_bytes(pairs[:1]), *pairs[1:]],
    "a dict": dict,
    "a dict of bytes": lambda pairs: dict(in_bytes(pairs)),
    "a dict of lists": lambda pairs: {name: [value] for name, value in pairs},
    "a mapping": Own,
    "Starlette": lambda pairs: StarletteHeaders(raw=in_bytes(pairs)),
    "an environ": environ,
    "numbers": lambda pairs: [*pairs, ("x-number", 5)],
    "triples": lambda pairs: [*pairs, ("x-a", "b", "c")],
    "a dict among them": lambda pairs: [*pairs, {"x-a": "b", "x-c": "d"}],
    "a text among them": lambda pairs: [*pairs, "ab"],
    "an object": lambda pairs: [*pairs, (object(), "a")],
    "unhashable": lambda pairs: [*pairs, (["x-a"], "a")],
}


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, GeoIP | None]:
    folder = tmp_path_factory.mktemp("fast_path")
    hidden = write(folder / "hidden.mmdb", HIDDEN, kind="GeoIP2-Anonymous-IP")
    city = write(folder / "city.mmdb", CITY, kind="GeoIP2-City", aliases=True)
    plain = write(folder / "country.mmdb", COUNTRY, aliases=True)
    return {
        "none": None,
        "city": GeoIP(city, wait=None),
        "country": GeoIP(plain, wait=None),
        "anonymous": GeoIP(city, anonymous=hidden, wait=None),
        "country, anonymous": GeoIP(plain, anonymous=hidden, six_to_four=False, wait=None),
        "IPv4": GeoIP(city, ip_versions=(4,), wait=None),
        "IPv6": GeoIP(plain, ip_versions=(6,), wait=None),
    }


def answer(call: Any, *given: Any) -> Any:
    """Return the parts of a viewer that must be equal, or the error."""
    try:
        viewer = call(*given)
    except Exception as error:  # noqa: BLE001  # whatever it is, it must be the same
        return type(error), str(error)
    return viewer.location_key, viewer.account_id, viewer.signal


def assert_same(
    resolver: Resolver, peer: Any, headers: Any, account_id: Any = None, account_country: Any = None
) -> None:
    wanted = answer(lambda: resolver.resolve(peer, headers, account_country).viewer(account_id))
    assert answer(resolver.viewer, peer, headers, account_id, account_country) == wanted


trusts = st.lists(
    st.sampled_from(
        ["10.0.0.0/8", "10.9.0.0/16", "10.9.9.9", "fd00::/8", "8.8.8.0/24", "0.0.0.0/31", "2001:db8::/48", "unix:"]
    ),
    max_size=4,
)


@pytest.mark.usefixtures("way")
@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    database=st.sampled_from(["none", "city", "country", "anonymous", "country, anonymous", "IPv4", "IPv6"]),
    networks=trusts,
    header=st.sampled_from(
        ["x-forwarded-for"] * 4 + ["forwarded", "cf-connecting-ip", "cloudfront-viewer-address", "x-real"]
    ),
    cdn=st.sampled_from([None, "cloudflare", "cloudflare", "google"]),
    order=st.permutations(["cdn", "geoip"]),
    anonymised=st.sampled_from(["unknown", "located"]),
    hops=st.sampled_from([1, 2, 16]),
    requests=st.lists(
        st.tuples(
            st.sampled_from(
                ["10.0.0.1"] * 6 + ["10.9.9.9", "::ffff:10.0.0.1", "fd00::5", "10.0.0.1:80", None, "unix:", "localhost"]
            )
            | addresses,
            usual | usual | lines,
            st.sampled_from(list(CARRIERS)),
            st.sampled_from([None, None, 7, 2**63, 0, True, "7"]),
            st.sampled_from([None, None, "FR", "us", "??", 5]),
        ),
        min_size=1,
        max_size=6,
    ),
)
def test_the_viewer_is_that_of_the_resolution(
    databases: dict[str, GeoIP | None],
    database: str,
    networks: list[str],
    header: str,
    cdn: str | None,
    order: list[str],
    anonymised: str,
    hops: int,
    requests: list[Any],
) -> None:
    proxies = TrustedProxies(networks, header=header, max_hops=hops)
    resolver = Resolver(geoip=databases[database], proxies=proxies, cdn=cdn, order=order, anonymised=anonymised)
    for peer, pairs, carrier, account_id, account_country in requests:
        assert_same(resolver, peer, CARRIERS[carrier](pairs), account_id, account_country)


@pytest.mark.usefixtures("way")
def test_every_address_alone(databases: dict[str, GeoIP | None]) -> None:
    """Each address, behind a proxy and as a peer, with each country of a CDN."""
    proxies = TrustedProxies(["10.0.0.0/8", "fd00::/8"])
    for geoip, order in itertools.product(databases.values(), (("cdn", "geoip"), ("geoip", "cdn"))):
        resolver = Resolver(geoip=geoip, proxies=proxies, cdn="cloudflare", order=order)
        for address, code in itertools.product(ADDRESSES, (None, "GB", "US", "XX", "T1")):
            headers = [("x-forwarded-for", address), *([] if code is None else [("cf-ipcountry", code)])]
            assert_same(resolver, "10.0.0.1", headers)
            assert_same(resolver, address, in_bytes(headers))


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("share", range(5))
def test_all_forged_requests(databases: dict[str, GeoIP | None], share: int) -> None:
    """The requests of `test_spoofing.py`, in the forms in which servers pass them."""
    rng = random.Random(share)
    counted: Counter[bool] = Counter()
    resolvers = {
        deployment: Resolver(
            geoip=databases["country"],
            proxies=TrustedProxies(
                [] if deployment.direct and deployment.cdn is None else TRUST, header=deployment.header
            ),
            cdn=deployment.cdn,
        )
        for deployment in DEPLOYMENTS
    }
    for at in range(2_800):
        deployment = DEPLOYMENTS[at % len(DEPLOYMENTS)]
        headers = forged_headers(rng, deployment)
        if rng.random() < 0.8:
            headers.append((deployment.header, rng.choice(ADDRESSES)))
        carrier = rng.choice(["text pairs", "bytes pairs", "a dict", "an environ"])
        given = CARRIERS[carrier]([(name, value) for name, value in headers if len(value) < 2_000])
        assert_same(resolvers[deployment], rng.choice(["10.0.0.1", "81.2.69.142"]), given, 7)
        counted[deployment.direct] += 1
    assert counted.total() == 2_800


@pytest.mark.usefixtures("way")
def test_usual_requests_take_the_fast_path(databases: dict[str, GeoIP | None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without this, an error in it would go unnoticed: every request would be resolved in the slow way."""
    resolvers = [
        Resolver(geoip=databases[name], proxies=TrustedProxies(["10.0.0.0/8", "::1/128"]), cdn="cloudflare")
        for name in ("city", "country", "anonymous")
    ]
    slow = Counter[str]()
    monkeypatch.setattr(Resolver, "resolve", lambda *_: slow.update(["resolve"]))
    for resolver, carrier in itertools.product(
        resolvers, ("text pairs", "bytes pairs", "a dict", "an environ", "a mapping", "Starlette")
    ):
        for address, code in itertools.product(
            ("8.8.8.8", "81.2.70.5", "2001:db8::1", "2001:db8:a:1::1"), (None, "IN")
        ):
            pairs = [
                ("Host", "a"),
                ("X-Forwarded-For", f"1.1.1.1, {address}"),
                *[("CF-IPCountry", code)] * (code is not None),
            ]
            viewer = resolver.viewer("10.0.0.1", CARRIERS[carrier](pairs), 5)
            assert viewer.country == code or (code is None and viewer.country in ("US", "CN", "DE", "GB"))
            resolver.viewer("::1", CARRIERS[carrier](pairs), 5)
            resolver.viewer(address, CARRIERS[carrier](pairs), 5)
    assert not slow


@pytest.mark.usefixtures("way")
def test_no_address_is_kept(databases: dict[str, GeoIP | None]) -> None:
    resolver = Resolver(geoip=databases["city"], proxies=TrustedProxies(["10.0.0.0/8"]))
    sent = [("x-forwarded-for", "8.8.8.8"), ("cf-region-code", "8.8.8.8")]
    behind_cdn = Resolver(geoip=databases["city"], proxies=resolver.proxies, cdn="cloudflare")
    assert "8.8.8.8" not in str(behind_cdn.viewer("10.0.0.1", sent)._source)
    for address, kept in (("81.2.70.130", 0x51024600), ("2001:db8:a:1::77", 0x20010DB8000A << 80)):
        viewer = resolver.viewer("10.0.0.1", {"X-Forwarded-For": address})
        assert isinstance(viewer._source, tuple)
        assert kept in viewer._source
        numbers = [part for part in viewer._source[1:] if isinstance(part, int)]
        assert all(number in (4, 6, kept) or number < 20 for number in numbers)
        for text in (repr(viewer), str(viewer), str(viewer.to_dict()), repr(pickle.loads(pickle.dumps(viewer)))):  # noqa: S301
            assert address not in text


@pytest.mark.usefixtures("way")
def test_the_text_is_that_of_the_database_that_answered(tmp_path: Path) -> None:
    path = write(tmp_path / "geo.mmdb", {"8.8.8.0/24": country("US"), "8.8.9.0/25": country("SE")})
    geoip = GeoIP(path, wait=None)
    resolver = Resolver(geoip=geoip)
    before = [resolver.viewer(address, []) for address in ("8.8.8.8", "8.8.9.8")]
    write(path, {"8.8.8.0/25": country("IN"), "8.8.9.0/24": country("IN")})
    assert geoip.reload()
    assert [viewer.signal for viewer in before] == [
        "geoip: US (in 8.8.8.0/24 of geo.mmdb)",
        "geoip: SE (within 8.8.9.0/24 of geo.mmdb)",
    ]
    assert resolver.viewer("8.8.8.8", [("x-a", "")]).country == "IN"
    assert str(copy.copy(before[0])) == str(before[0])


@pytest.mark.usefixtures("way")
def test_names_and_values_that_viewers_invent_are_not_kept_without_limit(databases: dict[str, GeoIP | None]) -> None:
    resolver = Resolver(geoip=databases["country"], proxies=TrustedProxies(["10.0.0.0/8"]), cdn="cloudflare")
    for at in range(KEPT + 100):
        headers = [
            ("x-forwarded-for", "8.8.8.8"),
            (f"x-{at}", ""),
            ("cf-ipcountry", "US"),
            ("cf-region-code", f"{at:x}"),
        ]
        assert resolver.viewer(f"10.0.{at >> 8}.{at & 255}", headers).country == "US"
    assert_same(resolver, "10.0.0.1", headers)
    path = resolver._fast_path
    assert path is not None
    assert max(len(path.roles.known), len(path.peers), len(path.cdn_keys)) <= KEPT


def test_a_resolver_without_a_database_can_be_pickled() -> None:
    resolver = Resolver(proxies=TrustedProxies(["10.0.0.0/8"]), cdn="cloudflare")
    for each in (resolver, copy.deepcopy(resolver), pickle.loads(pickle.dumps(resolver))):  # noqa: S301
        assert each.viewer("10.0.0.1", {"X-Forwarded-For": "8.8.8.8", "CF-IPCountry": "IN"}).country == "IN"
    assert set(CDNS) > {"cloudflare"}
