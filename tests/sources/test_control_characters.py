"""Rule files are untrusted text (A8): none of it can end a line, move a cursor or reverse the direction of text."""

from __future__ import annotations

import json
import sys
import unicodedata
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.sources.writing import FINE, refusal, reported, write
from withhold import Place, Rule, RuleError, RuleSet, RuleSetError, Snapshot, SnapshotError
from withhold.errors import CaseError, Problem, control_character, escaped, escaped_path, name_in_text, quoted
from withhold.lint import Protected
from withhold.model.rule_set import rule_values
from withhold.snapshot import records
from withhold.sources import load_protected
from withhold.testing.suite import Library, read_case_file

CONTROLS = sorted(
    {chr(code) for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code)) in ("Cc", "Cs")}
    | {chr(code) for code in (0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A))}
)
ESCAPES = "a\x1b[31m\n  certain     yes (forged)"
controlled = st.builds(
    "{}{}{}".format,
    st.text(st.sampled_from("ab é:#[]`|"), max_size=4),
    st.sampled_from(CONTROLS),
    st.text(st.sampled_from([*"ab ", *CONTROLS[:40]]), max_size=4),
)


def rule(**keys: object) -> Rule:
    return Rule(**{"id": "a", "accounts": [1], "withheld_in": "IN", "reason": "terms", **keys})  # type: ignore[arg-type]


def in_json(**keys: object) -> str:
    """Return a rule file; JSON can write every character as an escape, even an unpaired surrogate."""
    return json.dumps({"rules": [{"id": "a", "accounts": [1], "withheld_in": "IN", "reason": "terms", **keys}]})


def test_the_control_characters_are_exactly_those_that_were_meant() -> None:
    assert [letter for code in range(sys.maxunicode + 1) if control_character(letter := chr(code))] == CONTROLS


@pytest.mark.parametrize("key", ["id", "demand", "note"])
@pytest.mark.parametrize("text", [ESCAPES, "\ud800", "a\u202eb", "a\u2028b", "a\x85", "\x9b31m", "a\x7f", "a\rb"])
def test_b5_a_rule_of_python_is_refused(key: str, text: str) -> None:
    with pytest.raises(RuleError) as caught:
        rule(**{key: text})
    assert "control-character" in {problem.code for problem, _ in caught.value.found}
    assert caught.value.field == key
    assert all(line.isprintable() for line in str(caught.value).split("\n"))


@pytest.mark.parametrize("text", ["a\nb", "a\tb"])
def test_b5_prose_may_have_lines_and_names_may_not(text: str) -> None:
    kept = rule(note=text, override={"no-end": text})
    assert (kept.note, kept.override) == (text, (("no-end", text),))
    for keys in ({"id": text}, {"demand": text}, {"override": {text: "why"}}):
        with pytest.raises(RuleError, match="control-character"):
            rule(**keys)


@given(controlled)
@example("a\x1f")
@example("\x85a")
def test_b5_whatever_the_control_character_and_whatever_the_text(text: str) -> None:
    for keys in ({"id": text}, {"demand": text}, {"override": {text: "why"}}):
        with pytest.raises(RuleError):
            rule(**keys)
    if control_character(text, "\n\t"):
        for keys in ({"note": text}, {"override": {"no-end": text}}):
            with pytest.raises(RuleError):
                rule(**keys)
    with pytest.raises(RuleError):
        Protected(1, "journalist", text)


@settings(max_examples=25)
@given(controlled.filter(lambda text: text.strip(" \n\t") != "" and control_character(text.strip(" \n\t"))))
@example(ESCAPES)
@example("IN\x1f")
def test_b5_a_file_is_refused_wherever_the_text_stands(text: str) -> None:
    """Even where blanks at the ends are ignored, and although Python counts a line separator as a blank."""
    single = [
        in_json(id=text),
        in_json(demand=text),
        in_json(override={text: "why"}),
        in_json(withheld_in=text),
        in_json(withheld_in=[text]),
        in_json(ids_file=text),
        in_json(ids_file={"accounts": text}),
        in_json(reason=text),
        in_json(accounts=[text]),
        in_json(**{text: 1}),
        in_json(stays=[{"from": text}]),
        json.dumps({"groups": {text: ["IN"]}, "rules": []}),
        json.dumps({"groups": {"g": [text]}, "rules": []}),
    ]
    prose = [in_json(note=text), in_json(override={"no-end": text})] if control_character(text, "\n\t") else []
    with TemporaryDirectory() as name:
        for content in (*single, *prose):
            write(Path(name), {"in.json": content})
            error = refusal(Path(name) / "in.json")
            codes = {problem.code for problem in error.problems}
            assert "control-character" in codes or codes == {"bad-json"}, content
            for problem in error.problems:
                assert isinstance(problem.place, Place)
                assert str(problem).isprintable()
            if "groups" not in content and codes != {"bad-json"}:
                assert (error.read, error.refused) == (0, 1)


def test_b5_each_text_is_told_once_at_its_place(tmp_path: Path) -> None:
    text = FINE.replace("id: a", 'id: "a\\e[31m"') + '  demand: "b\\u202e"\n  note: |\n    fine\n    \ttoo\n'
    text += '  override: {no-end: "c\\r"}\ngroups: {"g\\a": [IN]}\n'
    write(tmp_path, {"in.yaml": text})
    error = refusal(tmp_path)
    assert reported(error, tmp_path) == [
        "in.yaml:2:7 control-character",
        "in.yaml:6:11 control-character",
        "in.yaml:10:22 control-character",
        "in.yaml:11:10 control-character",
    ]
    assert str(error.problems[0]).endswith(
        ":2:7: the text `a\\x1b[31m` contains the control character `\\x1b` [control-character]; "
        "remove it: it could forge the output around it"
    )


@pytest.mark.parametrize(
    "text", ["# a\u2028", "# a\x85", "# a \u202e", "x: 1 # \u2067", "groups: {}\u2029", "\t#\u2066"]
)
def test_b5_what_a_reviewer_does_not_see_as_it_is_read_is_refused(tmp_path: Path, text: str) -> None:
    write(tmp_path, {"in.yaml": f"# fine\n{text}{FINE}"})
    assert reported(refusal(tmp_path), tmp_path) == [f"in.yaml:2:{len(text)} bad-yaml"]
    write(tmp_path, {"in.yaml": f"# fine: é، שלום\n{FINE}  note: 'not a#comment'\n"})
    assert len(RuleSet.load(tmp_path)) == 1


def test_b5_a_protected_list_and_a_case_file_are_held_to_the_same(tmp_path: Path) -> None:
    case = "  - {it: hides it, account: 1, at: 2021-02-10T00:00:00Z, expect: {IN: withheld}}\n"
    write(
        tmp_path,
        {
            "protected.yaml": 'protected: [{account: 1, category: journalist, name: "A\\e[2K"}]\n',
            "lines.yaml": 'protected: [{account: 1, category: journalist, name: "A\\nB"}]\n',
            "fine.yaml": "protected:\n- account: 1\n  category: journalist\n  name: |\n    A. Writer\n",
            "in.yaml": FINE,
            "fine.cases.yaml": f"rules: in.yaml\ncases:\n{case}",
            "it.cases.yaml": f"rules: in.yaml\ncases:\n{case.replace('hides it', chr(34) + 'a' + chr(92) + 'Lb' + chr(34))}",
            "rules.cases.yaml": f'rules: "in.yaml\\a"\ncases:\n{case}',
        },
    )
    for name in ("protected", "lines"):
        with pytest.raises(RuleSetError) as caught:
            load_protected(tmp_path / f"{name}.yaml")
        assert reported(caught.value, tmp_path) == [f"{name}.yaml:1:54 control-character"]
    assert [found.name for found in load_protected(tmp_path / "fine.yaml")] == ["A. Writer"]
    assert read_case_file(tmp_path / "fine.cases.yaml", Library()).cases
    for name in ("it", "rules"):
        with pytest.raises(CaseError) as refused:
            read_case_file(tmp_path / f"{name}.cases.yaml", Library())
        assert refused.value.problems[0].code == "control-character"


@pytest.mark.parametrize("text", ["می‌شود", "क्‍ष", "no\u00a0break", "a\u200bb", "\u200fא", "שלום", "👨‍👩‍👧"])
def test_letters_that_are_merely_invisible_are_read_and_escaped_where_they_could_confuse(text: str) -> None:
    kept = rule(id=text, note=text)
    assert (kept.id, kept.note) == (text, text)
    assert escaped(text).isprintable()


def test_what_a_ci_system_would_obey_is_no_command_any_more() -> None:
    assert [
        escaped(text) for text in ("::error::x", "  ::set-output x", "a ::b", "##[error]", "x ##vso[a]", "## [a]")
    ] == [
        *("\\x3a:error::x", "  \\x3a:set-output x", "a ::b", "\\x23#[error]", "x \\x23#vso[a]", "## [a]"),
    ]
    assert [escaped_path(path) for path in ("::error::x.yaml", "-rf", Path("a/b"), "/a\n", "")] == [
        *("./::error::x.yaml", "./-rf", "a/b", "/a\\n", ""),
    ]


@given(st.text(st.characters(), max_size=8) | controlled, st.text(st.characters(), max_size=8))
def test_no_problem_is_printed_on_more_than_one_line_or_as_a_command(text: str, other: str) -> None:
    for place in (Place(text, 1, 1), text, None):
        line = str(Problem("bad-value", f"value {quoted(other)} is bad", place, hint="see it"))
        assert line.isprintable()
        assert not line.lstrip().startswith("::")
        assert "##[" not in line


class TestRecordsOfOthers:
    """A snapshot may be hostile: its records may contain anything."""

    def spoilt(self, folder: Path, monkeypatch: pytest.MonkeyPatch, **keys: object) -> Snapshot:
        monkeypatch.setattr(records, "rule_values", lambda found: rule_values(found) | keys)
        if "place" in keys:
            monkeypatch.setattr(records, "record_of", lambda found: json.dumps(rule_values(found) | keys).encode())
            monkeypatch.setattr("withhold.snapshot.compiled.record_of", records.record_of)
        Snapshot.compile(RuleSet([rule()])).save(folder / "r.wh")
        return Snapshot.open(folder / "r.wh")

    @pytest.mark.parametrize("key", ["id", "demand", "note"])
    def test_b5_a_record_is_refused(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
        with pytest.raises(SnapshotError) as caught:
            _ = self.spoilt(tmp_path, monkeypatch, **{key: ESCAPES}).rules
        assert caught.value.code == "damaged-snapshot"
        assert "contains the control character `\\x1b`" in str(caught.value)
        assert str(caught.value).isprintable()

    def test_b5_the_name_of_its_file_is_escaped(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (found,) = self.spoilt(tmp_path, monkeypatch, place=["a\n::error::forged", 1, 1]).rules
        assert str(found.place) == "a\\n::error::forged:1:1"

    @pytest.mark.parametrize("place", [["a", "\n::error::", 1], ["a", 1, True], [1, 1, 1], ["a"], "abc"])
    def test_b5_its_place_is_a_place(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: object) -> None:
        with pytest.raises(SnapshotError):
            _ = self.spoilt(tmp_path, monkeypatch, place=place).rules


INVISIBLE = [
    "\u034f",
    "\u115f",
    "\u17b4",
    "\u180b",
    "\u2800",
    "\u3164",
    "\ufe0f",
    "\uffa0",
    "\U000e0101",
    "\u200b",
    "\xad",
]


@pytest.mark.parametrize("letter", INVISIBLE)
def test_b5_invisible_letters_are_escaped(letter: str) -> None:
    assert escaped(f"in-1{letter}").isascii()
    assert quoted(f"in-1{letter}").isascii()
    rule(id=f"in-1{letter}")
    for key in ("id", "demand"):
        with pytest.raises(RuleError, match=f"bad-{key}"):
            rule(**{key: letter})


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("in-d1_2.3/a:b", "in-d1_2.3/a:b"),
        ("आदेश", "`आदेश`"),
        ("Order 12", "`Order 12`"),
        ("a (terms); certain yes", "`a (terms); certain yes`"),
        ("a  b   c", r"`a\x20\x20b\x20\x20\x20c`"),
        ("a`b", "`a'b`"),
        ("##[error]", r"`\x23#[error]`"),
        ("a" * 61 + " ", f"`{'a' * 60}…`"),
    ],
)
def test_b5_a_name_is_kept_apart_from_the_sentence_around_it(name: str, printed: str) -> None:
    assert name_in_text(name) == printed


BARE_RETURNS = {
    "in.yaml": "rules:\n- id: a\n  accounts: [1] # see below\r  except_in: [US]\n  withheld_in: IN\n  reason: terms\n",
    "in.json": '{"rules":\r []}',
    "protected.yaml": "protected: # none\r- {account: 1, category: journalist}\n",
}


@pytest.mark.parametrize("name", BARE_RETURNS)
def test_b5_a_carriage_return_without_a_newline_is_refused(tmp_path: Path, name: str) -> None:
    write(tmp_path, {"x.yaml": FINE})
    (tmp_path / name).write_bytes(BARE_RETURNS[name].encode())
    with pytest.raises(RuleSetError) as caught:
        load_protected(tmp_path / name) if name.startswith("protected") else RuleSet.load(tmp_path / name)
    assert [problem.code for problem in caught.value.problems] == ["bare-return"]
    (tmp_path / name).write_bytes(BARE_RETURNS[name].replace("\r", "\r\n").encode())
    with suppress(RuleSetError):
        load_protected(tmp_path / name) if name.startswith("protected") else RuleSet.load(tmp_path / name)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1\n# removed by court:\r666\n", "bare-return"),
        ("1\r2\r3", "bare-return"),
        ("1\n# a\u2028666\n", "control-character"),
        ("1\n# a\u202eb\n", "control-character"),
        ("1\n# a\x1b[31mb\n", "control-character"),
    ],
)
def test_b5_a_list_is_read_as_reviewers_see_it(tmp_path: Path, text: str, code: str) -> None:
    write(tmp_path, {"in.yaml": f"{FINE.rstrip()}\n  ids_file: {{accounts: list.txt}}\n"})
    (tmp_path / "list.txt").write_bytes(text.encode())
    with pytest.raises(RuleSetError) as caught:
        RuleSet.load(tmp_path)
    assert [problem.code for problem in caught.value.problems] == [code]
    (tmp_path / "list.txt").write_bytes(b"1\r\n# fine\tand well\r\n2\r\n")
    assert len(RuleSet.load(tmp_path)) == 1
