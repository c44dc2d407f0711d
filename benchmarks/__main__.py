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
Nanoseconds for one item: medians of all turns, the middle half of the turns beside them. `times` is the view's median
over that of the line, in the same run. `hand` is two frozensets and nothing else: no date, no doubt, no reason, no
check of ids; for a page, a comprehension, which `no copies` writes with indices and `told apart` so that it also knows
where the withheld ones stood, as `filter` does. `hand, checked` looks at the ids it is given, as A4 asks. Where nothing
is named the rival's sets hold all ids of the rules; where 1 % are, those withheld from this viewer. A `miss` asks about
ids that come once, a `hot` one about 500 that come again and again.
What this does not show: the loop around a single check is in its figures (`floor` is little else), and brings ratios
nearer to 1; decisions are kept already, but for those `asked first`; rules have one id each, and few of them dates;
no threads compete. One process a size; pyperf keeps the figures, and does not calibrate. Read the ratios."""


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
    shown = Table(
        title=f"{size:,} rules · Python {metadata['python_version'].split(' ')[0]}", title_justify="left", min_width=76
    )
    for name in ("what", "ns", "middle half", "times", "target"):
        shown.add_column(name, justify="left" if name == "what" else "right")
    medians = {bench.get_name(): statistics.median(bench.get_values()) * 1e9 for bench in suite}
    for before, bench in zip([None, *suite.get_benchmarks()], suite, strict=False):
        name = bench.get_name()
        what, _, who = name.partition(": ")
        if before is not None and not before.get_name().startswith(f"{what}: "):
            shown.add_section()
        low, _, high = statistics.quantiles([value * 1e9 for value in bench.get_values()], n=4)
        ratio = medians[f"{what}: view"] / medians[name]
        target = ""
        if what in TARGETS and who == "hand":
            target = f"≤ {TARGETS[what]}: {'met' if ratio <= TARGETS[what] else 'MISSED'}"
        shown.add_row(
            name, f"{medians[name]:,.0f}", f"{low:,.0f}-{high:,.0f}", "" if who == "view" else f"{ratio:.2f}", target
        )
    return shown


if __name__ == "__main__":
    main()
