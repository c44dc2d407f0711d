"""Lists of ids with random mistakes: read + refused = written."""

from __future__ import annotations

import csv
import re
import tempfile
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.sources.fuzzing import (
    CSV,
    PLAIN,
    holds,
    loaded,
    spoilt,
)
from tests.sources.writing import write
from withhold import RuleSet


def ids_in_csv(text: str) -> set[int]:
    """Read a list of ids without quotes, in the simplest way. Lines that begin with `#` are comments."""
    lines = [line for line in re.split("\r\n|[\n\r]", text) if not line.startswith("#")]
    rows = [[field.strip() for field in line.split(",")] for line in lines]
    header = [name.lower() for name in rows[0]]
    return {int(row[header.index("id")]) for row in rows[1:] if any(row)}


@settings(max_examples=300)
@given(spoilt(CSV), st.booleans())
@example(CSV.replace("y", '"y').encode(), True)
@example(CSV.replace("1101", "1,101").encode(), True)
@example(CSV.replace("account,1101", "#,1101").encode(), True)
@example(b"kind,id\naccount,1\n" + b"account," + b"1" * 140_000, True)
def test_spoilt_lists_of_ids(data: bytes, with_kinds: bool) -> None:
    assert csv.field_size_limit() == 131_072
    named = "ids.csv" if with_kinds else "{accounts: ids.csv}"
    with tempfile.TemporaryDirectory() as name:
        rule = f"rules:\n- {{id: a, accounts: 7, ids_file: {named}, withheld_in: IN, reason: terms}}\n"
        write(Path(name), {"in.yaml": rule, "ids.csv": data})
        result = loaded(Path(name), "in.yaml")
        holds(result, 1)
        if with_kinds and isinstance(result, RuleSet) and b'"' not in data:
            found = {*result["a"].accounts, *result["a"].tweets}
            assert found == ids_in_csv(data.decode("utf-8-sig", "replace")) | {7}, "no id is lost or invented"


@settings(max_examples=100)
@given(spoilt(PLAIN))
def test_spoilt_plain_lists(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        rule = "rules:\n- {id: a, accounts: 7, ids_file: {tweets: ids.txt}, withheld_in: IN, reason: terms}\n"
        write(Path(name), {"in.yaml": rule, "ids.txt": data})
        result = loaded(Path(name), "in.yaml")
        holds(result, 1)
        if isinstance(result, RuleSet):
            lines = re.split("\r\n|[\n\r]", data.decode("utf-8-sig", "replace"))
            bare = [line.partition("#")[0].strip() for line in lines]
            assert set(result["a"].tweets) == {int(text) for text in bare if text}
