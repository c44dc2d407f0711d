"""What the README shows is what happens: its files are written, its Python and its commands run."""

from __future__ import annotations

import doctest
import os
import re
import shlex
import shutil
import subprocess
import sys
from importlib.resources import as_file, files
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from withhold.cli.app import app

README = Path(__file__).parents[1] / "README.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def blocks():
    return BLOCK.findall(README.read_text(encoding="utf-8"))


@pytest.fixture
def there(blocks, tmp_path, monkeypatch):
    """A folder with the files that the README shows, each named in its first line."""
    for kind, text in blocks:
        if kind in ("yaml", "csv"):
            file = tmp_path / text.removeprefix("# ").partition("\n")[0]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
    with as_file(files("withhold.cli") / "demo_data" / "demo.mmdb") as database:
        shutil.copy(database, tmp_path / "demo.mmdb")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_python_runs(blocks, there):
    text = "\n".join(text for kind, text in blocks if kind == "python")
    test = doctest.DocTestParser().get_doctest(text, {}, "README.md", "README.md", 0)
    assert len(test.examples) > 20
    failures: list[str] = []
    doctest.DocTestRunner(verbose=False).run(test, out=failures.append)
    assert not failures, "".join(failures)


def test_the_commands_print_what_is_shown(blocks, there):
    shown = "".join(text for kind, text in blocks if kind == "console")
    commands = re.split(r"^\$ ", shown, flags=re.MULTILINE)[1:]
    assert len(commands) >= 5
    for command in commands:
        line, _, wanted = command.partition("\n")
        program, *arguments = shlex.split(line)
        assert program == "withhold"
        found = CliRunner().invoke(app, arguments).output
        assert found.replace(os.sep, "/") == wanted, line


def test_the_set_up_commands_are_the_promised_ones(blocks):
    text = "".join(text for kind, text in blocks if kind == "sh")
    assert "pip install '.[cli]' && withhold demo" in text
    assert "pip install '.[test]' && pytest" in text


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not there")
def test_the_workflow_passes_with_the_rules_that_are_shown(blocks, there, monkeypatch):
    """As it runs on a pull request, and what is to be typed on a desk."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(there / "summary.md"))
    workflow = yaml.safe_load((there / ".github" / "workflows" / "rules.yaml").read_text(encoding="utf-8"))
    run = [step["run"] for step in workflow["jobs"]["rules"]["steps"] if "run" in step]
    assert [command.split()[:2] for command in run] == [
        ["pip", "install"],
        *(["withhold", command] for command in ("lint", "test", "diff", "compile")),
    ]
    (desk,) = (text for kind, text in blocks if kind == "sh" and "merge-base" in text)
    git = "git -c user.name=n -c user.email=e"
    begin = (
        f"{git} init -q -b main . && git add . && {git} commit -qm one",
        "git update-ref refs/remotes/origin/main main",
    )
    environment = {**os.environ, "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))}
    for command in (*begin, *run[1:], *desk.splitlines()):
        done = subprocess.run(command, shell=True, env=environment, capture_output=True, text=True, check=False)  # noqa: S602
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    assert "no viewer gets another outcome" in (there / "summary.md").read_text(encoding="utf-8")


def test_nothing_is_left_to_be_filled_in():
    prose = BLOCK.sub("", README.read_text(encoding="utf-8"))
    assert not re.findall(r"^[A-Z]{5,}$|TODO|XXX|TBD", prose, re.MULTILINE)
