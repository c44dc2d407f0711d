"""Long lists of ids: what is read, what is refused, and with which place."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.sources.ids_material import CSV, PLAIN
from tests.sources.writing import refusal, reported, write
from withhold import RuleSet, RuleSetWarning


def listed(folder: Path, content: str | bytes, rule: str = CSV) -> tuple[list[int], list[int]]:
    write(folder, {"in.yaml": rule, "ids.csv": content, "ids.txt": content})
    found = RuleSet.load(folder)["a"]
    return list(found.accounts), list(found.tweets)


def refused(folder: Path, content: str | bytes, rule: str = CSV) -> list[str]:
    write(folder, {"in.yaml": rule, "ids.csv": content, "ids.txt": content})
    return reported(refusal(folder), folder)


class TestCsv:
    @pytest.mark.parametrize(
        "content",
        [
            "kind,id\naccount,1\ntweet,2\n",
            "kind,id\naccount,1\ntweet,2",
            "kind,id\r\naccount,1\r\ntweet,2\r\n",
            "\ufeffkind,id\naccount,1\ntweet,2\n",
            "id,kind\n1,account\n2,tweet\n",
            " Kind , ID \nACCOUNT, 1 \n Tweet,2\n",
            '"kind","id"\n"account","1"\n"tweet","2"\n',
            "kind,id\n\naccount,1\n\n\ntweet,2\n\n",
            "kind,id\naccount,1\n  \n\t\ntweet,2\n",
            "kind,id\naccount,1\n,\ntweet,2\n,\n , \n",
            "note,kind,by,id,on\na,account,b,1,c\n,tweet,,2,\n",
            'note,kind,id\n"two\nlines, and a ""quote""",account,1\n"x",tweet,2\n',
            "kind,id,\naccount,1,\ntweet,2,\n",
            "kind,id\ntweet,2\naccount,1\naccount,1\ntweet,2\n",
            b"kind,id,note\naccount,1,caf\xe9\ntweet,2,\n",
        ],
    )
    def test_one_list_in_many_hands(self, tmp_path: Path, content: str | bytes) -> None:
        assert listed(tmp_path, content) == ([1], [2])

    def test_ids_add_to_those_of_the_rule(self, tmp_path: Path) -> None:
        rule = CSV + "  accounts: [1, 9]\n  tweets: 8\n"
        assert listed(tmp_path, "kind,id\naccount,1\ntweet,2\n", rule) == ([1, 9], [2, 8])

    @pytest.mark.parametrize(
        ("content", "problems"),
        [
            ("kind,id\naccount,x\n", ["ids.csv:2:9 bad-id"]),
            ("kind,id\naccount,\n", ["ids.csv:2:9 bad-id"]),
            ("kind,id\ntweet,5\ntweet,0\ntweet,-1\n", ["ids.csv:3:7 id-out-of-range", "ids.csv:4:7 id-out-of-range"]),
            (f"kind,id\ntweet,{2**63}\n", ["ids.csv:2:7 id-out-of-range"]),
            ("kind,id\ntweet,1.35567E+18\n", ["ids.csv:2:7 lossy-id"]),
            ("kind,id\ntweet,1355667106821046272.0\n", ["ids.csv:2:7 lossy-id"]),
            ("kind,id\naccount,'1\n", ["ids.csv:2:9 bad-id"]),
            ("kind,id\nuser,1\n", ["ids.csv:2:1 unknown-kind"]),
            ("kind,id\n,1\n", ["ids.csv:2:1 unknown-kind"]),
            ("kind,id\n\n\naccount\n", ["ids.csv:4:1 bad-csv"]),
            ("note,kind,id\nab,account,x\n", ["ids.csv:2:12 bad-id"]),
            ("", ["ids.csv:1:1 bad-csv-header"]),
            ("\n\n", ["ids.csv:1:1 bad-csv-header"]),
            ("account,1\n", ["ids.csv:1:1 bad-csv-header"]),
            ("kind;id\naccount;1\n", ["ids.csv:1:1 bad-csv-header"]),
            ("kind,ids\naccount,1\n", ["ids.csv:1:1 bad-csv-header"]),
            ("kind,id\naccount,1\0\n", ["ids.csv:2:9 bad-id"]),
            (b"kind,id\naccount,1\xff\n", ["ids.csv:2:9 bad-id"]),
            ("kind,id\n".encode("utf-16"), ["ids.csv:1:1 bad-csv-header"]),
            ("kind,id\n", ["ids.csv:1:1 empty-list"]),
        ],
    )
    def test_a_bad_line_is_told_where_it_is(self, tmp_path: Path, content: str | bytes, problems: list[str]) -> None:
        assert refused(tmp_path, content) == problems

    def test_hints_of_a_list(self, tmp_path: Path) -> None:
        refused(tmp_path, "kind,id\nuser,1\ntweet,1e5\n")
        kind, lossy = refusal(tmp_path).problems
        assert (kind.message, kind.hint) == ("unknown kind `user`", "did you mean `account`?")
        assert (lossy.message, lossy.hint) == (
            "id `1e5` is written as a floating-point number",
            "restore all its digits from its source",
        )
        refused(tmp_path, "1\n2\n")
        hint = "write `kind,id` as the first line; for a plain list of ids, write `ids_file: {accounts: …}`"
        assert refusal(tmp_path).hint == hint

    @pytest.mark.parametrize(
        ("content", "place"),
        [
            ('kind,id\n"account",x\n', "2:11"),
            ("kind,id\naccount,  x\n", "2:11"),
            ('note,kind,id\n"a, ""b""",account,x\n', "2:20"),
            ('kind,id,note\naccount,x,"two\nlines"\n', "2:9"),
            ('note,kind,id\n"two\nlines",account,x\n', "3:16"),
        ],
    )
    def test_quotes_and_blanks_do_not_shift_the_place(self, tmp_path: Path, content: str, place: str) -> None:
        assert refused(tmp_path, content) == [f"ids.csv:{place} bad-id"]

    @pytest.mark.parametrize(
        "content",
        [
            'kind,id,note\naccount,1,"no end\naccount,2,b\naccount,3,c\n',
            'kind,id,note\naccount,1,\naccount,2,"',
        ],
    )
    def test_a_quote_without_an_end_does_not_swallow_the_ids_below_it(self, tmp_path: Path, content: str) -> None:
        """Otherwise the rest of the list would be one long value, and those ids would silently not be withheld."""
        assert [problem.partition(" ")[2] for problem in refused(tmp_path, content)] == ["bad-csv"]

    @pytest.mark.parametrize("row", ["account,1,355,667", "account,1,note"])
    def test_a_line_longer_than_the_first_is_refused(self, tmp_path: Path, row: str) -> None:
        """A spreadsheet writes a million as `1,355,667`. A reader that ignores further columns would read the id 1."""
        problems = refused(tmp_path, f"kind,id\naccount,5\n{row}\n")
        assert problems == ["ids.csv:3:1 bad-csv"]

    @pytest.mark.parametrize("header", ["kind,id,id", "kind,id,ID", "kind,kind,id"])
    def test_a_column_given_twice_is_refused(self, tmp_path: Path, header: str) -> None:
        """One of the two would be lost, as with a repeated key."""
        assert refused(tmp_path, f"{header}\naccount,1,2\n") == ["ids.csv:1:1 bad-csv-header"]

    def test_a_field_too_large_is_told_where_it_is(self, tmp_path: Path) -> None:
        (problem,) = refused(tmp_path, f"kind,id\naccount,1\naccount,{'1' * 200_000}\n")
        assert problem.startswith("ids.csv:3:")

    def test_only_a_hundred_problems_are_told_one_by_one(self, tmp_path: Path) -> None:
        refused(tmp_path, "kind,id\n" + "account,x\naccount,1\n" * 1250)
        *first, last = refusal(tmp_path).problems
        assert [problem.code for problem in first] == ["bad-id"] * 100
        assert (last.code, last.message) == ("more-problems", "1,150 more problems in this file")

    def test_the_untold_problems_are_counted_whatever_they_are(self, tmp_path: Path) -> None:
        rounded = "".join(f"tweet,{1355667106821041000 + number * 10_000}\n" for number in range(1000))
        refused(tmp_path, "kind,id\n" + rounded)
        *first, last = refusal(tmp_path).problems
        assert [problem.code for problem in first] == ["lossy-id"] * 100
        assert last.message == "900 more problems in this file"

    def test_one_more_problem_is_not_many(self, tmp_path: Path) -> None:
        refused(tmp_path, "kind,id\n" + "account,x\naccount,1\n" * 101)
        assert refusal(tmp_path).problems[-1].message == "1 more problem in this file"

    def test_each_of_two_lists_has_its_own_hundred(self, tmp_path: Path) -> None:
        other = CSV.replace("id: a", "id: b").replace("ids.csv", "more.csv").removeprefix("rules:\n")
        write(tmp_path, {"in.yaml": CSV + other, "ids.csv": "kind,id\n" + "account,x\n" * 5})
        write(tmp_path, {"more.csv": "kind,id\n" + "account,x\naccount,1\n" * 105})
        codes = [problem.partition(" ")[2] for problem in reported(refusal(tmp_path), tmp_path)]
        assert codes == ["bad-id"] * 105 + ["more-problems"]


class TestPlain:
    @pytest.mark.parametrize(
        "content",
        [
            "1\n2\n",
            "1\n2",
            "\ufeff1\r\n2\r\n",
            "# all accounts\n\n  1  # the first\n\t2\n#3\n",
            "2\n1\n1\n",
        ],
    )
    def test_one_id_a_line(self, tmp_path: Path, content: str) -> None:
        assert listed(tmp_path, content, PLAIN) == ([1, 2], [])

    def test_a_list_of_tweets(self, tmp_path: Path) -> None:
        assert listed(tmp_path, "1\n", PLAIN.replace("accounts", "tweets")) == ([], [1])

    @pytest.mark.parametrize(
        ("content", "problems"),
        [
            ("1\nx\n", ["ids.txt:2:1 bad-id"]),
            ("  1 2\n", ["ids.txt:1:3 bad-id"]),
            ("\ufeffx\n", ["ids.txt:1:1 bad-id"]),
            ("kind,id\naccount,1\n", ["ids.txt:1:1 bad-id", "ids.txt:2:1 bad-id"]),
            ("1.35567E+18\n", ["ids.txt:1:1 lossy-id"]),
            ("'1'\n", ["ids.txt:1:1 bad-id"]),
            (b"1\n2\xff\n", ["ids.txt:2:1 bad-id"]),
            ("", ["ids.txt:1:1 empty-list"]),
            ("# none\n", ["ids.txt:1:1 empty-list"]),
        ],
    )
    def test_a_bad_line_is_told_where_it_is(self, tmp_path: Path, content: str | bytes, problems: list[str]) -> None:
        assert refused(tmp_path, content, PLAIN) == problems


def test_lines_that_begin_with_a_hash_are_comments(tmp_path: Path) -> None:
    write(tmp_path, {"in.yaml": CSV, "ids.csv": "# as received\nkind,id\n# of two\naccount,1\naccount,x\n"})
    (problem,) = refusal(tmp_path).problems
    assert str(problem.place).endswith("ids.csv:5:9")


def test_a_name_that_no_file_can_have_is_told(tmp_path: Path) -> None:
    for name, code, printed in (
        ('"a\\0b"', "control-character", "`a\\x00b`"),
        ("a" * 300, "unreadable-file", f"`{'a' * 60}…`"),
    ):
        write(tmp_path, {"in.yaml": CSV.replace("ids.csv", name)})
        (problem,) = refusal(tmp_path).problems
        assert problem.code == code
        assert printed in problem.message


ID = "1355667106821046272"


@pytest.mark.parametrize(
    ("written", "printed", "hint"),
    [
        (f"'{ID}", "has an apostrophe before it", "remove it"),
        (f"’{ID}", "has an apostrophe before it", "remove it"),
        (f'"=""{ID}"""', "is a spreadsheet formula", "without `=` and quotes"),
        (f'="{ID}"', "is a spreadsheet formula", "without `=` and quotes"),
        (f"=“{ID}”", "is a spreadsheet formula", "without `=` and quotes"),
        (f"“{ID}”", "has quotes", "without quotes"),
        ('"1,35567E+18"', "is written as a floating-point number", "restore all its digits"),
        ("1.35567E+18", "is written as a floating-point number", "restore all its digits"),
        (f"{ID}.0", "is written as a floating-point number", "restore all its digits"),
        (f'"{ID},00"', "is written as a floating-point number", "restore all its digits"),
        ('"1,355,667,106,821,046,272"', "has separators", "write only its digits"),
        ("1.355.667.106.821.046.272", "has separators", "write only its digits"),
        ("1 355 667 106 821 046 272", "has separators", "write only its digits"),
        ("1\xa0355\xa0667\xa0106\xa0821\xa0046\xa0272", "has separators", "write only its digits"),
        ("1\u202f355\u202f667", "has separators", "write only its digits"),
        ("1'355'667", "has separators", "write only its digits"),
        (f"\u200b{ID}", "the invisible character U+200B", "write only its digits"),
        (f"\u202a{ID}\u202c", "the invisible character U+202A", "write only its digits"),
        (f"{ID}\ufeff", "the invisible character U+FEFF", "write only its digits"),
        ("１３５５６６７", "has digits other than 0 to 9", "with the digits 0 to 9"),
        (f"https://twitter.com/jack/status/{ID}", "is a URL", "after `/status/`"),
        (f"x.com/i/web/status/{ID}?s=20", "is a URL", "after `/status/`"),
        ("@jack", "is a handle", "write the account's id"),
        (f"{ID};tweet", "is not alone on its line", "one id per line"),
        (f"tweet\t{ID}", "is not alone on its line", "one id per line"),
    ],
)
def test_e9_an_id_in_another_form_is_called_by_its_name(tmp_path: Path, written: str, printed: str, hint: str) -> None:
    write(tmp_path, {"in.yaml": CSV, "ids.csv": f"kind,id\ntweet,1\ntweet,{written}\n"})
    (problem,) = refusal(tmp_path).problems
    assert printed in problem.message
    assert hint in str(problem.hint)
    assert str(problem.place).endswith("ids.csv:3:7")


@pytest.mark.parametrize(
    "content", [f" {ID}\xa0\r\n", f"\ufeff{ID}\r", f"{ID}\t\n", f"00{ID}\n", f"{'0' * 6000}{ID}\n"]
)
def test_e9_blanks_around_an_id_are_no_part_of_it(tmp_path: Path, content: str) -> None:
    assert listed(tmp_path, content, PLAIN) == ([int(ID)], [])


@pytest.mark.parametrize("name", ["ids.csv", "ids.txt"])
def test_e9_an_empty_list_beside_other_ids_is_worth_a_warning(tmp_path: Path, name: str) -> None:
    rule = (CSV if name == "ids.csv" else PLAIN) + "  accounts: 1\n"
    write(tmp_path, {"in.yaml": rule, name: "kind,id\n" if name == "ids.csv" else "# none yet\n"})
    with pytest.warns(RuleSetWarning, match="the list has no ids"):
        rules = RuleSet.load(tmp_path)
    assert [(problem.code, problem.severity) for problem in rules.warnings] == [("empty-list", "warning")]


def test_b7_a_list_is_read_once_however_many_rules_name_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = "".join(f"{number}\n" for number in range(1, 1001))
    rule = "- {{id: r{0}, reason: terms, withheld_in: IN, ids_file: {{accounts: {1}}}}}\n"
    names = ("ids.txt", "./ids.txt", "sub/../ids.txt", "link.txt")
    rules = "".join(rule.format(number, names[number % 4]) for number in range(200))
    write(tmp_path, {"in.yaml": f"rules:\n{rules}", "ids.txt": ids, "sub/none.txt": ""})
    (tmp_path / "link.txt").symlink_to("ids.txt")
    opened: list[str] = []
    opens = os.open

    def watched(path: Any, *more: Any) -> int:
        opened.append(str(path))
        return opens(path, *more)

    monkeypatch.setattr(os, "open", watched)
    loaded = RuleSet.load(tmp_path)
    assert [list(rule.accounts) for rule in loaded] == [list(range(1, 1001))] * 200
    assert len({id(rule.accounts) for rule in loaded}) == 1, "they share it"
    assert [Path(path).name for path in opened] == ["in.yaml", "ids.txt"]


def test_b7_a_bad_list_refuses_every_rule_that_names_it_and_is_told_once(tmp_path: Path) -> None:
    rules = "".join(f"- {{id: r{n}, reason: terms, withheld_in: IN, ids_file: ids.csv}}\n" for n in range(50))
    write(tmp_path, {"in.yaml": f"rules:\n{rules}", "ids.csv": "kind,id\naccount,x\naccount,y\n"})
    error = refusal(tmp_path)
    assert reported(error, tmp_path) == ["ids.csv:2:9 bad-id", "ids.csv:3:9 bad-id"]
    assert error.refused == 50
    write(tmp_path, {"ids.csv": "kind,id\n"})
    error = refusal(tmp_path)
    assert {problem.code for problem in error.problems} == {"empty-list"}
    assert error.refused == 50
