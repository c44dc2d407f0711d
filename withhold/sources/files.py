"""Which files a rule set is made of."""

from __future__ import annotations

import errno
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from withhold.errors import Place, Problem, RuleSetError

#: How rule files end, in any case.
SUFFIXES = (".yaml", ".yml", ".json")
#: How files end that stand among them and are none: cases to test rules by, and who is protected.
CASES = (".cases.yaml", ".cases.yml")
PROTECTED = ("protected.yaml", "protected.yml")


def rule_files(path: Path, problems: list[Problem]) -> list[Path]:
    """Return the rule files at `path`, in the order of their names: part by part, whatever the file system says.

    What is wrong is added to `problems`.
    """
    if not path.is_dir():
        return [path]
    found = _sorted(path, is_rule_file, problems)
    if not found:
        hint = "they end in `.yaml` or `.json`"
        problems.append(Problem("no-rule-files", "there is no rule file here", Place(str(path)), hint))
    return found


def _sorted(path: Path, wanted: Callable[[Path], bool], problems: list[Problem]) -> list[Path]:
    return sorted(_below(path, {path.resolve()}, problems, wanted), key=lambda file: file.relative_to(path).parts)


def _below(folder: Path, seen: set[Path], problems: list[Problem], wanted: Callable[[Path], bool]) -> Iterator[Path]:
    """Yield the wanted files, those behind links too; what cannot be read is yielded, and told when it is opened."""
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
                yield from _below(entry, seen | {real}, problems, wanted)
        elif wanted(entry):
            yield entry


def is_rule_file(path: Path) -> bool:
    """Tell by its name whether a file that was found in a folder is one of rules."""
    name = path.name.lower()
    return name.endswith(SUFFIXES) and not name.endswith(CASES) and not is_protected_list(path)


def is_protected_list(path: Path) -> bool:
    """Tell by its name whether a file is a list of protected accounts."""
    return path.name.lower() in PROTECTED


def regular(path: Path) -> Path:
    """Return a path as it is; raises `OSError` if nothing is there, and for a pipe or a device, which might never end."""
    mode = path.stat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):  # a folder refuses to be read itself
        raise OSError(errno.EINVAL, "no regular file, but a pipe or a device")
    return path


def unreadable(error: Exception, place: Place | str, what: str = "") -> Problem:
    """Return the problem of a file or folder that cannot be read."""
    reason = str(getattr(error, "strerror", None) or error).lower()
    remedy = (
        "see that it is there: its path is relative to this file"
        if what
        else "make it a file that can be read, or take it away"
    )
    return Problem("unreadable-file", f"cannot read{what or ' it'}: {reason}", place, remedy)


def decoded(data: bytes, file: Path) -> str:
    """Return the text of a file; raises `RuleSetError` if it is not UTF-8."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig", errors="replace")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        place = Place(str(file), line, column)
        raise RuleSetError([Problem("not-utf-8", "this is not UTF-8", place, "save the file in UTF-8")]) from None


def size_of(path: Path) -> int:
    """Return the size of a file in bytes, or 0 if there is none, or none can have that name."""
    try:
        return path.stat().st_size
    except (OSError, ValueError):
        return 0
