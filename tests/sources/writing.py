"""Write rule files for a test, and return the problems that the loader reports."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from withhold import Place, RuleSet, RuleSetError

#: A rule that lacks only its subjects. A test appends more keys, indented by two.
RULE = "rules:\n- id: a\n  reason: terms\n  withheld_in: IN\n"
#: The same with a subject.
FINE = RULE + "  accounts: 1\n"

Files = Mapping[str, str | bytes]


def write(folder: Path, files: Files) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def refusal(path: Path) -> RuleSetError:
    with pytest.raises(RuleSetError) as caught:
        RuleSet.load(path)
    assert [
        problem for problem in caught.value.problems if not problem.hint and problem.code != "more-problems"
    ] == [], "each problem has a hint"
    return caught.value


def reported(error: RuleSetError, folder: Path) -> list[str]:
    """Return the problems as `file:line:column code`, with files relative to `folder`."""
    found = []
    for problem in error.problems:
        assert isinstance(problem.place, Place), problem
        place = Place(Path(problem.place.file).relative_to(folder).as_posix(), problem.place.line, problem.place.column)
        found.append(f"{place} {problem.code}")
    return found


@contextmanager
def very_deep(folder: Path, levels: int) -> Iterator[None]:
    """Create nested directories, too deep for recursion and for a single path."""
    here = Path.cwd()
    os.chdir(folder)
    try:
        for _ in range(levels):
            os.mkdir("d")  # noqa: PTH102
            os.chdir("d")
        os.chdir(here)
        yield
    finally:
        os.chdir(here)
        # Neither `shutil` nor pytest can remove these directories.
        subprocess.run(["rm", "-rf", folder / "d"], check=True)  # noqa: S607
