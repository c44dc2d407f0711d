"""Reading many lines of a list at once gives the same ids, problems and places as reading them one by one."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from withhold.model.ids import MAX_ID
from withhold.model.precision import Precision
from withhold.sources.ids_file import IdsFile

IDS = st.one_of(
    st.integers(1, MAX_ID),
    st.integers(10**18, 10**18 + 5000),
    st.integers(1, 2**50).map(lambda n: n * 4096),
    st.integers(2**54, MAX_ID).map(lambda n: int(float(n)) % MAX_ID or 1),
    st.integers(10**10, 9 * 10**10).map(lambda n: n * 10**8),
    st.just(17),
)
GOOD = st.tuples(st.sampled_from(["account", "tweet"]), IDS).map(lambda row: f"{row[0]},{row[1]}")
ODD = st.sampled_from(
    ["", "# a comment", "account,1,", "account,1,;,account,2", ";", "account,1,account", "2", "account;17", "Tweet,17",
     " tweet,17", "tweet, 17", '"tweet",17', '"tweet', '",17', "account,0", f"account,{MAX_ID + 1}", "account,",
     "user,17", "account,1e9", "account,+17", "account,٣", "account,1_7", "account,017", "account,5\raccount,6", "account,17#", "kind,id"]
)  # fmt: skip
LINES = st.one_of(st.lists(GOOD), st.lists(st.one_of(GOOD, GOOD, GOOD, ODD)))
ENDS = st.sampled_from(["\n", "\n", "\r\n", "\r"])


def read(path: Path, text: str, kind: str | None, block: int, *, exact: bool = False) -> Any:
    path.write_text(text, encoding="utf-8", newline="")
    with patch("withhold.sources.ids_file._BLOCK", block):
        found = IdsFile(path, kind, lambda _: None, exact=exact, sought={"account": 17, "tweet": None})
    return [*found.accounts], [*found.tweets], found.problems, found.warnings, found.mentions


@pytest.mark.parametrize("kind", [None, "accounts"])
@settings(max_examples=40)
@given(data=st.data())
def test_a_block_is_read_like_its_lines(tmp_path_factory: pytest.TempPathFactory, kind: str | None, data: Any) -> None:
    lines = data.draw(LINES)
    if kind is None:
        lines.insert(0, data.draw(st.sampled_from(["kind,id", "kind,id", "KIND,ID", "id,kind"])))
    else:
        lines = [line.partition(",")[2] or line for line in lines]
    end = data.draw(ENDS)
    text = end.join(lines) + data.draw(st.sampled_from([end, end, ""]))
    path, exact = tmp_path_factory.getbasetemp() / "ids.csv", data.draw(st.booleans())
    whole, small = read(path, text, kind, 1 << 16, exact=exact), read(path, text, kind, 60, exact=exact)
    with patch.object(IdsFile, "_has_read", return_value=False):
        assert read(path, text, kind, 1 << 16, exact=exact) == whole == small


@pytest.mark.parametrize(("kind", "text"), [(None, "kind,id\ntweet,20\r\naccount,5\n"), ("tweets", "20\n")])
def test_usual_lists_are_read_in_blocks(tmp_path: Path, kind: str | None, text: str) -> None:
    with patch("withhold.sources.ids_file.id_from_text", side_effect=AssertionError):
        assert read(tmp_path / "ids.csv", text, kind, 1 << 16)[1] == [20]


@given(st.lists(IDS))
def test_ids_are_counted_at_once_as_one_by_one(numbers: list[int]) -> None:
    one_by_one, at_once = Precision(), Precision()
    signs = {at: sign for at, number in enumerate(numbers) if (sign := one_by_one.sign(number))}
    left = at_once.count(numbers)
    found = {at: at_once.sign(numbers[at]) for at in left}
    assert signs == {at: sign for at, sign in found.items() if sign}
    assert vars(one_by_one) == vars(at_once)
