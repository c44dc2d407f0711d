"""Find and read case files, and load each rule set that they name once."""

from __future__ import annotations

import difflib
import errno
import os
import re
import shlex
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from withhold import native
from withhold.engine import Engine
from withhold.errors import (
    CaseError,
    Place,
    Problem,
    RuleSetError,
    RuleSetWarning,
    SnapshotError,
    escaped,
    in_backticks,
    in_order,
    quoted,
)
from withhold.model import Policy, RuleSet
from withhold.parsing.formats import READERS
from withhold.parsing.nodes import Node
from withhold.parsing.strict import read_model
from withhold.parsing.yaml_file import read_yaml
from withhold.snapshot import Snapshot
from withhold.snapshot.format import MAGIC
from withhold.snapshot.opened import OpenedSnapshot, is_snapshot, map_file
from withhold.sources.files import CASES, decoded, is_rule_file, unreadable
from withhold.sources.loader import load_inside
from withhold.sources.root import Root, check_named, check_relative, folders_of_links, repository_around
from withhold.testing.cases import Case, CaseFile
from withhold.testing.expectations import groups_of
from withhold.testing.reading import FileEntry, read_cases

#: The codes of problems with YAML that is not supported here, but is valid and may belong to another tool.
_ONLY_UNREAD = ("second-document", "yaml-alias", "too-deep")


class Library:
    """Rule sets by path, and engines by path and policy, each created once for all case files.

    `root` is the root of all rules. Without it, the root depends on the case file: see `surroundings`. The root that
    has checked a path also opens the file, so that a link that replaces the file in between is not followed.
    """

    def __init__(self, root: Path | None = None, *, here: Path | None = None) -> None:
        self.root = root
        self._here = here or Path.cwd()
        self._rules: dict[tuple[Path, str | None], RuleSet | RuleSetError] = {}
        self._snapshots: dict[Path, Snapshot] = {}
        #: The real paths of rule sets that are snapshots.
        self.compiled: set[Path] = set()
        self._engines: dict[tuple[Path, Policy], Engine] = {}

    def surroundings(self, file: Path, around: Path | None = None) -> Root:
        """Return the root of a case file, which may be untrusted, a link, or in a directory behind a link.

        If the file is inside the root of all rules, that root is returned. Otherwise it is the repository around the
        first link on the way to the file, or the current directory if that contains the link. If neither exists for any
        link, it is the repository around the file itself, or the current directory if that contains the file. Otherwise
        it is the directory `around`, in which the file was found, or else the directory of the file.
        """
        if self.root is not None and (given := Root(self.root)).holds(os.path.realpath(file)):
            return given
        here = Path(os.path.realpath(self._here))
        folder = Path(os.path.realpath(file.parent))
        for at in (*map(Path, folders_of_links(file.parent)), folder):
            if owner := repository_around(at) or (here if at.is_relative_to(here) else None):
                return Root(owner)
        return Root(around or folder)

    def rules(self, path: Path, inside: Root | None = None) -> RuleSet:
        """Return the rule set at a path. Raises `RuleSetError`, and `OSError` if the path does not exist.

        `inside` opens its files. It is None if the path comes from the user.
        """
        key = Path(os.path.realpath(path)), None if inside is None else inside.folder
        if key not in self._rules:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RuleSetWarning)  # they are kept in `RuleSet.warnings`
                try:
                    self._rules[key] = self._load(short_path(path), inside, key[0])
                except RuleSetError as error:
                    self._rules[key] = error
        found = self._rules[key]
        if isinstance(found, RuleSetError):
            raise found
        return found

    def _load(self, path: Path, inside: Root | None, real: Path) -> RuleSet:
        """Return the rules at a path. Keep a snapshot, so that cases run with it."""
        try:
            if inside is None:
                opened = Snapshot.open(path) if is_snapshot(path) else None
            else:
                opened = _opened_snapshot(path, inside)
            if opened is not None:
                self._snapshots[real] = opened
                self.compiled.add(real)
                return opened.rules
        except SnapshotError as error:
            raise RuleSetError([error.problem]) from None
        return RuleSet.load(path, self.root) if inside is None else load_inside(path, inside)

    def engine(self, file: CaseFile) -> Engine:
        """Return the engine for a file's cases."""
        if file.context not in self._engines:
            real, policy = file.context
            if real not in self._snapshots:
                self._snapshots[real] = Snapshot.compile(file.rules)
            self._engines[file.context] = Engine(self._snapshots[real], policy)
        return self._engines[file.context]


def read_case_file(path: Path, library: Library, around: Path | None = None) -> CaseFile:
    """Read one case file and the rules that it names. Raises `CaseError` with every problem of both.

    `around` is the directory in which it was found.
    """
    surroundings = library.surroundings(path, around)  # of the original path, with its links
    path = short_path(path)
    try:
        check_named(path)
        root = read_yaml(decoded(surroundings.read(path), path), str(path))
    except RuleSetError as error:
        raise CaseError(*error.problems) from None
    except (OSError, ValueError) as error:
        raise CaseError(unreadable(error, Place(str(path)))) from None
    if root is None or root.pairs is None:
        message = "the file is empty" if root is None else "a case file must be a mapping"
        hint = "write `rules:`, and `cases:` with a list below it"
        raise CaseError(Problem("bad-case-file", message, Place(str(path)), hint))
    if root.at(["rules"]).items is not None and root.get("cases") is None:
        hint = "give the case file that tests it, or the directory of both"
        raise CaseError(Problem("bad-case-file", "this is a rule file, not a case file", Place(str(path)), hint))
    entry, problems = read_model(FileEntry, root)
    bounds = surroundings if library.root is None else Root(library.root)
    inside, rules = None if library.root is None else bounds, None
    cases: list[Case] = []
    if entry is not None and entry.root:
        inside = _root(root.at(["root"]), path.parent / entry.root, bounds, problems)
    if entry is not None and entry.rules:
        rules = _rules(root.at(["rules"]), path.parent / entry.rules, inside, bounds, library, problems)
    groups = groups_of(root, problems)
    if entry is not None and entry.cases:
        cases, found = read_cases(entry.cases, rules, groups)
        problems += found
    errors = [problem for problem in problems if problem.severity == "error"]
    if errors or entry is None or rules is None:
        raise CaseError(*in_order(errors))
    policy = Policy(**entry.policy.model_dump())
    indent = entry.cases.place.column - 1
    file = CaseFile(
        path, path.parent / entry.rules, rules, policy, tuple(cases), warnings=tuple(problems), indent=indent
    )
    root_of_rules = None if inside is None else Path(inside.folder)
    return replace(file, root=root_of_rules, is_compiled=file.context[0] in library.compiled)


def read_all(paths: Iterable[Path], library: Library, *, begins: bool = False) -> list[CaseFile]:
    """Read the case files at `paths` and below them. Raises `CaseError` with all their problems.

    A directory without case files is one of these problems, unless `begins` is true.
    """
    found: list[CaseFile] = []
    problems: list[Problem] = []
    files = {file: path for path in paths for file in case_files(path, problems)}
    if begins:
        problems = [problem for problem in problems if problem.code != "no-case-files"]
    for file, path in files.items():
        try:
            found.append(read_case_file(file, library, path if os.path.isdir(path) else None))  # noqa: PTH112
        except CaseError as error:
            problems += error.problems
    if problems:
        raise CaseError(*in_order(problems))
    return found


def case_files(path: Path, problems: list[Problem]) -> Iterator[Path]:
    """Yield the file at `path`, or the case files in the directory and below it, sorted by name."""
    if not os.path.isdir(path):  # noqa: PTH112  # it never raises
        yield path
        return
    inside = sorted((file for _, files in _walk(path, problems) for file in files), key=lambda file: file.parts)
    files = [file for file in inside if file.name.lower().endswith(CASES)]
    if not files:
        rules = next((file for file in inside if is_rule_file(file)), path / "in.yaml")
        case = "{it: …, account: …, at: …, expect: {IN: withheld, US: visible}}"
        beside = rules.with_name(rules.stem + CASES[0]).relative_to(path)
        hint = f"begin {quoted(str(beside))} with `rules: {escaped(rules.name)}` and `cases: [{case}]`"
        if rules in inside:
            command = in_backticks(shlex.join(["withhold", "test", str(path), "--mutate", "--write"]))
            hint = f"{command} writes the first ones; or {hint}"
        problems.append(Problem("no-case-files", "there is no case file here", Place(str(path)), hint))
    yield from files


def folders(path: Path) -> Iterator[Path]:
    """Yield a directory and those below it that are searched for case files. Yield nothing for a file."""
    return (folder for folder, _ in _walk(path, []) if os.path.isdir(path))  # noqa: PTH112  # it never raises


def may_have_keys(path: Path, root: Root, keys: Sequence[str]) -> bool:
    """Return whether a file is unreadable, or has one of these keys or a similar one. Others belong to other tools."""
    try:
        text = decoded(root.read(path), path)
    except (OSError, ValueError):  # also if it is not UTF-8
        return True
    try:
        top = READERS.get(path.suffix.lower(), read_yaml)(text, str(path))
    except RuleSetError as error:
        if error.code not in _ONLY_UNREAD:
            return True
        found = re.findall(r"^[^\w\n]*(\w+)[^\w\n]*:", text, re.MULTILINE)
    else:
        if top is None:
            return True
        found = [str(key.text) for key, _ in top.pairs or ()]
    return any(difflib.get_close_matches(key.lower(), keys, n=1, cutoff=0.8) for key in found)


def is_environment(folder: Path) -> bool:
    """Return whether packages are installed in a directory, so that its files are not the user's."""
    return folder.name == "node_modules" or os.path.exists(folder / "pyvenv.cfg")  # noqa: PTH110


def _walk(path: Path, problems: list[Problem]) -> Iterator[tuple[Path, list[Path]]]:
    """Yield a directory and those below it, each with its files, except hidden, installed and linked ones."""
    todo = [path]
    while todo:
        folder = todo.pop()
        try:
            with os.scandir(folder) as entries:
                inside = [entry for entry in entries if not entry.name.startswith(".")]
            inner = {folder / entry.name: entry.is_dir(follow_symlinks=False) for entry in inside}
        except OSError as error:
            problems.append(unreadable(error, Place(str(folder))))
            continue
        yield folder, [entry for entry, is_folder in inner.items() if not is_folder]
        todo += (entry for entry, is_folder in inner.items() if is_folder and not is_environment(entry))


def _root(node: Node, path: Path, bounds: Root, problems: list[Problem]) -> Root | None:
    """Return the root that a case file names for its rules. If it cannot be used, add a problem and return None."""
    try:
        check_relative(str(node.text))
        root = bounds.narrowed(path)
        if root.folder != bounds.real(path):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
    except (OSError, ValueError) as error:
        problems.append(unreadable(error, node.place, f" the root {quoted(node.text)}"))
        return None
    return root


def _rules(
    node: Node, path: Path, inside: Root | None, bounds: Root, library: Library, problems: list[Problem]
) -> RuleSet | None:
    try:
        check_relative(str(node.text))
        narrowed = bounds.narrowed(path)
        return library.rules(path, inside or narrowed)
    except RuleSetError as error:
        problems += error.problems
    except (OSError, ValueError) as error:
        problems.append(unreadable(error, node.place, f" the rules at {quoted(node.text)}"))
    return None


def _opened_snapshot(path: Path, inside: Root) -> Snapshot | None:
    """Return the snapshot at a path, or None if there is another file, or no readable file."""
    try:
        with inside.open(path) as file:
            if file.peek(len(MAGIC))[: len(MAGIC)] != MAGIC:
                return None
            return Snapshot(OpenedSnapshot(map_file(file), str(path), "full", in_c=native.AVAILABLE))
    except SnapshotError:
        raise
    except (OSError, ValueError):  # the loader reports why
        return None


def short_path(path: Path) -> Path:
    """Return a path in the form for messages: without `..`, and relative to the current directory if inside it."""
    parts = path.parts
    if ".." in parts:
        # After a link, `..` is the directory above the link's target.
        after_links = len(parts) - parts[::-1].index("..")
        path = Path(os.path.realpath(Path(*parts[:after_links])), *parts[after_links:])
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
