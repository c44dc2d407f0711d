"""JSON Schemas of all kinds of files: what loads is valid, and mistakes of form are not."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from tests.cli.test_configuration import CONFIGURED
from tests.cli.test_fmt import TIDY
from tests.corpus import CASES
from tests.sources.test_problems import TABLE
from tests.testing.material import FINE
from withhold import RuleSet, RuleSetError
from withhold.cli.app import app
from withhold.cli.init_files import FILES
from withhold.cli.schema import Kind, schema_of
from withhold.parsing.nodes import Node, Quoted
from withhold.parsing.yaml_file import read_yaml

_INT, _FLOAT = re.compile(r"[-+]?[0-9]+"), re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
#: Codes of mistakes that a schema of the form cannot find: in the text of values, or between keys.
BEYOND = {
    *("unknown-territory", "bad-text", "control-character", "empty-period", "no-subjects", "no-territory", "bad-value"),
    *(
        "suspend-not-worldwide",
        "taken-group",
        "repeated-key",
        "repeated-rule-id",
        "unreadable-file",
        "outside-rule-set",
    ),
    *(
        "bad-note",
        "bad-id",
        "bad-demand",
        "lossy-id",
        "bad-override",
        "bad-jurisdiction",
        "not-an-instant",
        "bad-group",
    ),
    *("bad-ids-file", "cyclic-group"),
}


@cache
def validator(kind: Kind) -> Draft202012Validator:
    return Draft202012Validator(schema_of(kind))


def content(node: Node | None) -> Any:
    """Return the content of a file as editors read it, by the core schema of YAML 1.2."""
    if node is None:
        return None
    if node.items is not None:
        return [content(item) for item in node.items]
    if node.pairs is not None:
        return {key.text: content(value) for key, value in node.pairs}
    text = node.text
    if text is None or isinstance(text, Quoted):
        return text and str(text)
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    return int(text) if _INT.fullmatch(text) else float(text) if _FLOAT.fullmatch(text) else text


def is_valid(kind: Kind, text: str) -> bool:
    return validator(kind).is_valid(content(read_yaml(text, "f.yaml")))


def rule_files(value: Any) -> Iterator[str]:
    """Yield the rule files in a corpus file."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        if key == "rule_file":
            yield inner
        else:
            yield from rule_files(inner)


def corpus() -> list[str]:
    files = [yaml.load(file.read_text(encoding="utf-8"), yaml.BaseLoader) for file in CASES.rglob("*.yaml")]  # noqa: S506
    return [text for file in files for text in rule_files(file)]


@pytest.mark.parametrize("kind", Kind)
def test_each_is_a_schema_of_the_draft_that_it_names(kind: Kind) -> None:
    found = CliRunner().invoke(app, ["schema", kind])
    schema = json.loads(found.stdout)
    assert (found.exit_code, schema) == (0, schema_of(kind))
    assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    Draft202012Validator.check_schema(schema)
    references = set(re.findall(r'"#/\$defs/(\w+)"', json.dumps(schema)))
    assert references == set(schema["$defs"])


def test_an_unknown_kind_is_a_usage_error() -> None:
    found = CliRunner().invoke(app, ["schema", "rule"])
    assert (found.exit_code, found.stdout) == (2, "")


@pytest.mark.filterwarnings("ignore::withhold.RuleSetWarning")
def test_rule_files_of_the_corpus_that_load_are_valid_and_those_with_unknown_keys_are_not(tmp_path: Path) -> None:
    texts = [*corpus(), *(text for text, *_ in TABLE), TIDY, FILES["rules/in.yaml"].text]
    counts = {True: 0, False: 0}
    for text in texts:
        (tmp_path / "in.yaml").write_bytes(text.encode("utf-8", "surrogatepass"))
        try:
            RuleSet.load(tmp_path)
            codes = set()
        except RuleSetError as error:
            codes = {problem.code for problem in error.problems}
            if codes & {"bad-yaml", "yaml-alias", "second-document", "too-deep", "bad-key", "bare-return"}:
                continue  # editors report these without a schema
        valid = is_valid(Kind.RULES, text)
        if not codes:
            assert valid, text
        elif codes - BEYOND:
            assert not valid, (codes, text)
        counts[valid] += 1
    assert min(counts.values()) > 20


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Kind.CASES, FINE),
        (Kind.CASES, FILES["rules/in.cases.yaml"].text),
        (Kind.CASES, "groups: {near: [PK, US-MS], all: near}\n" + FINE.replace("US: visible", "near: visible")),
        (Kind.CASES, FINE.replace("account: 17", "accounts: [17, '18']\n    tweets: 19").replace("US", "elsewhere")),
        (Kind.CASES, FINE + "policy: {author_sees_own: true, unknown_location: null}\nroot:\n"),
        (Kind.PROTECTED, FILES["protected.yaml"].text),
        (
            Kind.PROTECTED,
            "protected:\n- {account: 1101, category: journalist, name: null}\n- {account: '7', category: activist}\n",
        ),
    ],
)
def test_other_files_that_load_are_valid(kind: Kind, text: str) -> None:
    assert is_valid(kind, text)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Kind.RULES, "{}"),
        (Kind.RULES, "rules:\n"),
        (Kind.RULES, "rules: [{id: a, reason: other}]"),
        (Kind.RULES, "rules: [{id: a, reason: terms, x_ticket: b}]"),
        (Kind.RULES, "rules: [{id: a, reason: terms, x-ticket: [b]}]"),
        (Kind.RULES, "rules: [{id: a, reason: terms, accounts: x}]"),
        (Kind.RULES, "rules: [{id: a, reason: terms, accounts: [0]}]"),
        (Kind.RULES, "rules: [{id: a, reason: terms, from: 2021-02-10}]"),
        (Kind.CASES, "rules: in.yaml\ncases: []\n"),
        (Kind.CASES, FINE.replace("expect", "expects")),
        (Kind.CASES, "groups: [PK]\n" + FINE),
        (Kind.CASES, FINE.replace("account: 17", "accounts: {17: 18}")),
        (Kind.CASES, FINE.replace("withheld", "hidden")),
        (Kind.PROTECTED, "protected: [{account: 1101}]\n"),
        (Kind.PROTECTED, "protected: [{account: 1101, category: friend}]\n"),
    ],
)
def test_mistakes_of_form_are_not_valid(kind: Kind, text: str) -> None:
    assert not is_valid(kind, text)


def test_configurations() -> None:
    for text in (CONFIGURED, FILES["withhold.toml"].text, "root = '.'\n[policy]\nauthor-sees-own = true\n"):
        assert validator(Kind.CONFIGURATION).is_valid(tomllib.loads(text)), text
    for text in (
        "fail_on = 'note'",
        "fail-on = 'never'",
        "[severity]\nno-end = 'off'",
        "ignore = ['a']",
        "[policy]\na = 1",
    ):
        assert not validator(Kind.CONFIGURATION).is_valid(tomllib.loads(text)), text


@pytest.mark.parametrize("kind", Kind)
def test_editors_show_words_for_users(kind: Kind) -> None:
    """They show titles and descriptions beside keys and in messages, such as `Expected "a rule"`."""
    schema = json.dumps(schema_of(kind), ensure_ascii=False)
    titles, descriptions = (re.findall(rf'"{name}": "([^"]*)"', schema) for name in ("title", "description"))
    assert [title for title in titles if not re.match(r"(a|the) |`", title)] == []
    assert titles
    assert [text for text in descriptions if re.search(r"\(R\d|\n|order of the members", text)] == []


def test_editors_can_complete_codes_and_checks() -> None:
    expected = schema_of(Kind.CASES)["$defs"]["_Case"]["properties"]["expect"]
    assert {"IN", "EU", "WORLD", "unknown", "elsewhere"} <= set(expected["propertyNames"]["anyOf"][0]["enum"])
    rule = schema_of(Kind.RULES)["$defs"]["RuleEntry"]["properties"]
    assert {"IN", "NO", "EU", "WORLD"} <= set(schema_of(Kind.RULES)["$defs"]["Code"]["anyOf"][0]["enum"])
    assert rule["override"]["anyOf"][0]["properties"]["no-end"]["description"].startswith("A rule should have an end")
    assert rule["from"]["description"]
