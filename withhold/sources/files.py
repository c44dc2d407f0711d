"""Find the files of a rule set, and describe problems with reading them."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import NamedTuple

from withhold.errors import Place, Problem, RuleSetError
from withhold.sources.root import OutsideRootError, Root, SpecialFileError

#: The file name endings of case files, and the file names of lists of protected accounts. Case is ignored.
CASES = (".cases.yaml", ".cases.yml")
PROTECTED = ("protected.yaml", "protected.yml")

# The first bytes of a snapshot, as specified in `snapshot/format.py`.
_SNAPSHOT = b"WITHHOLD"
# The errors for a link whose target does not exist.
_NOWHERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG)
_STAY = "write a path relative to this file, with `/`, to a file in the loaded directory"
_NO_LINK = "put the file itself here, not a link to it"
#: The maximum number of names that are searched again because several links lead to the same directory. Without a
#: limit, a few directories that link to one another would be searched millions of times.
_AGAIN = 20_000
#: The maximum number of rule files that are read again under another name. Their rules are reported as repeated.
_FILES_AGAIN = 10
#: The maximum depth of directories below the loaded one. Deeper ones would only exhaust the stack, or waste time.
DEEPEST = 100


def rule_files(path: Path, root: Root, problems: list[Problem]) -> list[Path]:
    """Return the rule files at `path`, sorted by the parts of their paths: the order is the same on every file system.

    Problems are appended to `problems`.
    """
    if not os.path.isdir(path):  # noqa: PTH112  # it never raises
        return [path]
    before = len(problems)
    found = _each_once(files_below(path, root, problems).rules, root, problems)
    if not found and len(problems) == before:
        from withhold.parsing.formats import ENDINGS

        hint = f"they end in {ENDINGS}"
        problems.append(Problem("no-rule-files", "there is no rule file here", Place(str(path)), hint))
    return found


class FilesBelow(NamedTuple):
    """The files that a search of a directory has found, sorted by name."""

    rules: list[Path]
    #: Lists of protected accounts; a directory with such a name counts as an unreadable list.
    protected: list[Path]
    #: The real paths of all searched directories.
    folders: set[str]


def files_below(path: Path, root: Root, problems: list[Problem]) -> FilesBelow:
    """Return the files below a directory, also behind links. Unreadable files are included, and fail when opened."""
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
            message = f"links lead repeatedly into the same directories, to more than {_AGAIN:,} names"
            problems.append(Problem("too-many-links", message, Place(str(folder)), "remove some of them"))
            break
        for entry in (folder / name for name in names if not name.startswith(".")):
            at = os.path.join(real, entry.name)  # noqa: PTH118  # the path without the links that lead here
            try:
                is_folder = stat.S_ISDIR(os.stat(at).st_mode)  # noqa: PTH116
            except OSError as error:
                is_folder = False
                to_nowhere = error.errno in _NOWHERE and os.path.islink(at)  # noqa: PTH114  # it never raises
                if not to_nowhere and not is_rule_file(entry):  # it may be a directory, and its rules would be missing
                    problems.append(unreadable(error, Place(str(entry))))
            if is_protected_list(entry):
                found.protected.append(entry)
            elif not is_folder and is_rule_file(entry):
                found.rules.append(entry)
            if is_folder and len(around) == DEEPEST:
                message = f"directories are nested more than {DEEPEST} deep"
                problems.append(Problem("too-deep", message, Place(str(entry)), "move them up, or remove them"))
            elif is_folder:
                folders.append((entry, around | {real}))
    for files in (found.rules, found.protected):
        files.sort(key=lambda file: file.relative_to(path).parts)
    return found


def _each_once(files: list[Path], root: Root, problems: list[Problem]) -> list[Path]:
    """Return rule files with only the first few of those that links repeat. Their rules are reported as repeated."""
    found: list[Path] = []
    seen: set[str] = set()
    for file in files:
        try:
            real = root.real(file)
        except (OSError, ValueError):
            real = str(file)  # opening it will report why
        if real in seen and len(found) - len(seen) >= _FILES_AGAIN:
            message = f"links lead to the same rule files more than {_FILES_AGAIN} times"
            problems.append(Problem("too-many-links", message, Place(str(file)), "remove some of them"))
            break
        seen.add(real)
        found.append(file)
    return found


def is_rule_file(path: Path) -> bool:
    """Return whether a file in a directory is a rule file, judging by its name."""
    from withhold.parsing.formats import READERS  # imported here: the pytest plugin imports this module, but no parser

    name = path.name.lower()
    return name.endswith(tuple(READERS)) and not name.endswith(CASES) and not is_protected_list(path)


def is_protected_list(path: Path) -> bool:
    """Return whether a file is a list of protected accounts, judging by its name."""
    return path.name.lower() in PROTECTED


def more_in(file: str | os.PathLike[str], count: int) -> Problem:
    """Return the last problem of a file: the number of the problems that are not listed."""
    message = f"{count:,} more problem{'s' if count > 1 else ''} in this file"
    return Problem("more-problems", message, Place(str(file)))


def unreadable(error: Exception, place: Place | str, what: str = "") -> Problem:
    """Return the problem for a path that cannot be read, or must not be read because it is outside the root."""
    reason = str(getattr(error, "strerror", None) or error).lower()
    if isinstance(error, OutsideRootError):
        remedy = error.hint or f"{_STAY if what else _NO_LINK}; or give a `root` that contains both, such as `--root .`"
        return Problem("outside-rule-set", f"cannot read{what or ' it'}: {reason}", place, remedy)
    remedy = "check that it exists: its path is relative to this file" if what else "make it readable, or remove it"
    if isinstance(error, SpecialFileError):
        remedy = "save its contents to a file, and give the path of that file"
    return Problem("unreadable-file", f"cannot read{what or ' it'}: {reason}", place, remedy)


def decoded(data: bytes, file: Path) -> str:
    """Return the text of a file. Raises `RuleSetError` if it is not UTF-8."""
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
    """Return the size of a file in bytes, or 0 if it does not exist or its name is invalid."""
    try:
        return path.stat().st_size
    except (OSError, ValueError):
        return 0
