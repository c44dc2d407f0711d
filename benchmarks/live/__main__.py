"""Publish rules again and again, and measure how long it takes until every process of a host answers by them.

nginx serves the store, `withhold fetch` polls it, and workers serve from the spool. Times are those of the reports that
workers write, on one machine with one clock. A figure is printed only if every worker has activated every version.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import package
from benchmarks.live.fleet import Fleet, start, wait_for
from withhold import Engine, Rule, RuleSet, Snapshot
from withhold.live import Fetcher, Spool, Worker, open_spool
from withhold.live.worker import reports


def main() -> None:
    """Run the measurement, and print its figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.live", description=__doc__)
    parser.add_argument("--ids", type=int, default=1_000_000)
    parser.add_argument("--publications", type=int, default=200)
    parser.add_argument("--workers", type=int, default=16)
    parser.add_argument("--interval", default="1s", help="of the fetcher")
    parser.add_argument("--worker", metavar="SPOOL", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        serve(options.worker)
        return
    package.begin()
    with tempfile.TemporaryDirectory(prefix="withhold-live-") as folder, ExitStack() as stack:
        measure(Path(folder), options, stack)


def serve(spool: str) -> None:
    """Serve from a spool, and print the cost of an activation when standard input ends.

    Earlier snapshots stay in memory, as they do while requests still use them.
    """
    engine = Engine(open_spool(spool))
    with Worker(engine, spool):
        sys.stdin.read()
    kept, costs = [engine.snapshot], []
    for _ in range(5):
        gc.collect()
        memory, began = private_memory(), time.perf_counter()
        engine.activate(Snapshot.open(Spool(spool).current, verify="header"))
        costs.append(((time.perf_counter() - began) * 1e3, (private_memory() - memory) / 1e6))
        kept.append(engine.snapshot)
    print(*(statistics.median(column) for column in zip(*costs, strict=True)))


def private_memory() -> int:
    """Return the bytes of memory that this process cannot share: those of mapped files can be."""
    rows = Path("/proc/self/smaps_rollup").read_text(encoding="utf-8").splitlines()
    return sum(int(row.split()[1]) * 1024 for row in rows if row.startswith("Private_Dirty"))


def measure(folder: Path, options: argparse.Namespace, stack: ExitStack) -> None:
    """Publish, and print the times until all workers answered."""
    fleet = Fleet(folder, stack)
    spool = fleet.spool
    snapshots = [rules_of(options.ids, turn) for turn in range(2)]
    fleet.publish(snapshots[1])
    fleet.fetch(options.interval)
    wait_for(lambda: spool.installed() is not None)
    worker = [sys.executable, "-m", "benchmarks.live", "--worker", str(spool.path)]
    workers = [start(stack, worker) for _ in range(options.workers)]
    wait_for(lambda: len(versions(spool)) == options.workers)
    times, publishing = [], []
    for turn in range(options.publications):
        began = datetime.now(UTC)
        version = fleet.publish(snapshots[turn % 2])
        published = datetime.now(UTC)
        wait_for(lambda version=version: versions(spool) == [version] * options.workers)  # type: ignore[misc]
        last = max(report.activated for report in reports(spool) if report is not None and report.activated is not None)
        publishing.append((published - began).total_seconds())
        times.append((last - published).total_seconds())
    print(
        f"{options.ids:,} ids, {options.workers} workers, {options.publications} publications, every {options.interval}"
    )
    print(f"publishing itself: median {statistics.median(publishing):.2f} s")
    print(f"published → active in all: median {statistics.median(times):.2f} s, worst {max(times):.2f} s")
    costs = [tuple(map(float, each.communicate(timeout=60)[0].split())) for each in workers]
    milliseconds, megabytes = (max(column) for column in zip(*costs, strict=True))
    print(f"an activation, in the slowest worker: {milliseconds:.2f} ms, {megabytes:.2f} MB that it does not share")
    idle(fleet, folder)


def idle(fleet: Fleet, folder: Path) -> None:
    """Print the time of a poll that finds nothing new."""
    with Fetcher(fleet.source, folder / "idle", fleet.root) as fetcher:
        fetcher.fetch()
        polls = []
        for _ in range(50):
            began = time.perf_counter()
            status = fetcher.fetch()
            polls.append(time.perf_counter() - began)
            if status.error is not None:
                sys.exit(f"stopped: {status.error}")
    print(f"an idle poll: median {statistics.median(polls) * 1e3:.1f} ms")


def rules_of(ids: int, turn: int) -> Snapshot:
    """Return a snapshot with a thousandth as many rules as ids; the turn changes one of them."""
    size = 1000
    rules = [
        Rule(
            id=f"r-{first}",
            accounts=range(first + 1 + (turn if first == 0 else 0), first + size),
            withheld_in=["IN" if first % 2 else "TR"],
            reason="legal_demand",
        )
        for first in range(0, ids, size)
    ]
    return Snapshot.compile(RuleSet(rules))


def versions(spool: Spool) -> list[int | None]:
    """Return the version of each worker that reports."""
    return [None if report is None else report.version for report in reports(spool)]


if __name__ == "__main__":
    main()
