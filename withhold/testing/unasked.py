"""Rule files that no case file is about: without a word on them, all that is measured would leave them out."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from withhold.errors import CaseError, Place, Problem, RuleSetError, in_order
from withhold.model import Policy, RuleSet
from withhold.sources.files import rule_files, unreadable
from withhold.testing.cases import CaseFile
from withhold.testing.suite import Library, is_environment, is_meant_for_us, near


def unasked(paths: Iterable[Path], files: Iterable[CaseFile], library: Library) -> list[CaseFile]:
    """Return a case file without cases for each rule file below the folders of `paths` that no file's rule set contains.

    Without paths, the folders are those that rules of case files come from: what lies elsewhere below the current folder
    may be anything. Files without rules, those of other tools, and what is hidden or installed are left out. Raises
    `CaseError` with every problem of the others.
    """
    found: list[CaseFile] = []
    problems: list[Problem] = []
    rule_sets = {file.context[0]: file for file in files}  # each once, however many files are about it
    asked = {Path(path) for file in rule_sets.values() for path in _made_of(file)}
    seen = {path.resolve() for path in asked}
    for folder in filter(Path.is_dir, list(paths) or sorted({path.parent for path in asked})):
        for path in (near(path) for path in rule_files(folder, problems) if not _is_installed(path, folder)):
            if path.resolve() in seen or not is_meant_for_us(path, ("rules", "groups")):
                continue
            seen.add(path.resolve())
            try:
                rules = _rules(path, folder, library)
            except RuleSetError as error:
                problems += error.problems
            except (OSError, ValueError) as error:  # a link to nowhere
                problems.append(unreadable(error, Place(str(path))))
            else:
                if rules:
                    found.append(CaseFile(path.with_suffix(".cases.yaml"), path, rules, Policy(), ()))
    # A folder of cases alone is fine.
    if problems := [problem for problem in problems if problem.code != "no-rule-files"]:
        raise CaseError(in_order(problems))
    return found


def _made_of(file: CaseFile) -> Iterable[str | Path]:
    """Return the rule files that a case file is about; a snapshot says where its rules stood."""
    if file.is_compiled:
        return {rule.place.file for rule in file.rules if rule.place}
    return rule_files(file.rules_path, [])


def _is_installed(path: Path, folder: Path) -> bool:
    """Tell whether a file lies in an environment below a folder; not if that was named itself."""
    return any(is_environment(folder / inner) for inner in path.relative_to(folder).parents if inner.name)


def _rules(path: Path, folder: Path, library: Library) -> RuleSet:
    """Return the rules of a file; with those of its folder around it, if it needs a group that is defined there."""
    try:
        return library.rules(path)
    except RuleSetError as error:
        try:
            around = library.rules(folder)
        except RuleSetError:
            raise error from None
    return RuleSet(rule for rule in around if rule.place and rule.place.file == str(path))
