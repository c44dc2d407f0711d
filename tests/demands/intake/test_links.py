"""Links behind cells of spreadsheets: a cell must not show another target than its link leads to."""

from __future__ import annotations

import io
from typing import Any

import pytest
from openpyxl import Workbook

from tests.demands.intake.cases import ID
from tests.demands.intake.test_cases import codes, from_file, keys
from withhold.demands.intake import Bucket
from withhold.errors import DemandError

__all__ = ["from_file"]

URL = "https://twitter.com/User_1"
TWEET = f"{URL}/status/{ID}"


def linked(*cells, header="Link", below=None, at=None):
    """Return an XLSX file with a column of texts, each with the address of a link or None.

    `below` is the text of the last row. `at` moves the link of the first cell to other cells.
    """
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append([header] if below is None else [header, "URL"])
    for row, (text, address) in enumerate(cells, 2):
        sheet.cell(row, 1, text)
        if address is not None:
            sheet.cell(row, 1).hyperlink = address
            sheet.cell(row, 1).value = text
    if at is not None:
        link: Any = sheet.cell(2, 1).hyperlink
        link.ref = at
    if below is not None:
        sheet.append([None, below])
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


@pytest.mark.parametrize(
    ("text", "address", "key", "notes"),
    [
        (URL, URL, "account:@user_1", []),
        (URL, "http://x.com/user_1/", "account:@user_1", []),
        (f"{URL} ", f"{URL}%20", "account:@user_1", []),
        ("@User_1", URL, "account:@user_1", []),
        (f"tweet:{ID}", TWEET, f"tweet:{ID}", []),
        ("User_1", URL, "account:@user_1", ["unwrapped"]),
        ("profile", URL, "account:@user_1", ["unwrapped"]),
        ("click here to view", TWEET, f"tweet:{ID}", ["unwrapped"]),
        ("-", TWEET, f"tweet:{ID}", ["unwrapped"]),
        ("@User_2", URL, None, ["other-link"]),
        ("https://twitter.com/User_l", URL, None, ["other-link"]),
        (URL, TWEET, None, ["other-link"]),
        (URL, "https://t.co/abc", None, ["other-link"]),
        (URL, "https://ministry.example/annex.pdf", None, ["other-link"]),
        ("https://nitter.net/User_1", URL, None, ["other-link"]),
        ("profile", "https://t.co/abc", None, ["unwrapped", "needs-expansion"]),
        ("profile", "https://nitter.net/User_1", None, ["unwrapped", "off-platform"]),
        ("https://t.co/abc", "https://t.co/abc", None, ["needs-expansion"]),
        ("https://t.co/abc", "https://t.co/def", None, ["needs-expansion"]),
        ("@User_1", "mailto:office@ministry.example", "account:@user_1", []),
        ("@User_1", "annex.pdf", "account:@user_1", []),
        (int(ID), TWEET, None, ["id-not-text"]),
    ],
)
def test_a_cell_with_a_link_becomes(text, address, key, notes, from_file):
    entry = from_file("a.xlsx", linked((text, address))).entries[1]
    assert (entry.key, codes(entry)) == (key, notes)
    assert entry.bucket is (Bucket.ERROR if key is None else Bucket.UNIQUE)
    assert (type(entry.raw), isinstance(text, int) or entry.raw == text) == (str, True)


def test_two_targets_in_a_cell_may_have_a_link_to_one_of_them(from_file):
    intake = from_file("a.xlsx", linked((f"{URL} https://x.com/b", URL)))
    assert keys(intake) == [None, "account:@user_1", "account:@b"]


def test_a_link_can_cover_several_cells_and_cells_without_text(from_file):
    cells = [("profile", URL), ("@user_1", None), ("@user_2", None), ("@user_3", None)]
    intake = from_file("a.xlsx", linked(*cells, at="A2:B4"))
    assert keys(intake) == [None, "account:@user_1", "account:@user_1", None, "account:@user_3"]
    assert [str(note) for note in intake.notes] == [
        "3 blank cells of the sheet `Sheet` have links, which were not read [unread-targets]"
    ]
    with pytest.raises(DemandError, match="list-too-large"):
        from_file("a.xlsx", linked(*cells, at="A1:XFD1048576"))


def test_a_column_of_links_is_found_and_one_that_is_not_read_is_reported(from_file):
    cells = [(f"Person {number}", f"https://x.com/user_{number}") for number in range(3)]
    intake = from_file("a.xlsx", linked(*cells, header="Person"))
    assert keys(intake) == [None, "account:@user_0", "account:@user_1", "account:@user_2"]
    intake = from_file("a.xlsx", linked(*cells, header="Remarks", below="@user_5"))
    assert [entry.key for entry in intake.targets] == ["account:@user_5"]
    assert [str(note) for note in intake.notes] == [
        "3 cells of `Remarks`, which was not read, seem to have targets [unread-targets]"
    ]
