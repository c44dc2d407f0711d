"""Every command in every format: whatever it finds, its output is well formed, and its exit status is right."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from pkgutil import iter_modules
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from typer import Context
from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner

from tests.testing.material import FINE
from withhold import cli
from withhold.cli.app import app
from withhold.cli.output import refuse
from withhold.cli.render import Format, formats_of
from withhold.cli.results import Refusal
from withhold.engine.explain import Explanation
from withhold.errors import CaseError, Place, Problem, RuleSetError
from withhold.testing.report import Report

RULES = """\
rules:
  - id: in-1
    accounts: [17]
    withheld_in: IN
    from: 2021-02-10T00:00:00Z
    until: 2022-02-10T00:00:00Z
    reason: legal_demand
    demand: IN-D1
"""
LOG = """\
{"version":1,"at":"2021-02-10T05:00:00Z","answer_revision":"8f0c-show","country":"US","subdivisions":[],"visible":8,\
"hidden":[{"index":0,"subject":[{"tweet_id":"20","account_id":"17"}],"outcome":"withheld","certain":true,"rule_ids":["us-1"]}],\
"tombstones":[],"left_out":{"dropped":2}}
"""
FILES = {
    "fine.yaml": RULES,
    "advised.yaml": RULES.replace("IN\n", "[IN, PK]\n"),
    "refused.yaml": RULES.replace("IN\n", "DR\n").replace("[17]", "[x]"),
    "refused.wh": "WITHHOLD and no more",
    "fine.csv": "tweet,account,country\n20,17,IN\n",
    "advised.csv": "tweet,account,country\n20,17,XX\n",
    "refused.csv": "tweet,account,country\n",
    "fine.cases.yaml": FINE.replace("rules.yaml", "fine.yaml"),
    "advised.cases.yaml": FINE.replace("rules.yaml", "advised.yaml").replace("IN: withheld", "IN: visible"),
    "log.jsonl": LOG,
    "refused.cases.yaml": FINE.replace("rules.yaml", "refused.yaml"),
}
#: The arguments of each command for a file name, and its exit statuses: for valid files, and for files with a problem
#: that the command looks for.
COMMANDS: dict[str, tuple[list[str], int, int]] = {
    "check": (["{}.yaml", "--account", "17", "--country", "US"], 0, 0),
    "explain": (["{}.yaml", "--account", "17", "--country", "US"], 0, 0),
    "find": (["{}.yaml", "--account", "17"], 0, 0),
    "list": (["{}.yaml"], 0, 0),
    "lint": (["{}.yaml"], 0, 1),
    "test": (["{}.cases.yaml"], 0, 1),
    "diff": (["fine.yaml", "{}.yaml", "--exit-code"], 0, 1),
    "replay": (["log.jsonl", "{}.yaml"], 0, 0),
    "compile": (["{}.yaml", "-o", "out.wh"], 0, 0),
    "bench": (["{}.yaml"], 0, 0),
    "scan": (["{}.yaml", "{}.csv", "-o", "out.parquet"], 0, 1),
}
#: Commands that need a store of signed rules; `test_publish.py` and `test_fleet.py` try them.
OF_STORES = {"publish", "sign", "refresh", "fetch", "fleet"}
#: The rows of the table of formats: results, command, formats.
ROWS = [
    (re.findall(r"`(\w+)`", names), command.strip("`"), forms.split(", "))
    for names, command, forms in re.findall(
        r"^\| (`\w+`[^|]*) \| ([^|]+) \| ([a-z, ]+) \|$",
        files("withhold.cli.render").joinpath("README.md").read_text(encoding="utf-8"),
        re.MULTILINE,
    )
]
FORMATS = {command: forms for _, command, forms in ROWS}
ALL = [(command, form) for command in COMMANDS for form in FORMATS[command]]


@pytest.fixture(autouse=True)
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("withhold.reports.speed._QUESTIONS", 100)
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def run(command: str, name: str, form: str, *more: str) -> Any:
    arguments, _, _ = COMMANDS[command]
    return CliRunner().invoke(app, [command, *(each.format(name) for each in arguments), "--format", form, *more])


def read(form: str, text: str) -> Any:
    """Return the content of well-formed output in a format."""
    if form in ("json", "sarif"):
        found = json.loads(text)
        assert form == "json" or found["version"] == "2.1.0"
        return found
    if form == "junit":
        return ET.fromstring(text)  # noqa: S314  # our own
    if form == "markdown":
        assert text.startswith(("### ", "**"))
        assert text.count("<details>") == text.count("</details>")
    return text


@pytest.mark.parametrize(("command", "form"), ALL)
def test_e7_every_format_has_an_answer_to_fine_and_to_other_rules(command: str, form: str) -> None:
    _, fine, other = COMMANDS[command]
    for name, status in (("fine", fine), ("advised", other)):
        more = ["--fail-on", "note"] if command == "lint" and name == "advised" else []
        found = run(command, name, form, *more)
        assert (found.exit_code, type(found.exception)) in ((status, type(None)), (status, SystemExit)), found.output
        assert found.stdout, name
        assert read(form, found.stdout) is not None, name


@pytest.mark.parametrize(("command", "form"), ALL)
def test_e7_every_format_says_why_rules_were_refused(command: str, form: str) -> None:
    found = run(command, "refused", form)
    assert found.exit_code == 4, found.output
    assert isinstance(found.exception, SystemExit)
    printed = read(form, found.stdout)
    if form == "text":
        printed = found.output
    elif form == "json":
        assert (printed["valid"], printed["fine"], len(printed["problems"])) == (False, False, 2)
    elif form == "junit":
        assert printed.get("errors") == "2"
        printed = ET.tostring(printed, encoding="unicode")
    for code in ("bad-id", "unknown-territory"):
        assert code in str(printed)


@pytest.mark.parametrize("form", FORMATS["lint"])
def test_e7_a_snapshot_that_is_refused_is_refused_in_every_format(form: str) -> None:
    found = CliRunner().invoke(app, ["lint", "refused.wh", "--format", form])
    assert (found.exit_code, "not-a-snapshot" in str(read(form, found.stdout))) == (4, True)


@pytest.mark.parametrize(("command", "form"), ALL)
def test_e7_nothing_is_answered_about_a_path_that_is_not_there(command: str, form: str) -> None:
    found = run(command, "missing", form)
    assert (found.exit_code, found.stdout) == (2, "")
    assert "missing" in found.stderr


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("form", [*Format, "yaml"])
def test_e7_a_command_refuses_the_formats_it_has_not(command: str, form: str) -> None:
    known = FORMATS[command]
    if form not in known:
        found = run(command, "fine", form)
        assert (found.exit_code, found.stdout) == (2, "")
        assert f"`{form}` is not one of `text`, `json`" in found.stderr


def test_commands_offer_the_formats_of_the_table() -> None:
    for command in FORMATS.keys() & _names():
        assert f"[{'|'.join(FORMATS[command])}]" in CliRunner().invoke(app, [command, "--help"]).stdout


def test_every_command_that_reads_rules_or_cases_is_tried() -> None:
    assert (
        set(COMMANDS) == _names() - {"locate", "demo", "fmt", "init", "schema", "code", "import", "export"} - OF_STORES
    )


def test_the_table_of_commands_lists_all() -> None:
    page = files("withhold.cli").joinpath("README.md").read_text(encoding="utf-8")
    rows = page.partition("## Exit statuses")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", rows, re.MULTILINE)) == _names()


def _names() -> set[str]:
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    return {name for name in group.commands if not isinstance(group.get_command(Context(group), name), TyperGroup)}


def test_the_table_of_formats_lists_what_each_result_can_be_rendered_in() -> None:
    listed = {name: forms for names, _, forms in ROWS for name in names}
    modules = (import_module(f"withhold.cli.{module.name}") for module in iter_modules(cli.__path__))
    kinds = {Explanation, Report, Refusal}
    kinds |= {kind for module in modules for name, kind in vars(module).items() if name.endswith("Result")}
    assert listed == {kind.__name__: [*map(str, formats_of(kind))] for kind in kinds}


@pytest.mark.parametrize("form", Format)
@pytest.mark.parametrize("error", [RuleSetError, lambda problems: CaseError(*problems)], ids=["rules", "cases"])
def test_e7_files_can_be_refused_in_any_format(
    form: Format, error: Callable[[list[Problem]], RuleSetError | CaseError], capsys: pytest.CaptureFixture[str]
) -> None:
    """Also in formats that no command uses for such files yet."""
    problems = [Problem("bad-id", f"id `x{count}` is no id", Place("in.yaml", count, 1)) for count in (1, 2)]
    written: list[str] = []
    assert refuse(Refusal(error(problems), Path("in.yaml")), form).exit_code == 4
    found = capsys.readouterr()
    assert refuse(Refusal(error(problems), Path("in.yaml")), form, write=written.append).exit_code == 4
    read(form, written[0])
    assert "x2" in written[0]
    assert found.out == ("" if form is Format.TEXT else written[0])


def test_e4_many_problems_fit_into_a_comment_and_no_name_of_a_file_is_markup() -> None:
    problems = [Problem("bad-id", f"id `{n}` is no id", Place("<b>\n@all" * 20, n)) for n in range(1, 2_001)]
    written: list[str] = []
    refuse(Refusal(RuleSetError(problems), Path("in.yaml")), Format.MARKDOWN, write=written.append)
    assert len(written[0].encode()) < 65_536
    head, blank, *lines = written[0].splitlines()
    assert (head, blank) == ("**the rule set was refused: 2,000 problems**", "")
    assert all(line.startswith("    ") for line in lines), "code, line by line"
    left = int(lines[-1].split()[2].replace(",", ""))
    assert lines[-1] == f"    … and {left:,} more"
    assert len(lines) - 1 + left == 2_000
