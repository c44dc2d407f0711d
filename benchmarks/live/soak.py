"""Time pages while rules are published twice a second, and while nothing is: `python -m benchmarks.live.soak`.

Processes serve pages at a fixed rate, each from the spool that `withhold fetch` keeps up to date. Quiet periods and periods with
publications alternate. Two rule sets take turns. Both name the same accounts of the page, but each hides another half of them, so
every decision changes, and every page must be that of one of them.

The publisher and the fetcher use the same processors as the pages. So every other process does not follow the spool: it shows what
they cost a page, without any activation.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack, nullcontext
from itertools import chain
from operator import truediv
from pathlib import Path

from benchmarks import package
from benchmarks.live.fleet import Fleet, start, wait_for
from withhold import Engine, Rule, RuleSet, Snapshot, Viewer
from withhold.live import Worker, open_spool

#: A page of tweets. Each rule set names ten of their accounts, and hides the tweets of five.
PAGE = [(10**15 + number, 10**12 + number) for number in range(500)]
NAMED = range(0, 500, 50)
PER_SECOND = 2


def main() -> None:
    """Run the measurement, and print its figures."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.live.soak", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--ids", type=int, default=1_000_000)
    parser.add_argument("--workers", type=int, default=16)
    parser.add_argument("--pages", type=int, default=100, help="a second, of each worker")
    parser.add_argument("--seconds", type=int, default=15, help="of a period")
    parser.add_argument("--periods", type=int, default=20, help="with publications, and as many without")
    parser.add_argument("--serve", nargs=3, metavar=("SPOOL", "BEGIN", "NUMBER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        spool, begin, number = options.serve
        serve(spool, float(begin), int(number), options)
        return
    package.begin()
    with tempfile.TemporaryDirectory(prefix="withhold-soak-") as folder, ExitStack() as stack:
        measure(Path(folder), options, stack)


def rules_of(ids: int, turn: int) -> Snapshot:
    """Return a snapshot with a thousandth as many rules as ids, and two rules that name accounts on the page."""
    named = [PAGE[index][1] for index in NAMED]
    halves = {"IN": named[turn::2], "DE": named[1 - turn :: 2]}
    rules = [
        Rule(id=f"page-{country}", accounts=half, withheld_in=[country], reason="legal_demand")
        for country, half in halves.items()
    ]
    for first in range(0, ids, 1000):
        accounts = range(first + 1, first + 1000)
        rules.append(Rule(id=f"r-{first}", accounts=accounts, withheld_in=["IN"], reason="legal_demand"))
    return Snapshot.compile(RuleSet(rules))


def serve(spool: str, begin: float, number: int, options: argparse.Namespace) -> None:
    """Serve pages until the last period ends, and print the nanoseconds of each page, by period."""
    engine = Engine(open_spool(spool))
    expected = [[*NAMED][turn::2] for turn in range(2)]
    periods: list[list[int]] = [[] for _ in range(2 * options.periods)]
    viewer, pause = Viewer(country="IN"), 1 / options.pages
    with Worker(engine, spool) if number % 2 else nullcontext():
        due = begin + pause * number / options.workers
        while due < begin + len(periods) * options.seconds:
            time.sleep(max(0.0, due - time.monotonic()))
            began = time.perf_counter_ns()
            page = engine.view(viewer).filter(PAGE)
            took = time.perf_counter_ns() - began
            if [index for index, _ in page.hidden] not in expected:
                sys.exit("stopped: a page is that of neither rule set")
            periods[int((due - begin) / options.seconds)].append(took)
            due += pause
    print(json.dumps(periods))


def measure(folder: Path, options: argparse.Namespace, stack: ExitStack) -> None:
    """Publish in every other period, and print the 99th percentiles."""
    fleet = Fleet(folder, stack)
    snapshots = [rules_of(options.ids, turn) for turn in range(2)]
    fleet.publish(snapshots[1])
    fleet.fetch(every="250ms")
    wait_for(lambda: fleet.spool.installed() is not None)
    begin = time.monotonic() + 10
    command = [sys.executable, "-m", "benchmarks.live.soak"]
    for name in ("workers", "pages", "seconds", "periods"):
        command += [f"--{name}", str(getattr(options, name))]
    command += ["--serve", str(fleet.spool.path), str(begin)]
    workers = [start(stack, [*command, str(number)]) for number in range(options.workers)]
    os.nice(19)  # the publisher would run on another machine
    publications = 0
    for period in range(1, 2 * options.periods, 2):
        for number in range(options.seconds * PER_SECOND):
            time.sleep(max(0.0, begin + period * options.seconds + number / PER_SECOND - time.monotonic()))
            fleet.publish(snapshots[publications % 2])
            publications += 1
    found = [json.loads(worker.communicate(timeout=60)[0]) for worker in workers]
    if fleet.status().error is not None:
        sys.exit(f"stopped: {fleet.status()}")
    fixed, following = found[::2], found[1::2]
    print(f"{options.ids:,} ids, {options.workers} processes with {options.pages} pages a second each")
    print(
        f"{sum(len(period) for each in found for period in each):,} pages, {publications} publications; no page is mixed"
    )
    pages = {
        "nothing is published, following": percentiles(following)[::2],
        "publishing, not following": percentiles(fixed)[1::2],
        "publishing, following": percentiles(following)[1::2],
    }
    for name, each in pages.items():
        print(f"99th percentile, {name}: {statistics.median(each):.0f} us")
    quiet, without, busy = pages.values()
    compare("publishing / nothing published, following", busy, quiet)
    compare("following / not following, publishing", busy, without)


def percentiles(workers: list[list[list[int]]]) -> list[float]:
    """Return the 99th percentile of the pages of all processes in each period, in microseconds."""
    periods = zip(*workers, strict=True)
    return [statistics.quantiles(chain.from_iterable(period), n=100)[98] / 1e3 for period in periods]


def compare(name: str, one: list[float], other: list[float]) -> None:
    """Print the median ratio of each period, or of each and the one before it."""
    low, middle, high = statistics.quantiles(map(truediv, one, other), n=4)
    print(f"{name}: {middle:.2f} (middle half {low:.2f} to {high:.2f}; at most 1.2)")


if __name__ == "__main__":
    main()
