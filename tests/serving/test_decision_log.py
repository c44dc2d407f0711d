"""The decision log: every page is counted once, no request waits for a sink, and a record has the answers."""

from __future__ import annotations

import gc
import json
import os
import threading
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.forking import forked, until
from tests.serving.test_metrics import INDIA, ITEMS, RULES, UNKNOWN
from tests.strategies import instants, pairs, policies, rule_sets, tweets, viewers
from withhold import Engine, Tweet, View, Viewer
from withhold.serving.decision_log import DecisionLog, LogCounts
from withhold.serving.log_record import LoggedPage, read_log


class Kept:
    """A sink that keeps the records."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []
        self.broken = False

    def write(self, record: dict[str, Any]) -> None:
        if self.broken:
            raise OSError(28, "No space left on device")
        self.records.append(record)


@pytest.fixture
def sink() -> Kept:
    return Kept()


@pytest.fixture
def log(sink: Kept) -> Iterator[DecisionLog]:
    with DecisionLog(sink, interval=3600) as made:
        yield made


def give(log: DecisionLog, viewer: Viewer = INDIA, pages: int = 1) -> View:
    view = Engine(RULES).view(viewer)
    for _ in range(pages):
        log.page(view, view.filter(ITEMS))
    return view


def counts(log: DecisionLog) -> dict[str, int]:
    """Return the counts that are not 0, after checking that they add up."""
    found = log.counts()
    assert found.pages == sum(found[1:])
    return {name: count for name, count in found._asdict().items() if count}


def test_a_record_has_the_hits_and_what_is_needed_to_ask_again(sink: Kept, log: DecisionLog) -> None:
    view = give(log, Viewer(country="IN", subdivisions=["IN-DL"]))
    log.flush()
    (record,) = sink.records
    assert record == {
        "version": 1,
        "at": view.at.isoformat().replace("+00:00", "Z"),
        "answer_revision": f"{RULES.revision}-show",
        "country": "IN",
        "subdivisions": ["IN-DL"],
        "visible": 2,
        "hidden": [
            {"index": index, "subject": [{"tweet_id": tweet, "account_id": account}], **answer}
            for index, tweet, account, answer in (
                (0, "20", "17", {"outcome": "withheld", "certain": True, "rule_ids": ["in-1"]}),
                (1, "21", "5", {"outcome": "withheld", "certain": True, "rule_ids": ["x-1"]}),
                (2, "22", "19", {"outcome": "suspended", "certain": True, "rule_ids": ["s-1"]}),
            )
        ],
        "tombstones": [
            {
                "index": 4,
                "path": ["quoted"],
                "subject": [{"tweet_id": "25", "account_id": "17"}],
                "outcome": "withheld",
                "certain": True,
                "rule_ids": ["in-1"],
            }
        ],
        "left_out": {},
    }
    assert counts(log) == {"pages": 1, "logged": 1}


def test_a_key_is_not_called_again_and_later_changes_of_the_page_do_not_matter(sink: Kept, log: DecisionLog) -> None:
    items = [{"id": 23, "author": 5}, {"id": 20, "author": 17}]
    view = Engine(RULES).view(INDIA)
    page = view.filter(items, key=lambda item: (item["id"], item["author"]))
    log.page(view, page)
    items.clear()
    page.hidden.clear()
    page.visible.clear()
    log.flush()
    (record,) = sink.records
    assert record["visible"] == 1
    assert [hit["subject"] for hit in record["hidden"]] == [[{"tweet_id": "20", "account_id": "17"}]]


def test_a_record_names_no_viewer_unless_that_is_asked_for(sink: Kept, log: DecisionLog) -> None:
    viewer = Viewer(country="IN", account_id=4711, signal="192.0.2.0/24 in GeoIP")
    give(log, viewer)
    log.flush()
    assert not {"4711", "192.0.2", "GeoIP"} & {*json.dumps(sink.records).replace('"', " ").split()}
    assert "viewer_account_id" not in sink.records[0]
    with DecisionLog(sink, viewer_accounts=True, interval=3600) as asked:
        give(asked, viewer)
        give(asked, UNKNOWN)
    assert [record["viewer_account_id"] for record in sink.records[1:]] == ["4711", None]
    assert "192.0.2" not in json.dumps(sink.records)


def test_a_quote_that_only_a_subclass_has_is_logged_without_ids(sink: Kept, log: DecisionLog) -> None:
    class Thread(Tweet):
        def quotes(self) -> tuple[Tweet, ...]:
            return (Tweet(25, 17),)

    view = Engine(RULES).view(INDIA)
    log.page(view, view.filter([Thread(24, 5), Tweet(26, 5, quoted=Thread(24, 5))]))
    log.flush()
    assert [hit["subject"] for hit in sink.records[0]["tombstones"]] == [[], []]


def test_pages_outside_the_share_are_counted_and_the_next_record_says_how_many(
    sink: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = iter([0.5, 0.25, 0.9, 0.0, 0.3])
    monkeypatch.setattr("withhold.serving.decision_log.random", lambda: next(drawn))
    with DecisionLog(sink, share=0.3, interval=3600) as log:
        give(log)
        give(log)
        log.flush()
        give(log, pages=3)
        log.flush()
        assert counts(log) == {"pages": 5, "logged": 2, "sampled_out": 3}
    assert [record["left_out"] for record in sink.records] == [{"sampled_out": 1}, {"sampled_out": 1}]


def test_too_many_pages_are_dropped_and_counted(sink: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("withhold.serving.decision_log._PAGES", 5)
    drawn = iter([0.0, 0.9, 0.0, 0.0, 0.9, 0.9, 0.0, 0.0])
    monkeypatch.setattr("withhold.serving.decision_log.random", lambda: next(drawn))
    with DecisionLog(sink, share=0.5, interval=3600) as log:
        give(log, pages=7)
        assert counts(log) == {"pages": 7, "sampled_out": 1, "dropped": 1, "waiting": 5}
        log.flush()
        assert counts(log) == {"pages": 7, "logged": 3, "sampled_out": 3, "dropped": 1}
        give(log)
    assert [record["left_out"] for record in sink.records] == [
        {"sampled_out": 1, "dropped": 1},
        {"sampled_out": 1},
        {},
        {"sampled_out": 1},
    ]


def test_too_many_hits_are_dropped_and_counted(sink: Kept, log: DecisionLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("withhold.serving.decision_log._FEW", 3)
    monkeypatch.setattr("withhold.serving.decision_log._HITS", 9)
    give(log, pages=5)
    assert counts(log) == {"pages": 5, "dropped": 3, "waiting": 2}, "each has four hits"
    give(log, Viewer(country="US"), pages=9)
    assert counts(log) == {"pages": 14, "dropped": 3, "waiting": 11}, "each has one hit"
    log.flush()
    monkeypatch.setattr("withhold.serving.decision_log._HITS", 2)
    give(log, pages=2)
    assert counts(log) == {"pages": 16, "logged": 11, "dropped": 4, "waiting": 1}, "a single page is never too large"
    log.flush()
    assert [record["left_out"] for record in sink.records if record["left_out"]] == [{"dropped": 3}, {"dropped": 1}]


def test_no_page_waits_for_a_sink_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("withhold.serving.decision_log._PAGES", 12)
    monkeypatch.setattr("withhold.watching._CLOSE_PATIENCE", 0.01)
    inside, end, written = threading.Event(), threading.Event(), []

    class Stuck:
        def write(self, record: dict[str, Any]) -> None:
            inside.set()
            end.wait(60)
            written.append(record)

    log = DecisionLog(Stuck(), interval=0.001)
    give(log)
    assert inside.wait(60)
    give(log, pages=100)
    assert counts(log) == {"pages": 101, "dropped": 88, "waiting": 13}, "one is being written"
    log.close()  # does not wait for ever, either
    assert counts(log)["waiting"] == 13
    end.set()
    assert until(lambda: log.counts().waiting == 0)
    assert counts(log) == {"pages": 101, "logged": 13, "dropped": 88}
    assert sum(record["left_out"].get("dropped", 0) for record in written) == 88
    give(log)
    assert counts(log) == {"pages": 102, "logged": 13, "dropped": 89}, "after `close`"


def test_a_mask_changes_the_record(sink: Kept) -> None:
    def mask(record: dict[str, Any]) -> dict[str, Any]:
        return {**record, "subdivisions": []}

    with DecisionLog(sink, mask=mask, interval=3600) as log:
        give(log, Viewer(country="IN", subdivisions=["IN-DL"]))
    assert sink.records[0]["subdivisions"] == []


@pytest.mark.parametrize("broken", [lambda record: 1 / 0, lambda record: record.clear(), lambda record: [record]])
def test_a_record_that_could_not_be_masked_is_dropped_and_counted(
    broken: Any, sink: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    masks = iter([broken, lambda record: record, broken])

    def mask(record: dict[str, Any]) -> dict[str, Any]:
        return next(masks)(record)  # type: ignore[no-any-return]

    with DecisionLog(sink, mask=mask, interval=3600) as log:
        give(log, pages=3)
        log.flush()
        assert counts(log) == {"pages": 3, "logged": 1, "mask_failed": 2}
    assert [record["left_out"] for record in sink.records] == [{"mask_failed": 1}]
    assert len(caplog.records) == 1
    assert caplog.records[0].message.startswith("2 pages are missing from the decision log: ")


def test_a_sink_that_fails_is_counted_and_logged_once(
    sink: Kept, log: DecisionLog, caplog: pytest.LogCaptureFixture
) -> None:
    sink.broken = True
    for _ in range(3):
        give(log, pages=2)
        log.flush()
    assert [record.message for record in caplog.records] == [
        "2 pages are missing from the decision log: OSError: [Errno 28] No space left on device"
    ]
    sink.broken = False
    give(log)
    log.flush()
    assert counts(log) == {"pages": 7, "logged": 1, "failed": 6}
    assert [record["left_out"] for record in sink.records] == [{"failed": 6}]


def test_threads_lose_no_page(sink: Kept) -> None:
    with DecisionLog(sink, share=0.5, interval=3600) as log:
        threads = [threading.Thread(target=give, args=(log, INDIA, 1_000)) for _ in range(4)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            log.flush()
            counts(log)
        log.flush()
        found = log.counts()
        assert (found.pages, found.waiting, found.dropped) == (4_000, 0, 0)
        assert found.logged == len(sink.records)
        left_out = sum(record["left_out"].get("sampled_out", 0) for record in sink.records)
        assert 0 <= found.sampled_out - left_out < 100, "those after the last record"


def test_a_log_without_other_references_is_written(sink: Kept) -> None:
    give(DecisionLog(sink, interval=0.01), pages=3)
    gc.collect()
    assert until(lambda: len(sink.records) == 3)
    from withhold.serving import decision_log

    for log in list(decision_log._OPEN):
        log.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_child_begins_at_zero_and_goes_on(sink: Kept) -> None:
    with DecisionLog(sink, interval=0.01) as log:
        give(log, pages=2)

        def child() -> bool:
            assert log.counts().pages == 0
            sink.records.clear()
            give(log, UNKNOWN)
            return bool(until(lambda: len(sink.records) == 1)) and sink.records[0]["country"] is None

        forked(child)
        log.flush()
        assert counts(log) == {"pages": 2, "logged": 2}
        assert len(sink.records) == 2


def test_mistakes_are_reported(sink: Kept) -> None:
    for bad in (-0.1, 1.5, float("nan"), True, None, "1"):
        with pytest.raises(ValueError, match=r"share .* is not a share from 0 to 1 \[bad-share\]"):
            DecisionLog(sink, share=bad)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="bad-interval"):
        DecisionLog(sink, interval=0)
    assert LogCounts._fields == ("pages", "logged", "sampled_out", "dropped", "mask_failed", "failed", "waiting")


@settings(max_examples=40)
@given(rule_sets(3), policies, viewers(), instants, st.lists(pairs.filter(all) | tweets, max_size=12))
def test_a_record_is_read_as_it_was_answered(rules, policy, viewer, at, items) -> None:
    sink = Kept()
    view = Engine(rules, policy).view(viewer, at)
    page = view.filter(items)
    with DecisionLog(sink, viewer_accounts=True, interval=3600) as log:
        log.page(view, page)
    (found,) = read_log(BytesIO(json.dumps(sink.records[0]).encode()), "log")
    assert isinstance(found, LoggedPage)
    assert (found.at, found.viewer, found.policy, found.has_account) == (at, viewer, policy, True)
    assert (found.answer_revision, found.visible) == (view.answer_revision, len(page.visible))
    decisions = [decision for _, decision in page.hidden] + [decision for *_, decision in page.tombstones]
    assert [(hit.outcome, hit.rule_ids) for hit in found.hits] == [(each.outcome, each.rule_ids) for each in decisions]
    for hit, decision in zip(found.hits, decisions, strict=True):
        assert hit.subject is not None
        assert view.check_tweet(hit.subject).decision == decision  # type: ignore[arg-type]
