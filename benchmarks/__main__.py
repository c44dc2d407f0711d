"""What a check costs beside its rivals and its floors: `python -m benchmarks [--quick] [--pure] [--only NAME…] [--keep DIR]`.

A full run takes about half an hour and 12 GB, and writes `benchmarks/RESULTS.md` with its plots. `--quick` takes two
minutes, goes to 100,000 ids, and writes to the directory kept (or to none). `--only` takes parts and rivals.
"""

from __future__ import annotations

import argparse
import json
import subprocess
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
    """Measure, and write what was found."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a hundred thousand ids at most, and few turns")
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=(*PARTS, *RIVALS), default=[])
    parser.add_argument("--pure", action="store_true", help=package.HELP)
    parser.add_argument(
        "--keep", type=Path, metavar="DIR", help="where to keep the raw figures, the page and the plots"
    )
    options = parser.parse_args()
    package.begin()
    with tempfile.TemporaryDirectory(prefix="withhold-benchmarks-") as temporary:
        try:
            found = run(Path(temporary), options.only, quick=options.quick)
        except (WrongAnswerError, WorkerLostError, subprocess.CalledProcessError) as error:
            sys.exit(f"stopped: {error}")
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
        (options.keep / "results.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
        results.write(found, options.keep)
    if not options.quick and not options.only:
        results.write(found, HERE)
        say(f"wrote {HERE / 'RESULTS.md'}")
    console.file = sys.stdout
    console.print(results.summary(found), soft_wrap=True, markup=False)


def run(scratch: Path, only: list[str], *, quick: bool) -> dict[str, Any]:
    """Do all parts, or those asked for."""
    effort, sizes = (driver.QUICK, workload.QUICK) if quick else (driver.FULL, workload.FULL)
    parts = [part for part in PARTS if part in only or not only]
    if any(name in RIVALS for name in only):
        parts.append("sizes")
    names = [name for name in RIVALS if name in only] or list(RIVALS)
    absent = driver.absent(names) if "sizes" in parts else {}
    for name, reason in absent.items():
        say(f"left out: {name}: {reason}")
    directories = {size.ids: scratch / str(size.ids) for size in sizes}
    found: dict[str, Any] = {"machine": machine.described(), "quick": quick, "sizes": []}
    compiled: dict[int, dict[str, Any]] = {}
    for size in sizes:
        title = f"{size.ids:,} ids"
        if "sizes" in parts:
            measured = driver.measured(directories[size.ids], size, names, effort, partial(say, title=title), absent)
            found["sizes"].append(measured)
            compiled[size.ids] = measured["compiled"]
        else:
            say(f"{title}: rules and questions")
            compiled[size.ids] = driver.prepare(directories[size.ids], size, effort)
    # What runs side by side does so on the largest set that is not out of proportion.
    small, medium, large = sizes[0].ids, min(sizes[-1].ids, 1_000_000), sizes[-1].ids
    shared = directories[medium]
    if "throughput" in parts:
        seconds, turns = (0.15, 2) if quick else (1.0, 5)
        found["throughput"] = {"ids": medium, **scaling.throughput(shared, effort, say, seconds, turns)}
    if "sharing" in parts:
        found["sharing"] = {"ids": medium, **scaling.sharing(shared, effort, say)}
    if "targets" in parts:
        say("targets")
        three = [str(directories[ids]) for ids in (small, medium, large)]
        figures = told("benchmarks.targets", *three, str(5 if quick else 25), json.dumps(compiled[large]))
        cases = 1_000 if quick else 10_000
        say(f"targets: {cases:,} cases, and the difference of {medium:,} ids")
        asked = (medium, cases, 3 if quick else 5)
        figures |= told("benchmarks.targets.rules", str(scratch / "rules"), *map(str, asked))
        floor = figures["miss, small"].get("ns", {}).get("floor")
        figures |= engines.measured(found["sizes"], floor)
        named = {"small": f"{small:,}", "medium": f"{medium:,}", "large": f"{large:,}", "cases": f"{cases:,}"}
        found["targets"] = limits.judged(figures, named, quick=quick)
    if "differential" in parts:
        say("the same questions to every way of answering")
        count = 100_000 if quick else 1_000_000
        found["differential"] = told("benchmarks.differential", str(directories[100_000]), str(count))
    return found


def told(module: str, *arguments: str) -> dict[str, Any]:
    """Run a part in a process of its own, and read what it prints."""
    done = subprocess.run(package.command(module, *arguments), stdout=subprocess.PIPE, check=False)  # noqa: S603
    if done.returncode:
        sys.exit(f"stopped: {module} ended with {done.returncode}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def say(text: str, title: str = "") -> None:
    """Show where the run is."""
    console.print(
        f"{time.monotonic() - _began:6.0f} s  {title and title + ': '}{text}", style="dim", markup=False, soft_wrap=True
    )


if __name__ == "__main__":
    main()
