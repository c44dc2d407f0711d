"""Targets of `withhold test` and `withhold diff`, each in its own process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks import package
from benchmarks.serving.agreement import WrongAnswerError
from benchmarks.targets.files import Figures, spread
from benchmarks.targets.rule_files import PLACES, Change, Subject


@dataclass(frozen=True)
class Result:
    """The result of a command: its exit status, output, time and peak memory."""

    status: int
    text: str
    seconds: float
    bytes: int


def measured(directory: Path, ids: int, cases: int, turns: int) -> Figures:
    """Write rules, cases and a change in another process, and return the cost of testing and comparing them."""
    subprocess.run(package.command("benchmarks.targets.rule_files", directory, ids, cases), check=True)  # noqa: S603
    check_cases(directory, cases)
    summary = check_difference(directory)
    tested = [run("test", str(directory / "cases"), "--root", str(directory)) for _ in range(turns)]
    compared = [run("diff", str(directory / "old"), str(directory / "new")) for _ in range(turns)]
    expect(all(passed(result, cases) for result in tested), "a case failed that had passed before")
    expect(
        all(f"\n{summary}\n" in result.text for result in compared), "the text reports another difference than the JSON"
    )
    return {
        "cases": spread([result.seconds for result in tested]),
        "diff": spread([result.seconds for result in compared]),
        "diff, memory": spread([result.bytes / 1e9 for result in compared]),
    }


def check_cases(directory: Path, count: int) -> None:
    """Raise `WrongAnswerError` unless all cases pass, and a wrong case is reported."""
    expect(
        passed(run("test", str(directory / "cases"), "--root", str(directory)), count), "a case fails that should pass"
    )
    file = directory / "cases" / f"{PLACES[0].lower()}.cases.yaml"
    right = file.read_text(encoding="ascii")
    file.write_text(right.replace(": visible", ": withheld", 1), encoding="ascii")
    result = run("test", str(directory / "cases"), "--root", str(directory))
    file.write_text(right, encoding="ascii")
    reported = (
        f"{count:,} cases in {len(PLACES)} files: 1 failed\n" in result.text
        and "expected withheld, got visible" in result.text
    )
    expect(result.status == 1 and reported, "a wrong expectation is not reported")


def passed(result: Result, count: int) -> bool:
    """Return whether `count` cases were run and all passed."""
    return result.status == 0 and result.text.endswith(f"\n{count:,} cases in {len(PLACES)} files: all passed\n")


def check_difference(directory: Path) -> str:
    """Raise `WrongAnswerError` unless exactly the expected outcomes are reported; return the expected summary."""
    result = run("diff", str(directory / "old"), str(directory / "new"), "--format", "json")
    found: dict[Subject, set[Change]] = {}
    for block in json.loads(result.text)["changes"]:
        changes = {tuple(each[key] for key in ("where", "old", "new", "from", "until")) for each in block["outcomes"]}
        found |= {(block["kind"], int(id_)): changes for id_ in block["ids"]}
    rows = json.loads((directory / "expected.json").read_text(encoding="ascii"))
    expected = {(kind, id_): set(map(tuple, changes)) for kind, id_, changes in rows}
    expect(found == expected, "the reported difference is not the expected one")
    accounts = sum(kind == "account" for kind, _ in expected)
    return f"{accounts:,} accounts and {len(expected) - accounts:,} tweets get a different outcome"


def run(*arguments: str) -> Result:
    """Run the command `withhold` in its own process."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as out:
        began = time.perf_counter()
        process = subprocess.Popen([sys.executable, "-m", "withhold", *arguments], stdout=out)  # noqa: S603
        # A child process inherits the peak memory of its parent, which is small here because other processes write the files.
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        return Result(process.returncode, out.read(), seconds, usage.ru_maxrss * 1024)


def expect(right: bool, message: str) -> None:
    """Raise `WrongAnswerError` if a condition is false."""
    if not right:
        raise WrongAnswerError(message)


def main() -> None:
    """Measure, and print JSON."""
    package.begin()
    print(json.dumps(measured(Path(sys.argv[1]), *map(int, sys.argv[2:5]))))


if __name__ == "__main__":
    main()
