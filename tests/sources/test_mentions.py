"""The places that name an id are exactly those of its text, in rule files and in lists of every form."""

from __future__ import annotations

import csv
import io
import warnings
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sources.writing import RULE, write
from withhold.sources.loader import load_files
from withhold.sources.mentions import MOST_PLACES, Mentions

IDS = (5, 17, 170, 1355667106821046273)
rows = st.lists(
    st.tuples(
        st.sampled_from(("account", "tweet")),
        st.sampled_from(IDS),
        st.sampled_from(("{}", "00{}", "+{}")),
        st.sampled_from(("", "a", "a,b", "two\nlines", '"', "# 17")),
    ),
    max_size=8,
)


@given(rows, st.booleans(), st.sampled_from(("\n", "\r\n")))
def test_every_line_of_a_table_is_found(
    tmp_path_factory: pytest.TempPathFactory, table: list[tuple[str, int, str, str]], last: bool, end: str
) -> None:
    """The place is compared with the text there: it begins with the id, and only such lines are places."""
    with io.StringIO(newline="") as out:
        writer = csv.writer(out, lineterminator=end)
        writer.writerow(["note", "kind", "id"] if last else ["id", "kind", "note"])
        starts = []
        for kind, id_, form, note in table:
            starts.append(out.getvalue().count("\n") + 1)
            cells = [form.format(id_), kind, note]
            writer.writerow(reversed(cells) if last else cells)
        text = out.getvalue()
    folder = tmp_path_factory.mktemp("mentions")
    write(folder, {"in.yaml": f"{RULE}  accounts: [3, 17]\n  ids_file: l/ids.csv\n", "l/ids.csv": text})
    for kind in ("account", "tweet"):
        for sought in IDS:
            mentions = Mentions(**{kind: sought})
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the table may be empty
                load_files(folder, mentions=mentions)
            places = list(mentions.of("a"))
            if kind == "account" and sought == 17:
                first = places.pop(0)
                assert (first.file, first.line, first.column) == (str(folder / "in.yaml"), 5, 17)
            lines = []
            for place in places:
                assert place.file == str(folder / "l" / "ids.csv")
                here = text.split("\n")[place.line - 1][place.column - 1 :].lstrip("0+")
                assert here.startswith(str(sought))
                lines.append(place.line)
            # A note before the id may span two lines, and the id is on the second one.
            expected = [
                start + (last and note.count("\n"))
                for start, (named, id_, _, note) in zip(starts, table, strict=True)
                if (named, id_) == (kind, sought) and not (last and note.startswith("#"))  # that is a comment
            ]
            assert lines == expected


def test_a_list_that_several_rules_share_is_named_by_each(tmp_path: Path) -> None:
    rule = "- {{id: {}, reason: terms, withheld_in: IN, ids_file: {{accounts: list.txt}}}}\n"
    write(tmp_path, {"in.yaml": "rules:\n" + rule.format("a") + rule.format("b"), "list.txt": "# 17\n5\n 17 # x\n17\n"})
    mentions = Mentions(account=17, tweet=5)
    load_files(tmp_path / "in.yaml", mentions=mentions)
    for rule_id in ("a", "b"):
        assert [(place.line, place.column) for place in mentions.of(rule_id)] == [(3, 2), (4, 1)]


def test_a_list_of_one_id_repeated_has_a_hundred_places(tmp_path: Path) -> None:
    write(tmp_path, {"in.yaml": f"{RULE}  ids_file: {{tweets: list.txt}}\n", "list.txt": "17\n" * 10_000})
    mentions = Mentions(tweet=17)
    load_files(tmp_path, mentions=mentions)
    assert [place.line for place in mentions.of("a")] == list(range(1, MOST_PLACES + 1))
