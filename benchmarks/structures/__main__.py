"""Compare data structures for a table of ids. Most of the look-ups are for ids that are not in it.

The structures are written in C (structures.c), like the hot loops of the package. All of them are built from the same
ids, and their answers are compared before anything is timed. Without --quick it builds all of them at once with ten
million ids, which takes 5 GB, and writes benchmarks/structures/STRUCTURES.md.
"""

from __future__ import annotations

import argparse
import ctypes
import random
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Callable
from pathlib import Path

from benchmarks import machine, package
from benchmarks.structures.contenders import READ, SHAPES, SHIPPED, Contender, Ids, World, contenders
from benchmarks.structures.library import address, compiled, compiler, flags_given, opened
from withhold.snapshot.buckets import FILLING

with package.needed():
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.progress import track
    from rich.table import Table

    from benchmarks.structures.page import COLUMNS, LIMITATIONS, page

PAGE = Path(__file__).with_name("STRUCTURES.md")
console = Console()
console.width = max(console.width, 150)  # so that rows are not truncated


def agree(library: ctypes.CDLL, structures: list[Contender], world: World, count: int) -> None:
    """Exit if a structure gives a wrong answer in any of the ways to ask."""
    hits, expected = world.hits(count)
    for pairs, answers in ((world.misses(count), array("I", bytes(4 * count))), (hits, expected)):
        for ask in (library.ask_alone, library.ask_beside_work, library.ask_in_a_row, library.ask_by_page):
            for contender in structures:
                given = array("I", b"\xff" * (4 * count))
                ask(contender.tables, address(pairs), count, address(given))
                if given != answers and not contender.floor:
                    sys.exit(f"stopped: {contender.title} gives a wrong answer")


def measure(library: ctypes.CDLL, structures: list[Contender], world: World, *, turns: int, count: int) -> None:
    """Time all structures in every turn, in random order, with the same new questions."""
    answers = array("I", bytes(4 * count))

    def timed(contender: Contender, what: str, ask: Callable[..., None], pairs: Ids, number: int) -> None:
        began = time.thread_time_ns()
        for _ in range(number // (len(pairs) // 2)):
            ask(contender.tables, address(pairs), len(pairs) // 2, address(answers))
        contender.taken.setdefault(what, []).append((time.thread_time_ns() - began) / number)

    for turn in track(range(turns), f"{len(structures)} structures", console=Console(stderr=True), transient=True):
        order = random.Random(turn).sample(structures, len(structures))
        single, beside, row, page, hot = (world.misses(number) for number in (count, count // 4, count, count, 500))
        hits, _ = world.hits(count)
        for contender in order:
            timed(contender, "alone", library.ask_alone, single, count)
        for contender in order:
            took = library.ask_beside_work(contender.tables, address(beside), count // 4, address(answers))
            contender.taken.setdefault("beside work", []).append(took / (count // 4))
        for contender in order:
            timed(contender, "in a row", library.ask_in_a_row, row, count)
        for contender in order:
            timed(contender, "page", library.ask_by_page, page, count)
        for contender in order:
            timed(contender, "hit", library.ask_alone, hits, count)
        for contender in order:
            library.ask_in_a_row(contender.tables, address(hot), 500, address(answers))
            timed(contender, "hot", library.ask_in_a_row, hot, count)
        work = next(contender for contender in structures if contender.kind == "none").taken["beside work"][turn]
        for contender in structures:
            contender.taken["beside work"][turn] -= work


def measure_size(library: ctypes.CDLL, size: int, *, turns: int, count: int) -> Table:
    """Build the structures of one size, compare their answers and time them."""
    world = World(size)
    sections = contenders(size)
    structures = [contender for section in sections for contender in section]
    for contender in track(structures, "building", console=Console(stderr=True), transient=True):
        contender.tables = opened(library, contender, world)
    agree(library, structures, world, count)
    measure(library, structures, world, turns=turns, count=count)
    shown = Table(title=f"{size:,} ids", title_justify="left", box=SIMPLE, collapse_padding=True)
    heads = ("structure", "B/id", "passed", "alone", "×", "beside work", "×", "in a row", "page", "×", "hot", "hit")
    for name in heads:
        shown.add_column(name, justify="left" if name == "structure" else "right", no_wrap=True)
    base = next(contender for contender in structures if contender.title == READ)
    questions = world.missing(world.tweets, 1_000_000 if turns > 5 else 200_000)
    for section in sections:
        shown.add_section()
        for contender in section:
            each = f"{library.tables_bytes(contender.tables) / size:.1f}"
            shown.add_row(contender.title, each, passed(library, contender, questions), *cells(contender, base))
            library.tables_close(contender.tables)
    return shown


def passed(library: ctypes.CDLL, contender: Contender, questions: Ids) -> str:
    """Return the share of misses that pass the filter, or an empty text if the structure has none."""
    if not contender.kind.startswith(("buckets", "bloom", "fuse", "split")):
        return ""
    through: int = library.tables_passed(contender.tables, address(questions), len(questions))
    return f"{100 * through / len(questions):.2f}%"


def cells(contender: Contender, base: Contender) -> list[str]:
    """Return the figures of a structure, and ratios to the lower bound for some of them."""
    found = []
    for what in ("alone", "beside work", "in a row", "page", "hot", "hit"):
        low, middle, high = statistics.quantiles(contender.taken[what], n=4)
        found.append(
            f"{middle:.0f} ±{(high - low) / 2:.0f}" if middle >= 20 else f"{middle:.1f} ±{(high - low) / 2:.1f}"
        )
        if what in ("alone", "beside work", "page"):
            ratios = [mine / its for mine, its in zip(contender.taken[what], base.taken[what], strict=True)]
            found.append(f"{statistics.median(ratios):.2f}")
    return found


def shapes(directory: Path, sizes: tuple[int, ...], count: int) -> Table:
    """Compare hash functions and filters for ids that differ in few bits: the passing share and the longest bucket."""
    mixers = {"multiply": 0, "multiply, shift, multiply": 1, "shift before both": 2, "MurmurHash3": 3}
    shown = Table(
        title="Misses that pass the filter (and the longest bucket), by distribution of ids",
        title_justify="left",
        box=SIMPLE,
    )
    for name in ("ids", "filter", "hash", *SHAPES):
        shown.add_column(name, justify="right" if name in SHAPES or name == "ids" else "left", no_wrap=True)
    filters = [
        Contender(f"buckets, k = {FILLING}, 4 bits (ships)", *SHIPPED),
        Contender("Bloom word, 12 bits an id", "bloom_slots", 0.55),
        Contender("binary fuse", "fuse", FILLING),
        Contender("split-block Bloom", "split", FILLING),
    ]
    for size in sizes:
        worlds = [World(size, shape) for shape in SHAPES]
        questions = [world.missing(world.tweets, count) for world in worlds]
        shown.add_section()
        for mixer, number in mixers.items():
            library = compiled(directory, number)
            for contender in filters if number == 2 else filters[:1]:
                row = []
                for world, missing in zip(worlds, questions, strict=True):
                    contender.tables = opened(library, contender, world)
                    row.append(passed(library, contender, missing))
                    if contender.kind == "buckets4":
                        row[-1] += f" ({library.longest_bucket(contender.tables)})"
                    library.tables_close(contender.tables)
                shown.add_row(f"{size:,}", contender.title, mixer, *row)
    return shown


def main() -> None:
    """Measure, print the tables, and write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.structures", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="at most 100,000 ids, and few turns")
    options = parser.parse_args()
    print("measured: structures.c, which does not use the package", file=sys.stderr)
    sizes = (1_000, 100_000) if options.quick else (1_000, 100_000, 1_000_000, 10_000_000)
    turns, count = (5, 50_000) if options.quick else (9, 200_000)
    described = machine.described()
    shown = []
    with tempfile.TemporaryDirectory() as temporary:
        library = compiled(Path(temporary))
        for size in sizes:
            shown.append(measure_size(library, size, turns=turns, count=count))
            console.print(shown[-1])
        shown.append(shapes(Path(temporary), sizes[:3], 4 * count))
        console.print(shown[-1])
    console.print(f"{COLUMNS}\n\nLimitations: {LIMITATIONS}", style="dim", highlight=False, soft_wrap=True)
    if not options.quick:
        version = subprocess.run([*shlex.split(compiler()), "--version"], capture_output=True, text=True, check=True)  # noqa: S603
        PAGE.write_text(page(described, f"{version.stdout.splitlines()[0]}, {flags_given()}", shown), encoding="utf-8")
        console.print(f"wrote {PAGE}")


if __name__ == "__main__":
    main()
