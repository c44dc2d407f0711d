"""Files of another kind in the place of a list of ids."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.sources.ids_material import CSV, PLAIN
from tests.sources.writing import refusal, write
from withhold.sources.ids_file import IdsFile


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        (b"", "the file is empty"),
        (b"kind;id\naccount;1\n", "the columns are separated by semicolons: save it with commas, as `kind,id`"),
        (b"kind\tid\naccount\t1\n", "the columns are separated by tabs: save it with commas, as `kind,id`"),
        (b"sep=,\nkind,id\naccount,1\n", "remove the line `sep=`, and separate the columns by commas: `kind,id`"),
        (b"sep=;\nkind;id\naccount;1\n", "remove the line `sep=`, and separate the columns by commas: `kind,id`"),
        ("kind,id\naccount,1\n".encode("utf-16"), "this is not UTF-8 text: save it as CSV, in UTF-8"),
        (b"PK\x03\x04 workbook", "this is not UTF-8 text: save it as CSV, in UTF-8"),
    ],
)
def test_a_list_in_another_format_is_told_what_it_is(tmp_path: Path, content: bytes, hint: str) -> None:
    write(tmp_path, {"in.yaml": CSV})
    (tmp_path / "ids.csv").write_bytes(content)
    assert refusal(tmp_path).problems[0].hint == hint


KEY = (
    "-----BEGIN OPENSSH PRIVATE KEY-----\n"
    + "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gt\n" * 98
    + "=\n"
)

LOG = "".join(f"2021-02-10 05:00:{at % 60:02} GET /?token=s3cr3t{at} 10.0.0.{at % 256}\n" for at in range(300))

ENVIRONMENT = "".join(f"SECRET_TOKEN_{at}=sk-live-{at:040x}\n" for at in range(100))


@pytest.mark.parametrize("content", [KEY, LOG, ENVIRONMENT, KEY + "1101\n1102\n", "# notes\n" + LOG])
@pytest.mark.parametrize("before", ["", "kind,id\n"])
def test_b4_a_file_of_another_kind_is_not_quoted_line_by_line(tmp_path: Path, content: str, before: str) -> None:
    """Messages quote lines, and may end up in public CI logs."""
    lines = [line for line in content.splitlines() if not line.startswith("#")]
    good = [line for line in lines if line.isdigit()]
    rows = [f"account,{line}" for line in lines] if before else lines
    write(tmp_path, {"in.yaml": CSV if before else PLAIN, "ids.csv": before + "\n".join(rows), "ids.txt": content})
    *first, last = refusal(tmp_path).problems
    assert [problem.code for problem in first] == ["bad-id"] * 10
    assert last.code == "no-id-list"
    assert last.message == f"this is not a list of ids: {len(lines) - len(good)} of {len(lines)} lines are not ids"
    for problem in first:
        assert re.fullmatch(r"id `…?[A-Za-z0-9]{0,20}…?` [a-z: ]+", problem.message), "at most 20 letters and digits"


def test_b4_good_ids_are_counted_in_a_list_with_many_bad_lines(tmp_path: Path) -> None:
    """If most lines are ids, the file is a list of ids, and every problem in it is reported."""
    write(tmp_path, {"ids.txt": "".join(f"{number}\n" if number % 3 else "jack\n" for number in range(1, 61))})
    found = IdsFile(tmp_path / "ids.txt", "accounts", lambda _: None)
    assert len(found.accounts) == 40
    assert [problem.code for problem in found.problems] == ["bad-id"] * 20


def test_b4_lines_wrong_in_another_way_are_still_counted(tmp_path: Path) -> None:
    write(tmp_path, {"ids.txt": "0\nkey: abc\n" * 150})
    found = IdsFile(tmp_path / "ids.txt", "accounts", lambda _: None)
    codes = Counter(problem.code for problem in found.problems)
    assert codes == {"id-out-of-range": 50, "bad-id": 10, "no-id-list": 1, "more-problems": 1}
    assert found.problems[-1].message == "100 more problems in this file"


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        ("kind,id\naccounts,1\n", "did you mean `account`?"),
        ("kind,id\nTweets,1\n", "did you mean `tweet`?"),
        ("kind,id\nUser,1\n", "did you mean `account`?"),
        ("kind,id\nusers,1\n", "did you mean `account`?"),
        ("kind,id\nstatuses,1\n", "did you mean `tweet`?"),
        ("kind,id\ntweet_id,1\n", "did you mean `tweet`?"),
        ("kind,id\nhashtag,1\n", "write `account` or `tweet`"),
        ("kind,id\naccount;1\n", "separate the columns by commas"),
        ("kind,id\ntweet,1,35567E+18\n", "write only the digits of an id: spreadsheets put commas into numbers"),
        ("kind,id\ntweet,1,355,667\n", "write only the digits of an id: spreadsheets put commas into numbers"),
        ("kind,id\n", "export it again, or remove `ids_file` from the rule"),
        ("\ufeffKind,Id\r\n\r\n,\r\n", "export it again, or remove `ids_file` from the rule"),
    ],
)
def test_e9_a_list_that_is_nearly_one_has_the_right_hint(tmp_path: Path, content: str, hint: str) -> None:
    write(tmp_path, {"in.yaml": CSV, "ids.csv": content})
    assert refusal(tmp_path).problems[0].hint == hint


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        ("kind,id\naccount,1\n", "this is CSV: write `ids_file:` and its path, without the kind"),
        ("kind;id\naccount;1\n", "this is CSV: write `ids_file:` and its path, without the kind"),
        ("account_id\n1\n", "write `#` before the first line: plain lists have no header"),
        ("1, 2\n", "write one id per line"),
        ("1 2\n", "write one id per line"),
        ("1,2,3\n", "write one id per line"),
        ("1\n".encode("utf-16"), "save it as text, in UTF-8"),
        ("1\n".encode("utf-16-le"), "save it as text, in UTF-8"),
        (b"PK\3\4 workbook", "save it as text, in UTF-8"),
        (b"1\x96\n", "save the file in UTF-8"),
    ],
)
def test_e9_what_is_no_plain_list_has_the_right_hint(tmp_path: Path, content: str | bytes, hint: str) -> None:
    write(tmp_path, {"in.yaml": PLAIN, "ids.txt": content})
    assert refusal(tmp_path).problems[0].hint == hint
