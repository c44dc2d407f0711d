"""The tooling of rules, as commands in processes of their own: case files put to rules, and what a change of rules changes."""

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
class Done:
    """What came of a command: its exit status, what it printed, how long it took, and the most that it held."""

    status: int
    text: str
    seconds: float
    bytes: int


def measured(directory: Path, ids: int, cases: int, turns: int) -> Figures:
    """Write rules, cases and a change, in a process of its own, and return what it costs to test and to compare."""
    subprocess.run(package.command("benchmarks.targets.rule_files", directory, ids, cases), check=True)  # noqa: S603
    check_cases(directory, cases)
    noticed = check_difference(directory)
    tested = [run("test", str(directory / "cases"), "--root", str(directory)) for _ in range(turns)]
    compared = [run("diff", str(directory / "old"), str(directory / "new")) for _ in range(turns)]
    expect(all(passed(done, cases) for done in tested), "a case fails that has passed")
    expect(all(f"\n{noticed}\n" in done.text for done in compared), "the text tells another difference than the JSON")
    return {
        "cases": spread([done.seconds for done in tested]),
        "diff": spread([done.seconds for done in compared]),
        "diff, memory": spread([done.bytes / 1e9 for done in compared]),
    }


def check_cases(directory: Path, count: int) -> None:
    """Stop unless all cases pass, and a wrong one of them is told."""
    expect(
        passed(run("test", str(directory / "cases"), "--root", str(directory)), count), "a case fails that should pass"
    )
    file = directory / "cases" / f"{PLACES[0].lower()}.cases.yaml"
    right = file.read_text(encoding="ascii")
    file.write_text(right.replace(": visible", ": withheld", 1), encoding="ascii")
    done = run("test", str(directory / "cases"), "--root", str(directory))
    file.write_text(right, encoding="ascii")
    told = (
        f"{count:,} cases in {len(PLACES)} files: 1 failed\n" in done.text
        and "expected withheld, got visible" in done.text
    )
    expect(done.status == 1 and told, "a wrong expectation is not noticed")


def passed(done: Done, count: int) -> bool:
    """Tell whether so many cases were put to the rules, and all passed."""
    return done.status == 0 and done.text.endswith(f"\n{count:,} cases in {len(PLACES)} files: all passed\n")


def check_difference(directory: Path) -> str:
    """Stop unless what is told is what was planted, for all ids, places and periods; return how the text sums it up."""
    done = run("diff", str(directory / "old"), str(directory / "new"), "--format", "json")
    found: dict[Subject, set[Change]] = {}
    for block in json.loads(done.text)["changes"]:
        changes = {tuple(each[key] for key in ("where", "old", "new", "from", "until")) for each in block["outcomes"]}
        found |= {(block["kind"], int(id_)): changes for id_ in block["ids"]}
    told = json.loads((directory / "noticed.json").read_text(encoding="ascii"))
    planted = {(kind, id_): set(map(tuple, changes)) for kind, id_, changes in told}
    expect(found == planted, "the difference that is told is not the one that was planted")
    accounts = sum(kind == "account" for kind, _ in planted)
    return f"{accounts:,} accounts and {len(planted) - accounts:,} tweets get another outcome"


def run(*arguments: str) -> Done:
    """Run `withhold` as a shell would, from the start of Python to its end."""
    with tempfile.TemporaryFile("w+", encoding="utf-8") as out:
        began = time.perf_counter()
        process = subprocess.Popen([sys.executable, "-m", "withhold", *arguments], stdout=out)  # noqa: S603
        # A process begins with what its parent held at the most, which is little here: all that is large is written elsewhere.
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        return Done(process.returncode, out.read(), seconds, usage.ru_maxrss * 1024)


def expect(right: bool, otherwise: str) -> None:
    """Stop if something is not right."""
    if not right:
        raise WrongAnswerError(otherwise)


def main() -> None:
    """Measure, and print JSON."""
    package.begin()
    print(json.dumps(measured(Path(sys.argv[1]), *map(int, sys.argv[2:5]))))


if __name__ == "__main__":
    main()
