"""Shell completion is installed by an option, and completes commands, options and codes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from withhold.cli.app import app


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("withhold")), *arguments]
    return subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)


@pytest.mark.skipif(os.name != "posix", reason="other shells are used there")
def test_completion_installs_and_completes(tmp_path: Path) -> None:
    done = run("--install-completion", "bash", HOME=str(tmp_path), _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert done.returncode == 0, done.stderr
    (script,) = (path for path in tmp_path.rglob("*") if path.is_file() and path.name != ".bashrc")
    assert "_WITHHOLD_COMPLETE=complete_bash" in script.read_text()
    assert str(script) in (tmp_path / ".bashrc").read_text()
    for line, wanted in (
        ("withhold li", "lint"),
        ("withhold code no-en", "no-end"),
        ("withhold lint --fail", "--fail-on"),
    ):
        environment = {"_WITHHOLD_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
        found = CliRunner().invoke(app, prog_name="withhold", env=environment)
        assert wanted in found.stdout.split(), found.output
