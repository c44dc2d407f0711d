"""Compare the cost of locating an address with geoip2, maxminddb and caches.

Everything runs in one thread of one process. In each round the order is random, every rival gets new addresses, and the
thread's CPU time is measured. All answers are compared before anything is timed.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import maxminddb

from benchmarks import package
from benchmarks.location.rivals import Answer, Slashed16, agree, rivals_of
from benchmarks.location.streams import Streams, batches, packed
from benchmarks.location.synthetic import cached
from withhold.location import GeoIP, Resolver, TrustedProxies

LIMITATIONS = """
Limitations: the addresses are not from real traffic; networks and countries are random, while real ones cluster,
which helps every cache. A server has other threads, cold caches and garbage collection. Ratios change by 10% or 20%
with the processor's caches, and by 5% between runs. The records are those of a Country database; City databases
were not measured. Their records are larger, which slows down geoip2 and maxminddb, but not the table.
The ratios compare with `geoip2.database.Reader.country()` and maxminddb's C extension; both return whole objects.
They do not include the time to build the table, which is printed at the top."""


def measure(
    rivals: dict[str, Answer], draw: Callable[[int], list[str]], rounds: int, slow: frozenset[str], *, received: bool
) -> dict[str, list[float]]:
    """Return nanoseconds per look-up, for each round.

    With `received`, addresses are generated beforehand, and each text is created shortly before its look-up, as in a
    request. Otherwise the texts are generated before each round. This moves tens of megabytes through the caches, so
    texts and table are cold.
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


def show(title: str, taken: dict[str, list[float]], base: str) -> None:
    """Print medians, quartiles and ratios."""
    print(f"\n{title}\n  {'':44}{'ns':>9}{'quartiles':>16}{'× ' + base:>18}")
    for name, each in taken.items():
        ratios = [mine / its for its, mine in zip(each, taken[base], strict=True)]
        low, middle, high = statistics.quantiles(each, n=4)
        print(f"  {name:44}{middle:9,.0f}{low:8,.0f}{high:8,.0f}{statistics.median(ratios):18.1f}")


def while_flattening(path: Path, addresses: list[str]) -> Iterator[str]:
    """Measure the slowest look-up while another thread builds the table; yield the result as text."""
    gc.freeze()  # so that the garbage collector skips the benchmark's own million networks
    geoip = GeoIP(path, wait=0)
    worst, count, begun = 0.0, 0, time.perf_counter()
    for address in addresses:
        if geoip._database.table is not None:
            break
        before = time.perf_counter()
        geoip.locate(address)
        worst, count = max(worst, time.perf_counter() - before), count + 1
    yield f"table built in the background in {time.perf_counter() - begun:.1f} s of wall time"
    yield f"meanwhile {count:,} look-ups by maxminddb, the slowest in {worst * 1e3:.1f} ms"


def headers(geoip: GeoIP, rounds: int) -> dict[str, list[float]]:
    """Time whole requests: with a normal header, and with forged headers of 80 kB."""
    resolver = Resolver(geoip=geoip, proxies=TrustedProxies(["10.0.0.0/8"]), cdn="cloudflare")
    usual = [(b"host", b"example"), (b"user-agent", b"x" * 120), (b"cookie", b"y" * 900), (b"cf-ipcountry", b"GB")]
    forwarded = b"x-forwarded-for"
    requests: dict[str, list[tuple[bytes, bytes]]] = {
        "X-Forwarded-For of one address": [*usual, (forwarded, b"81.2.69.142")],
        "80 kB of forged addresses before it": [*usual, (forwarded, b"1.1.1.1, " * 8_900 + b"81.2.69.142")],
        "80 kB of forged digits before it": [*usual, (forwarded, b"1" * 80_000 + b", 81.2.69.142")],
        "80 kB of forged addresses in 800 lines": [
            *usual,
            *[(forwarded, b"1.1.1.1, " * 11)] * 800,
            (forwarded, b"81.2.69.142"),
        ],
    }
    timed: dict[str, Answer] = {
        name: lambda _, given=given: resolver.proxies.client("10.0.0.1", given)  # type: ignore[misc]
        for name, given in requests.items()
    }
    normal = requests["X-Forwarded-For of one address"]
    timed["whole Resolver.viewer()"] = lambda _: resolver.viewer("10.0.0.1", normal)
    return measure(timed, lambda count: [""] * (count // 10), rounds, frozenset(), received=False)


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.location", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a database of 50,000 networks and few rounds")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the raw figures to this file")
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
    print(f"database read, checked and converted to a table in {time.process_time() - begun:.1f} s of CPU time")
    for line in while_flattening(path, streams.by_network(4, 1_000_000)):
        print(line)
    table = geoip._database.table
    if table is None:
        sys.exit("stopped: the table was not built")
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
        ("Zipf distribution (s = 1, 200,000 clients, 75% IPv4), caches warm", timed, zipf, False),
    ):
        raw[title] = measure(rivals, draw, rounds, slow, received=received)
        show(title, raw[title], base)
    raw["headers"] = headers(geoip, rounds)
    show(
        "Requests (a ratio of 0.1 means ten times the cost of the first)",
        raw["headers"],
        "X-Forwarded-For of one address",
    )
    print(LIMITATIONS)
    if options.json:
        options.json.write_text(json.dumps(raw, indent=1))


if __name__ == "__main__":
    main()
