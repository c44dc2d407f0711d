"""No header that a viewer sends changes their location: thousands of requests, forged in every way.

The expected answers do not come from the code. Each request consists of a viewer with a known address and country, of forged
headers, and of the headers that a deployment truthfully adds to them.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.location.mmdb_files import country, write
from withhold.location import CDNS, GeoIP, Resolver, TrustedProxies

SHAPES = 14_000
NETWORKS: dict[str, object] = {
    "81.2.69.0/24": country("GB"),
    "8.8.8.0/24": country("US"),
    "2a02:d500::/32": country("SE"),
    "1.1.0.0/16": country("KE"),
    "2001:db8::/32": country("KE"),
}
#: Viewers and their countries. Only forged headers name Kenya.
VIEWERS = {"81.2.69.142": "GB", "8.8.8.8": "US", "2a02:d500::77": "SE", "198.51.100.9": None}
PROXIES = ("10.0.0.1", "10.9.9.9", "::ffff:10.0.0.7", "fd00::5")
TRUST = ["10.0.0.0/8", "fd00::/8"]
FORGED_ADDRESSES = (
    "1.1.1.1",
    "2001:db8::1",
    "10.0.0.1",
    "127.0.0.1",
    "::ffff:1.1.1.1",
    "1.1.1.1:80",
    "[2001:db8::1]:8",
)
GARBAGE = (
    "",
    ",",
    ",,,",
    "unknown",
    "_x",
    "garbage",
    "16843009",
    "010.1.1.1",
    '"',
    'for="',
    "\x00",
    "ÿ",
    ";",
    "=",
    "\t",
)
OTHERS = (
    *("x-real-ip", "true-client-ip", "x-client-ip", "x-cluster-client-ip", "fastly-client-ip", "via", "cf-worker"),
    *("cf-pseudo-ipv4", "cf-connecting-ipv6", "x_forwarded_for", "x-forwarded-for ", "x-forwarded-host", "client-ip"),
)
Header = tuple[str, str]


class Deployment(NamedTuple):
    """The setup in front of the server. `header` is the one that the trusted proxy appends to or overwrites."""

    header: str
    cdn: str | None
    direct: bool


DEPLOYMENTS = [
    Deployment(header, cdn, direct)
    for header in ("x-forwarded-for", "forwarded", "cf-connecting-ip")
    for cdn in (None, *CDNS)
    for direct in (False, True)
]


@pytest.fixture(scope="module")
def geoip(tmp_path_factory: pytest.TempPathFactory) -> GeoIP:
    return GeoIP(write(tmp_path_factory.mktemp("spoofing") / "geo.mmdb", NETWORKS), wait=None)


def forgery(rng: random.Random, name: str) -> list[Header]:
    """Draw forged lines of one header."""

    def token() -> str:
        drawn = rng.choice(FORGED_ADDRESSES) if rng.random() < 0.7 else rng.choice(GARBAGE)
        if name == "forwarded" and rng.random() < 0.8:
            return f'for="{drawn}"' + rng.choice(["", ";proto=https", ";for=1.1.1.1", ';host="a, for=1.1.1.1'])
        return drawn

    joined = [
        rng.choice([",", ", ", " , "]).join(token() for _ in range(rng.choice([1, 1, 2, 3, 40])))
        for _ in range(rng.choice([1, 1, 2, 5]))
    ]
    if rng.random() < 0.004:
        joined.append("1.1.1.1, " * 9_000)
    return [(rng.choice([name, name.title(), name.upper()]), value) for value in joined]


def forged_headers(rng: random.Random, deployment: Deployment) -> list[Header]:
    """Draw the forged headers of a viewer, without those that the deployment overwrites."""
    names = rng.sample(OTHERS, rng.randrange(3))
    own = CDNS[deployment.cdn] if deployment.cdn else None
    overwritten = {own.country_header, own.region_header} if own and not deployment.direct else set()
    if deployment.header == "cf-connecting-ip" and not deployment.direct:
        overwritten.add("cf-connecting-ip")
    forged: list[Header] = []
    for name in ("x-forwarded-for", "forwarded", "cf-connecting-ip", *names):
        if name not in overwritten and rng.random() < 0.7:
            forged += forgery(rng, name)
    for cdn in CDNS.values():
        for header, values in ((cdn.country_header, ["KE", "XX", "T1", "ke", ""]), (cdn.region_header, ["30", "CA"])):
            if header and header not in overwritten and rng.random() < 0.4:
                forged += [(header, rng.choice(values)) for _ in range(rng.choice([1, 1, 2]))]
    rng.shuffle(forged)
    return forged


def truthful_headers(rng: random.Random, deployment: Deployment, viewer: str) -> list[Header]:
    """Return the lines that the trusted proxies add, to the right of all others."""
    hops = [viewer, *rng.choices(PROXIES, k=rng.choice([0, 0, 1, 3]))]
    if deployment.header == "cf-connecting-ip":
        hops = hops[:1]
    if deployment.header == "forwarded":
        hops = [f'for="[{hop}]"' if ":" in hop else f"for={hop};proto=https" for hop in hops]
    lines = [", ".join(hops)] if rng.random() < 0.5 else hops
    return [(deployment.header, line) for line in lines]


def joined(rng: random.Random, forged: list[Header], true: list[Header]) -> list[Header]:
    """Join headers. Some proxies append to the last line of a header instead of adding one."""
    name, value = true[0]
    at = [index for index, (key, _) in enumerate(forged) if key.lower() == name]
    if name != "cf-connecting-ip" and at and rng.random() < 0.5:
        last = forged[at[-1]]
        return [*forged[: at[-1]], (last[0], f"{last[1]}, {value}"), *forged[at[-1] + 1 :], *true[1:]]
    return [*forged, *true]


def in_some_form(rng: random.Random, headers: list[Header]) -> object:
    if rng.random() < 0.5:
        return headers
    return [(key.encode("latin-1"), value.encode("latin-1")) for key, value in headers]


def test_no_forged_header_changes_the_result(geoip: GeoIP) -> None:
    rng = random.Random(20210210)
    resolvers = {
        deployment: Resolver(geoip=geoip, proxies=TrustedProxies(TRUST, header=deployment.header), cdn=deployment.cdn)
        for deployment in DEPLOYMENTS
    }
    kinds: Counter[object] = Counter()
    shapes: set[object] = set()
    for _ in range(SHAPES):
        deployment = rng.choice(DEPLOYMENTS)
        viewer = rng.choice(list(VIEWERS))
        headers = forged_headers(rng, deployment)
        where = VIEWERS[viewer]
        if deployment.direct:
            peer = rng.choice([viewer, f"::ffff:{viewer}"] if ":" not in viewer else [viewer])
        else:
            peer = rng.choice(PROXIES)
            headers = joined(rng, headers, truthful_headers(rng, deployment, viewer))
            if deployment.cdn:
                # The CDN knows a country that the database does not have, or none.
                by_cdn = rng.choice(["IN", "XX"])
                headers.insert(rng.randrange(len(headers) + 1), (CDNS[deployment.cdn].country_header, by_cdn))
                where = "IN" if by_cdn == "IN" else where
        resolution = resolvers[deployment].resolve(peer, in_some_form(rng, headers))  # type: ignore[arg-type]
        assert (resolution.address, resolution.location.country) == (viewer, where), (peer, headers)
        assert resolution.viewer().location_key == (where, ())
        kinds[deployment.header, deployment.cdn, deployment.direct] += 1
        shapes.add((deployment, peer, *headers))
    assert len(shapes) >= 10_000
    assert len(kinds) == len(DEPLOYMENTS)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_forging_the_header_of_a_cdn_that_does_not_overwrite_it_has_no_effect(
    geoip: GeoIP, order: tuple[int, int]
) -> None:
    """The header then occurs twice, and neither line is believed, in either order."""
    for cdn in CDNS.values():
        resolver = Resolver(geoip=geoip, proxies=TrustedProxies(TRUST), cdn=cdn)
        both = [(cdn.country_header, "GB"), (cdn.country_header.upper(), "KE")]
        for viewer, where in VIEWERS.items():
            headers = [*(both[at] for at in order), ("X-Forwarded-For", viewer)]
            assert resolver.viewer("10.0.0.1", headers).country == where


def test_these_forgeries_deceive_a_naive_implementation(geoip: GeoIP) -> None:
    """They would succeed if the leftmost address were used."""
    naive: Callable[[str], str | None] = lambda value: geoip.country(value.split(",")[0].strip())  # noqa: E731
    rng = random.Random(1)
    deployment = Deployment("x-forwarded-for", None, direct=False)
    fooled = 0
    for _ in range(300):
        headers = joined(rng, forged_headers(rng, deployment), truthful_headers(rng, deployment, "81.2.69.142"))
        first = next(value for key, value in headers if key.lower() == "x-forwarded-for")
        fooled += naive(first) == "KE"
    assert fooled > 50


@pytest.mark.parametrize("size", [80_000, 1_000_000])
def test_oversized_headers_are_read_like_any_other(geoip: GeoIP, tmp_path: Path, size: int) -> None:
    del tmp_path
    resolver = Resolver(geoip=geoip, proxies=TrustedProxies(TRUST))
    for filling in ("1.1.1.1, ", "1", ",", '"', "[", "\x00", "a=b;"):
        value = (filling * (size // len(filling) + 1))[:size]
        assert resolver.viewer("10.0.0.1", [("X-Forwarded-For", f"{value}, 81.2.69.142")]).country == "GB"
        assert resolver.viewer("81.2.69.142", [("X-Forwarded-For", value)]).country == "GB"
        assert resolver.viewer("10.0.0.1", [("X-Forwarded-For", value.strip(", ") + "x")]).country is None
