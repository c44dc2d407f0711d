"""Rules and repositories for tests of `withhold diff`."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest
from typer.testing import CliRunner

from withhold.cli.app import app

RULES = """\
rules:
  - id: in-1
    accounts: [17, 18]
    ids_file: ids.csv
    withheld_in: IN
    from: 2021-02-10T05:00:00Z
    reason: legal_demand
"""

CHANGED = RULES.replace("[17, 18]", "[17]")

git_is_there = pytest.mark.skipif(shutil.which("git") is None, reason="git is not there")


def run(*arguments):
    return CliRunner().invoke(app, ["diff", *map(str, arguments)])


@pytest.fixture
def sides(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in (("old", RULES), ("new", CHANGED)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "in.yaml").write_text(text, encoding="utf-8")
        (tmp_path / name / "ids.csv").write_text("kind,id\ntweet,20\n", encoding="utf-8")
    return tmp_path


def _git(*arguments):
    name = {"GIT_AUTHOR_NAME": "n", "GIT_AUTHOR_EMAIL": "e", "GIT_COMMITTER_NAME": "n", "GIT_COMMITTER_EMAIL": "e"}
    alone = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(["git", *arguments], check=True, capture_output=True, env={**os.environ, **name, **alone})  # noqa: S607


@pytest.fixture
def repository(sides):
    """A repository with two commits on main, a tag `first`, and unreadable rules in the work tree."""
    (sides / "old").rename(sides / "rules")
    _git("init", "--quiet", "--initial-branch=main", ".")
    (sides / "rules" / ".gitattributes").write_text("*.yaml export-ignore\n*.csv eol=crlf\n", encoding="utf-8")
    for name, text in (("first", RULES), ("origin/second", CHANGED)):
        (sides / "rules" / "in.yaml").write_text(text, encoding="utf-8")
        _git("add", "rules")
        _git("commit", "--quiet", "--message", name)
        _git("tag", name)
    (sides / "rules" / "in.yaml").write_text("rules: [", encoding="utf-8")
    return sides
