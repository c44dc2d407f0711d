"""Messages about rule files: odd bytes, the values they quote, and values that mean nothing."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.sources.writing import FINE, refusal, reported, write
from withhold import SubjectIdError
from withhold.parsing.ids import id_from_text


class TestBytes:
    @pytest.mark.parametrize("name", ["in.yaml", "in.json"])
    def test_what_is_no_utf_8_is_told_where_it_begins(self, tmp_path: Path, name: str) -> None:
        write(tmp_path, {name: "# é\n# éé ".encode() + b"\xe9 and more\n"})
        error = refusal(tmp_path)
        assert reported(error, tmp_path) == [f"{name}:2:6 not-utf-8"]
        assert error.problems[0].message == "this is not UTF-8"

    def test_utf_16_is_told(self, tmp_path: Path) -> None:
        write(tmp_path, {"in.yaml": FINE.encode("utf-16")})
        assert reported(refusal(tmp_path), tmp_path) == ["in.yaml:1:1 not-utf-8"]

    def test_a_snapshot_is_no_rule_file(self, tmp_path):
        (tmp_path / "in.yaml").write_bytes(b"WITHHOLD\x01\x00\x00\x00")
        assert reported(refusal(tmp_path), tmp_path) == ["in.yaml:1:1 not-rules"]

    def test_a_byte_order_mark_does_not_shift_the_columns(self, tmp_path: Path) -> None:
        write(tmp_path, {"in.yaml": "\ufeffrule: []\n", "in.json": '\ufeff{"rule": 1}'})
        assert reported(refusal(tmp_path), tmp_path) == ["in.json:1:2 unknown-key", "in.yaml:1:1 unknown-key"]

    @pytest.mark.parametrize("control", ["\x00", "\x07", "\x1b"])
    @pytest.mark.parametrize("before", ["", "# é\n", "# é\n# €€€€\n", "# 👮👮\r\n"])
    def test_a_control_character_in_yaml_is_told_where_it_is(self, tmp_path: Path, control: str, before: str) -> None:
        write(tmp_path, {"in.yaml": f"{before}rules: é{control}[]\n"})
        line = before.count("\n") + 1
        assert reported(refusal(tmp_path), tmp_path) == [f"in.yaml:{line}:9 bad-yaml"]

    def test_columns_count_characters_not_bytes(self, tmp_path: Path) -> None:
        text = "rules: [{id: 'é👮', accounts: 1, withheld_in: DR, reason: terms}]\n"
        write(tmp_path, {"in.yaml": text, "in.json": text.replace("'", '"')})
        assert reported(refusal(tmp_path), tmp_path)[-1] == f"in.yaml:1:{text.index('DR') + 1} unknown-territory"


class TestValuesInMessages:
    @pytest.mark.parametrize(
        "text",
        [
            FINE.replace("IN", "'I\n\n  N'"),
            FINE.replace("IN", '"I\\eN"'),
            f'{FINE}  "a\\nb": 1\n',
            f'{FINE}  tweets: "1\\n2"\n',
            f'{FINE}  ids_file: "a\\nb"\n',
            f'{FINE}  effect: "a\\nb"\n',
            f'{FINE}  until: "a\\nb"\n',
            'groups: {"a\\nb": [IN], "A\\nB": [IN]}\n',
            FINE.replace("id: a", 'id: "a\\nb"') + FINE.replace("id: a", 'id: "a\\nb"').removeprefix("rules:\n"),
        ],
    )
    def test_a_problem_is_one_line_whatever_the_file_says(self, tmp_path: Path, text: str) -> None:
        """A line that a file adds to a report would look like another problem."""
        write(tmp_path, {"in.yaml": text})
        for problem in refusal(tmp_path).problems:
            assert str(problem).isprintable()

    @pytest.mark.parametrize(
        "text",
        [
            FINE.replace("IN", "A" * 9999),
            f"{FINE}  {'a' * 200}: 1\n",
            f"{FINE}  tweets: {'1' * 9999}\n",
            f"{FINE}  ids_file: {'a' * 9999}\n",
            f"{FINE}  effect: {'a' * 9999}\n",
            f"{FINE}  until: {'1' * 9999}\n",
            f"groups: {{? {'a' * 9999} : [IN], ? {'A' * 9999} : [IN]}}\n",
        ],
    )
    def test_a_long_value_is_cut(self, tmp_path: Path, text: str) -> None:
        write(tmp_path, {"in.yaml": text})
        assert [len(problem.message) < 200 for problem in refusal(tmp_path).problems] == [True]

    def test_messages_speak_of_rules_not_of_classes(self, tmp_path: Path) -> None:
        for stays in ("[foo]", "[[]]", "[~]", "foo"):
            write(tmp_path, {"in.yaml": f"{FINE}  stays: {stays}\n"})
            (problem,) = refusal(tmp_path).problems
            assert not re.search("dictionary|instance|input", problem.message), problem.message

    def test_an_id_of_too_many_digits_is_a_number_all_the_same(self, tmp_path: Path) -> None:
        write(tmp_path, {"in.yaml": f"{FINE}  tweets: {'1' * 40}\n"})
        assert reported(refusal(tmp_path), tmp_path) == ["in.yaml:6:11 id-out-of-range"]

    def test_an_unusual_separator_does_not_make_an_instant_a_date(self, tmp_path: Path) -> None:
        write(tmp_path, {"in.yaml": f"{FINE}  from: 2021-02-10_10:30:00Z\n"})
        (problem,) = refusal(tmp_path).problems
        assert "is a date" not in problem.message


class TestSilentNonsense:
    """Text that looks like a rule, but would withhold nothing, or something else."""

    @pytest.mark.parametrize("members", ["[]", "[WORLD]", "[IN, WORLD]"])
    def test_a_group_lists_territories(self, tmp_path: Path, members: str) -> None:
        """T1. With an empty group, `except_in: gulf` would have no effect."""
        write(tmp_path, {"in.yaml": f"groups: {{gulf: {members}}}\n" + FINE.replace("IN", "[IN, gulf]")})
        assert "bad-group" in {problem.code for problem in refusal(tmp_path).problems}

    def test_a_group_has_a_name(self, tmp_path: Path) -> None:
        write(tmp_path, {"in.yaml": "groups: {'': [US]}\n" + FINE})
        refusal(tmp_path)

    @pytest.mark.parametrize("code", ["ın", "uſ", "ﬁ"])
    def test_letters_that_only_become_a_code_in_upper_case_are_no_code(self, tmp_path: Path, code: str) -> None:
        write(tmp_path, {"in.yaml": FINE.replace("IN", code)})
        assert [problem.code for problem in refusal(tmp_path).problems] == ["unknown-territory"]


def test_a_long_number_with_a_tail_takes_no_long_time() -> None:
    """A pattern that tries every way to split these digits in two would take hours."""
    with pytest.raises(SubjectIdError, match="is not a number"):
        id_from_text("1" * 2_000_000 + "ex")


@pytest.mark.parametrize("name", ["in.yaml", "in.json"])
def test_b4_a_file_of_another_kind_among_the_rules_is_not_quoted_from_end_to_end(tmp_path: Path, name: str) -> None:
    secrets = {f"SECRET_{number}": f"sk-live-{number}" for number in range(40)}
    write(tmp_path, {name: json.dumps(secrets, indent=1)})
    problems = refusal(tmp_path).problems
    assert sorted(problem.code for problem in problems) == ["bad-rule-file", *["unknown-key"] * 10]
    assert "sk-live" not in "".join(map(str, problems))
    write(tmp_path, {name: json.dumps({"rules": [], **secrets}, indent=1)})
    assert len(refusal(tmp_path).problems) == 40, "for a rule file, all are listed"
