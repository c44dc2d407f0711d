"""Which files a rule set is made of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from withhold.errors import Place, Problem

#: How rule files end, in any case.
SUFFIXES = (".yaml", ".yml", ".json")
#: How files end that stand among them and are none: cases to test rules by, and who is protected.
OTHERS = (".cases.yaml", ".cases.yml")
PROTECTED = ("protected.yaml", "protected.yml")


def rule_files(path: Path, problems: list[Problem]) -> list[Path]:
    """Return the rule files at `path`, in the order of their names: part by part, whatever the file system says.

    What is wrong is added to `problems`.
    """
    if not path.is_dir():
        return [path]
    found = sorted(_below(path, {path.resolve()}, problems), key=lambda file: file.relative_to(path).parts)
    if not found:
        hint = "they end in `.yaml` or `.json`"
        problems.append(Problem("no-rule-files", "there is no rule file here", Place(str(path)), hint))
    return found


def _below(folder: Path, seen: set[Path], problems: list[Problem]) -> Iterator[Path]:
    """Yield rule files, those behind links too; what cannot be read is yielded, and told when it is opened."""
    try:
        inside = sorted(folder.iterdir())
    except OSError as error:
        problems.append(unreadable(error, Place(str(folder))))
        return
    for entry in inside:
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            if (real := entry.resolve()) not in seen:
                yield from _below(entry, seen | {real}, problems)
        elif is_rule_file(entry):
            yield entry


def is_rule_file(path: Path) -> bool:
    """Tell by its name whether a file that was found in a folder is one of rules."""
    name = path.name.lower()
    return name.endswith(SUFFIXES) and not name.endswith(OTHERS) and name not in PROTECTED


def unreadable(error: Exception, place: Place, what: str = "") -> Problem:
    """Return the problem of a file or folder that cannot be read."""
    reason = str(getattr(error, "strerror", None) or error).lower()
    return Problem("unreadable-file", f"cannot read{what or ' it'}: {reason}", place)


def size_of(path: Path) -> int:
    """Return the size of a file in bytes, or 0 if there is none, or none can have that name."""
    try:
        return path.stat().st_size
    except (OSError, ValueError):
        return 0
