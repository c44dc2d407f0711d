"""Measure how long a ledger of a million events takes to verify and fold, and how many commands eight writers record.

`python -m benchmarks.ledger` writes a ledger in SQLite, and verifies it as `withhold ledger verify` does. With
`--postgres URL`, eight processes write to an empty database at the same time, too. It needs the extra `demands`.
"""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import statistics
import sys
import tempfile
from pathlib import Path
from time import monotonic, perf_counter, process_time

from benchmarks import package
from withhold.ledger import Event, Ledger, NewEvent, States, verify

ACTOR, TOOL = "asha", "benchmark"
WRITERS = 8
#: The targets of the library: seconds for a million events, and commands a second.
VERIFIED_IN, COMMANDS = 20.0, 300
Rate = tuple[float, float]


class Decisions:
    """Keeps the last decision on each target."""

    name, version = "decisions", 1

    def apply(self, event: Event, states: States) -> None:
        data = event.data
        ruling = {name: data[name] for name in ("ruling", "where")}
        states.put("target", data["target"], {**ruling, "state": "withheld", "event": event.sequence})


def decision(number: int) -> NewEvent:
    """Return the decision to withhold a target, with the members that such an event has."""
    data = {
        "demand": f"IN-D{number // 1000}",
        "target": f"account:{10**15 + number}",
        "ruling": "withhold",
        "where": ["IN"],
        "rationale": "as ordered",
    }
    return NewEvent("target.decided", data)


def time_verification(events: int, rounds: int) -> None:
    """Print the seconds that a ledger takes to verify, with each event folded and each state compared."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'ledger.db'}"
        with Ledger.open(url, [Decisions()], create=True) as ledger:
            for first in range(0, events, 5000):
                numbers = range(first, min(first + 5000, events))
                ledger.append([decision(number) for number in numbers], actor=ACTOR, tool=TOOL)
        with Ledger.open(url, [Decisions()]) as ledger:
            seconds, worked = [], []
            gc.disable()  # as the command does
            for _ in range(rounds):
                began, used = perf_counter(), process_time()
                found = verify(ledger, ledger.head)
                seconds.append(perf_counter() - began)
                worked.append(process_time() - used)
                if (found.head.sequence, found.states) != (events, events):
                    sys.exit(f"stopped: wrong counts: {found}")
                gc.collect()
    limit = VERIFIED_IN * events / 1_000_000
    print(
        f"{events:,} events verified and folded, and as many states compared: {statistics.median(seconds):.1f} s "
        f"({min(seconds):.1f} to {max(seconds):.1f}; processor {statistics.median(worked):.1f} s; at most {limit:g} s)"
    )


def write_for(url: str, begin: float, seconds: float, results: multiprocessing.Queue[Rate]) -> None:
    """Record one decision after another, and put the number of commands and the seconds."""
    number = 0
    with Ledger.open(url, [Decisions()]) as ledger:
        while monotonic() < begin:
            pass
        began = monotonic()
        while monotonic() < begin + seconds:
            ledger.append([decision(number)], actor=ACTOR, tool=TOOL)
            number += 1
        results.put((number, monotonic() - began))


def time_writers(url: str, seconds: float) -> None:
    """Print how many commands a second eight processes record together."""
    with Ledger.open(url, [Decisions()], create=True) as ledger:
        spawn = multiprocessing.get_context("spawn")
        results: multiprocessing.Queue[Rate] = spawn.Queue()
        begin = monotonic() + 5
        writers = [spawn.Process(target=write_for, args=(url, begin, seconds, results)) for _ in range(WRITERS)]
        for writer in writers:
            writer.start()
        found = [results.get() for _ in writers]
        for writer in writers:
            writer.join()
        recorded = verify(ledger, ledger.head).head.sequence
    if recorded != sum(number for number, _ in found):
        sys.exit(f"stopped: {recorded} events were recorded")
    rate = sum(number / took for number, took in found)
    print(f"{WRITERS} writers: {rate:.0f} commands a second together (at least {COMMANDS})")


def main() -> None:
    package.begin()
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ledger", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--postgres", metavar="URL", help="of an empty database")
    parser.add_argument("--seconds", type=float, default=20.0, help="that the writers write for")
    options = parser.parse_args()
    if options.postgres:
        time_writers(options.postgres, options.seconds)
    time_verification(options.events, options.rounds)


if __name__ == "__main__":
    main()
