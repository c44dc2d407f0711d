"""Each form in which orders write targets, and the lists that contain them."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import UTC, datetime

import pytest
from openpyxl import Workbook

from tests.demands.intake.cases import CASES, ID
from withhold.demands.intake import (
    Bucket,
    Role,
    read_lists,
    read_text_list,
)
from withhold.errors import DemandError, InstantError

RECEIVED = datetime(2021, 2, 4, 6, 30, tzinfo=UTC)
URL = "https://twitter.com/User_1"


def read(text, received=RECEIVED):
    return read_text_list(text, received)


def keys(intake):
    return [entry.key for entry in intake.entries]


def codes(entry):
    return [note.code for note in entry.notes]


@pytest.fixture
def from_file(tmp_path):
    def write(name, data, **options):
        path = tmp_path / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return read_lists([path], RECEIVED, **options)

    return write


def quoted_cell(text):
    return '"' + text.replace('"', '""') + '"'


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.header}: {case.text}")
def test_a_cell_becomes(case, from_file):
    (header, entry) = from_file("list.csv", f"{case.header}\n{quoted_cell(case.text)}\n").entries
    assert header.bucket is Bucket.IGNORED
    assert entry.key == case.key
    assert entry.bucket is (Bucket.ERROR if case.key is None else Bucket.UNIQUE)
    assert codes(entry) == list(case.notes)
    assert entry.raw == case.text


def test_a_rounded_id_names_the_days_that_it_may_be_of(from_file):
    (_, entry) = from_file("a.csv", "tweet id\n1.35E+18\n").entries
    assert "ids from 2021-01-01 to 2021-01-29 are" in entry.notes[0].text


def test_several_ids_with_zeros_have_lost_digits(from_file):
    found = from_file("a.csv", "tweet id\n1355123456789010000\n1355123456789020000\n").entries[1:]
    assert [codes(entry) for entry in found] == [["precision-lost"]] * 2


def test_off_platform_hints_at_a_target_and_never_accepts_it():
    (entry,) = read("https://nitter.net/u/status/20").entries
    assert (entry.bucket, entry.key) == (Bucket.ERROR, None)
    assert "`tweet:20`" in entry.notes[0].text


def test_pieces_of_a_cell_are_entries(from_file):
    intake = from_file("a.csv", f'url\n"{URL}\nhttps://x.com/b"\n{URL}/status/{ID}https://x.com/c\n')
    assert keys(intake)[1:] == ["account:@user_1", "account:@b", f"tweet:{ID}", "account:@c"]
    assert all(codes(entry) == ["split"] for entry in intake.entries[1:])


def test_a_parameter_of_a_url_is_not_split():
    assert read(f"https://x.com/login?to={URL}").counts["error"] == 1


@pytest.mark.parametrize(
    ("text", "wanted", "code"),
    [
        (f"{URL}/status/13556671\n06821046275", [f"tweet:{ID}"], "rejoined"),
        (f"{URL}/sta\ntus/{ID}", [f"tweet:{ID}"], "rejoined"),
        (f"{URL}/status/{ID[:-1]}\n{ID[-1]}", [None, None], "broken-url"),  # both ids exist
        (f"{URL}\n_2", [None, None], "broken-url"),  # both handles may exist
        (f"{URL}/status/{ID}\nRegards", [f"tweet:{ID}", None], None),
    ],
)
def test_broken_urls_are_joined_only_if_nothing_else_fits(text, wanted, code):
    intake = read(text)
    assert keys(intake) == wanted
    assert codes(intake.entries[0]) == ([code] if code else [])


def test_the_same_target_is_linked_and_counted():
    intake = read(f"{URL}\nx.com/USER_1\n@user_1\n{URL}/status/{ID}\n")
    assert [entry.duplicate_of for entry in intake.entries] == [None, 1, 1, None]
    assert intake.counts == {"unique": 2, "duplicate": 2, "error": 0, "blank": 0, "ignored": 0}


def test_two_handles_of_one_tweet_are_a_mismatch():
    intake = read(f"x.com/Il/status/{ID}\nx.com/II/status/{ID}")
    assert codes(intake.entries[1]) == ["handle-mismatch"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_encodings_delimiters_and_repeated_headers(encoding, delimiter, from_file):
    rows = [["Sr. No.", "Handle", "Remarks"], ["1", "a_1", "x"], ["", "", ""], ["Sr. No.", "Handle", "Remarks"]]
    rows += [["2", '"b_2"', '"two\nlines"'], ["3", "", ""], ["Total", "", ""]]
    text = "".join(f"{delimiter.join(row)}\r\n" for row in rows)
    intake = from_file("a.csv", text.encode(encoding))
    assert [entry.bucket.value for entry in intake.entries] == (
        ["ignored", "unique", "blank", "ignored", "unique", "ignored", "ignored"]
    )
    assert [column.role for column in intake.columns] == [Role.SERIAL, Role.HANDLE, Role.OTHER]
    assert intake.entries[4].provenance[2:5] == (5, 2, 5)


def test_columns_are_guessed_from_their_content_and_shown(from_file):
    intake = from_file("a.csv", f"1,{URL},RT @friend said this\n2,@b,hello\n3,@c,\n")
    assert keys(intake) == ["account:@user_1", "account:@b", "account:@c"]
    assert [column.role for column in intake.columns] == [Role.OTHER, Role.TARGET, Role.OTHER]
    assert [note.code for note in intake.notes] == ["unread-targets"]
    assert str(intake.columns[1]).endswith("3 of its first 3 cells are targets; cells: 3")


def test_several_columns_with_targets_wait_for_a_person(from_file):
    text = f"handle,url\n@a,{URL}/status/{ID}\n"
    intake = from_file("a.csv", text)
    assert [note.code for note in intake.waiting] == ["several-target-columns"]
    assert intake.counts["unique"] == 2
    intake = from_file("a.csv", text, columns=["URL"])
    assert intake.waiting == ()
    assert [entry.key for entry in intake.targets] == [f"tweet:{ID}"]
    with pytest.raises(DemandError) as caught:
        from_file("a.csv", text, columns=["Link"])
    assert caught.value.code == "unknown-column"


def test_prose_is_ignored_and_a_target_in_it_is_an_error():
    text = f"Dear Sir,\nplease block the following:\n1. {URL}\nFor questions write to @office or a@b.example\nRegards\n"
    intake = read(text)
    assert [entry.bucket.value for entry in intake.entries] == ["ignored", "ignored", "unique", "error", "error"]
    assert codes(intake.entries[3]) == ["in-prose"]
    assert codes(intake.entries[4]) == ["bare-word"]


def test_single_words_are_handles_only_if_all_lines_are():
    intake = read("Handles\nUser_1\n@b\n")
    assert keys(intake) == [None, "account:@user_1", "account:@b"]
    assert codes(intake.entries[1]) == ["read-as-handle"]
    assert read(f"User_1\n{URL}").counts["error"] == 1


def workbook(*sheets):
    book = Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets:
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


def test_numbers_in_spreadsheets_are_errors(from_file):
    rows = [["S. No.", "Tweet ID"], [1, ID], [2, int(ID)], [3, 1.5], [4, datetime(2021, 3, 1)], [5, None]]  # noqa: DTZ001
    intake = from_file("a.xlsx", workbook(("Annexure A", rows), ("Empty", []), ("B", [["url"], [URL]])))
    assert [entry.bucket.value for entry in intake.entries] == (
        ["ignored", "unique", "error", "error", "error", "ignored", "ignored", "unique"]
    )
    assert codes(intake.entries[2]) == ["id-not-text"]
    assert str(intake.entries[1].provenance).endswith("a.xlsx, sheet `Annexure A`, row 2, column 2")


def test_formulas_in_spreadsheets_are_not_evaluated(from_file):
    rows = [["url"], [f'=HYPERLINK("{URL}","x")'], ["=A1"]]
    found = from_file("a.xlsx", workbook(("A", rows))).entries[1:]
    assert [entry.key for entry in found] == ["account:@user_1", None]


def sheet_with(xml):
    """Return an XLSX file whose sheet has these rows."""
    data = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook(("A", [["url"]])))) as old, zipfile.ZipFile(data, "w") as new:
        for part in old.namelist():
            content = old.read(part).decode()
            if part.endswith("sheet1.xml"):
                content = re.sub(r"<dimension[^>]*/>|<sheetData>.*</sheetData>", "", content, flags=re.DOTALL)
                content = content.replace("<sheetViews>", f"{xml[0]}<sheetViews>")
                content = content.replace("<pageMargins", f"<sheetData>{xml[1]}</sheetData><pageMargins")
            new.writestr(part, content)
    return data.getvalue()


def cell(place, text):
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


ROWS = f'<row r="1">{cell("A1", "url")}</row><row r="2">{cell("A2", URL)}</row>'


@pytest.mark.parametrize("dimension", ["A1", "A1:XFD1048576"])
def test_the_size_that_a_spreadsheet_claims_is_not_believed(dimension, from_file):
    intake = from_file("a.xlsx", sheet_with((f'<dimension ref="{dimension}"/>', ROWS)))
    assert keys(intake) == [None, "account:@user_1"]


@pytest.mark.parametrize(
    "last",
    [
        f'<row r="2000000000">{cell("A2000000000", URL)}</row>',
        f'<row r="1048576">{cell("XFD1048576", URL)}</row>',
    ],
)
def test_a_spreadsheet_with_very_many_cells_is_refused(last, from_file):
    with pytest.raises(DemandError) as caught:
        from_file("a.xlsx", sheet_with(("", ROWS + last)))
    assert caught.value.code == "list-too-large"


def test_a_table_with_very_many_columns_is_refused(from_file):
    with pytest.raises(DemandError) as caught:
        from_file("a.csv", "url" + "," * 30_000 + "\na" * 1_000)
    assert caught.value.code == "list-too-large"


@pytest.mark.parametrize(
    "line",
    [
        f'<a href="{URL}">{URL}</a>',
        "the user of Handle:@User_1 in Delhi",
        f"the tweet tweet_id={ID} of this account",
    ],
)
def test_a_line_of_prose_with_the_signs_of_a_target_is_an_error(line, from_file):
    text = f"The following is ordered to be blocked in the whole country:\n\n@User_2\n{line}\n"
    assert from_file("a.txt", text).entries[-1].bucket is Bucket.ERROR


MAIL = f"""From: office@ministry.example
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

Block these:

> {URL}/stat=
us/{ID}
--=20
@office
--b
Content-Type: text/csv
Content-Disposition: attachment; filename=more.csv

url
https://x.com/b

--b
Content-Type: application/pdf
Content-Disposition: attachment; filename=order.pdf

%PDF-1.4
--b--
"""


def test_a_mail_with_attachments(from_file):
    intake = from_file("order.eml", MAIL)
    assert [(entry.bucket.value, entry.key) for entry in intake.entries if entry.bucket is not Bucket.BLANK] == [
        ("ignored", None),
        ("unique", f"tweet:{ID}"),
        ("ignored", None),
        ("error", None),
        ("ignored", None),
        ("unique", "account:@b"),
        ("error", None),
    ]
    assert codes(intake.entries[-1]) == ["unread-part"]
    assert intake.entries[-1].provenance.file.endswith("order.eml/order.pdf")


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("a.pdf", b"%PDF-1.4", "not-a-list"),
        ("a.xls", b"\xd0\xcf\x11\xe0", "not-a-list"),
        ("a.json", b"[1356123456789012480]", "not-a-list"),
        ("a.xlsx", b"PK\3\4broken", "not-a-list"),
        ("a.txt", b"a\0\0\0b\xff", "not-a-list"),
        ("a.csv", b'url\n"unclosed\n', "bad-csv"),
        ("a.csv", b"name,ministry\nx,y\n", "no-targets"),
        ("a.txt", b"", "no-targets"),
    ],
)
def test_files_that_are_no_lists_are_refused(name, data, code, from_file):
    with pytest.raises(DemandError) as caught:
        from_file(name, data)
    assert [problem.code for problem in caught.value.problems] == [code]


def test_all_files_with_problems_are_reported(tmp_path):
    with pytest.raises(DemandError) as caught:
        read_lists([tmp_path / "none.csv", tmp_path / "none.txt"], RECEIVED)
    assert [problem.code for problem in caught.value.problems] == ["unreadable-file"] * 2
    with pytest.raises(InstantError):
        read("@a", datetime(2021, 1, 1))  # noqa: DTZ001


def test_a_nul_does_not_make_a_text_utf_16(from_file):
    with pytest.raises(DemandError):
        from_file("a.txt", b"User_1\n0000000\n\0")


@pytest.mark.parametrize("text", ["@a;b", "tweet:@x", f"https://t.co/a{URL}", "ftp://x.com/a", "@a and not @b"])
def test_doubtful_lines_name_no_target(text):
    counts = read(text).counts
    assert counts["unique"] == 0
    assert counts["error"] >= 1


def test_a_mail_may_state_any_charset(from_file):
    for charset in ("x\0y", "undefined", "zlib", "none"):
        mail = f'Content-Type: text/plain; charset="{charset}"\n\n{URL}\n'
        assert keys(from_file("a.eml", mail)) == ["account:@user_1"]


def test_a_long_line_takes_time_for_its_length(from_file):
    assert from_file("a.txt", "@a " * 20_000).counts["duplicate"] == 19_999
