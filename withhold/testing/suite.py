"""Case files found and read, with the rule sets they name, each loaded once."""

from __future__ import annotations

import difflib
import os
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from withhold.engine import Engine
from withhold.errors import CaseError, Place, Problem, RuleSetError, RuleSetWarning, SnapshotError, in_order, shown
from withhold.model import Policy, RuleSet
from withhold.snapshot import Snapshot
from withhold.snapshot.opened import is_snapshot
from withhold.sources.files import CASES, decoded, regular, unreadable
from withhold.sources.json_file import read_json
from withhold.sources.nodes import Node
from withhold.sources.yaml_file import read_yaml
from withhold.testing.cases import CaseFile
from withhold.testing.reading import Reader

#: What YAML has and is not read here, but may be by others.
_ONLY_UNREAD = ("second-document", "yaml-alias", "too-deep")


class Library:
    """Rule sets, and the engines over them: one for each path and policy, however many case files name it."""

    def __init__(self) -> None:
        self._rules: dict[Path, RuleSet | RuleSetError] = {}
        self._snapshots: dict[Path, Snapshot] = {}
        self._engines: dict[tuple[Path, Policy], Engine] = {}

    def rules(self, path: Path) -> RuleSet:
        """Return the rule set at a path; raises `RuleSetError`, and `OSError` if nothing is there."""
        real = path.resolve()
        if real not in self._rules:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RuleSetWarning)  # they are kept with the rules, for who asks
                try:
                    self._rules[real] = self._opened(path) if is_snapshot(real) else RuleSet.load(near(path))
                except RuleSetError as error:
                    self._rules[real] = error
        found = self._rules[real]
        if isinstance(found, RuleSetError):
            raise found
        return found

    def _opened(self, path: Path) -> RuleSet:
        """Return the rules of a snapshot, which itself is what cases are put to."""
        try:
            snapshot = self._snapshots[path.resolve()] = Snapshot.open(near(path))
            rules = snapshot.rules
        except SnapshotError as error:
            raise RuleSetError([error.problem]) from None
        return rules

    def engine(self, file: CaseFile) -> Engine:
        """Return the engine that a file's cases are put to."""
        if file.context not in self._engines:
            real, policy = file.context
            if real not in self._snapshots:
                self._snapshots[real] = Snapshot.compile(file.rules)
            self._engines[file.context] = Engine(self._snapshots[real], policy)
        return self._engines[file.context]


def read_case_file(path: Path, library: Library) -> CaseFile:
    """Read one case file and the rules it names; raises `CaseError` with every problem of both."""
    path = near(path)
    try:
        root = read_yaml(decoded(regular(path).read_bytes(), path), str(path))
    except OSError as error:
        raise CaseError([unreadable(error, Place(str(path)))]) from None
    except RuleSetError as error:
        raise CaseError(error.problems) from None
    if root is None or root.pairs is None:
        message = "the file is empty" if root is None else "a case file must be a mapping"
        hint = "write `rules:`, and `cases:` with a list below it"
        raise CaseError([Problem("bad-case-file", message, Place(str(path)), hint)])
    reader = Reader(root)
    named = reader.rules_path()
    policy = reader.policy()
    rules = None if named is None else _rules(named[0], named[1], library, reader.problems)
    cases = reader.cases(rules)
    if reader.problems or named is None or rules is None:
        raise CaseError(in_order(reader.problems))
    indent = root.at(["cases"]).place.column - 1
    return CaseFile(path, named[1], rules, policy, tuple(cases), tuple(reader.warnings), indent)


def read_all(paths: Iterable[Path], library: Library) -> list[CaseFile]:
    """Read the case files at `paths` and below them; raises `CaseError` with every problem of all of them."""
    found: list[CaseFile] = []
    problems: list[Problem] = []
    for file in dict.fromkeys(inner for path in paths for inner in case_files(path, problems)):
        try:
            found.append(read_case_file(file, library))
        except CaseError as error:
            problems += error.problems
    if problems:
        raise CaseError(in_order(problems))
    return found


def case_files(path: Path, problems: list[Problem]) -> Iterator[Path]:
    """Yield a file itself, and of a folder the case files in it and below, in the order of their names."""
    if not path.is_dir():
        yield path
        return
    inside = (Path(folder, name) for folder, _, names in _walk(path) for name in names)
    files = sorted((file for file in inside if file.name.lower().endswith(CASES)), key=lambda file: file.parts)
    if not files:
        hint = "they end in `.cases.yaml`"
        problems.append(Problem("no-case-files", "there is no case file here", Place(str(path)), hint))
    yield from files


def folders(path: Path) -> Iterator[Path]:
    """Yield a folder and those below it in which case files are looked for; nothing for a file."""
    return (Path(folder) for folder, _, _ in _walk(path))


def is_meant_for_us(path: Path, keys: Sequence[str]) -> bool:
    """Tell whether a file has one of our `keys`, or nearly, or says nothing that can be read: other tools have files, too."""
    try:
        text = decoded(regular(path).read_bytes(), path)
    except (OSError, RuleSetError):
        return True
    try:
        root = (read_json if path.suffix.lower() == ".json" else read_yaml)(text, str(path))
    except RuleSetError as error:
        if error.code not in _ONLY_UNREAD:
            return True
        found = re.findall(r"^\W*(\w+)\W*:", text, re.MULTILINE)
    else:
        if root is None:
            return True
        found = [str(key.text) for key, _ in root.pairs or ()]
    return any(difflib.get_close_matches(key.lower(), keys, n=1, cutoff=0.8) for key in found)


def is_environment(folder: Path) -> bool:
    """Tell whether packages are installed in a folder: what lies there is other people's."""
    return folder.name == "node_modules" or (folder / "pyvenv.cfg").exists()


def _walk(path: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    for folder, inner, names in os.walk(path):
        inner[:] = [name for name in inner if not name.startswith(".") and not is_environment(Path(folder, name))]
        yield folder, inner, [name for name in names if not name.startswith(".")]


def _rules(node: Node, path: Path, library: Library, problems: list[Problem]) -> RuleSet | None:
    try:
        return library.rules(path)
    except RuleSetError as error:
        problems += error.problems
    except (OSError, ValueError) as error:
        problems.append(unreadable(error, node.place, f" the rules at {shown(node.text)}"))
    return None


def near(path: Path) -> Path:
    """Return a path without detours, relative to the current folder if it lies below it: what messages show."""
    plain = Path(os.path.normpath(path))
    here = Path.cwd()
    return plain.relative_to(here) if plain.is_relative_to(here) else plain
