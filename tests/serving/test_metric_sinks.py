"""The sinks for metrics pass all numbers on to Prometheus and OpenTelemetry."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.serving.test_metrics import ITEMS, RULES, UNKNOWN, Kept
from withhold import Engine, Policy
from withhold.engine import FollowStatus
from withhold.serving.metrics import Counts, Metrics
from withhold.serving.otel import OpenTelemetry
from withhold.serving.prometheus import Prometheus

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
