"""A command loads only its own libraries, and all commands are found by their names."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer import Context
from typer.core import TyperGroup
from typer.main import get_command

from tests.cli.test_formats import RULES
from withhold.cli.app import app

#: Libraries that only some commands need, and that take long to load.
HEAVY = {
    "sqlalchemy",
    "alembic",
    "tuf",
    "obstore",
    "pyarrow",
    "polars",
    "openpyxl",
    "babel",
    "ruamel",
    "maxminddb",
    "git",
}
SNAPSHOT_NEEDS_NOT = HEAVY | {"yaml", "withhold.lint", "withhold.testing", "withhold.location", "rich"}


def loaded_by(*arguments: str | Path) -> set[str]:
    """Return the modules that a command has loaded when it ends, with the packages that contain them."""
    code = (
        "import atexit, sys; from withhold.cli import main;"
        "atexit.register(lambda: print('loaded', *sys.modules, file=sys.stderr)); main()"
    )
    command = [sys.executable, "-c", code, *map(str, arguments)]
    found = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "NO_COLOR": "1"})
    assert found.returncode == 0, found.stderr
    return set(found.stderr.rpartition("loaded ")[2].split())


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rules") / "in.yaml"
    path.write_text(RULES, encoding="utf-8")
    return path


def test_the_version_loads_no_command() -> None:
    found = loaded_by("--version")
    assert found.isdisjoint(HEAVY | {"pydantic", "rich", "yaml"})
    assert not any(f"withhold.cli.{name}" in found for name in ("check", "options", "render", "demands"))


def test_find_in_a_snapshot_loads_no_parser(rules: Path) -> None:
    snapshot = rules.with_suffix(".wh")
    assert loaded_by("compile", rules, "-o", snapshot).isdisjoint(HEAVY)
    assert loaded_by("find", snapshot, "--account", "99").isdisjoint(SNAPSHOT_NEEDS_NOT)


@pytest.mark.parametrize("command", ["find", "check", "explain", "list", "lint"])
def test_commands_on_rules_load_no_library_of_another_room(rules: Path, command: str) -> None:
    subject = [] if command in ("list", "lint") else ["--account", "99"]
    assert loaded_by(command, rules, *subject).isdisjoint(HEAVY - {"maxminddb"})


def test_every_command_has_a_name_and_a_first_line_of_help() -> None:
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    for name in group.list_commands(Context(group)):
        command = group.get_command(Context(group), name)
        assert command is not None
        assert command.name == name
        assert command.get_short_help_str()
