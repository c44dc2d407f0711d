"""Read rule files and directories of them, and the lists of ids and of protected accounts beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from withhold.model.rule_set import Path, Progress, RuleSet

if TYPE_CHECKING:
    from withhold.model.protected import Protected


def load(path: Path, root: Path | None = None, progress: Progress | None = None) -> RuleSet:
    """Read a rule file or a directory of rule files: see `RuleSet.load`."""
    # Imported at the first load, so that programs that only map snapshots do not load a YAML parser.
    from withhold.sources.loader import load_files

    return load_files(path, root, progress)


def load_protected(path: Path) -> list[Protected]:
    """Read the protected accounts of one file, for `withhold.lint`. Raises `RuleSetError` with all problems."""
    from withhold.sources.protected import read_protected

    return read_protected([path])


def protected_beside(rules: Path, root: Path | None = None) -> list[Protected] | None:
    """Read all lists of protected accounts that apply to a rule file or a directory. Return None if there is none.

    The lists are the files `protected.yaml` beside, below and above the rules, up to the directory with `.git`. Outside
    a repository, the search goes up to `root`, by default the directory itself or that of the file. If a link leads to
    a rule file elsewhere, the lists above its real place apply too. The accounts of all lists are merged. Raises
    `RuleSetError` with every problem of all lists.
    """
    from withhold.sources.protected_lists import read_around

    return read_around(rules, root)
