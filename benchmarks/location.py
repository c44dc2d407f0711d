"""What it costs to locate an address: `python -m benchmarks.location [--quick] [--json FILE]`.

One process, one thread; every rival gets addresses that nobody was asked before, in rounds whose order is drawn
anew, and thread CPU time is taken of whole rounds. The answers are compared before anything is timed.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import socket
import statistics
import sys
import threading
import time
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from struct import Struct

import cachetools
import geoip2.database
import geoip2.errors
import maxminddb

from benchmarks import package
from benchmarks.synthetic import SEED, cached
from withhold.location import GeoIP, Resolver, TrustedProxies
from withhold.location.networks import Networks
from withhold.location.tree import SearchTree

UNSAID = """
What these figures do not show: a real address stream (the networks and countries are random; real ones cluster,
which helps every cache); a server, with its other threads, its cold caches and its garbage; other machines: the
ratios move by a tenth or two with the processor's caches, and from run to run by a twentieth. The records are
those of a Country database; City records are larger, and cost geoip2 and maxminddb more, the table the same.
The ratios are to `geoip2.database.Reader.country()` with maxminddb's C extension, a whole object against a whole
object. The time of flattening is not in them: it is given at the top."""

Answer = Callable[[str], object]


class Slashed16:
    """The rival layout: a /16 index and a bisection for every IPv4 address."""

    def __init__(self, networks: Networks) -> None:
        self.countries = [place.country for place in networks.places]
        self.first = array("I")
        self.lows = array("H")
        self.numbers = array("I")
        run, at = networks.v4, 0
        for high in range(1 << 16):
            self.first.append(len(self.lows))
            at = run.find(high << 16)
            while at < len(run.starts) and run.starts[at] < (high + 1) << 16:
                self.lows.append(max(0, run.starts[at] - (high << 16)))
                self.numbers.append(run.numbers[at])
                at += 1
        self.first.append(len(self.lows))

    def country(self, text: str) -> str | None:
        high, low = _two(socket.inet_pton(2, text))
        first = self.first
        return self.countries[self.numbers[bisect_right(self.lows, low, first[high], first[high + 1]) - 1]]


_two = Struct(">HH").unpack


class Streams:
    """Addresses nobody was asked before."""

    def __init__(self, path: Path) -> None:
        with maxminddb.open_database(path) as reader:
            self.networks = [leaf[:3] for leaf in SearchTree(path.read_bytes(), reader.metadata()).leaves()]
        self.rng = random.Random(SEED)
        self.v4 = [leaf for leaf in self.networks if leaf[0] == 4]
        self.v6 = [leaf for leaf in self.networks if leaf[0] == 6]
        self.sizes = list(accumulate(1 << (32 - prefix) for _, _, prefix in self.v4))

    def by_network(self, version: int, count: int) -> list[str]:
        """Each network is as likely as any other."""
        return [self._within(*leaf) for leaf in self.rng.choices(self.v4 if version == 4 else self.v6, k=count)]

    def by_space(self, count: int) -> list[str]:
        """Each IPv4 address that a network covers is as likely as any other."""
        return [self._within(*leaf) for leaf in self.rng.choices(self.v4, cum_weights=self.sizes, k=count)]

    def zipf(self, clients: int) -> Callable[[int], list[str]]:
        """The same clients again and again, the most frequent one most often (s = 1); 75 % are IPv4."""
        pool = self.by_network(4, clients * 3 // 4) + self.by_network(6, clients // 4)
        self.rng.shuffle(pool)
        weights = list(accumulate(1 / rank for rank in range(1, clients + 1)))
        return lambda count: self.rng.choices(pool, cum_weights=weights, k=count)

    def _within(self, version: int, first: int, prefix: int) -> str:
        bits = (32 if version == 4 else 128) - prefix
        return _text(version, first + (self.rng.getrandbits(bits) if bits else 0))


def _text(version: int, value: int) -> str:
    family, size = (socket.AF_INET, 4) if version == 4 else (socket.AF_INET6, 16)
    return socket.inet_ntop(family, value.to_bytes(size, "big"))


def agree(answers: dict[str, Answer], reader: maxminddb.Reader, addresses: list[str]) -> None:
    for address in addresses:
        record = reader.get(address)
        want = record["country"]["iso_code"] if isinstance(record, dict) else None  # type: ignore[call-overload, index]
        for name, answer in answers.items():
            if (found := answer(address)) != want:
                sys.exit(f"{name} says {found} of {address}, maxminddb {want}")


def measure(
    rivals: dict[str, Answer], draw: Callable[[int], list[str]], rounds: int, slow: frozenset[str], *, received: bool
) -> dict[str, list[float]]:
    """Return nanoseconds per look-up, for each round.

    `received`: all is drawn beforehand, and a text is made shortly before it is asked, as that of a request is. Else
    the texts of a round are drawn before it, which sweeps tens of megabytes through the caches: text and table are cold.
    """
    taken: dict[str, list[float]] = {name: [] for name in rivals}
    order = list(rivals)
    sizes = {name: 3_000 if name in slow else 20_000 for name in rivals}
    drawn = {(at, name): packed(draw(sizes[name])) for at in range(rounds) for name in rivals} if received else {}
    for at in range(rounds):
        print(f"\r  round {at + 1} of {rounds} …", end="", file=sys.stderr, flush=True)
        random.Random(at).shuffle(order)
        for name in order:
            answer, spent = rivals[name], 0
            for addresses in batches(*drawn[at, name]) if received else [draw(sizes[name])]:
                gc.disable()
                begun = time.thread_time_ns()
                for address in addresses:
                    answer(address)
                spent += time.thread_time_ns() - begun
                gc.enable()
            taken[name].append(spent / (sizes[name] if received else len(addresses)))
    print("\r", end="", file=sys.stderr)
    return taken


def packed(addresses: list[str]) -> tuple[socket.AddressFamily, bytes]:
    """Return the family of addresses that are all of one version, and their bytes."""
    family = socket.AF_INET6 if ":" in addresses[0] else socket.AF_INET
    return family, b"".join(socket.inet_pton(family, text) for text in addresses)


def batches(family: socket.AddressFamily, addresses: bytes) -> Iterator[list[str]]:
    """Write the addresses out, 500 at a time."""
    size = 4 if family == socket.AF_INET else 16
    for begin in range(0, len(addresses), 500 * size):
        batch = addresses[begin : begin + 500 * size]
        yield [socket.inet_ntop(family, batch[at : at + size]) for at in range(0, len(batch), size)]


def show(title: str, taken: dict[str, list[float]], base: str) -> None:
    print(f"\n{title}\n  {'':44}{'ns':>9}{'quartiles':>16}{'× ' + base:>18}")
    for name, each in taken.items():
        ratios = [mine / its for its, mine in zip(each, taken[base], strict=True)]
        low, middle, high = statistics.quantiles(each, n=4)
        print(f"  {name:44}{middle:9,.0f}{low:8,.0f}{high:8,.0f}{statistics.median(ratios):18.1f}")


def rivals_of(path: Path, geoip: GeoIP) -> tuple[dict[str, Answer], dict[str, Answer]]:
    """Return what is timed, and the same as functions from text to a code, to be compared."""
    official, reader = geoip2.database.Reader(path), maxminddb.open_database(path)
    cache: cachetools.LRUCache[str, object] = cachetools.LRUCache(65_536)
    guarded = cachetools.cached(cache, lock=threading.Lock())(reader.get)
    table: cachetools.LRUCache[str, object] = cachetools.LRUCache(65_536)
    over_table = cachetools.cached(table, lock=threading.Lock())(geoip.locate)
    meanwhile = geoip._plan.open()
    pure = copy(geoip)
    pure._database = replace(geoip._database, native=None)

    def code(record: object) -> object:
        return record["country"]["iso_code"] if isinstance(record, dict) else None

    def official_code(text: str) -> object:
        try:
            return official.country(text).country.iso_code
        except geoip2.errors.AddressNotFoundError:
            return None

    def official_country(text: str) -> object:
        try:
            return official.country(text)
        except geoip2.errors.AddressNotFoundError:
            return None

    timed: dict[str, Answer] = {
        "geoip2": official_country,
        "maxminddb get()": reader.get,
        "cachetools LRU(65536) over maxminddb": guarded,
        "GeoIP while the table is being built": meanwhile.tell,
        "GeoIP.country()": geoip.country,
        "GeoIP.locate()": geoip.locate,
        "GeoIP.country() in Python": pure.country,
        "GeoIP.locate() in Python": pure.locate,
        "GeoIP.locate().country": lambda text: geoip.locate(text).country,
        "cachetools LRU(65536) over GeoIP": over_table,
        "GeoIP.locate().finding (network, why …)": lambda text: geoip.locate(text).finding,
    }
    compared: dict[str, Answer] = {
        "geoip2": official_code,
        "cachetools over maxminddb": lambda text: code(guarded(text)),
        "GeoIP": lambda text: geoip.locate(text).country,
        "GeoIP.country": geoip.country,
        "GeoIP in Python": lambda text: pure.locate(text).country,
        "GeoIP.country in Python": pure.country,
        "GeoIP's finding": lambda text: geoip.locate(text).finding.country,
        "GeoIP, opened": lambda text: meanwhile.tell(text).country,
    }
    return timed, compared


def while_flattening(path: Path, addresses: list[str]) -> Iterator[str]:
    """Measure how long one look-up waits at worst while the table is built in another thread."""
    gc.freeze()  # else the longest wait is for the collector to pass through the benchmark's own million networks
    geoip = GeoIP(path, wait=0)
    worst, count, begun = 0.0, 0, time.perf_counter()
    for address in addresses:
        if geoip._database.table is not None:
            break
        before = time.perf_counter()
        geoip.locate(address)
        worst, count = max(worst, time.perf_counter() - before), count + 1
    yield f"flattened in the background in {time.perf_counter() - begun:.1f} s of wall time"
    yield f"{count:,} look-ups by maxminddb meanwhile, {worst * 1e3:.1f} ms the longest"


def headers(geoip: GeoIP, rounds: int) -> dict[str, list[float]]:
    """Time whole requests: a normal header, one of 80 kB, and no proxy."""
    resolver = Resolver(geoip=geoip, proxies=TrustedProxies(["10.0.0.0/8"]), cdn="cloudflare")
    usual = [(b"host", b"example"), (b"user-agent", b"x" * 120), (b"cookie", b"y" * 900), (b"cf-ipcountry", b"GB")]
    forwarded = b"x-forwarded-for"
    requests: dict[str, list[tuple[bytes, bytes]]] = {
        "X-Forwarded-For of one address": [*usual, (forwarded, b"81.2.69.142")],
        "80 kB forged before it": [*usual, (forwarded, b"1.1.1.1, " * 8_900 + b"81.2.69.142")],
        "80 kB forged, one token": [*usual, (forwarded, b"1" * 80_000 + b", 81.2.69.142")],
        "80 kB forged, in 800 lines": [*usual, *[(forwarded, b"1.1.1.1, " * 11)] * 800, (forwarded, b"81.2.69.142")],
    }
    timed: dict[str, Answer] = {
        name: lambda _, given=given: resolver.proxies.client("10.0.0.1", given)  # type: ignore[misc]
        for name, given in requests.items()
    }
    normal = requests["X-Forwarded-For of one address"]
    timed["whole Resolver.viewer()"] = lambda _: resolver.viewer("10.0.0.1", normal)
    return measure(timed, lambda count: [""] * (count // 10), rounds, frozenset(), received=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a database of 50,000 networks and few rounds")
    parser.add_argument("--json", type=Path, help="keep the raw figures")
    parser.add_argument("--pure", action="store_true", help=package.HELP)
    options = parser.parse_args()
    package.begin()
    path, rounds = cached(0.05 if options.quick else 1.0), 5 if options.quick else 15
    streams = Streams(path)
    print(
        f"{path.name}: {len(streams.v4):,} IPv4 and {len(streams.v6):,} IPv6 networks, Python {sys.version.split()[0]}"
    )
    begun = time.process_time()
    geoip = GeoIP(path, wait=None)
    print("the look-up is native" if geoip._database.native else "no native look-up: it is not compiled, or not wanted")
    print(f"read, checked and flattened in {time.process_time() - begun:.1f} s of CPU time")
    for line in while_flattening(path, streams.by_network(4, 1_000_000)):
        print(line)
    table = geoip._database.table
    if table is None:
        sys.exit("the table was not built")
    pages = len({id(index) for index in table.index6 if index}) * 4 * 65_537
    runs = sum(
        len(run.starts) * (run.starts.itemsize + run.numbers.itemsize + 1)
        for run in (table.networks.v4, table.networks.v6)
    )
    print(
        f"table: {len(table.cells4) / 1e6:.1f} MB IPv4 bytes, {pages / 1e6:.1f} MB IPv6 indexes, {runs / 1e6:.1f} MB networks"
    )

    timed, compared = rivals_of(path, geoip)
    slashed = Slashed16(table.networks)
    sample = streams.by_network(4, 10_000) + streams.by_network(6, 10_000) + streams.by_space(10_000)
    with maxminddb.open_database(path) as reader:
        agree(compared, reader, sample)
        agree({"/16 index": slashed.country}, reader, [text for text in sample if ":" not in text])
    print(f"all rivals agree with maxminddb on {len(sample):,} addresses")

    slow = frozenset(name for name in timed if "locate" not in name and "country()" not in name)
    base = "geoip2"
    zipf = streams.zipf(200_000)
    for name in ("cachetools LRU(65536) over maxminddb", "cachetools LRU(65536) over GeoIP"):
        for address in zipf(200_000):
            timed[name](address)
    raw = {}
    only4 = {**timed, "/16 index and bisection, country alone": slashed.country}
    for title, rivals, draw, received in (
        ("IPv4, new addresses, by network", only4, lambda count: streams.by_network(4, count), True),
        ("IPv4, new addresses, by space", only4, streams.by_space, True),
        ("IPv6, new addresses, by network", timed, lambda count: streams.by_network(6, count), True),
        ("IPv4, by network, text and table cold", only4, lambda count: streams.by_network(4, count), False),
        ("IPv6, by network, text and table cold", timed, lambda count: streams.by_network(6, count), False),
        ("Zipf (s = 1, 200,000 clients, 75 % IPv4), caches warm", timed, zipf, False),
    ):
        raw[title] = measure(rivals, draw, rounds, slow, received=received)
        show(title, raw[title], base)
    raw["headers"] = headers(geoip, rounds)
    show("Requests (a ratio of 0.1: ten times the cost of the first)", raw["headers"], "X-Forwarded-For of one address")
    print(UNSAID)
    if options.json:
        options.json.write_text(json.dumps(raw, indent=1))


if __name__ == "__main__":
    main()
