"""Which files a rule set is made of."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import NamedTuple

from withhold.errors import Place, Problem, RuleSetError
from withhold.sources.root import OutsideRootError, Root

#: How rule files end, in any case.
SUFFIXES = (".yaml", ".yml", ".json")
#: How files end that stand among them and are none: cases to test rules by, and who is protected.
CASES = (".cases.yaml", ".cases.yml")
PROTECTED = ("protected.yaml", "protected.yml")


# How a snapshot begins, as `snapshot/format.py` specifies.
_SNAPSHOT = b"WITHHOLD"
# Errors by which a link leads to nothing.
_NOWHERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG)
_STAY = "write a path relative to this file, with `/`, to a file in the folder that is loaded"
_NO_LINK = "put the file itself here, not a link to it"
#: How many names may be looked at again, in folders that links lead into once more: a few folders of links that lead into
#: one another would else be followed millions of times.
_AGAIN = 20_000
#: How many rule files may be read again, by another name. It is an error if they have rules.
_FILES_AGAIN = 10
#: How deep folders may lie below the one that is loaded: deeper ones are made to exhaust a stack, or patience.
DEEPEST = 100


def rule_files(path: Path, root: Root, problems: list[Problem]) -> list[Path]:
    """Return the rule files at `path`, in the order of their names: part by part, whatever the file system says.

    What is wrong is added to `problems`.
    """
    if not os.path.isdir(path):  # noqa: PTH112  # which raises nothing
        return [path]
    before = len(problems)
    found = _each_once(files_below(path, root, problems).rules, root, problems)
    if not found and len(problems) == before:
        hint = "they end in `.yaml` or `.json`"
        problems.append(Problem("no-rule-files", "there is no rule file here", Place(str(path)), hint))
    return found


class FilesBelow(NamedTuple):
    """What one walk through a folder has found, in the order of names."""

    rules: list[Path]
    #: Lists of protected accounts; a folder of that name is one that cannot be read.
    protected: list[Path]
    #: The real paths of all folders that were listed.
    folders: set[str]


def files_below(path: Path, root: Root, problems: list[Problem]) -> FilesBelow:
    """Return the files below a folder, those behind links too; one that cannot be read is found out on opening."""
    found = FilesBelow([], [], set())
    again = 0
    folders: list[tuple[Path, frozenset[str]]] = [(path, frozenset())]
    while folders:
        folder, around = folders.pop()
        try:
            real = root.real(folder)
            if real in around:  # a link back up
                continue
            names = os.listdir(real)  # noqa: PTH208
        except (OSError, ValueError) as error:
            problems.append(unreadable(error, Place(str(folder))))
            continue
        if real in found.folders:
            again += len(names) + 1
        found.folders.add(real)
        if again > _AGAIN:
            message = f"links lead into the same folders again and again, to more than {_AGAIN:,} names"
            problems.append(Problem("too-many-links", message, Place(str(folder)), "take some of them away"))
            break
        for entry in (folder / name for name in names if not name.startswith(".")):
            at = os.path.join(real, entry.name)  # noqa: PTH118  # where the links that lead here are behind us
            try:
                is_folder = stat.S_ISDIR(os.stat(at).st_mode)  # noqa: PTH116
            except OSError as error:
                is_folder = False
                to_nowhere = error.errno in _NOWHERE and os.path.islink(at)  # noqa: PTH114  # which raises nothing
                if not to_nowhere and not is_rule_file(entry):  # it may be a folder, whose rules would be missing
                    problems.append(unreadable(error, Place(str(entry))))
            if is_protected_list(entry):
                found.protected.append(entry)
            elif not is_folder and is_rule_file(entry):
                found.rules.append(entry)
            if is_folder and len(around) == DEEPEST:
                message = f"folders lie more than {DEEPEST} deep"
                problems.append(Problem("too-deep", message, Place(str(entry)), "move them up, or take them away"))
            elif is_folder:
                folders.append((entry, around | {real}))
    for files in (found.rules, found.protected):
        files.sort(key=lambda file: file.relative_to(path).parts)
    return found


def _each_once(files: list[Path], root: Root, problems: list[Problem]) -> list[Path]:
    """Return rule files, of those that links lead to again the first few: the rules in them are told as repeated."""
    found: list[Path] = []
    seen: set[str] = set()
    for file in files:
        try:
            real = root.real(file)
        except (OSError, ValueError):
            real = str(file)  # opening it says why
        if real in seen and len(found) - len(seen) >= _FILES_AGAIN:
            message = f"links lead to the same rule files more than {_FILES_AGAIN} times"
            problems.append(Problem("too-many-links", message, Place(str(file)), "take some of them away"))
            break
        seen.add(real)
        found.append(file)
    return found


def is_rule_file(path: Path) -> bool:
    """Tell by its name whether a file that was found in a folder is one of rules."""
    name = path.name.lower()
    return name.endswith(SUFFIXES) and not name.endswith(CASES) and not is_protected_list(path)


def is_protected_list(path: Path) -> bool:
    """Tell by its name whether a file is a list of protected accounts."""
    return path.name.lower() in PROTECTED


def unreadable(error: Exception, place: Place | str, what: str = "") -> Problem:
    """Return the problem of a file or folder that cannot be read, or must not be, for it is outside of the root."""
    reason = str(getattr(error, "strerror", None) or error).lower()
    if isinstance(error, OutsideRootError):
        remedy = error.hint or f"{_STAY if what else _NO_LINK}; or give a `root` around both, such as `--root .`"
        return Problem("outside-rule-set", f"cannot read{what or ' it'}: {reason}", place, remedy)
    remedy = (
        "see that it is there: its path is relative to this file"
        if what
        else "make it a file that can be read, or take it away"
    )
    return Problem("unreadable-file", f"cannot read{what or ' it'}: {reason}", place, remedy)


def decoded(data: bytes, file: Path) -> str:
    """Return the text of a file; raises `RuleSetError` if it is not UTF-8."""
    if data.startswith(_SNAPSHOT):
        message = "this is a snapshot, not a rule file"
        problem = Problem("not-rules", message, Place(str(file)), "open it with `Snapshot.open`")
        raise RuleSetError([problem])
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
