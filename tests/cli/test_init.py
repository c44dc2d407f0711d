"""`withhold init` makes a repository that passes lint, test and mutation, and replaces no file."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from withhold.cli.app import app
from withhold.cli.init_files import FILES

TEXT = """\
wrote 6 files to .:
  rules/in.yaml                 an example rule, to be replaced by yours
  rules/in.cases.yaml           the outcomes that viewers must get
  protected.yaml                accounts that no rule may name without a reason
  withhold.toml                 the configuration of the commands
  .github/workflows/rules.yaml  checks of each pull request, on GitHub
  .pre-commit-config.yaml       checks before each commit, by pre-commit
next:
  withhold lint rules
  withhold test rules --mutate
"""


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str, **more: Any) -> Any:
    return CliRunner().invoke(app, list(arguments), **more)


@pytest.mark.parametrize("terminal", [True, False])
def test_the_text_fits_into_80_columns(there: Path, terminal: bool) -> None:
    found = run("init", env={"COLUMNS": "80", "FORCE_COLOR": "1", "TERM": "dumb"} if terminal else {})
    assert (found.exit_code, found.stdout) == (0, TEXT)
    assert max(map(len, found.stdout.splitlines())) <= 80
    assert {str(path.relative_to(there)) for path in there.rglob("*") if path.is_file()} == set(FILES)


def test_json_names_the_files(there: Path) -> None:
    answer = json.loads(run("init", "desk/rules of x", "--format", "json").stdout)
    assert (answer["directory"], set(answer["files"])) == ("desk/rules of x", set(FILES))
    assert (there / "desk" / "rules of x" / "withhold.toml").exists()
    assert "  cd 'other one'\n" in run("init", "other one").stdout


def test_nothing_is_written_if_a_file_exists(there: Path) -> None:
    (there / "protected.yaml").write_text("mine")
    (there / "rules").mkdir()
    (there / "rules" / "in.yaml").write_text("mine")
    found = run("init")
    assert (found.exit_code, found.stdout) == (2, "")
    assert "rules/in.yaml, protected.yaml" in " ".join(found.stderr.replace("│", "").split())
    assert sorted(path.name for path in there.rglob("*")) == ["in.yaml", "protected.yaml", "rules"]


@pytest.mark.skipif(os.name != "posix", reason="links need no rights there")
def test_no_link_is_followed(there: Path) -> None:
    inside, outside = there / "repository", there / "outside"
    (inside / ".git").mkdir(parents=True)
    outside.mkdir()
    (inside / "rules").symlink_to("../outside")
    assert run("init", str(inside)).exit_code == 2
    (inside / "rules").unlink()
    (inside / "withhold.toml").symlink_to("nowhere")
    assert run("init", str(inside)).exit_code == 2
    assert list(outside.iterdir()) == []


@pytest.fixture
def environment() -> dict[str, str]:
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    git = {f"GIT_{who}_{what}": "n" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    return {**os.environ, **git, "PATH": path, "GIT_CONFIG_GLOBAL": os.devnull}


def test_the_repository_passes_everything(there: Path) -> None:
    assert run("init").exit_code == 0
    for command in (
        ["lint", "rules", "--fail-on", "note"],
        ["fmt", "--check", "."],
        ["test", "rules", "--coverage", "--fail-under", "100", "--mutate", "--mutation-threshold", "100"],
    ):
        found = run(*command)
        assert found.exit_code == 0, found.output
    assert "0 protected accounts" in run("lint", "rules").stdout
    assert "configured by withhold.toml" in run("lint", "rules").stdout


@pytest.mark.skipif(not (shutil.which("git") and shutil.which("bash")), reason="git or bash is not installed")
def test_the_workflow_and_the_hooks_run(there: Path, environment: dict[str, str]) -> None:
    """Each command is run as GitHub and pre-commit do, first with nothing on `main` and then with the same rules."""
    assert run("init").exit_code == 0
    hooks = yaml.safe_load((there / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    assert all(hook["pass_filenames"] is False and hook["language"] == "system" for hook in hooks)
    assert all(re.search(hook["files"], name) for hook in hooks for name in ("rules/in.yaml", "withhold.toml"))
    job = yaml.safe_load((there / ".github" / "workflows" / "rules.yaml").read_text())["jobs"]["rules"]
    steps = [step["run"] for step in job["steps"] if "run" in step]
    assert steps.pop(0).startswith("pip install 'withhold[cli] @ git+https://")
    assert job["env"] == {"BASE": "refs/remotes/origin/${{ github.base_ref }}"}
    environment |= {"BASE": "refs/remotes/origin/main", "GITHUB_STEP_SUMMARY": str(there / "summary.md")}
    commands = [
        "git init -q -b main . && git commit -q --allow-empty -m none && git update-ref refs/remotes/origin/main main",
        *(hook["entry"] for hook in hooks),
        "git add rules && git commit -q -m first",
        *steps,
        "! test -e summary.md",
        "git update-ref refs/remotes/origin/main main",
        steps[-1],
    ]
    for command in commands:
        if re.fullmatch(r"withhold [\w. -]+", command):  # without a shell this is faster
            assert run(*command.split()[1:]).exit_code == 0, command
            continue
        line = ["bash", "-e", "-c", command]
        done = subprocess.run(line, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    assert "no viewer gets a different outcome" in (there / "summary.md").read_text(encoding="utf-8")
