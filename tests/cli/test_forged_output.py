"""Nothing in a repository of rules can forge the output of a command, or a command to the CI system that prints it."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import chdir
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from typer.main import get_command
from typer.testing import CliRunner

from withhold import Engine, Rule, RuleSet, Viewer
from withhold.cli.app import app
from withhold.cli.render import formats_of
from withhold.cli.results import DiffResult, LintResult, RulesResult
from withhold.errors import control_character
from withhold.location import Resolver, TrustedProxies
from withhold.testing import assert_visible
from withhold.testing.report import Report

PIECES = [
    *(
        "::error::forged",
        "##[error]forged",
        "##vso[task.setvariable]",
        "##teamcity[x]",
        "\x1b[31m",
        "\x1b[2K\r",
        "\n",
        "\t",
    ),
    *(
        "\r",
        "\x00",
        "\x7f",
        "\x85",
        "\x9b",
        "\u2028",
        "\u202e",
        "\u2066",
        "\u061c",
        "\u200b",
        "\u00a0",
        "\ufeff",
        "\ue000",
    ),
    *(
        "`",
        "|",
        "\\|",
        "\\",
        "<b>",
        "@team",
        "[a](b)",
        "**",
        "$(x)",
        "a",
        "é",
        " ",
        "- ",
        "\U000e0041",
        "\U0001f46e",
        "\n::error::x",
    ),
]
texts = st.lists(st.sampled_from(PIECES), min_size=1, max_size=4).map("".join)
names = texts.map(lambda text: re.sub("[/\0]", "_", text)).filter(lambda name: name not in (".", ".."))
COMMANDS = [
    ["check", "RULES", "--account", "1", "--country", "IN"],
    ["explain", "RULES", "--account", "1", "--country", "IN"],
    ["explain", "RULES", "--account", "1", "--country", "IN", "--format", "json"],
    *(["find", "RULES", "--account", "1", "--format", form] for form in formats_of(RulesResult)),
    *(["list", "RULES", "--protected", "--format", form] for form in formats_of(RulesResult)),
    *(["lint", "RULES", "--format", form] for form in formats_of(LintResult)),
    *(["test", "RULES", "--coverage", "--mutate", "--format", form] for form in formats_of(Report)),
    *(["diff", "base.json", "RULES", "--audit", "--format", form] for form in formats_of(DiffResult)),
    ["compile", "RULES", "-o", "out.wh"],
    ["explain", "out.wh", "--account", "1", "--country", "IN"],
    ["lint", "out.wh"],
]


@pytest.fixture(autouse=True, scope="module")
def _commands_are_built_once():
    """Most of the time of a command is spent on building all commands."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("typer.testing._get_command", cache(get_command), raising=False)
        yield


def rule(**keys: object) -> dict[str, object]:
    return {"id": "a", "accounts": [1], "withheld_in": "IN", "reason": "legal_demand", **keys}


def is_safe(output: str) -> None:
    """Return whether a text forges nothing.

    Only the command may write newlines, and no line may be a command to the runners of GitHub, Azure or TeamCity.
    """
    for line in output.split("\n"):
        assert control_character(line) is None, repr(line)
        assert not line.lstrip().startswith("::"), repr(line)
        assert not re.search(r"##\w*\[", line), repr(line)


def printed(*, commands: list[list[str]] | None = None, rules: str = "rules") -> Iterator[tuple[list[str], str]]:
    for command in COMMANDS if commands is None else commands:
        arguments = [rules if argument == "RULES" else argument for argument in command]
        found = CliRunner().invoke(app, arguments)
        assert found.exception is None or isinstance(found.exception, SystemExit), (arguments, found.exception)
        is_safe(found.output)
        yield arguments, found.output


def write(file: Path, value: object) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")


def cases(**keys: object) -> dict[str, object]:
    """Return a failing case, so that everything about it is printed."""
    case = {"it": "hides it", "account": 1, "at": "2021-02-10T00:00:00Z", "expect": {"IN": "visible", "US": "visible"}}
    return {"rules": "in.json", "cases": [case | keys]}


@settings(max_examples=12)
@given(
    texts,
    st.sampled_from(
        ["id", "demand", "note", "override", "group", "code", "key", "country", "ids_file", "it", "protected"]
    ),
)
@example("\n::error::forged", "note")
@example("##[error]forged", "demand")
@example("::error::forged", "demand")
@example("a\\|@team <b>", "demand")
@example("\x1b[31m\n  certain     yes (forged)", "id")
def test_b5_no_text_of_a_file_forges_output(text: str, where: str) -> None:
    keys: dict[str, dict[str, object]] = {
        **{key: {key: text} for key in ("id", "demand", "note", "ids_file")},
        "override": {"override": {"no-end": text}},
        "code": {"override": {text: "why"}},
        "key": {text: 1},
        "country": {"withheld_in": [text]},
        "group": {"withheld_in": [text]},
    }
    with TemporaryDirectory() as folder, chdir(folder):
        write(Path("base.json"), {"rules": [rule(demand="B")]})
        groups = {"groups": {text: ["IN", "PK"]}} if where == "group" else {}
        write(Path("rules/in.json"), {**groups, "rules": [rule(**keys.get(where, {}))]})
        write(Path("rules/in.cases.yaml"), cases(**{"it": text} if where == "it" else {}))
        name = text if where == "protected" else "A. Writer"
        write(Path("rules/protected.yaml"), {"protected": [{"account": 1, "category": "journalist", "name": name}]})
        for arguments, output in printed():
            if "json" in arguments or "sarif" in arguments:
                json.loads(output[output.index("{") :])
            if "junit" in arguments:
                ET.fromstring(output[output.index("<?xml") :])  # noqa: S314


@settings(max_examples=8)
@given(names, st.booleans())
@example("a\n::error::forged\nb", False)
@example("::error::forged", True)
@example("\udcff\x1b", True)
def test_b5_no_name_of_a_file_forges_output(name: str, is_folder: bool) -> None:
    with TemporaryDirectory() as folder, chdir(folder):
        stem = f"{name}/in" if is_folder else name
        file, cased = Path(f"rules/{stem}.json"), Path(f"rules/{stem}.cases.yaml")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            write(file, {"rules": [rule(withheld_in=["IN", "UK"])]})
        except (OSError, ValueError):
            return  # no file can have this name
        write(cased, cases() | {"rules": file.name})
        write(Path("base.json"), {"rules": [rule(demand="B")]})
        list(printed(commands=[command for command in COMMANDS if "junit" in command or "--format" not in command]))
        list(
            printed(
                commands=[
                    ["lint", str(file)],
                    ["diff", "base.json", str(file)],
                    ["explain", str(file), "--account", "1"],
                ]
            )
        )
        with chdir("rules"):
            list(printed(commands=[["lint", "."], ["test", "."], ["test"], ["lint", "none.yaml"]]))
            write(Path("broken.json"), {"rules": 1})
            list(printed(commands=[["lint", "."], ["test", "."], ["lint", ".", "--format", "sarif"]]))
        if not is_folder:
            list(printed(commands=[["compile", "rules", "-o", f"{name}.wh"], ["compile", "rules", "-o", "base.json"]]))
            write(Path(f"{name}.mmdb"), "nothing")
            list(printed(commands=[["locate", "192.0.2.1", "--geoip", f"{name}.mmdb"]]))
            write(Path(f"{name}.csv"), "tweet,account,country,count\nx,y,z,t\n")
            list(printed(commands=[["diff", "base.json", "rules", "--traffic", f"{name}.csv"]]))


def test_b5_a_note_has_its_lines_and_none_passes_for_one_of_the_explanation() -> None:
    with TemporaryDirectory() as folder, chdir(folder):
        note = "re-imposed\n::error::forged\n\n  certain     yes (forged)\n\tfor IN only"
        write(Path("in.json"), {"rules": [rule(note=note, override={"no-end": "a\nb"})]})
        ((_, output),) = printed(commands=[["explain", "in.json", "--account", "1"]])
    assert output.splitlines()[-9:] == [
        "      note: re-imposed",
        "        | \\x3a:error::forged",
        "        |",
        "        |   certain     yes (forged)",
        "        |     for IN only",
        "      override of no-end: a",
        "        | b",
        "      read from in.json:1:12",
        "      named at in.json:1:37",
    ]


@given(texts, texts)
def test_b5_what_is_said_of_a_viewer_forges_nothing(signal: str, name: str) -> None:
    engine = Engine(RuleSet([Rule(id="a", accounts=[1], withheld_in="IN", reason="terms")]))
    is_safe(str(engine.explain((None, 1), Viewer(country="IN", signal=signal))))
    is_safe(str(Viewer(country="IN", signal=signal)))
    with pytest.raises(AssertionError) as caught:
        assert_visible(engine, (None, 1), Viewer(country="IN", signal=signal))
    is_safe(str(caught.value))
    resolver = Resolver(proxies=TrustedProxies(["10.0.0.0/8"]), cdn="cloudfront")
    for value in (signal, "US"):
        region = "".join(f"%{byte:02x}" for byte in name.encode())
        headers = {
            "CloudFront-Viewer-Country": value,
            "CloudFront-Viewer-Country-Region": region,
            "X-Forwarded-For": name,
        }
        found = resolver.resolve("10.0.0.1", headers, account_country=name)
        is_safe(str(found))
        assert str(found.viewer()).isprintable()
        assert (found.viewer().signal or "").isprintable()


def test_b5_a_message_of_sarif_has_no_active_link_and_no_placeholder(tmp_path: Path) -> None:
    rule = {"id": "[fine](https://example.org) {0}", "accounts": [1], "withheld_in": "IN", "reason": "legal_demand"}
    (tmp_path / "in.yaml").write_text(json.dumps({"rules": [rule, {**rule, "demand": "x"}]}), encoding="utf-8")
    ran = CliRunner().invoke(app, ["lint", str(tmp_path), "--format", "sarif"])
    messages = [result["message"]["text"] for result in json.loads(ran.stdout)["runs"][0]["results"]]
    named = [message for message in messages if "example.org" in message]
    assert named
    assert all(r"[fine\](https" in message and "{{0}}" in message for message in named)
