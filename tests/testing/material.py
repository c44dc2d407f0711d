"""Case files and rules for single tests, and files built from values."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from withhold import Policy, RuleSet
from withhold.testing.cases import Case, CaseFile
from withhold.testing.questions import Index
from withhold.testing.suite import Library

RULES = """\
rules:
  - id: in-1
    accounts: [17]
    withheld_in: IN
    from: 2021-02-10T00:00:00Z
    reason: legal_demand
"""

#: A valid case, indented as an item of `cases`.
CASE = """\
  - it: withholds it
    account: 17
    at: 2021-02-10T00:00:00Z
    expect: {IN: withheld, US: visible}
"""
FINE = f"rules: rules.yaml\ncases:\n{CASE}"


def write(folder: Path, **files: str) -> None:
    """Write `rules` and the other given files, each with its file name ending."""
    for name, text in files.items():
        ending = "yaml" if name == "rules" else "cases.yaml"
        (folder / f"{name}.{ending}").write_text(text, encoding="utf-8")


def case_file(rules: RuleSet, cases: Iterable[Case], policy: Policy, name: str = "all") -> CaseFile:
    return CaseFile(Path(f"{name}.cases.yaml"), Path(f"{name}-rules"), rules, policy, tuple(cases))


def indexed(*files: CaseFile) -> Index:
    return Index(files, Library())
