"""Rule files that no case file is about: without a word on them, all that is measured would leave them out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from withhold.errors import CaseError, Place, Problem, RuleSetError, in_order
from withhold.model import Policy, RuleSet
from withhold.sources.files import CASES, rule_files, unreadable
from withhold.sources.root import OutsideRootError, Root, check_relative
from withhold.testing.cases import CaseFile
from withhold.testing.pasting import free_path
from withhold.testing.suite import Library, folders, is_environment, is_meant_for_us, near


def uncovered(paths: Sequence[Path], files: Iterable[CaseFile], library: Library) -> list[CaseFile]:
    """Return a case file without cases for each rule file below the folders of `paths` that no file's rule set contains.

    Its path is one that is not there yet, and that case files are looked for at. Without paths, the folders are those that rules of case files come from: what lies elsewhere below the current folder
    may be anything. Files without rules, those of other tools, and what is hidden or installed are left out. Raises
    `CaseError` with every problem of the others.
    """
    found: list[CaseFile] = []
    problems: list[Problem] = []
    rule_sets = {file.context[0]: file for file in files}  # each once, however many files are about it
    asked = {Path(path) for file in rule_sets.values() for path in _made_of(file)}
    seen = set(map(os.path.realpath, asked))
    looked_in = list(dict.fromkeys(near(folder) for path in paths or [Path()] for folder in folders(path)))
    for folder in filter(Path.is_dir, paths or sorted({path.parent for path in asked})):
        root = _root_around(folder, rule_sets.values(), library)
        inside = Root(folder, root)
        for path in (near(path) for path in rule_files(folder, inside, problems) if not _is_installed(path, folder)):
            if os.path.realpath(path) in seen or not is_meant_for_us(path, inside, ("rules", "groups")):
                continue
            seen.add(os.path.realpath(path))
            try:
                rules_path, rules = _rules(path, near(folder), root, library)
            except RuleSetError as error:
                problems += error.problems
            except (OSError, ValueError) as error:  # a link to nowhere
                problems.append(unreadable(error, Place(str(path))))
            else:
                file = CaseFile(Path(), rules_path, rules, Policy(), (), only=path, root=root)
                if any(file.measured):
                    found.append(replace(file, path=_path_for(path, looked_in, found)))
    # A folder of cases alone is fine.
    if problems := [problem for problem in problems if problem.code != "no-rule-files"]:
        raise CaseError(in_order(problems))
    return found


def _made_of(file: CaseFile) -> Iterable[str | Path]:
    """Return the rule files that a case file is about; a snapshot says where its rules stood."""
    if file.is_compiled:
        return {rule.place.file for rule in file.rules if rule.place}
    return rule_files(file.rules_path, Root(file.rules_path, file.root), [])


def _root_around(folder: Path, files: Iterable[CaseFile], library: Library) -> Path:
    """Return the root of rule files in a folder: that of case files about rules in it, the library's, or the folder."""
    real = Path(os.path.realpath(folder))
    roots = (file.root for file in files if file.root is not None and real.is_relative_to(os.path.realpath(file.root)))
    return next(roots, library.root or folder)


def _is_installed(path: Path, folder: Path) -> bool:
    """Tell whether a file lies in an environment below a folder; not if that was named itself."""
    return any(is_environment(folder / inner) for inner in path.relative_to(folder).parents if inner.name)


def _rules(path: Path, folder: Path, root: Path, library: Library) -> tuple[Path, RuleSet]:
    """Return where the rules of a file can be loaded from, and the rules that are there.

    It is the file, or the nearest folder around it, up to `folder`, that defines the groups which it needs. A file whose name
    a case file cannot have, for its control characters or a backslash, is named by its folder too.
    """
    refused: RuleSetError | None = None
    if path.name.isprintable() and _is_relative(path.name):
        try:
            return path, library.rules(path, root)
        except RuleSetError as error:
            refused = error
    for around in path.parents:
        with suppress(RuleSetError):
            return around, library.rules(around, root)
        if around == folder:
            break
    if refused is not None:
        raise refused
    return path, library.rules(path, root)


def _is_relative(name: str) -> bool:
    try:
        check_relative(name)
    except OutsideRootError:
        return False
    return True


def _path_for(path: Path, looked_in: Sequence[Path], others: Iterable[CaseFile]) -> Path:
    """Return where the cases of a rule file go: beside it, or else to the first folder that case files are looked for in."""
    folder = path.parent if path.parent in looked_in else looked_in[0]
    name = "".join(letter if letter.isprintable() else "_" for letter in path.with_suffix(CASES[0]).name)
    return free_path(folder / name, [other.path for other in others])
