"""Compare the time to find the viewer of a request with geoip2, and that of a whole request with its `filter` alone."""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geoip2.database
import geoip2.errors

from benchmarks.location.streams import Streams
from benchmarks.location.synthetic import cached
from benchmarks.questions import misses
from benchmarks.serving.agreement import WrongAnswerError
from benchmarks.serving.scenarios import pages
from benchmarks.snapshots import FILE
from benchmarks.targets.files import Figures, spread
from benchmarks.targets.loaded import EACH, PAGE, flush_caches
from benchmarks.targets.turns import ratio, take_turns
from benchmarks.workload import Columns, Pair
from withhold import Engine, Snapshot, Viewer
from withhold.location import GeoIP, Resolver, TrustedProxies

PEER = "10.0.0.5"
#: The headers of a request, of which a proxy adds the last ones.
USUAL = (
    *((b"host", b"example.com"), (b"user-agent", b"Mozilla/5.0 " * 10), (b"accept", b"application/json")),
    *(
        (b"accept-language", b"en"),
        (b"accept-encoding", b"gzip, br"),
        (b"cookie", b"c" * 400),
        (b"connection", b"close"),
    ),
    *((b"referer", b"https://example.com/"), (b"x-forwarded-proto", b"https"), (b"x-request-id", b"d" * 32)),
)
REQUESTS = 500

Lines = list[tuple[bytes, bytes]]
#: The address of a viewer, and the headers of their request behind a proxy, and behind a CDN too.
Request = tuple[str, Lines, Lines]


def request(address: str) -> Request:
    """Return a request with new objects, as a server creates them: 12 headers."""

    def lines(*more: tuple[bytes, bytes]) -> Lines:
        return [(bytes(bytearray(name)), bytes(bytearray(value))) for name, value in (*USUAL, *more)]

    forwarded = (b"x-forwarded-for", address.encode())
    return address, lines(forwarded, (b"x-real-host", b"a")), lines(forwarded, (b"cf-ipcountry", b"IN"))


class Located:
    """The resolvers, the reader of geoip2 and the addresses of one database."""

    def __init__(self, scale: float) -> None:
        path = cached(scale)
        self._streams = Streams(path)
        self._reader = geoip2.database.Reader(path)
        geoip = GeoIP(path, wait=None)
        proxies = TrustedProxies(["10.0.0.0/8"])
        self.proxied = Resolver(geoip=geoip, proxies=proxies)
        self.behind_cdn = Resolver(geoip=geoip, proxies=proxies, cdn="cloudflare")
        self.in_python = [Resolver(geoip=geoip, proxies=proxies, cdn=cdn) for cdn in (None, "cloudflare")]
        for resolver in self.in_python:
            resolver.viewer(PEER, request("192.0.2.1")[1])
            if resolver._fast_path is not None:
                resolver._fast_path.native = None

    def country(self, address: str) -> str | None:
        """Return the country according to geoip2."""
        try:
            return self._reader.country(address).country.iso_code
        except geoip2.errors.AddressNotFoundError:
            return None

    def requests(self, count: int) -> list[Request]:
        """Return new requests. Raise `WrongAnswerError` if a viewer is not where geoip2 or the CDN locates them."""
        found = [request(address) for address in self._streams.by_network(4, count)]
        for address, lines, of_cdn in found:
            wanted = self.country(address)
            for at, resolver in enumerate((self.proxied, self.behind_cdn, *self.in_python)):
                viewer = resolver.viewer(PEER, of_cdn if at % 2 else lines, 17)
                if viewer.country != ("IN" if at % 2 else wanted):
                    raise WrongAnswerError(f"{address} is in {viewer.country} instead of {wanted}")
        return found


def viewers(located: Located, turns: int) -> Figures:
    """Compare `Resolver.viewer` with geoip2's `country()`, in C and in Python, for addresses that come once."""

    def each(answer: Callable[[Request], object]) -> Callable[[list[Request]], None]:
        def run(requests: list[Request]) -> None:
            for one in requests:
                answer(one)

        return run

    proxied, behind_cdn = located.proxied.viewer, located.behind_cdn.viewer
    python, python_cdn = (resolver.viewer for resolver in located.in_python)
    contenders = {
        "geoip2": each(lambda one: located.country(one[0])),
        "viewer": each(lambda one: proxied(PEER, one[1])),
        "viewer, account": each(lambda one: proxied(PEER, one[1], 17)),
        "viewer, CDN": each(lambda one: behind_cdn(PEER, one[2])),
        "viewer in Python": each(lambda one: python(PEER, one[1])),
        "viewer in Python, account": each(lambda one: python(PEER, one[1], 17)),
        "viewer in Python, CDN": each(lambda one: python_cdn(PEER, one[2])),
    }
    parts = [located.requests(REQUESTS) for _ in range(turns + 1)]
    found = take_turns(contenders, parts, REQUESTS)
    return {name: ratio(found, name, "geoip2") for name in contenders if name != "geoip2"}


#: Requests and their pages, for each contender: ids that come once must not be in the caches after another contender's turn.
Served = dict[str, list[tuple[Lines, list[Pair]]]]


def whole_requests(located: Located, directory: Path, turns: int) -> Figures:
    """Compare a request (its viewer, the view, and `filter` of 500 misses) with the `filter` alone."""
    engine = Engine(Snapshot.open(directory / FILE))
    view = engine.view(Viewer(country="IN"))

    def alone(served: Served) -> None:
        for _, page in served["filter"]:
            view.filter(page)

    def whole(name: str, resolver: Resolver) -> Callable[[Served], None]:
        def run(served: Served) -> None:
            for lines, page in served[name]:
                engine.view(resolver.viewer(PEER, lines, 17)).filter(page)

        return run

    resolvers = {"request": located.proxied, "resolved in Python": located.in_python[0]}
    contenders = {name: whole(name, resolver) for name, resolver in resolvers.items()} | {"filter": alone}
    chance = random.Random(7)

    def served(page: list[Pair] | None) -> list[tuple[Lines, list[Pair]]]:
        asked = pages(misses(chance, EACH), PAGE) if page is None else [page] * (EACH // PAGE)
        if any(len(view.filter(page).visible) < PAGE for page in asked):
            raise WrongAnswerError("an answer is `withheld` for a pair that no rule names")
        return [(one[1], page) for one, page in zip(located.requests(len(asked)), asked, strict=True)]

    figures: Figures = {}
    for name, hot in (("request, cold", None), ("request, hot", misses(chance, PAGE))):
        parts = [{each: served(hot) for each in contenders} for _ in range(turns + 1)]
        flush_caches()
        found = take_turns(contenders, parts, EACH // PAGE)
        figures[name] = ratio(found, "request", "filter")
        figures[f"{name}, resolved in Python"] = ratio(found, "resolved in Python", "filter")
    return figures


def seen(turns: int) -> dict[str, Any]:
    """Return the microseconds of `Viewer(country="IN")`, including a loop."""

    def construct(times: range) -> None:
        for _ in times:
            Viewer(country="IN")

    took = take_turns({"Viewer": construct}, [range(EACH)] * (turns + 1), EACH)["Viewer"]
    return {**spread([each / 1e3 for each in took]), "ns": {"Viewer": statistics.median(took)}}


def measured(directory: Path, turns: int) -> Figures:
    """Return all figures, with a database of a million networks if the rules name a million ids."""
    located = Located(1.0 if len(Columns.opened(directory)) >= 1_000_000 else 0.05)
    found = viewers(located, turns) | whole_requests(located, directory, turns)
    return {**found, "Viewer, seen": seen(turns)}
