"""Records of a decision log: each line is read as it was written, or refused with its place."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from withhold import Problem, Viewer
from withhold.serving.log_record import LoggedPage, read_log

RECORD: dict[str, Any] = {
    "version": 1,
    "at": "2021-02-10T05:00:00Z",
    "answer_revision": "8f0c-show",
    "country": "IN",
    "subdivisions": [],
    "visible": 1,
    "hidden": [
        {
            "index": 0,
            "subject": [{"tweet_id": "20", "account_id": "17"}],
            "outcome": "withheld",
            "certain": True,
            "rule_ids": ["in-1"],
        }
    ],
    "tombstones": [],
    "left_out": {},
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "the record has version `2`, not `1` [unknown-log-version]"),
        ({"version": True, "more": 1}, "version `True`"),
        ({"more": 1}, "more: extra inputs are not permitted [bad-log-record]"),
        ({"left_out": {"lost": 1}}, "left_out.lost: extra inputs are not permitted"),
        ({"at": "2021-02-10"}, "at: at `2021-02-10` is a date"),
        ({"visible": -1}, "visible: input should be greater than or equal to 0"),
        ({"visible": 2**63}, "visible: input should be less than 9223372036854775808"),
        ({"visible": "1"}, "visible: input should be a valid integer"),
        ({"country": "XX"}, "`XX` is not a territory"),
        ({"country": "IN", "subdivisions": ["US-MS"]}, "subdivision `US-MS` contradicts country `IN`"),
        ({"viewer_account_id": "x"}, "viewer_account_id `x` is not a number"),
        ({"answer_revision": "8f0c"}, "answer_revision `8f0c` is not a revision of answers"),
        ({"hidden": [{**RECORD["hidden"][0], "outcome": "visible"}]}, "hidden.0.outcome: input should be"),
        ({"hidden": [{**RECORD["hidden"][0], "subject": [{"tweet_id": "0", "account_id": "1"}]}]}, "tweet_id `0`"),
        ({"hidden": [{**RECORD["hidden"][0], "subject": [{"tweet_id": 20, "account_id": "1"}]}]}, "expected one value"),
    ],
)
def test_a_record_that_is_not_understood_is_refused_with_its_line(change: dict[str, Any], message: str) -> None:
    good = json.dumps(RECORD).encode()
    bad = json.dumps({**RECORD, **change}).encode()
    first, problem, last = read_log(BytesIO(b"\n".join((good, b"", bad, good))), "log.jsonl")
    assert isinstance(first, LoggedPage)
    assert isinstance(last, LoggedPage)
    assert isinstance(problem, Problem)
    assert str(problem).startswith("log.jsonl:3:1: ")
    assert message in str(problem)


def test_a_code_that_denotes_another_one_is_read_as_that() -> None:
    (found,) = read_log(BytesIO(json.dumps({**RECORD, "country": "UK"}).encode()), "log.jsonl")
    assert isinstance(found, LoggedPage)
    assert found.viewer == Viewer(country="GB")


@pytest.mark.parametrize(
    "line", [b'{"version":1,"at":"2021', b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'"\\ud800"']
)
def test_a_line_that_is_no_record_is_refused(line: bytes) -> None:
    problem, good = read_log(BytesIO(line + b"\n" + json.dumps(RECORD).encode()), "log.jsonl")
    assert isinstance(problem, Problem)
    assert problem.code in ("bad-log-record", "unknown-log-version")
    assert "line 1" not in str(problem)
    assert isinstance(good, LoggedPage)


def test_a_repeated_key_is_refused() -> None:
    line = json.dumps(RECORD).encode()
    for again in (line[:-1] + b',"country":"DE"}', line.replace(b'"tweet_id"', b'"tweet_id": "99", "tweet_id"')):
        (problem,) = read_log(BytesIO(again), "log.jsonl")
        assert "is repeated [bad-log-record]" in str(problem)


def test_a_line_that_is_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("withhold.serving.log_record._LONGEST", 1_000)
    good = json.dumps(RECORD).encode()
    problem, found = read_log(BytesIO(b"x" * 4_500 + b"\n" + good), "log.jsonl")
    assert "longer than 1,000 bytes" in str(problem)
    assert isinstance(found, LoggedPage)


@given(
    st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*RECORD, "x"]), inner, max_size=9),
    ).map(lambda value: json.dumps({**RECORD, **value} if isinstance(value, dict) else value).encode())
)
def test_whatever_a_log_holds_each_line_is_read_or_refused(text: bytes) -> None:
    found = list(read_log(BytesIO(text), "log"))
    lines = [line for line in BytesIO(text) if line.strip()]
    assert len(found) == len(lines)
    assert all(isinstance(each, LoggedPage | Problem) and str(each) for each in found)
