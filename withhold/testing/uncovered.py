"""Find rule files that no case file tests. They must be reported, because no measure of the cases includes them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from withhold.errors import CaseError, Place, Problem, RuleSetError, in_order
from withhold.model import Policy, RuleSet
from withhold.sources.files import CASES, rule_files, unreadable
from withhold.sources.root import OutsideRootError, Root, check_relative
from withhold.testing.cases import CaseFile
from withhold.testing.pasting import free_path
from withhold.testing.suite import Library, folders, is_environment, may_have_keys, short_path


def uncovered(paths: Sequence[Path], files: Iterable[CaseFile], library: Library) -> list[CaseFile]:
    """Return a case file without cases for each rule file below `paths` that is in no rule set of `files`.

    Its path does not exist, and is in a directory that is searched for case files. Without `paths`, only the
    directories of the rules that case files name are searched, because other directories may contain anything. Files
    without rules, files of other tools, and hidden or installed files are left out. Raises `CaseError` with every
    problem of the others.
    """
    found: list[CaseFile] = []
    problems: list[Problem] = []
    rule_sets = {file.context[0]: file for file in files}.values()  # each rule set once
    # A snapshot may record any places, so they are compared as text, and their files are not accessed.
    compiled = {os.path.abspath(path) for file in rule_sets if file.is_compiled for path in _rule_files_of(file)}  # noqa: PTH100
    seen = {os.path.realpath(path) for file in rule_sets if not file.is_compiled for path in _rule_files_of(file)}
    searched = list(dict.fromkeys(short_path(folder) for path in paths or [Path()] for folder in folders(path)))
    for folder, inside in _folders(paths, rule_sets, library, problems):
        for path in (
            short_path(path) for path in rule_files(folder, inside, problems) if not _is_installed(path, folder)
        ):
            if os.path.realpath(path) in seen or os.path.abspath(path) in compiled:  # noqa: PTH100
                continue
            if not may_have_keys(path, inside, ("rules", "groups")):
                continue
            seen.add(os.path.realpath(path))
            try:
                rules_path, rules = _rules(path, short_path(folder), inside, library)
            except RuleSetError as error:
                problems += error.problems
            except (OSError, ValueError) as error:  # a broken link
                problems.append(unreadable(error, Place(str(path))))
            else:
                root = None if _loads_alone(rules_path, inside, library) else Path(inside.folder)
                file = CaseFile(Path(), rules_path, rules, Policy(), (), only=path, root=root)
                if any(file.measured):
                    found.append(replace(file, path=_path_for(path, searched, found)))
    # A directory may contain only cases.
    if problems := [problem for problem in problems if problem.code != "no-rule-files"]:
        raise CaseError(*in_order(problems))
    return found


def _rule_files_of(file: CaseFile) -> set[str]:
    """Return the files of the rules that a case file tests. A snapshot records them too."""
    return {rule.place.file for rule in file.rules if rule.place}


def _folders(
    paths: Sequence[Path], rule_sets: Iterable[CaseFile], library: Library, problems: list[Problem]
) -> Iterator[tuple[Path, Root]]:
    """Yield the directories to search for rule files, each with the root that opens them."""
    for path in filter(os.path.isdir, paths):  # it never raises
        yield path, Root(path, _root_around(path, rule_sets, library))
    found: dict[Path, CaseFile] = {}
    for file in rule_sets if not paths else ():
        if not file.is_compiled:
            rules = short_path(file.rules_path)
            top = rules if os.path.isdir(rules) else rules.parent  # noqa: PTH112
            found |= dict.fromkeys([top, *(Path(path).parent for path in _rule_files_of(file))], file)
    for folder, file in sorted(found.items()):
        bounds = library.surroundings(file.path) if library.root is None else Root(library.root)
        try:
            yield folder, bounds.narrowed(file.root or folder)
        except OSError as error:  # a link has replaced it
            problems.append(unreadable(error, Place(str(folder))))


def _root_around(folder: Path, files: Iterable[CaseFile], library: Library) -> Path:
    """Return the root for rule files in a directory: that of case files for them, the library's, or the directory."""
    real = Path(os.path.realpath(folder))
    roots = (file.root for file in files if file.root is not None and real.is_relative_to(os.path.realpath(file.root)))
    return next(roots, library.root or folder)


def _is_installed(path: Path, folder: Path) -> bool:
    """Return whether a file is in an installed environment below a directory, which may be an environment itself."""
    return any(is_environment(folder / inner) for inner in path.relative_to(folder).parents if inner.name)


def _rules(path: Path, folder: Path, inside: Root, library: Library) -> tuple[Path, RuleSet]:
    """Return the path from which a file's rules can be loaded, and the rules at this path.

    The path is the file, or the nearest directory around it, up to `folder`, that defines the groups of its rules. It
    is also a directory if a case file cannot name the file because of control characters or a backslash.
    """
    refused: RuleSetError | None = None
    if path.name.isprintable() and _is_relative(path.name):
        try:
            return path, library.rules(path, inside)
        except RuleSetError as error:
            refused = error
    for around in path.parents:
        with suppress(RuleSetError):
            return around, library.rules(around, inside)
        if around == folder:
            break
    if refused is not None:
        raise refused
    return path, library.rules(path, inside)


def _loads_alone(path: Path, inside: Root, library: Library) -> bool:
    """Return whether a case file can name the rules at a path without a root: their lists of ids are beside or below."""
    try:
        library.rules(path, inside.narrowed(path))
    except (RuleSetError, OSError, ValueError):
        return False
    return True


def _is_relative(name: str) -> bool:
    try:
        check_relative(name)
    except OutsideRootError:
        return False
    return True


def _path_for(path: Path, searched: Sequence[Path], others: Iterable[CaseFile]) -> Path:
    """Return a path for the cases of a rule file: beside it, or in the first directory searched for case files."""
    folder = path.parent if path.parent in searched else searched[0]
    name = "".join(letter if letter.isprintable() else "_" for letter in path.with_suffix(CASES[0]).name)
    return free_path(folder / name, [other.path for other in others])
