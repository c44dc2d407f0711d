"""The table of checks in `withhold/lint/README.md`; `python -m tests.lint.check_table` writes it anew."""

from __future__ import annotations

import re
from pathlib import Path

import withhold.lint
from withhold.lint import CHECKS

README = Path(withhold.lint.__file__).with_name("README.md")
HEAD = "| code | severity | requirement |\n|---|---|---|\n"
_TABLE = re.compile(rf"{re.escape(HEAD)}((?:\|.*\n)*)")


def rows() -> str:
    """Return the rows of the table, one for each check."""
    return "".join(f"| `{check.code}` | {check.severity} | {check.summary.rstrip('.')} |\n" for check in CHECKS)


def rows_in_readme() -> str:
    """Return the rows that the README has now."""
    found = _TABLE.search(README.read_text(encoding="utf-8"))
    assert found is not None, "the README has no table of checks"
    return found[1]


if __name__ == "__main__":
    text = README.read_text(encoding="utf-8")
    README.write_text(text.replace(HEAD + rows_in_readme(), HEAD + rows()), encoding="utf-8")
