"""Rule files in: YAML, JSON, directories of them, and long lists of ids and of the protected beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from withhold.model.rule_set import Path, Progress, RuleSet

if TYPE_CHECKING:
    from withhold.model.protected import Protected


def load(path: Path, root: Path | None = None, progress: Progress | None = None) -> RuleSet:
    """Read a rule file or a directory of them; see `RuleSet.load`."""
    # Imported at the first load: a program that only maps snapshots never pays for a YAML parser.
    from withhold.sources.loader import load_files

    return load_files(path, root, progress)


def load_protected(path: Path) -> list[Protected]:
    """Read the protected accounts of one file, for `withhold.lint`; all its problems come in one `RuleSetError`."""
    from withhold.sources.protected import read_protected

    return read_protected([path])


def protected_beside(rules: Path, root: Path | None = None) -> list[Protected] | None:
    """Read every list of protected accounts that concerns a rule file or a directory of them; None if there is none.

    These are each `protected.yaml` beside the rules, below them, and above them up to the folder that holds `.git`, or in
    no repository up to `root`, by default the directory itself or that of the file. Where a link leads to a rule
    file elsewhere, those above its real place count too. The accounts of all lists are united. Raises `RuleSetError` with every problem of all lists.
    """
    from withhold.sources.protected_lists import read_around

    return read_around(rules, root)
