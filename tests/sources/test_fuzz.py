"""Whatever stands in a file, the loader either reads it or says what is wrong with it.

Valid files are spoilt at random, by characters, lines, bytes and odd scalars. Of what comes out:

- it is a rule set or a `RuleSetError`, and no warning but `RuleSetWarning`;
- every problem has a code, a message in the house style and a place that lies in its file;
- rules read + rules refused = rules written, as counted by another parser.
"""

from __future__ import annotations

import csv
import json
import re
import tempfile
import warnings
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.sources.writing import write
from withhold import Place, Problem, RuleSet, RuleSetError, RuleSetWarning
from withhold.parsing import yaml_file

YAML = """\
groups:
  gulf: [AE, BH]
  isles: [uk, IE]
rules:
  - id: in-1
    accounts: [1101, 1102]
    withheld_in: [IN, gulf]   # a comment
    from: 2021-02-10T10:30:00+05:30
    until: null
    stays:
      - {from: 2021-03-01T00:00:00Z, until: 2021-04-01T00:00:00Z}
    reason: legal_demand
    demand: IN-D1
  - id: "in-2"
    tweets:
      - 1355667106821046272
      - '601430178305220600'
    withheld_in: WORLD
    except_in: [US, US-MS]
    if_unknown: show
    reason: copyright
    note: >-
      two
      lines
  - {id: tr-1, ids_file: ids.csv, withheld_in: NO, reason: terms}
  - {id: tr-2, ids_file: {accounts: ids.txt}, effect: suspend, reason: local_law}
"""
JSON = json.dumps(
    {
        "groups": {"gulf": ["AE", "BH"], "isles": ["uk", "IE"]},
        "rules": [
            {
                "id": "in-1",
                "accounts": [1101, "601430178305220600"],
                "withheld_in": ["IN", "gulf"],
                "from": "2021-02-10T10:30:00+05:30",
                "until": None,
                "stays": [{"from": "2021-03-01T00:00:00Z", "until": "2021-04-01T00:00:00Z"}],
                "reason": "legal_demand",
                "note": "a \\ \u00e9\n\t",
            },
            {"id": "tr-1", "ids_file": "ids.csv", "withheld_in": "NO", "reason": "terms"},
            {"id": "tr-2", "ids_file": {"accounts": "ids.txt"}, "effect": "suspend", "reason": "local_law"},
        ],
    },
    indent=1,
)
CSV = "kind,id,note\naccount,1101,\ntweet,1355667106821046272,x\naccount,1102,y\ntweet,5,\n"
PLAIN = "# accounts\n1101\n1102 # the second\n\n1103\n"

ODD = (
    *("[" * 25, "[" * 25 + "]" * 25, '{"a":' * 25, "- " * 25, "1" + "0" * 5000, "-" + "9" * 5000, "a" * 3000),
    *(
        "\0",
        "\x07",
        "\x1b[31m",
        "\x7f",
        "\x85",
        "\u2028",
        "\ufeff",
        "\ufffe",
        "\u00a0",
        "👮",
        "ı",
        "ﬁ",
        "é",
        "\r",
        "\t",
    ),
    *(
        '"\\ud800"',
        '"\\udc00\\ud800"',
        '"\\ud83d\\udc6e"',
        '"\\UFFFFFFFF"',
        '"\\x00"',
        '"\\u0000"',
        '"\\n"',
        '"\\e[31m"',
    ),
    *(
        "0",
        "-0",
        "-5",
        "+5",
        "007",
        "0x1",
        "0b1",
        "0o17",
        "1_000",
        "1e3",
        "1e400",
        "1.5",
        ".",
        ".5",
        "1.",
        "1.35567E+18",
    ),
    *(".inf", "-.inf", ".nan", "NaN", "Infinity", "9223372036854775807", "9223372036854775808", "601430178305220600"),
    *("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00-23:59", "0001-01-01"),
    *(
        "2021-02-30T00:00:00Z",
        "2021-02-10T24:00:00Z",
        "2021-02-10T10:30:00",
        "2021-W06-3T00:00Z",
        "20210210T00Z",
        "10:30",
    ),
    *(
        "true",
        "false",
        "null",
        "~",
        "NULL",
        "no",
        "NO",
        "UK",
        "EL",
        "XX",
        "XY",
        "WORLD",
        "EU",
        "GULF",
        "US-MS",
        "US-",
        "-",
    ),
    *(
        "*a",
        "&a",
        "&a x",
        "!!int 5",
        "!!python/name:os.system",
        "!!binary aGk=",
        "!x",
        "|",
        ">-\n  x",
        "? ",
        ": ",
        "<<",
        "=",
    ),
    *(
        "---",
        "---\n",
        "...\n",
        "%YAML 1.1\n",
        "%TAG ! x\n",
        "'",
        '"',
        "`",
        "a`b\nc`",
        "#",
        "# ",
        "\\",
        "//",
        "/*",
        ",",
        ",,",
    ),
    *(
        "{}",
        "[]",
        "[[]]",
        "[~]",
        "{a: b}",
        '{"a": 1}',
        "{id: x}",
        "]",
        "}",
        ":",
        "\n",
        "\n\n",
        "\r\n",
        " ",
        "  ",
        "\n  ",
    ),
    *(
        "id",
        "rules",
        "rules:",
        "rules: []\n",
        "groups",
        "groups: {}\n",
        '"rules": [],',
        "accounts",
        "from",
        "stays",
        "kind",
        "tweet",
    ),
    *("../ids.csv", "/", ".", "ids.txt", "/dev/null", "a\0b", "x" * 300),
)
TOKEN = re.compile(r"[^\s,:\[\]{}\"']+|\"[^\"\n]*\"|'[^'\n]*'")

#: Where a file is refused before its rules can be counted.
WHOLE_FILE = {
    *("bad-yaml", "bad-json", "not-utf-8", "yaml-alias", "second-document", "too-deep", "bad-key", "bad-rule-file"),
    "bare-return",
}
LINES = {
    ".yaml": re.compile("\r\n|[\n\r\x85\u2028\u2029]"),
    ".json": re.compile("\n"),
    ".csv": re.compile("\r\n|[\n\r]"),
    ".txt": re.compile("\r\n|[\n\r]"),
}


@st.composite
def spoilt(draw: st.DrawFn, text: str) -> bytes:
    """Return a text after a few changes."""
    for _ in range(draw(st.integers(1, 4))):
        text = draw(st.sampled_from((_characters, _lines, _scalar, _scalar, _scalar)))(draw, text)
    data = text.encode()
    if draw(st.integers(0, 9)) == 0:
        at = draw(st.integers(0, len(data)))
        data = data[:at] + draw(st.binary(min_size=1, max_size=3)) + data[at + draw(st.integers(0, 2)) :]
    return draw(st.sampled_from((b"", b"", b"", b"", b"\xef\xbb\xbf"))) + data


def _characters(draw: st.DrawFn, text: str) -> str:
    begin = draw(st.integers(0, len(text)))
    end = min(len(text), begin + draw(st.integers(0, 6)))
    put = draw(st.sampled_from(("", text[begin:end] * 2, "odd", "any")))
    if put == "odd":
        put = draw(st.sampled_from(ODD))
    elif put == "any":
        put = draw(st.text(st.characters(codec="utf-8"), max_size=3))
    return text[:begin] + put + text[end:]


def _lines(draw: st.DrawFn, text: str) -> str:
    lines = text.splitlines(keepends=True) or [""]
    at, to = draw(st.integers(0, len(lines) - 1)), draw(st.integers(0, len(lines)))
    kind = draw(st.sampled_from(("delete", "copy", "move", "cut", "indent", "carriage")))
    if kind == "delete":
        del lines[at]
    elif kind == "copy":
        lines.insert(to, lines[at])
    elif kind == "move":
        lines.insert(to, lines.pop(at))
    elif kind == "cut":
        del lines[at:]
    elif kind == "indent":
        lines[at] = draw(st.sampled_from((" ", "  ", "\t"))) + lines[at]
    else:
        lines = [line.replace("\n", draw(st.sampled_from(("\r\n", "\r")))) for line in lines]
    return "".join(lines)


def _scalar(draw: st.DrawFn, text: str) -> str:
    tokens = list(TOKEN.finditer(text))
    if not tokens:
        return text
    token = draw(st.sampled_from(tokens))
    return text[: token.start()] + draw(st.sampled_from(ODD)) + text[token.end() :]


def loaded(folder: Path, name: str) -> RuleSet | RuleSetError:
    """Load a file, holding what comes out to what is promised of it."""
    result: RuleSet | RuleSetError
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            result = RuleSet.load(folder / name)
        except RuleSetError as error:
            result = error
    assert {warning.category for warning in caught} <= {RuleSetWarning}
    if isinstance(result, RuleSet):
        assert len(caught) == len(result.warnings)
        assert len(result.digest) == 64
    problems = result.warnings if isinstance(result, RuleSet) else result.problems
    for problem in problems:
        _in_place(problem)
        _in_style(problem)
    places = [_place(problem) for problem in problems if problem.code != "more-problems"]
    assert places == sorted(places)
    return result


def _place(problem: Problem) -> Place:
    assert isinstance(problem.place, Place), problem
    return problem.place


def _in_place(problem: Problem) -> None:
    place = _place(problem)
    path = Path(place.file)
    text = path.read_bytes().decode("utf-8-sig", "replace")
    # What is not even text, or not YAML, may have its lines counted in the plainest way.
    plainest = problem.code in {"not-utf-8", "bad-yaml"}
    for lines in (LINES[path.suffix].split(text), text.split("\n") if plainest else []):
        if 1 <= place.line <= len(lines) and 1 <= place.column <= len(lines[place.line - 1]) + 1:
            return
    raise AssertionError(f"this place is not in the file: {problem}")


def _in_style(problem: Problem) -> None:
    message = problem.message
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", problem.code), problem
    assert message[0] == "`" or message[0].islower() or message[0].isdigit(), problem
    assert not message.endswith((".", " ")), problem
    for text in (message, problem.hint or ""):
        assert len(text.splitlines()) <= 1, problem
        assert len(text) < 400, problem


def holds(result: RuleSet | RuleSetError, written: int | None) -> None:
    """Rules read + rules refused = rules written, where they could be counted."""
    if isinstance(result, RuleSet):
        assert written is None or len(result) == written
    elif written is not None and not WHOLE_FILE & {problem.code for problem in result.problems}:
        assert result.read + result.refused == written


def rules_in_yaml(data: bytes, loader: type) -> int | None:
    """Count the rules of a YAML text by its nodes, or return None if it has no mapping at its top."""
    try:
        root = yaml.compose(data.decode("utf-8-sig"), Loader=loader)
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError):
        return None
    if not isinstance(root, yaml.MappingNode):
        return None
    lists = [value for key, value in root.value if key.value == "rules" and isinstance(value, yaml.SequenceNode)]
    return sum(len(found.value) for found in lists)


class _Pairs(list[tuple[str, object]]):
    """A JSON object that keeps its repeated keys, and is not mistaken for a list."""


def rules_in_json(data: bytes) -> int | None:
    try:
        root = json.loads(data.decode("utf-8-sig"), object_pairs_hook=_Pairs, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return None
    if not isinstance(root, _Pairs):
        return None
    return sum(len(value) for key, value in root if key == "rules" and type(value) is list)


def ids_in_csv(text: str) -> set[int]:
    """Read a list of ids that has no quotes, in the plainest way. Lines that begin with `#` are comments."""
    lines = [line for line in re.split("\r\n|[\n\r]", text) if not line.startswith("#")]
    rows = [[field.strip() for field in line.split(",")] for line in lines]
    header = [name.lower() for name in rows[0]]
    return {int(row[header.index("id")]) for row in rows[1:] if any(row)}


@pytest.mark.parametrize("loader", [yaml.BaseLoader, getattr(yaml, "CBaseLoader", yaml.BaseLoader)])
@settings(max_examples=250)
@given(data=spoilt(YAML))
@example(data=YAML.replace("1102]", "1102]\n    accounts: [1, 2, 3, x]").encode())
@example(data=b'rules: [{id: "\\ud800"}]')
@example(data=b'rules: ["\\UFFFFFFFF"]')
@example(data="# é\nrules: []\nx: \0".encode())
@example(data=b"rules: [")
@example(data=b'rules: [{"a`b\\nc`": 1}]')
def test_spoilt_yaml(loader: type, data: bytes) -> None:
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr(yaml_file, "_Loader", loader)
        write(Path(name), {"in.yaml": data, "ids.csv": CSV, "ids.txt": PLAIN})
        holds(loaded(Path(name), "in.yaml"), rules_in_yaml(data, loader))


@settings(max_examples=300)
@given(spoilt(JSON))
@example(b'{"rules": [{"id": "a", "id": "b", "stays": [], "stays": [{"from": 1}]}]}')
@example(b'{"rules": [1], "rules": [2, 3]}')
@example(b'{"rules": ["\\n')
def test_spoilt_json(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        write(Path(name), {"in.json": data, "ids.csv": CSV, "ids.txt": PLAIN})
        result = loaded(Path(name), "in.json")
        written = rules_in_json(data)
        holds(result, written)
        if written is not None and isinstance(result, RuleSetError):
            printed = [problem.message for problem in result.problems if problem.code == "bad-json"]
            # What the standard library takes and no other reader does.
            lenient = ("surrogate" in message or "expected a value" in message for message in printed)
            assert all(lenient), "the two disagree on what is JSON"


@settings(max_examples=300)
@given(spoilt(CSV), st.booleans())
@example(CSV.replace("y", '"y').encode(), True)
@example(CSV.replace("1101", "1,101").encode(), True)
@example(CSV.replace("account,1101", "#,1101").encode(), True)
@example(b"kind,id\naccount,1\n" + b"account," + b"1" * 140_000, True)
def test_spoilt_lists_of_ids(data: bytes, with_kinds: bool) -> None:
    assert csv.field_size_limit() == 131_072
    named = "ids.csv" if with_kinds else "{accounts: ids.csv}"
    with tempfile.TemporaryDirectory() as name:
        rule = f"rules:\n- {{id: a, accounts: 7, ids_file: {named}, withheld_in: IN, reason: terms}}\n"
        write(Path(name), {"in.yaml": rule, "ids.csv": data})
        result = loaded(Path(name), "in.yaml")
        holds(result, 1)
        if with_kinds and isinstance(result, RuleSet) and b'"' not in data:
            found = {*result["a"].accounts, *result["a"].tweets}
            assert found == ids_in_csv(data.decode("utf-8-sig", "replace")) | {7}, "no id is lost, and none made up"


@settings(max_examples=100)
@given(spoilt(PLAIN))
def test_spoilt_plain_lists(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        rule = "rules:\n- {id: a, accounts: 7, ids_file: {tweets: ids.txt}, withheld_in: IN, reason: terms}\n"
        write(Path(name), {"in.yaml": rule, "ids.txt": data})
        result = loaded(Path(name), "in.yaml")
        holds(result, 1)
        if isinstance(result, RuleSet):
            lines = re.split("\r\n|[\n\r]", data.decode("utf-8-sig", "replace"))
            bare = [line.partition("#")[0].strip() for line in lines]
            assert set(result["a"].tweets) == {int(text) for text in bare if text}


@settings(max_examples=100)
@given(st.binary(max_size=60), st.sampled_from([".yaml", ".json"]))
def test_any_bytes(data: bytes, suffix: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        write(Path(name), {f"in{suffix}": data})
        loaded(Path(name), f"in{suffix}")


@settings(max_examples=150)
@given(
    st.text(st.sampled_from("{}[]:,-?!&*#|>%@`'\" \n\t~<=.\\a1é\ufeff\x85\u2028"), max_size=30),
    st.sampled_from([".yaml", ".json"]),
)
def test_any_punctuation(text: str, suffix: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        write(Path(name), {f"in{suffix}": text})
        loaded(Path(name), f"in{suffix}")
