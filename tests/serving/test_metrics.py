"""Metrics: every page is counted once, whatever threads, processes and sinks do."""

from __future__ import annotations

import gc
import os
import threading
import time
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.forking import forked, until
from withhold import Engine, Page, Rule, RuleSet, Snapshot, Tweet, View, Viewer
from withhold.engine import FollowStatus
from withhold.live import Worker
from withhold.serving.decision_log import DecisionLog
from withhold.serving.metrics import Counts, Hidden, Metrics, PublishedState

RULES = RuleSet(
    [
        Rule(id="in-1", accounts=[17], withheld_in=["IN"], reason="legal_demand"),
        Rule(id="x-1", tweets=[21], withheld_in=["WORLD"], except_in=["US"], reason="copyright"),
        Rule(id="s-1", accounts=[19], effect="suspend", withheld_in=["WORLD"], reason="terms"),
    ]
)
INDIA, UNKNOWN = Viewer(country="IN"), Viewer.unknown()
ITEMS: list[tuple[int, int] | Tweet] = [(20, 17), (21, 5), (22, 19), (23, 5), Tweet(24, 5, quoted=Tweet(25, 17))]


class Kept:
    """A sink that keeps everything."""

    def __init__(self) -> None:
        self.counts = Counts()
        self.states: list[FollowStatus | None] = []
        self.published: list[PublishedState | None] = []
        self.broken = False

    def add(self, counts: Counts, following: FollowStatus | None, published: PublishedState | None) -> None:
        if self.broken:
            raise RuntimeError("the monitoring system is not there")
        self.counts.add(counts)
        self.states.append(following)
        self.published.append(published)


@pytest.fixture
def sink() -> Kept:
    return Kept()


@pytest.fixture
def metrics(sink: Kept) -> Iterator[Metrics]:
    with Metrics(sink, interval=3600) as made:
        yield made


def count(metrics: Metrics, viewer: Viewer, items: list[tuple[int, int] | Tweet] = ITEMS) -> Page[Any]:
    view = Engine(RULES).view(viewer)
    page = view.filter(items)
    metrics.page(view, page)
    return page


def test_a_page_is_counted_by_what_it_shows_and_hides(sink: Kept, metrics: Metrics) -> None:
    count(metrics, INDIA)
    count(metrics, Viewer(country="US"))
    count(metrics, UNKNOWN)
    metrics.flush()
    found = sink.counts
    assert (found.pages, found.items, found.tombstones, found.unknown_locations) == (3, 15, 1, 1)
    assert {tuple(map(str, key)): number for key, number in found.hidden.items()} == {
        ("withheld", "account", "legal_demand"): 1,
        ("withheld", "tweet", "copyright"): 2,
        ("suspended", "account", "terms"): 3,
    }
    assert found.uncertain == 1, "x-1 for the viewer of unknown location"
    assert found.countries == {}


def test_nothing_is_passed_on_twice(sink: Kept, metrics: Metrics) -> None:
    count(metrics, INDIA)
    for _ in range(3):
        metrics.flush()
    assert sink.counts.pages == 1
    metrics.close()
    metrics.close()
    assert sink.counts.pages == 1


def test_countries_are_bounded(sink: Kept) -> None:
    with Metrics(sink, countries=["IN", "US"], interval=3600) as metrics:
        for viewer in (INDIA, INDIA, Viewer(country="DE"), Viewer(country="FR"), UNKNOWN):
            count(metrics, viewer)
    assert sink.counts.countries == {"IN": 2, "other": 2, "unknown": 1}


def test_many_hidden_items_do_not_wait_for_the_thread(
    sink: Kept, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("withhold.serving.metrics._WAITING", 10)
    for _ in range(25):
        count(metrics, INDIA)
    assert len(metrics._hidden) < 10
    metrics.flush()
    assert sink.counts.hidden[next(key for key in sink.counts.hidden if key.reason == "legal_demand")] == 25
    assert sink.counts.items == 125


def test_a_sink_that_fails_gets_the_numbers_later(
    sink: Kept, metrics: Metrics, caplog: pytest.LogCaptureFixture
) -> None:
    sink.broken = True
    count(metrics, INDIA)
    metrics.flush()
    count(metrics, INDIA)
    metrics.flush()
    assert [record.message for record in caplog.records] == ["metrics were not passed on; they are kept"] * 2
    sink.broken = False
    metrics.flush()
    assert (sink.counts.pages, sink.counts.items, sink.counts.hidden.total()) == (2, 10, 6)


def test_threads_lose_no_page(sink: Kept, metrics: Metrics) -> None:
    view = Engine(RULES).view(INDIA)
    page = view.filter(ITEMS)

    def ask() -> None:
        for _ in range(5_000):
            metrics.page(view, page)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        metrics.flush()
    metrics.flush()
    assert (sink.counts.pages, sink.counts.items, sink.counts.hidden.total()) == (20_000, 100_000, 60_000)


def test_the_thread_passes_on_by_itself_and_ends_with_the_object(sink: Kept) -> None:
    metrics = Metrics(sink, interval=0.01)
    count(metrics, INDIA)
    assert until(lambda: sink.counts.pages == 1)
    watcher = metrics._watcher
    alive = weakref.ref(metrics)
    del metrics
    gc.collect()
    assert until(lambda: alive() is None), "the thread keeps it until its check ends"
    assert watcher is not None
    assert not watcher.alive


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_child_begins_at_zero(sink: Kept, metrics: Metrics) -> None:
    count(metrics, INDIA)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            count(metrics, UNKNOWN)
            metrics.flush()
            alive = metrics._watcher is not None and metrics._watcher.alive
            os.write(write, f"{sink.counts.pages} {sink.counts.unknown_locations} {alive}".encode())
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    assert os.read(read, 100) == b"1 1 True"
    metrics.flush()
    assert (sink.counts.pages, sink.counts.unknown_locations) == (1, 0)


def flushing(metrics: Metrics, inside: threading.Event) -> threading.Thread:
    """Return a thread that flushes, after its sink has set `inside`."""
    thread = threading.Thread(target=metrics.flush)
    thread.start()
    assert inside.wait(60)
    return thread


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_fork_waits_for_numbers_that_are_being_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise a lock of the monitoring library would stay locked in the child, which could never end."""
    monkeypatch.setattr("withhold.watching._FORK_PATIENCE", 60)
    inside, lock = threading.Event(), threading.Lock()

    class Locking:
        def add(self, counts: Counts, following: object, published: object) -> None:
            with lock:
                inside.set()
                time.sleep(0.05)

    metrics = Metrics(Locking(), interval=3600)
    thread = flushing(metrics, inside)
    forked(lambda: not lock.locked())
    thread.join()
    metrics.flush()  # the parent goes on, too
    metrics.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_fork_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("withhold.watching._FORK_PATIENCE", 0.01)
    inside, end = threading.Event(), threading.Event()

    class Stuck:
        def add(self, counts: Counts, following: object, published: object) -> None:
            inside.set()
            end.wait(60)

    metrics = Metrics(Stuck(), interval=3600)
    thread = flushing(metrics, inside)
    forked(lambda: True)
    end.set()
    thread.join()
    metrics.close()


def test_mistakes_are_reported(sink: Kept) -> None:
    for bad in (0, -1, float("nan")):
        with pytest.raises(ValueError, match="bad-interval"):
            Metrics(sink, interval=bad)
    with pytest.raises(ValueError, match=r"unknown countries `XX`, `in` \[unknown-country\]"):
        Metrics(sink, countries=["IN", "XX", "in"])


def test_the_state_of_following_files_is_passed_on(sink: Kept, tmp_path: Path) -> None:
    path = tmp_path / "rules.wh"
    Snapshot.compile(RULES).save(path)
    engine = Engine(Snapshot.open(path))
    with engine.follow(path, interval=3600) as following, Metrics(sink, following=following, interval=3600):
        pass
    (state,) = sink.states
    assert state is not None
    assert state.path == str(path)


def test_the_state_of_published_rules_is_passed_on(sink: Kept, tmp_path: Path) -> None:
    with Worker(Engine(RULES), tmp_path) as worker, Metrics(sink, published=worker, interval=3600):
        pass
    (state,) = sink.published
    assert state is not None
    assert (state.state, state.version) == ("fallback", None)


def test_the_counts_of_a_log_are_passed_on_once(sink: Kept) -> None:
    class Lost:
        def write(self, record: dict[str, Any]) -> None:
            raise OSError

    with DecisionLog(Lost(), interval=3600) as log, Metrics(sink, log=log, interval=3600) as metrics:
        view = Engine(RULES).view(INDIA)
        for _ in range(2):
            log.page(view, view.filter(ITEMS))
        metrics.flush()
        assert sink.counts.logged == {}, "they wait"
        log.flush()
        metrics.flush()
        metrics.flush()
        log.close()
        log.page(view, view.filter(ITEMS))
    assert sink.counts.logged == {"failed": 2, "dropped": 1}


def test_the_counts_of_a_shadow_are_passed_on_once(sink: Kept) -> None:
    engine = Engine(RULES)
    with (
        engine.shadow(RuleSet(), share=1.0, interval=3600) as shadow,
        Metrics(sink, shadow=shadow, interval=3600) as metrics,
    ):
        engine.view(INDIA).filter(ITEMS)
        metrics.flush()
        assert sink.counts.shadowed == {}, "it waits"
        sink.broken = True
        shadow.flush()
        metrics.flush()
        sink.broken = False
        metrics.flush()
        metrics.flush()
        assert sink.counts.shadowed == {"different": 1}
        engine.view(UNKNOWN).filter([(23, 5)])
        shadow.flush()
    assert sink.counts.shadowed == {"different": 1, "same": 1}


def test_the_labels_are_those_of_the_decision() -> None:
    assert Hidden._fields == ("outcome", "scope", "reason")
    view: View = Engine(RULES).view(INDIA)
    assert all(len(Hidden(each.outcome, each.scope, each.reason)) == 3 for _, each in view.filter(ITEMS).hidden)
