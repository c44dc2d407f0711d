"""The files that `withhold init` writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class File(NamedTuple):
    """A file, and what it is for."""

    purpose: str
    text: str


_CONFIGURATION = """\
# The configuration of the commands, when they run in this directory or below.
fail-on = "warning"  # the lowest severity at which `withhold lint` fails: error, warning or note
protected = ["protected.yaml"]

# [severity]
# no-end = "warning"

# [ignore]
# "rules/archive" = ["no-end"]  # these are counted, and listed in JSON and SARIF
"""

_RULES = """\
# Replace this rule by yours. `withhold lint rules` checks them.
rules:
  - id: in-d1-2021-02-10
    accounts: [1101, 1102]
    withheld_in: [IN]
    from: 2021-02-10T10:30:00+05:30
    until: 2021-08-10T10:30:00+05:30
    reason: legal_demand
    demand: IN-D1
    jurisdiction: IN
    x-ticket: LEGAL-1  # keys that begin with `x-` are yours
"""

_CASES = """\
# The outcomes that viewers must get. `withhold test rules --mutate` runs these cases, and reports untested behaviour.
rules: in.yaml
cases:
  - it: hides the first account in India only, from the moment of the order
    account: 1101
    at: 2021-02-10T10:30:00+05:30
    expect: {IN: withheld, US: visible, unknown: visible}
    because: in-d1-2021-02-10
  - it: hides the second account too
    account: 1102
    at: 2021-02-10T10:30:00+05:30
    expect: {IN: withheld}
  - it: shows the account the second before
    account: 1101
    at: 2021-02-10T10:29:59+05:30
    expect: {IN: visible}
  - it: hides the account up to the last second
    account: 1101
    at: 2021-08-10T10:29:59+05:30
    expect: {IN: withheld}
  - it: shows the account again from the end on
    account: 1101
    at: 2021-08-10T10:30:00+05:30
    expect: {IN: visible}
"""

_PROTECTED = """\
# Accounts that no rule may name without an override, which states who decided this and why:
# - {account: 1103, category: journalist, name: A. Writer}
protected: []
"""

_HOOKS = """\
# `pre-commit install` runs these before each commit. They check all rules together, so they take no file names.
repos:
  - repo: local
    hooks:
      - id: withhold-fmt
        name: format of the rules
        entry: withhold fmt --check rules protected.yaml
        language: system
        files: &files ^(rules/|protected\\.yaml$|withhold\\.toml$)
        pass_filenames: false
      - id: withhold-lint
        name: problems of the rules
        entry: withhold lint rules
        language: system
        files: *files
        pass_filenames: false
      - id: withhold-test
        name: cases of the rules
        entry: withhold test rules
        language: system
        files: *files
        pass_filenames: false
"""

_WORKFLOW = """\
on: pull_request
permissions: {contents: read, security-events: write}
jobs:
  rules:
    runs-on: ubuntu-latest
    env: {BASE: "refs/remotes/origin/${{ github.base_ref }}"}
    steps:
      - uses: actions/checkout@v4
        with: {fetch-depth: 0} # `diff` needs the other revision too
      # Name your own copy of the repository of withhold, and a commit that you have reviewed.
      - run: pip install 'withhold[cli] @ git+https://git.example.org/withhold@5fc1695cd58fdebffd3d1e58f3766efc95f59253'
      - run: withhold fmt --check rules protected.yaml
      # The log is outside the checkout, where no committed link can have its name.
      - run: withhold lint rules --format sarif > ../rules.sarif || withhold lint rules
      - uses: github/codeql-action/upload-sarif@v3
        if: always() # also if the step before failed
        with: {sarif_file: ../rules.sarif}
      - run: withhold test rules --coverage --mutation-threshold 100
      # The pull request that adds the first rules has nothing to compare with.
      - run: |
          ! git cat-file -e "$BASE:rules" || withhold diff "$BASE" HEAD^0 --format markdown >> "$GITHUB_STEP_SUMMARY"
        if: always() # also if a case failed
"""

FILES: Mapping[str, File] = {
    "rules/in.yaml": File("an example rule, to be replaced by yours", _RULES),
    "rules/in.cases.yaml": File("the outcomes that viewers must get", _CASES),
    "protected.yaml": File("accounts that no rule may name without a reason", _PROTECTED),
    "withhold.toml": File("the configuration of the commands", _CONFIGURATION),
    ".github/workflows/rules.yaml": File("checks of each pull request, on GitHub", _WORKFLOW),
    ".pre-commit-config.yaml": File("checks before each commit, by pre-commit", _HOOKS),
}
