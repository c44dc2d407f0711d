"""Rule files in: YAML, JSON, directories of them, and long lists of ids beside them."""

from __future__ import annotations

from withhold.model.rule_set import Path, Progress, RuleSet


def load(path: Path, progress: Progress | None = None) -> RuleSet:
    """Read a rule file or a directory of them; see `RuleSet.load`."""
    # Imported at the first load: a program that only maps snapshots never pays for a YAML parser.
    from withhold.sources.loader import load_files

    return load_files(path, progress)
