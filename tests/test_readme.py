"""The examples of all READMEs: their files are written, and their Python and commands run."""

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

import withhold
from withhold.cli.app import app

TOP = Path(__file__).parents[1]
README = TOP / "README.md"
ROOMS = Path(withhold.__file__).parent
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
#: The front page, and the page of each room; wheels include the latter.
PAGES = [README, *sorted(ROOMS.rglob("README.md")), TOP / "benchmarks" / "README.md"]
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)


def blocks_of(page, *kinds):
    return [text for kind, text in BLOCK.findall(page.read_text(encoding="utf-8")) if kind in kinds]


@pytest.fixture
def there(page, tmp_path, monkeypatch):
    """Return a directory with the files of a page; the first line of each has its name."""
    for kind in ("yaml", "csv", "jsonl"):
        for text in blocks_of(page, kind):
            name, _, rest = text.removeprefix("# ").partition("\n")
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(rest if kind == "jsonl" else text, encoding="utf-8")  # JSON has no comments
    with as_file(files("withhold.cli") / "demo_data" / "demo.mmdb") as database:
        shutil.copy(database, tmp_path / "demo.mmdb")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@each_page
def test_the_python_runs(page, there):
    text = "\n".join(blocks_of(page, "python"))
    test = doctest.DocTestParser().get_doctest(text, {}, page.name, str(page), 0)
    failures: list[str] = []
    doctest.DocTestRunner(verbose=False).run(test, out=failures.append)
    assert not failures, "".join(failures)


@each_page
def test_the_commands_print_the_output_of_the_page(page, there):
    commands = re.split(r"^\$ ", "".join(blocks_of(page, "console")), flags=re.MULTILINE)[1:]
    for command in commands:
        line, _, wanted = command.partition("\n")
        program, *arguments = shlex.split(line)
        assert program == "withhold"
        found = CliRunner().invoke(app, arguments).output
        assert found.replace(os.sep, "/") == wanted, line


def test_there_are_pages_and_examples_to_run():
    assert {page.parent.name for page in PAGES} >= {
        "engine",
        "lint",
        "location",
        "reports",
        "snapshot",
        "sources",
        "testing",
    }
    assert sum(text.count(">>> ") for page in PAGES for text in blocks_of(page, "python")) > 50
    assert sum(text.count("$ withhold") for page in PAGES for text in blocks_of(page, "console")) >= 10


def test_every_room_has_a_page():
    rooms = {path.parent for path in ROOMS.rglob("*.py")} - {ROOMS / "native"}
    # Alembic runs the migrations, and the page of the ledger describes them.
    data = {"demo_data", "migrations", "versions"}
    assert {page.parent for page in PAGES} >= {room for room in rooms if room.name not in data}


@each_page
def test_links_have_targets(page):
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", BLOCK.sub("", page.read_text(encoding="utf-8"))):
        assert (page.parent / target).exists() or page.parent not in TOP.parents, target


def test_the_readme_has_both_commands():
    text = "".join(blocks_of(README, "sh"))
    assert "pip install '.[cli]' && withhold demo" in text
    assert "pip install '.[test]' && pytest" in text


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
@pytest.mark.parametrize("page", [ROOMS / "reports" / "README.md"], ids=["reports"])
def test_the_workflow_passes_with_the_rules_of_the_page(page, there, monkeypatch):
    """Run the workflow of a pull request, and the commands for a developer's machine."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(there / "summary.md"))
    workflow = yaml.safe_load((there / ".github" / "workflows" / "rules.yaml").read_text(encoding="utf-8"))
    run = [step["run"] for step in workflow["jobs"]["rules"]["steps"] if "run" in step]
    assert [command.split()[:2] for command in run] == [
        ["pip", "install"],
        *(["withhold", command] for command in ("lint", "test", "diff", "compile")),
    ]
    (desk,) = (text for text in blocks_of(page, "sh") if "merge-base" in text)
    git = "git -c user.name=n -c user.email=e"
    begin = (
        f"{git} init -q -b main . && git add . && {git} commit -qm one",
        "git update-ref refs/remotes/origin/main main",
    )
    environment = {**os.environ, "PATH": os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))}
    for command in (*begin, *run[1:], *desk.splitlines()):
        done = subprocess.run(command, shell=True, env=environment, capture_output=True, text=True, check=False)  # noqa: S602
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    assert "no viewer gets a different outcome" in (there / "summary.md").read_text(encoding="utf-8")


@each_page
def test_pages_have_no_placeholders(page):
    prose = BLOCK.sub("", page.read_text(encoding="utf-8"))
    assert not re.findall(r"^[A-Z]{5,}$|TODO|XXX|TBD", prose, re.MULTILINE)
