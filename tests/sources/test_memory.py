"""A list of ids takes a bounded number of bytes per id, and its progress is reported."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sources.writing import FINE, RULE, write
from withhold import RuleSet

CSV = f"{RULE}  ids_file: ids.csv\n"

# This runs in its own process, so that allocations of other tests do not count. The first load imports the parsers and
# the codes, which do not belong to the cost of an id.
MEASURE = """
import json, sys, tracemalloc
from withhold import RuleSet

RuleSet.load(sys.argv[1])
calls = []
tracemalloc.start()
rules = RuleSet.load(sys.argv[2], progress=lambda read, total: calls.append((read, total)))
kept, peak = tracemalloc.get_traced_memory()
json.dump({"kept": kept, "peak": peak, "ids": len(rules["a"].tweets), "calls": calls}, sys.stdout)
"""


def test_a_list_of_100_000_ids_takes_less_than_120_bytes_each(tmp_path: Path) -> None:
    rng = random.Random(1)
    ids = {rng.randrange(2**58, 2**61) for _ in range(100_000)}
    write(tmp_path, {"small/in.yaml": FINE, "large/in.yaml": CSV})
    write(tmp_path, {"large/ids.csv": "kind,id\n" + "".join(f"tweet,{number}\n" for number in ids)})

    ran = subprocess.run(
        [sys.executable, "-c", MEASURE, tmp_path / "small", tmp_path / "large"],
        check=True,
        capture_output=True,
        text=True,
    )

    found = json.loads(ran.stdout)
    assert found["ids"] == len(ids)
    assert 8 < found["peak"] / len(ids) < 120
    assert found["kept"] / len(ids) < 10, "eight bytes per id after reading"
    _says_how_far([tuple(call) for call in found["calls"]], _size(tmp_path / "large"))


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _says_how_far(calls: list[tuple[int, int]], size: int) -> None:
    """Assert that the bytes read never decrease and end at the size of all files, and that no total is smaller."""
    read = [done for done, _ in calls]
    assert read == sorted(read)
    assert all(done <= total for done, total in calls)
    assert calls[-1] == (size, size)


@pytest.mark.parametrize("kind", ["csv", "plain"])
def test_progress_ends_at_the_size_of_all_files(tmp_path: Path, kind: str) -> None:
    start = "kind,id\n" if kind == "csv" else ""
    ids = start + "".join(f"{'account,' if kind == 'csv' else ''}{number}\n" for number in range(1, 30_001))
    rule = CSV if kind == "csv" else CSV.replace("ids.csv", "{accounts: ids.csv}")
    write(
        tmp_path,
        {"a.yaml": FINE.replace("id: a", "id: first"), "b.yaml": rule, "ids.csv": ids, "z.json": '{"rules":[]}'},
    )
    calls: list[tuple[int, int]] = []

    RuleSet.load(tmp_path, progress=lambda read, total: calls.append((read, total)))

    assert len(calls) > 5
    _says_how_far(calls, _size(tmp_path))


def test_progress_tells_what_is_still_to_come(tmp_path: Path) -> None:
    """While a file is read, the total includes all of it. Otherwise a progress bar would always be full."""
    write(tmp_path, {"in.yaml": CSV, "ids.csv": "kind,id\n" + "account,1101\n" * 50_000})
    calls: list[tuple[int, int]] = []

    RuleSet.load(tmp_path, progress=lambda read, total: calls.append((read, total)))

    halfway = [(read, total) for read, total in calls if 2000 < read < 100_000]
    assert halfway
    assert all(total == _size(tmp_path) for _, total in halfway)
