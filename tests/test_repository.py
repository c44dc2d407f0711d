"""The files in `.github`: they are valid, and the paths and commands in them exist."""

from __future__ import annotations

import os
import re
import tomllib
from itertools import chain
from pathlib import Path

import pytest
import yaml
from typer import Context
from typer.core import TyperGroup
from typer.main import get_command

import withhold
from withhold.cli.app import app

TOP = Path(__file__).parents[1]
HERE = TOP / ".github"
HOUSE = Path(withhold.__file__).parent
FORMS = sorted(path for path in (HERE / "ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml")
WORKFLOWS = sorted((HERE / "workflows").glob("*.yml"))
PAGES = sorted(HERE.rglob("*.md"))
TEXTS = [*FORMS, *WORKFLOWS, *PAGES]
TOOLS = {"pytest", "ruff", "mypy", "pyright", "python", "pip"}

pytestmark = pytest.mark.skipif(not HERE.is_dir(), reason="the dotfolders of the checkout are not beside the tests")


def named(path):
    return path.name


def paths_in(text):
    """Return the paths in a text: those in a directory of the repository, and pages at its top."""
    code = " ".join([*re.findall(r"`([^`\n]+)`", text), *re.findall(r"run: (.*)", text)])
    folders = r"(?:withhold|tests|benchmarks|\.ci|\.github)/[\w./-]*"
    return set(re.findall(rf"(?<![\w/.-])({folders}|[A-Z]+\.md|pyproject\.toml)", code))


def commands_in(text):
    """Return the words of each command in backticks, in blocks, and after `run:`."""
    code = chain(
        re.findall(r"(?<!`)`([^`\n]+)`(?!`)", text),
        *(block.splitlines() for block in re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)),
        re.findall(r"run: (.*)", text),
    )
    return [part.split() for line in code for part in line.split(" && ") if " " in part or part == ".ci/run"]


def read_workflow(file):
    """Read a workflow with all values as text, because other loaders read `on` as true."""
    return yaml.load(file.read_text(encoding="utf-8"), yaml.BaseLoader)  # noqa: S506  # creates nothing but text


def test_there_are_files_to_check():
    assert len(FORMS) == 3
    assert len(WORKFLOWS) == 2
    assert {path.name for path in PAGES} == {"CONTRIBUTING.md", "SECURITY.md"}
    everything = "\n".join(path.read_text(encoding="utf-8") for path in TEXTS)
    assert {".ci/run", "tests/cases/", "withhold/README.md"} <= paths_in(everything)
    assert ["python", "-m", "benchmarks", "--quick"] in commands_in(everything)
    assert ["withhold", "--version"] in commands_in(everything)


@pytest.mark.parametrize("file", TEXTS, ids=named)
def test_every_path_that_is_named_exists(file):
    found = paths_in(file.read_text(encoding="utf-8"))
    # The package may be installed elsewhere. `README.md` is in every room, and pages may be beside the file.
    tops = [HOUSE.parent, TOP, file.parent]
    assert [path for path in sorted(found) if not any((top / path).exists() for top in tops)] == []


@pytest.mark.parametrize("file", TEXTS, ids=named)
def test_every_command_that_is_named_exists(file):
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    for first, *others in commands_in(file.read_text(encoding="utf-8")):
        if first == "withhold":
            name, *options = others
            command = group.get_command(Context(group), name)
            assert command is not None or name == "--version"
            accepted = {option for each in command.params for option in each.opts} if command else set()
            assert {option for option in options if option.startswith("--")} <= accepted
        elif first == ".ci/run":
            assert os.access(TOP / first, os.X_OK)
        elif first == "python" and others[:2] == ["-m", "benchmarks"]:
            assert (TOP / "benchmarks" / "__main__.py").exists()


def test_every_command_in_a_block_or_a_workflow_is_a_known_tool():
    for file in (*PAGES, *WORKFLOWS):
        text = file.read_text(encoding="utf-8")
        blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        lines = [*"".join(blocks).splitlines(), *re.findall(r"run: (.*)", text)]
        assert {part.split()[0] for line in lines for part in line.split(" && ")} <= TOOLS | {".ci/run", "withhold"}


@pytest.mark.parametrize("file", WORKFLOWS, ids=named)
def test_workflows_run_with_few_rights_and_actions_by_their_major_version(file):
    workflow = read_workflow(file)
    assert workflow["permissions"] == {"contents": "read"}
    assert {"name", "on", "jobs"} <= set(workflow)
    for job in workflow["jobs"].values():
        assert job["timeout-minutes"]
        for step in job["steps"]:
            assert re.fullmatch(r"actions/[\w-]+@v\d+", step["uses"]) if "uses" in step else step["run"]


def test_ci_runs_the_script_of_the_checkout():
    ci = read_workflow(HERE / "workflows" / "ci.yml")
    assert {"push", "pull_request"} <= set(ci["on"])
    (job,) = ci["jobs"].values()
    assert {".ci/run"} == {step["run"] for step in job["steps"] if "run" in step}
    assert "${PYTHON:-" in (TOP / ".ci" / "run").read_text(encoding="utf-8")


def test_wheels_are_tested_with_the_c_modules():
    settings = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["cibuildwheel"]
    assert settings["test-command"] == ["withhold --version", "withhold demo"]
    assert settings["test-environment"] == {"WITHHOLD_REQUIRE_NATIVE": "1"}


@pytest.mark.parametrize("file", FORMS, ids=named)
def test_forms_have_the_keys_that_github_requires(file):
    form = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert set(form) <= {"name", "description", "title", "labels", "body"}
    assert form["name"]
    assert form["description"]
    ids = []
    for part in form["body"]:
        assert part["type"] in {"markdown", "textarea", "input", "dropdown", "checkboxes"}
        assert set(part) <= {"type", "id", "attributes", "validations"}
        if part["type"] == "markdown":
            assert part["attributes"]["value"]
            continue
        ids.append(part["id"])
        assert part["attributes"]["label"]
        options = part["attributes"].get("options", [])
        assert bool(options) == (part["type"] == "dropdown")
        assert all(isinstance(option, str) for option in options), "an unquoted No is false"
    assert len(ids) == len(set(ids))


def test_the_rule_in_the_form_is_valid():
    form = yaml.safe_load((HERE / "ISSUE_TEMPLATE" / "1-wrong-answer.yml").read_text(encoding="utf-8"))
    (rules,) = (part["attributes"]["placeholder"] for part in form["body"] if part.get("id") == "rules")
    (rule,) = yaml.safe_load(rules)["rules"]
    assert withhold.Rule(**rule).id == "in-1"


def test_no_file_installs_from_an_index():
    for file in sorted(path for path in HERE.rglob("*") if path.is_file()):
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"(pip install|pipx (?:install|run)|uvx?(?: \w+)*) +['\"]?withhold\b", text), file
