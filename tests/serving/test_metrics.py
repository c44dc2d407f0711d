"""Metrics: every page is counted once, whatever threads, processes and sinks do."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.forking import forked
from withhold import Engine, Page, Policy, Rule, RuleSet, Snapshot, Tweet, View, Viewer
from withhold.engine import FollowStatus
from withhold.live import Worker
from withhold.serving.decision_log import DecisionLog
from withhold.serving.metrics import Counts, Hidden, Metrics, PublishedState
from withhold.serving.otel import OpenTelemetry
from withhold.serving.prometheus import Prometheus

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
    done = threading.Event()
    for _ in range(500):
        if sink.counts.pages:
            break
        done.wait(0.01)
    assert sink.counts.pages == 1
    watcher = metrics._watcher
    alive = weakref.ref(metrics)
    del metrics
    gc.collect()
    assert alive() is None
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
def test_a_fork_waits_for_numbers_that_are_being_passed_on() -> None:
    """Otherwise a lock of the monitoring library would stay locked in the child, which could never end."""
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


NOON = datetime(2021, 2, 10, 12, tzinfo=UTC)
STATE = FollowStatus("rules.wh", activated=NOON, checked=NOON, failures=2)


class Published(NamedTuple):
    state: str
    version: int | None = None
    signed: datetime | None = None
    activated: datetime | None = None


def full() -> Counts:
    view = Engine(RULES, Policy(author_sees_own=True)).view(UNKNOWN)
    kept = Kept()
    with Metrics(kept, countries=["IN"], interval=3600) as metrics:
        metrics.page(view, view.filter(ITEMS))
    kept.counts.shadowed["same"] = kept.counts.logged["dropped"] = 3
    return kept.counts


def test_prometheus_gets_all_numbers() -> None:
    client = pytest.importorskip("prometheus_client", reason="prometheus-client is not installed")
    registry = client.CollectorRegistry()
    sink = Prometheus(registry)
    for _ in range(2):
        sink.add(full(), STATE, None)
    assert "withhold_fresh" not in client.generate_latest(registry).decode(), "no rules were published"
    sink.add(Counts(), None, Published("stale", 7, NOON))
    text = client.generate_latest(registry).decode()
    for line in (
        "withhold_pages_total 2.0",
        "withhold_items_total 10.0",
        "withhold_unknown_locations_total 2.0",
        "withhold_uncertain_items_total 2.0",
        'withhold_hidden_items_total{outcome="suspended",reason="terms",scope="account"} 2.0',
        'withhold_pages_by_country_total{country="unknown"} 2.0',
        'withhold_log_pages_total{result="dropped"} 6.0',
        'withhold_shadow_pages_total{result="same"} 6.0',
        f"withhold_activated_timestamp_seconds {NOON.timestamp()}".replace("1612958400.0", "1.6129584e+09"),
        "withhold_reload_failures 2.0",
        "withhold_fresh 0.0",
        "withhold_published_version 7.0",
        "withhold_signed_timestamp_seconds 1.6129584e+09",
    ):
        assert line in text
    sink.add(Counts(), None, Published("fresh", 8, activated=NOON + timedelta(seconds=900)))
    text = client.generate_latest(registry).decode()
    assert "withhold_fresh 1.0" in text
    assert "withhold_activated_timestamp_seconds 1.6129593e+09" in text
    assert RULES.revision not in text


WORKER = """
import os, sys
from withhold import Engine, Rule, RuleSet, Viewer
from withhold.serving.metrics import Metrics
from withhold.serving.prometheus import Prometheus
view = Engine(RuleSet([Rule(id="in-1", accounts=[17], withheld_in=["IN"], reason="terms")])).view(Viewer(country="IN"))
metrics = Metrics(Prometheus(), interval=3600)
if len(sys.argv) > 1 and os.fork():  # as a server forks its workers
    os.wait()
for _ in range(50):
    metrics.page(view, view.filter([(20, 17), (21, 18)]))
metrics.flush()
os._exit(0)
"""


@pytest.mark.parametrize("forks", [False, True])
def test_two_workers_are_added_up(forks: bool, tmp_path: Path) -> None:
    client = pytest.importorskip("prometheus_client", reason="prometheus-client is not installed")
    from prometheus_client import multiprocess

    if forks and not hasattr(os, "fork"):
        pytest.skip("this system cannot fork")
    command = [sys.executable, "-c", WORKER, *(["fork"] if forks else [])]
    environ = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    workers = [subprocess.Popen(command, env=environ) for _ in range(1 if forks else 2)]
    assert [worker.wait() for worker in workers] == [0] * len(workers)
    registry = client.CollectorRegistry()
    multiprocess.MultiProcessCollector(registry, str(tmp_path))
    text = client.generate_latest(registry).decode()
    assert "withhold_pages_total 100.0" in text
    assert 'withhold_hidden_items_total{outcome="withheld",reason="terms",scope="account"} 100.0' in text


def test_opentelemetry_gets_all_numbers() -> None:
    sdk = pytest.importorskip("opentelemetry.sdk.metrics", reason="opentelemetry-sdk is not installed")
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader

    reader = InMemoryMetricReader()
    provider = sdk.MeterProvider([reader])
    OpenTelemetry(provider.get_meter("test")).add(full(), STATE, Published("fresh", 7, NOON, NOON))
    data: Any = reader.get_metrics_data()
    found = {
        (metric.name, tuple(sorted(dict(point.attributes).values()))): point.value
        for metric in data.resource_metrics[0].scope_metrics[0].metrics
        for point in metric.data.data_points
    }
    assert found["withhold.pages", ()] == 1
    assert found["withhold.items", ()] == 5
    assert found["withhold.hidden_items", ("account", "suspended", "terms")] == 1
    assert found["withhold.reload_failures", ()] == 2
    assert found["withhold.log_pages", ("dropped",)] == 3
    assert found["withhold.shadow_pages", ("same",)] == 3
    assert found["withhold.activated_timestamp", ()] == NOON.timestamp()
    assert (found["withhold.fresh", ()], found["withhold.published_version", ()]) == (1, 7)
    assert found["withhold.signed_timestamp", ()] == NOON.timestamp()
    provider.shutdown()


@pytest.mark.parametrize(
    ("make", "module", "extra"),
    [(Prometheus, "prometheus_client", "prometheus"), (OpenTelemetry, "opentelemetry.metrics", "otel")],
)
def test_a_missing_library_is_named_with_its_extra(
    make: Any, module: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=rf"\[missing-extra\]; install the extra `{extra}` of withhold"):
        make()


def test_the_labels_are_those_of_the_decision() -> None:
    assert Hidden._fields == ("outcome", "scope", "reason")
    view: View = Engine(RULES).view(INDIA)
    assert all(len(Hidden(each.outcome, each.scope, each.reason)) == 3 for _, each in view.filter(ITEMS).hidden)
