"""The structure of the package is compared with others, and the page has the printed figures."""

from __future__ import annotations

from rich.table import Table

from benchmarks.structures.contenders import READ, contenders
from benchmarks.structures.page import page
from tests.benchmarks.test_results import MACHINE
from withhold.snapshot.buckets import FILLING, mask_of, mixed


def test_the_first_structure_is_that_of_the_package():
    bits = max(mask_of(mixed(id_)).bit_count() for id_ in range(1, 100))
    floors, structures, others, huge = contenders(10_000_000)
    for first in (structures[0], huge[1]):
        assert (first.kind, first.k) == (f"buckets{bits}", FILLING)
    assert [first.title.endswith("(ships)") for first in structures] == [True] + [False] * (len(structures) - 1)
    assert next(floor for floor in floors if floor.title == READ).k == FILLING
    assert (f"buckets{bits}", FILLING) not in [(other.kind, other.k) for other in others]


def test_the_page_has_the_machine_the_compiler_and_every_row():
    shown = Table(title="1,000 ids")
    for name in ("structure", "B/id"):
        shown.add_column(name)
    shown.add_row("buckets", "15.0")
    shown.add_row("sorted", "12.0")
    text = page(MACHINE, "cc 12, -O2", [shown])
    assert (
        "2026-11-21 · Python 3.11.7 on Linux x86_64 · A processor, 2 cores (L1 48K) · load 0.5 at the start · cc 12, -O2"
        in text
    )
    assert "## 1,000 ids\n\n| structure | B/id |\n| --- | --: |\n| buckets | 15.0 |\n| sorted | 12.0 |\n" in text
    assert text.index("| sorted |") < text.index("## Limitations")
