"""`python -m benchmarks [--quick] [--keep DIRECTORY]`: every size in its own process, and a table of ratios."""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import pyperf
from rich.console import Console
from rich.table import Table

console = Console()

#: What the design asks for: the view's median over the rival's, at the most.
TARGETS = {"miss": 1.5, "hot miss": 1.5, "page, nothing named": 1.3, "hot page, nothing named": 1.3}

CAUTION = """\
Nanoseconds an item, medians of all turns, with the middle half of them in brackets; ratios of medians in one run.
`hand` is two frozensets and nothing else: no date, no doubt, no reason, no check of what it is given; for a page, a
comprehension. Where nothing is named its sets hold all ids of the rules; where 1 % are, those that are withheld from
this viewer. `picking` hands on the pairs that it was given, as `filter` does; `split` also says where the withheld
ones stood, as `filter` does. `miss` asks about ids that come once, `hot` about 500 that
come again and again. The loop around a single check (some 20 ns) is in all figures, and makes the ratios kinder.
What this does not show: other shapes of traffic, threads that compete, other machines. Read the ratios."""


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a hundred thousand rules at most, and few turns")
    parser.add_argument("--keep", type=Path, help="where to keep the raw figures (pyperf's JSON)")
    options = parser.parse_args()
    sizes = (1_000, 100_000) if options.quick else (1_000, 1_000_000)
    with tempfile.TemporaryDirectory() as temporary:
        directory = options.keep or Path(temporary)
        directory.mkdir(parents=True, exist_ok=True)
        for size in sizes:
            console.print(f"{size:,} rules: making, checking, timing", style="dim")
            output = directory / f"serving-{size}.json"
            turns = ["--turns", "7"] if options.quick else []
            command = [sys.executable, "-m", "benchmarks.serving", str(size), str(output), *turns]
            subprocess.run(command, check=True)  # noqa: S603
            console.print(table(size, pyperf.BenchmarkSuite.load(str(output))))
    console.print(CAUTION, style="dim", highlight=False, soft_wrap=True)


def table(size: int, suite: pyperf.BenchmarkSuite) -> Table:
    """Return the figures of one size, the rival's median beside each."""
    metadata = suite.get_benchmarks()[0].get_metadata()
    shown = Table(title=f"{size:,} rules · Python {metadata['python_version'].split(' ')[0]}", title_justify="left")
    for name in ("what", "ns", "(middle half)", "view ÷ it", "target"):
        shown.add_column(name, justify="left" if name == "what" else "right")
    medians = {bench.get_name(): statistics.median(bench.get_values()) * 1e9 for bench in suite}
    for bench in suite:
        name = bench.get_name()
        what = name.partition(": ")[0]
        low, _, high = statistics.quantiles([value * 1e9 for value in bench.get_values()], n=4)
        ratio = medians[f"{what}: view"] / medians[name]
        target = f"≤ {TARGETS[what]}" if what in TARGETS and name.endswith(": hand") else ""
        own = name.endswith(": view")
        shown.add_row(name, f"{medians[name]:.0f}", f"({low:.0f}-{high:.0f})", "" if own else f"{ratio:.2f}", target)
        if name.endswith((": floor", ": hand, split")):
            shown.add_section()
    return shown


if __name__ == "__main__":
    main()
