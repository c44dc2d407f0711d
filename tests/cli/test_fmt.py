"""`withhold fmt` changes indentation and spacing alone: the revision, the advice and the comments stay."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from tests.sources.writing import write
from withhold import RuleSet, RuleSetError
from withhold.cli.app import app
from withhold.cli.layout import formatted
from withhold.lint import lint

UNTIDY = """\
# The orders.
rules:
# Section one.
- id:   in-1      # the first
  # on its accounts
  accounts:
  - 1101
  - "1102"   # quoted

  # and its places
  withheld_in:   [ IN,PK ]
  from: 2021-02-10T10:30:00+05:30
  until:
  reason: legal_demand
  note: |
      # not a comment
        indented
  override: {no-end: 'it''s the court\\'}
  # the end of the first
# Section two.
-   id: "in\\u002d2"
    tweets: [
      1355667106821046272,   # the photo

        1355667106821046273,
    ]  # both
    withheld_in: NO
    reason: terms
    note: a text
       on two lines
# The end.
"""
TIDY = """\
# The orders.
rules:
  # Section one.
  - id: in-1        # the first
    # on its accounts
    accounts:
      - 1101
      - "1102"   # quoted

    # and its places
    withheld_in: [IN, PK]
    from: 2021-02-10T10:30:00+05:30
    until:
    reason: legal_demand
    note: |
      # not a comment
        indented
    override: {no-end: 'it''s the court\\'}
    # the end of the first
  # Section two.
  - id: "in\\u002d2"
    tweets: [
      1355667106821046272,   # the photo

      1355667106821046273,
    ]  # both
    withheld_in: NO
    reason: terms
    note: a text
      on two lines
# The end.
"""


def run(*arguments: str | Path) -> Any:
    return CliRunner().invoke(app, ["fmt", *map(str, arguments)])


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write(tmp_path, {"rules/in.yaml": UNTIDY, "rules/tidy.yaml": "rules: []\n", "rules/other.yaml": "a:    b\n"})
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_file_is_formatted(there: Path) -> None:
    assert run("rules").stdout == "formatted: rules/in.yaml\n1 file formatted, 1 unchanged\n"
    assert Path("rules/in.yaml").read_text() == TIDY
    assert Path("rules/other.yaml").read_text() == "a:    b\n", "it belongs to another tool"
    assert run("rules").stdout == "0 files formatted, 2 unchanged\n"


def test_check_and_diff_write_nothing_and_say_what_would_change(there: Path) -> None:
    found = run("rules", "--check")
    assert (found.exit_code, found.stdout) == (
        1,
        "would be formatted: rules/in.yaml\n1 file would be formatted, 1 unchanged\n",
    )
    assert run("rules/tidy.yaml", "--check").exit_code == 0
    found = run("rules", "--diff")
    assert found.exit_code == 0
    assert found.stdout.startswith(
        "--- rules/in.yaml\n+++ rules/in.yaml\n@@ -1,31 +1,31 @@\n # The orders.\n rules:\n-# Section"
    )
    assert found.stdout.endswith("\n # The end.\n1 file would be formatted, 1 unchanged\n")
    assert run("rules", "--diff", "--check").exit_code == 1
    assert Path("rules/in.yaml").read_text() == UNTIDY


def test_json_has_what_the_text_has(there: Path) -> None:
    found = run("rules", "--check", "--format", "json")
    answer = json.loads(found.stdout)
    (changed,) = answer.pop("changed")
    assert answer == {"fine": False, "written": False, "files": 2, "unchanged": 1}
    assert (changed["file"], changed["diff"]) == (
        "rules/in.yaml",
        run("rules", "--diff").stdout.rpartition("1 file")[0],
    )


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("rules: [\n", "bad-yaml"),
        ("rules: &a []\ngroups: *a\n", "yaml-alias"),
        ("rules: []\n---\nrules: []\n", "second-document"),
        (b"rules: \xff\n", "not-utf-8"),
        ("? rules\n: []\n", "cannot-format"),
    ],
)
def test_a_file_that_cannot_be_formatted_is_refused_and_none_is_written(
    there: Path, text: str | bytes, code: str
) -> None:
    write(there, {"rules/bad.yaml": text})
    for arguments in (["rules"], ["rules", "--check"], ["rules/bad.yaml", "rules"]):
        found = run(*arguments)
        assert (found.exit_code, f"[{code}]" in found.output) == (4, True), found.output
        assert "no file was written" in found.output
    assert json.loads(run("rules", "--format", "json").stdout)["problems"][0]["code"] == code
    assert Path("rules/in.yaml").read_text() == UNTIDY


@pytest.mark.skipif(os.name != "posix", reason="links need no rights there")
def test_no_link_is_followed(there: Path) -> None:
    write(there, {"elsewhere.yaml": UNTIDY})
    (there / "rules" / "link.yaml").symlink_to("../elsewhere.yaml")
    assert run("rules").exit_code == 0
    assert Path("elsewhere.yaml").read_text() == UNTIDY
    assert run("rules/link.yaml").exit_code == 2


def test_pyyaml_without_libyaml_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("withhold.cli.layout._Loader", yaml.BaseLoader)
    assert formatted(UNTIDY, "f.yaml") == TIDY


def test_line_ends_stay(there: Path) -> None:
    (there / "rules" / "in.yaml").write_bytes(UNTIDY.replace("\n", "\r\n").encode())
    assert run("rules/in.yaml").exit_code == 0
    assert (there / "rules" / "in.yaml").read_bytes() == TIDY.replace("\n", "\r\n").encode()


@pytest.mark.parametrize(
    ("text", "tidy"),
    [
        ("rules: []", "rules: []\n"),
        ("---\nrules:   []\n", "---\nrules: []\n"),
        ("# only a comment\n", "# only a comment\n"),
        ("", ""),
        ("{rules: [ ]}\n", "{rules: []}\n"),
        ("rules: [1,2 , 3,]\n", "rules: [1, 2, 3,]\n"),
        ("a: HIDDEN0END\nb: [\n1]\n", "a: HIDDEN0END\nb: [\n  1]\n"),
        (
            "a:  010\nb:  1e5\nc:  ~\nd:  NO\ne:  0o7\nf:  1_0\ng:  2021-02-10\n",
            "a: 010\nb: 1e5\nc: ~\nd: NO\ne: 0o7\nf: 1_0\ng: 2021-02-10\n",
        ),
        ("rules:\n    # none yet\n    []\n", "rules:\n  # none yet\n  []\n"),
        ("a:   # b\n\n    # c\n    d  # e\n", "a:   # b\n\n  # c\n  d  # e\n"),
        ("a: # b\n   [ c,\n   d\n   ]\ne: f\n", "a: # b\n  [ c,\n    d\n  ]\ne: f\n"),
        ("a:\n   # b\n   |\n     c\n       d\n", "a:\n  # b\n  |\n  c\n    d\n"),
        ("a:  # b\n    'c\n     d'\n", "a:  # b\n  'c\n  d'\n"),
        ("a:\n -  # b\n    c\n -\n    # d\n    - e\n", "a:\n  -  # b\n    c\n  -\n      # d\n      - e\n"),
        ("a:\n -  # b\n    c\n -\n    # d\n    [e]\n", "a:\n  -  # b\n    c\n  -\n    # d\n    [e]\n"),
        ("a:\n-  # b\n   # c\n   d: e\n   f:  g\n", "a:\n  -  # b\n    # c\n    d: e\n    f: g\n"),
        ("a:\n-\n   # b\n\n   c:\n   # d\n   - e\n", "a:\n  -\n    # b\n\n    c:\n      # d\n      - e\n"),
        ("a:\n-\n # b\n c: d\n", "a:\n  -\n    # b\n    c: d\n"),
        ("a:\n   - b\n   # c\nd: e # f\n", "a:\n  - b\n  # c\nd: e # f\n"),
        ("a: >-\n    folded\n    text\n\n# c\nb: |+\n  x\n\n\n", "a: >-\n  folded\n  text\n\n# c\nb: |+\n  x\n\n\n"),
        ("a:  'it''s'\nb:  \"\\x41\"\n", "a: 'it''s'\nb: \"\\x41\"\n"),
        ("a: # why\n  b:  c\n", "a: # why\n  b: c\n"),
        ("a: b \t\n  \nc: d\n", "a: b\n\nc: d\n"),
        ("a: b\n# the end", "a: b\n# the end\n"),
        ("a: |\n   x \t\nb: 1\n", "a: |\n  x \t\nb: 1\n"),
        ("a: - b\n", ""),
    ],
)
def test_single_files(text: str, tidy: str) -> None:
    if not tidy and text:
        with pytest.raises(RuleSetError):
            formatted(text, "f.yaml")
        return
    assert formatted(text, "f.yaml") == tidy
    assert formatted(tidy, "f.yaml") == tidy


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: b\n? c\n: d\n", 2),
        ("b: [\n\n1]\na:  # between a key and its value\n  c\n? d\n: e\n", 6),
        ("a: |\n  b\nc:\n  - # one\n\n    # two\n    ? d\n    : e\n", 7),
    ],
)
def test_the_line_that_cannot_be_formatted_is_named(text: str, line: int) -> None:
    with pytest.raises(RuleSetError) as caught:
        formatted(text, "f.yaml")
    (problem,) = caught.value.problems
    assert (problem.code, str(problem.place)) == ("cannot-format", f"f.yaml:{line}:1")


_comments = st.sampled_from(("", "", "", "  # c", " #: [d", "   # - e: f", ' # "g'))
_lines = st.sampled_from(("", "", "", "", "\n", "  \n", "# h\n", "      # i: j\n", "\n    # k\n\n"))
_ids = st.lists(st.integers(1, 99), min_size=1, max_size=3, unique=True)


@st.composite
def _untidy(draw: st.DrawFn) -> str:
    """Draw a rule file in an untidy layout."""
    space, quote = st.sampled_from((" ", "  ", "    ")), st.sampled_from(("", "", "'", '"'))
    indent = " " * draw(st.integers(0, 3))

    def text(value: object) -> str:
        mark = draw(quote)
        return f"{mark}{value}{mark}"

    def below(value: object, inner: str) -> str:
        """Return a value on the line of its key, or on a line of its own, perhaps with comments before it."""
        if draw(st.booleans()):
            return f"{draw(space)}{text(value)}"
        return f"{draw(_comments)}\n{draw(_lines)}{inner}{draw(space)}{text(value)}"

    def several(values: list[Any], inner: str) -> str:
        match draw(st.sampled_from(("block", "flow", "lines"))):
            case "block":
                dash = inner + " " * draw(st.integers(0, 2))
                return "".join(f"{draw(_comments)}\n{draw(_lines)}{dash}-{below(each, dash)}" for each in values)
            case "flow":
                return f" [{draw(space)}{', '.join(map(text, values))}{draw(st.sampled_from(('', ' ', ',')))}]"
            case _:
                parts = (f"{draw(_comments)}\n{draw(space)}{text(each)}" for each in values)
                return f" [{' ,'.join(parts)}{draw(_comments)}\n{draw(st.sampled_from(('', '  ', '      ')))} ]"

    lines = [f"rules:{draw(_comments)}\n"]
    for number in range(draw(st.integers(1, 3))):
        dash = "-" + draw(space)
        inner = indent + " " * len(dash)
        long = f"|\n{inner}   a\n{inner}     # b\n" if draw(st.booleans()) else f"a text\n{inner}  on two lines\n"
        entries = [
            f"id:{draw(space)}{text(f'in-{number}')}{draw(_comments)}\n",
            f"accounts:{several(draw(_ids), inner)}{draw(_comments)}\n",
            f"withheld_in:{several(draw(st.lists(st.sampled_from(('IN', 'NO', 'US')), min_size=1, unique=True)), inner)}\n",
            f"reason:{below('local_law', inner)}{draw(_comments)}\n",
            f"note: {long}",
            f"override:\n{inner} no-end:  {text('x')}{draw(_comments)}\n",
            f"until:{draw(_comments)}\n",
        ]
        apart = f"-{draw(_comments)}\n{draw(_lines)}{inner}" if len(dash) > 2 and draw(st.booleans()) else dash
        for at, entry in enumerate(entries):
            lines += [draw(_lines), (inner if at else indent + apart) + entry]
    lines.append(draw(_lines))
    return "".join(lines)


@settings(max_examples=40)
@given(_untidy())
def test_formatting_keeps_the_revision_the_advice_and_the_comments(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    tidy = formatted(text, "in.yaml")
    assert formatted(tidy, "in.yaml") == tidy, "it is idempotent"
    assert "".join(tidy.split()) == "".join(text.split()), "nothing but spaces changes, so all comments stay"
    folder = tmp_path_factory.getbasetemp()
    found = []
    for name, content in (("untidy", text), ("tidy", tidy)):
        write(folder / name, {"in.yaml": content})
        rules = RuleSet.load(folder / name)
        advice = [(each.severity, each.code, each.message) for each in lint(rules)]
        found.append((rules.revision, len(rules), advice))
    assert found[0] == found[1]
    starts = {line.index("- id") for line in tidy.splitlines() if line.lstrip().startswith("- id")}
    assert starts <= {2}
