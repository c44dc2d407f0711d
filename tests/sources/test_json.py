"""Valid JSON is read, and invalid JSON is refused with the place of the error."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tests.sources.writing import refusal, reported, write
from withhold import RuleSet
from withhold.parsing import yaml_file


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ('{"rules": [],}', "1:14", "expected a key in double quotes"),
        ('{"rules": [1,]}', "1:14", "expected a value"),
        ('{"rules": [1 2]}', "1:14", "expected `,` or `]`"),
        ('{"rules": [] "x": 1}', "1:14", "expected `,` or `}`"),
        ('{"rules" []}', "1:10", "expected `:` after a key"),
        ("{'rules': []}", "1:2", "expected a key in double quotes"),
        ("{rules: []}", "1:2", "expected a key in double quotes"),
        ('{"rules": []} x', "1:15", "text follows the value"),
        ('{"rules": []}{}', "1:14", "text follows the value"),
        ('{"rules": [01]}', "1:13", "expected `,` or `]`"),
        ('{"rules": [+1]}', "1:12", "expected a value"),
        ('{"rules": [.5]}', "1:12", "expected a value"),
        ('{"rules": [NaN]}', "1:12", "expected a value"),
        ('{"rules": [Infinity]}', "1:12", "expected a value"),
        ('{"rules": [True]}', "1:12", "expected a value"),
        ('{"rules": [١]}', "1:12", "expected a value"),
        ('{"rules": [}', "1:12", "expected a value"),
        ('{"rules": ]', "1:11", "expected a value"),
        ('{\n\t"rules": [\n\t\t// all\n\t]}', "3:3", "expected a value"),
        ('{"rules": [', "1:12", "expected a value"),
        ('{"rules": [{}', "1:14", "expected `,` or `]`"),
        ("{", "1:2", "expected a key in double quotes"),
        ('{"a": "b', "1:7", None),
        ('{"a": "b\n"}', "1:9", None),
        ('{"a": "\\x41"}', "1:8", None),
        ('{"a": "\\u12"}', "1:9", None),
        ('{"a": "\t"}', "1:8", None),
        ("\u00a0{}", "1:1", "expected a value"),
    ],
)
def test_what_is_no_json_is_told_where_it_goes_wrong(
    tmp_path: Path, text: str, place: str, message: str | None
) -> None:
    with pytest.raises(json.JSONDecodeError):
        json.loads(text, parse_constant=lambda name: json.loads("!"))
    write(tmp_path, {"in.json": text})
    error = refusal(tmp_path)
    assert reported(error, tmp_path) == [f"in.json:{place} bad-json"]
    if message is not None:
        assert error.problems[0].message == f"this is not JSON: {message}"


@pytest.mark.parametrize("text", ['{"a": "b', '{"a": "b\n"}', '{"a": "\\x41"}', '{"a": "\\u12"}'])
def test_a_message_is_a_whole_sentence(tmp_path: Path, text: str) -> None:
    """Messages of the standard library end before a place: `Unterminated string starting at`."""
    write(tmp_path, {"in.json": text})
    (problem,) = refusal(tmp_path).problems
    assert not problem.message.endswith((" at", ":", " "))
    assert "\\uxxxx" not in problem.message, "values in a message keep their case"


@pytest.mark.parametrize(
    ("text", "place"),
    [('{"rules": ["\\ud800"]}', "1:12"), ('{"\\udfff": []}', "1:2"), ('{"a": "\\udc6e\\ud83d"}', "1:7")],
)
def test_half_of_a_surrogate_pair_is_no_text(tmp_path: Path, text: str, place: str) -> None:
    """The standard library accepts it, and printing it fails later."""
    write(tmp_path, {"in.json": text})
    assert reported(refusal(tmp_path), tmp_path) == [f"in.json:{place} bad-json"]


@pytest.mark.parametrize("text", ["", " \n\t\r\n ", "\ufeff"])
def test_a_blank_file_is_empty(tmp_path: Path, text: str) -> None:
    write(tmp_path, {"in.json": text})
    error = refusal(tmp_path)
    assert reported(error, tmp_path) == ["in.json:1:1 bad-rule-file"]
    assert error.problems[0].message == "the file is empty"


@pytest.mark.parametrize("text", ["[]", "null", '"rules"', "5", "[{}]"])
def test_a_value_that_is_no_object_is_no_rule_file(tmp_path: Path, text: str) -> None:
    write(tmp_path, {"in.json": text})
    assert reported(refusal(tmp_path), tmp_path) == ["in.json:1:1 bad-rule-file"]


def test_a_repeated_key_is_told(tmp_path: Path) -> None:
    """The standard library silently keeps the last one."""
    write(
        tmp_path,
        {"in.json": '{"rules": [\n {"id": "a", "accounts": 1,\n  "id": "b", "withheld_in": "IN", "reason": "terms"}]}'},
    )
    assert reported(refusal(tmp_path), tmp_path) == ["in.json:3:3 repeated-key"]


def test_a_key_is_the_same_however_it_is_escaped(tmp_path: Path) -> None:
    write(tmp_path, {"in.json": '{"rules": [], "\\u0072ules": []}'})
    assert reported(refusal(tmp_path), tmp_path) == ["in.json:1:15 repeated-key"]


@pytest.mark.parametrize("deep", [30, 5_000, 200_000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_a_nesting_bomb_is_refused_before_it_goes_off(tmp_path: Path, deep: int, opening: str, closing: str) -> None:
    write(tmp_path, {"in.json": opening * deep + "1" + closing * deep, "in.yaml": opening * deep})
    assert reported(refusal(tmp_path), tmp_path) == [
        f"in.json:1:{20 * len(opening) + 1} too-deep",
        f"in.yaml:1:{20 * len(opening) + 1} too-deep",
    ]


@pytest.mark.parametrize("loader", [yaml.BaseLoader, getattr(yaml, "CBaseLoader", yaml.BaseLoader)])
@pytest.mark.parametrize(
    ("bomb", "refused"),
    [
        ("[" * 1001, "1:21 too-deep"),
        ("{" * 200_000, "1:2 bad-key"),
        ("[{" * 600 + "}]" * 600, "1:3 bad-key"),
        ("[ " * 5_000, "1:41 too-deep"),
        ("a: " + "[" * 5_000, "1:23 too-deep"),
        ("é: " + "[" * 5_000, "1:23 too-deep"),
        ("a: 1\r\nb:\r\n" + " [" * 5_000, "3:40 too-deep"),
        ("[\n" * 5_000, "21:1 too-deep"),
        ("- " * 5_000, "1:41 too-deep"),
        ("- - " + "[" * 5_000, "1:23 too-deep"),
        ("\n".join(" " * deep + "a:" for deep in range(1_500)), "21:21 too-deep"),
        ("[" * 30 + "@", "1:21 too-deep"),
        ("[" * 30 + "\t" + "]" * 31, "1:21 too-deep"),
    ],
)
def test_a1_nesting_is_refused_before_what_the_parser_finds_further_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loader: type, bomb: str, refused: str
) -> None:
    """The parser reads ahead, and has had its own limit since libyaml 0.2.6."""
    monkeypatch.setattr(yaml_file, "_Loader", loader)
    write(tmp_path, {"in.yaml": bomb.encode()})
    assert reported(refusal(tmp_path), tmp_path) == [f"in.yaml:{refused}"]


@pytest.mark.parametrize("bomb", ["- ", "? "])
def test_a_nesting_bomb_of_blocks_is_refused(tmp_path: Path, bomb: str) -> None:
    write(tmp_path, {"in.yaml": bomb * 1000})
    assert [problem.code for problem in refusal(tmp_path).problems] in (["too-deep"], ["bad-key"])


def test_an_alias_bomb_does_not_multiply(tmp_path: Path) -> None:
    laughs = "a: &a [lol]\n" + "".join(
        f"{b}: &{b} [{f'*{a},' * 9}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    write(tmp_path, {"in.yaml": laughs})
    assert reported(refusal(tmp_path), tmp_path) == ["in.yaml:1:4 yaml-alias"]


def test_characters_above_the_basic_plane_survive_their_escapes(tmp_path: Path) -> None:
    rule = '{"id": "\\ud83d\\udc6e 👮", "accounts": 1, "withheld_in": "IN", "reason": "terms"}'
    write(tmp_path, {"in.json": f'{{"rules": [{rule}]}}'})
    assert "👮 👮" in RuleSet.load(tmp_path)


def test_numbers_keep_all_their_digits(tmp_path: Path) -> None:
    """With floating-point numbers, both would be 9007199254740992."""
    rule = '{"id": "a", "accounts": [9007199254740993, 9007199254740992], "withheld_in": "IN", "reason": "terms"}'
    write(tmp_path, {"in.json": f'{{"rules": [{rule}]}}'})
    assert list(RuleSet.load(tmp_path)["a"].accounts) == [9007199254740992, 9007199254740993]
