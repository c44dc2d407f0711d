"""Settings of all tests: every message is checked for its style, Hypothesis has no deadline, and nothing is synced."""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path
from sqlite3 import Connection

import pytest
import typer.testing
from hypothesis import HealthCheck, settings

import withhold
from withhold.errors import Problem
from withhold.ledger import database
from withhold.ledger.database import _set_up_sqlite

# The terminal of the user must not change the width and the colours of printed text, nor may variables stand in for options.
_OF_TERMINALS = {"COLUMNS", "LINES", "TERMINAL_WIDTH", "TTY_COMPATIBLE", "TTY_INTERACTIVE"}
_OF_COLOURS = {"FORCE_COLOR", "NO_COLOR", "PY_COLORS", "GITHUB_ACTIONS"}
_OF_RUNS = {f"WITHHOLD_{name}" for name in ("TEST_POSTGRES", "PURE_PYTHON", "REQUIRE_NATIVE", "WRITE_SNAPSHOTS")}
for _name in set(os.environ) - _OF_RUNS:
    if _name in _OF_TERMINALS | _OF_COLOURS or _name.startswith("WITHHOLD_"):
        del os.environ[_name]

# Tests check answers, and a slow machine must not make them fail.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")

#: The pages that document error codes: those of checks, and all others.
PAGES = [Path(withhold.__file__).with_name("ERRORS.md"), Path(withhold.__file__).parent / "lint" / "README.md"]
DOCUMENTED = {
    code for page in PAGES for code in re.findall(r"(?m)^\| `([a-z0-9-]+)` \|", page.read_text(encoding="utf-8"))
}

#: Codes of schemas that exist only in tests.
_OF_TESTS = {"bad-outer", "unknown-colour"}

_QUOTED = re.compile(r"`[^`]*`")


def _in_style(problem: Problem) -> None:
    """Assert that a problem begins in lower case, has no full stop, is one line, and has a documented code."""
    for text in filter(None, (problem.message, problem.hint)):
        bare = _QUOTED.sub("", text)
        begins = text[0] == "`" or not text[0].isupper() or text.split()[0].isupper() or text.startswith("Twitter")
        assert begins, f"a message begins in lower case: {text}"
        assert not bare.endswith("."), f"a message has no full stop: {text}"
        assert "\n" not in bare, f"a message is one line: {text}"
    assert problem.code in DOCUMENTED | _OF_TESTS, f"`{problem.code}` has no row in withhold/ERRORS.md"


@pytest.fixture(autouse=True, scope="session")
def _messages_in_style():
    """Check the style of every problem that any test causes."""
    plain = Problem.__init__

    def checked(self, *args, **kwargs):
        plain(self, *args, **kwargs)
        _in_style(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Problem, "__init__", checked)
        yield


@pytest.fixture(autouse=True, scope="session")
def _commands_made_once():
    """Make the commands once. A `CliRunner` makes all of them in each call, which takes longer than most of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typer.testing, "_get_command", cache(typer.main.get_command))
        yield


@pytest.fixture(autouse=True, scope="session")
def _nothing_waits_for_the_disk():
    """Sync nothing: tests kill processes, which loses nothing that was written, but never the machine.

    Syncing would take most of the time of the tests that save many snapshots or write to ledgers in SQLite.
    """

    def set_up(connection: Connection, record: object) -> None:
        _set_up_sqlite(connection, record)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,), "ledgers are synced fully"
        connection.execute("PRAGMA synchronous=OFF")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", os.fstat)  # which refuses invalid descriptors too
        patch.setattr(database, "_set_up_sqlite", set_up)
        yield
