"""Compare the cost of a check with other libraries (the rivals) and with lower bounds (the floors).

A full run takes about half an hour and 12 GB, and writes benchmarks/RESULTS.md with its plots. With --quick it takes a
few minutes, measures up to 100,000 ids, and writes nothing unless --keep is given.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import machine, package, workload
from benchmarks.report import page as results
from benchmarks.rivals import RIVALS
from benchmarks.serving import driver, scaling
from benchmarks.serving.agreement import WrongAnswerError
from benchmarks.serving.process import WorkerLostError
from benchmarks.targets import engines, limits

with package.needed():
    from rich.console import Console

PARTS = ("sizes", "throughput", "sharing", "targets", "differential")
HERE = Path(__file__).parent
console = Console(stderr=True, highlight=False)
_began = time.monotonic()


def main() -> None:
    """Run the benchmarks, write the results, and print a summary."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="at most 100,000 ids, and few turns")
    parser.add_argument(
        "--only",
        nargs="+",
        metavar="NAME",
        choices=(*PARTS, *RIVALS),
        default=[],
        help=f"run only these parts ({', '.join(PARTS)}), or measure only these rivals ({'; '.join(RIVALS)})",
    )
    parser.add_argument("--pure", action="store_true", help=package.HELP)
    parser.add_argument(
        "--keep", type=Path, metavar="DIR", help="also write the raw figures, the page and the plots to this directory"
    )
    options = parser.parse_args()
    package.begin()
    with tempfile.TemporaryDirectory(prefix="withhold-benchmarks-") as temporary:
        try:
            found = run(Path(temporary), options.only, quick=options.quick)
        except (WrongAnswerError, WorkerLostError) as error:
            sys.exit(f"stopped: {error}")
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
        (options.keep / "results.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
        results.write(found, options.keep)
    if not options.quick and not options.only:
        results.write(found, HERE)
        progress(f"wrote {HERE / 'RESULTS.md'}")
    console.file = sys.stdout
    console.print(results.summary(found), soft_wrap=True, markup=False)


def run(scratch: Path, only: list[str], *, quick: bool) -> dict[str, Any]:
    """Run all parts, or only the given ones, and return the figures."""
    effort, sizes = (driver.QUICK, workload.QUICK) if quick else (driver.FULL, workload.FULL)
    parts = [part for part in PARTS if part in only or not only]
    if any(name in RIVALS for name in only):
        parts.append("sizes")
    names = [name for name in RIVALS if name in only] or list(RIVALS)
    absent = driver.absent(names) if "sizes" in parts else {}
    for name, reason in absent.items():
        progress(f"left out: {name}: {reason}")
    if absent and set(names) == set(absent):
        sys.exit("stopped: nothing is left to measure")
    directories = {size.ids: scratch / str(size.ids) for size in sizes}
    found: dict[str, Any] = {"machine": machine.described(), "quick": quick, "sizes": []}
    compiled: dict[int, dict[str, Any]] = {}
    for size in sizes:
        title = f"{size.ids:,} ids"
        if "sizes" in parts:
            measured = driver.measured(
                directories[size.ids], size, names, effort, partial(progress, title=title), absent
            )
            found["sizes"].append(measured)
            compiled[size.ids] = measured["compiled"]
        else:
            progress(f"{title}: generating rules and questions")
            compiled[size.ids] = driver.prepare(directories[size.ids], size, effort)
    # Parts that load a rule set several times at once use at most a million ids.
    small, medium, large = sizes[0].ids, min(sizes[-1].ids, 1_000_000), sizes[-1].ids
    shared = directories[medium]
    if "throughput" in parts:
        seconds, turns = (0.15, 2) if quick else (1.0, 5)
        found["throughput"] = {"ids": medium, **scaling.throughput(shared, effort, progress, seconds, turns)}
    if "sharing" in parts:
        found["sharing"] = {"ids": medium, **scaling.sharing(shared, effort, progress)}
    if "targets" in parts:
        progress("measuring the targets")
        three = [directories[ids] for ids in (small, medium, large)]
        figures = package.output_of("benchmarks.targets", *three, 5 if quick else 25, json.dumps(compiled[large]))
        cases = 1_000 if quick else 10_000
        progress(f"measuring the targets: {cases:,} cases, and a difference of {medium:,} ids")
        counts = (medium, cases, 3 if quick else 5)
        figures |= package.output_of("benchmarks.targets.rules", scratch / "rules", *counts)
        floor = figures["miss, small"].get("ns", {}).get("floor")
        figures |= {name: {"missing": reason} for name, reason in absent.items()}
        figures |= engines.measured(found["sizes"], floor)
        named = {"small": f"{small:,}", "medium": f"{medium:,}", "large": f"{large:,}", "cases": f"{cases:,}"}
        found["targets"] = limits.judged(figures, named, quick=quick)
    if "differential" in parts:
        count = 100_000 if quick else 1_000_000
        progress(f"comparing the answers of all implementations to {count:,} questions, which takes a minute or more")
        found["differential"] = package.output_of("benchmarks.differential", directories[100_000], count)
    return found


def progress(text: str, title: str = "") -> None:
    """Print the time since the start and the current step."""
    console.print(
        f"{time.monotonic() - _began:6.0f} s  {title and title + ': '}{text}", style="dim", markup=False, soft_wrap=True
    )


if __name__ == "__main__":
    main()
