"""Files with random mistakes, and an independent count of what is written in them."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

from hypothesis import strategies as st

from withhold import Place, Problem, RuleSet, RuleSetError, RuleSetWarning

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

#: Problems for which a file is refused before its rules can be counted.
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
    """Draw a text with a few random changes."""
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
    """Load a file, and assert that the result is as promised."""
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
    # If a file is not text or not YAML, its lines may be counted by newlines alone.
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
    """Assert that the rules read and the rules refused are as many as `written`, unless they could not be counted."""
    if isinstance(result, RuleSet):
        assert written is None or len(result) == written
    elif written is not None and not WHOLE_FILE & {problem.code for problem in result.problems}:
        assert result.read + result.refused == written
