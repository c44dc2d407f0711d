"""For any order, each entry is in one bucket, nothing is dropped, and only documented errors are raised."""

from __future__ import annotations

import csv
import io
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import DOCUMENTED
from tests.demands.intake.cases import CASES
from withhold.demands.intake import Bucket, Intake, read_lists
from withhold.errors import DemandError

RECEIVED = datetime(2021, 2, 4, tzinfo=UTC)
TEXTS = st.one_of(
    st.sampled_from([case.text for case in CASES]),
    st.sampled_from(
        [
            "",
            " ",
            "Sr. No.",
            "URL",
            "12",
            "-- ",
            "> ",
            "and",
            "Dear Sir",
            "\f",
            "#",
            "@",
            "=",
            "'",
            '"',
            "//",
            "http://",
        ]
    ),
    st.text(max_size=20),
    st.text("@#:/.?=&%twiercomx_ 0129\u200b,;\t", max_size=30),
)


def read(name: str, data: bytes) -> Intake | None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        try:
            return read_lists([path], RECEIVED)
        except DemandError:  # its codes are checked for all tests
            return None


def check(intake: Intake) -> None:
    assert sum(intake.counts.values()) == len(intake.entries)
    assert [entry.number for entry in intake.entries] == list(range(1, len(intake.entries) + 1))
    first: dict[str, int] = {}
    for entry in intake.entries:
        assert str(entry).isprintable()
        assert {note.code for note in entry.notes} <= DOCUMENTED
        if entry.bucket in (Bucket.UNIQUE, Bucket.DUPLICATE):
            assert entry.key is not None
            assert entry.kind is not None
            original = first.setdefault(entry.key, entry.number)
            assert entry.duplicate_of == (None if entry.bucket is Bucket.UNIQUE else original)
            assert (original == entry.number) == (entry.bucket is Bucket.UNIQUE)
        else:
            assert entry.key is None
            assert entry.notes or entry.bucket is not Bucket.ERROR


@given(st.lists(TEXTS, max_size=8))
def test_every_line_of_a_text_is_in_an_entry(lines):
    text = "\n".join(lines)
    intake = read("a.txt", text.encode("utf-8", "replace"))
    if intake is None or intake.columns:  # tabs make it a table
        return
    check(intake)
    lines_of = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    covered = {at + 1 for at, line in enumerate(lines_of) if not line.strip()}
    for entry in intake.entries:
        assert entry.provenance.line is not None
        extent = entry.raw.count("\n") + 1
        covered |= set(range(entry.provenance.line, entry.provenance.line + extent))
    assert covered >= set(range(1, len(lines_of)))


@given(st.lists(st.lists(TEXTS, min_size=1, max_size=3), max_size=6), st.sampled_from(",;\t"))
def test_every_row_of_a_table_is_in_an_entry(rows, delimiter):
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(rows)
    intake = read("a.csv", out.getvalue().encode("utf-8", "replace"))
    if intake is None:
        return
    check(intake)
    listed = {entry.provenance.row for entry in intake.entries}
    joined = sum(entry.raw.count("\n") for entry in intake.entries)
    read_back = list(csv.reader(io.StringIO(out.getvalue(), newline=""), delimiter=delimiter))
    assert len(listed) + joined >= len(read_back) or "sep=" in out.getvalue().lower()


@given(st.binary(max_size=200), st.sampled_from(["a.txt", "a.csv", "a.eml", "a.xlsx", "a"]))
def test_any_bytes_give_entries_or_documented_errors(data, name):
    intake = read(name, data)
    if intake is not None:
        check(intake)
