"""Measure how long `withhold.demands.intake` takes to read an order of 100,000 lines, as CSV and as XLSX.

`python -m benchmarks.intake` checks the counts of each intake, and prints the seconds. It needs the extra `demands`.
"""

from __future__ import annotations

import argparse
import csv
import random
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

from benchmarks import package
from withhold.demands.intake import Intake, read_lists
from withhold.snowflake import first_id_at

RECEIVED = datetime(2021, 2, 4, tzinfo=UTC)
HEADER = ("Sr. No.", "URL", "Remarks")
#: The targets of the library, in seconds for 100,000 lines.
LIMITS = {"csv": 10.0, "xlsx": 20.0}


def rows(lines: int) -> list[tuple[str, str, str]]:
    """Return the rows of an order: tweets and accounts, some of them repeated in another form."""
    chance = random.Random(12)
    first = first_id_at(datetime(2021, 1, 1, tzinfo=UTC))
    found = []
    for number in range(1, lines + 1):
        name = f"User_{chance.randrange(lines)}"
        tweet = first + (chance.randrange(30 * 86_400_000) << 22) + chance.randrange(1, 4096)
        forms = (f"https://twitter.com/{name}", f"@{name}", f"https://x.com/{name}/status/{tweet}?s=20")
        found.append((str(number), forms[chance.randrange(3)], "public order"))
    return found


def write_csv(path: Path, table: list[tuple[str, str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([HEADER, *table])


def write_xlsx(path: Path, table: list[tuple[str, str, str]]) -> None:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Annexure")
    for row in (HEADER, *table):
        sheet.append(row)
    book.save(path)


def check(intake: Intake, lines: int) -> None:
    counts = intake.counts
    # By chance, some exact ids end in four zeros.
    read = counts["unique"] + counts["duplicate"] + counts["error"]
    if read != lines or counts["error"] > lines / 2_000 or counts["ignored"] != 1 or not counts["duplicate"]:
        sys.exit(f"stopped: wrong counts: {counts}")


def main() -> None:
    package.begin()
    parser = argparse.ArgumentParser(prog="python -m benchmarks.intake", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--lines", type=int, default=100_000)
    lines = parser.parse_args().lines
    table = rows(lines)
    with tempfile.TemporaryDirectory() as folder:
        for form, write in (("csv", write_csv), ("xlsx", write_xlsx)):
            path = Path(folder) / f"order.{form}"
            write(path, table)
            begin = perf_counter()
            intake = read_lists([path], RECEIVED)
            took = perf_counter() - begin
            check(intake, lines)
            print(f"{form}: {lines:,} lines in {took:.2f} s (at most {LIMITS[form] * lines / 100_000:g} s)")


if __name__ == "__main__":
    main()
