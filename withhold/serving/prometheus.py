"""Pass the counts of `Metrics` on to Prometheus. Needs `prometheus-client`, the extra `prometheus`."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from withhold.engine import FollowStatus
from withhold.serving.extras import imported
from withhold.serving.metrics import Counts, PublishedState

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry


class Prometheus:
    """A sink for `Metrics`: counters and gauges of Prometheus, in a registry (by default the one of the process).

    | metric | meaning |
    |---|---|
    | `withhold_pages_total`, `withhold_items_total`, `withhold_tombstones_total` | pages, items on them, and hidden quotes |
    | `withhold_hidden_items_total{outcome,scope,reason}` | hidden items |
    | `withhold_uncertain_items_total` | hidden items for which a more precise location could give another outcome |
    | `withhold_unknown_locations_total` | pages for viewers of unknown location |
    | `withhold_pages_by_country_total{country}` | pages by country, if `Metrics` was given countries |
    | `withhold_log_pages_total{result}`, `withhold_shadow_pages_total{result}` | pages by their result in the decision log and in the shadow, if `Metrics` was given these |
    | `withhold_activated_timestamp_seconds`, `withhold_checked_timestamp_seconds` | when rules were last activated, and when their files were last checked: with several workers, by the worker that is furthest behind |
    | `withhold_reload_failures` | failed attempts to read the files since the last success: those of the worst worker |
    | `withhold_fresh`, `withhold_published_version`, `withhold_signed_timestamp_seconds` | if `Metrics` was given published rules: whether they are known to be the newest (1 or 0), their version (0 for a fallback), and when their source was last signed: with several workers, by the worker that is furthest behind |

    No label contains a revision, a rule or a demand. With several workers, use the multiprocess mode of `prometheus-client`: each
    worker passes its own numbers on, and the scrape adds them up.

    Raises `ImportError` if `prometheus-client` is not installed.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        client = imported("prometheus_client", "prometheus")
        where = {"registry": client.REGISTRY if registry is None else registry}

        def counter(name: str, text: str, *labels: str) -> Any:
            return client.Counter(f"withhold_{name}", text, labels, **where)

        def gauge(name: str, text: str, mode: str) -> Any:
            return client.Gauge(f"withhold_{name}", text, multiprocess_mode=mode, **where)

        self._pages = counter("pages", "pages filtered")
        self._items = counter("items", "items on these pages, shown or hidden")
        self._tombstones = counter("tombstones", "shown items in which a quoted tweet is hidden")
        self._hidden = counter("hidden_items", "hidden items", "outcome", "scope", "reason")
        self._uncertain = counter("uncertain_items", "hidden items that a more precise location could show")
        self._unknown = counter("unknown_locations", "pages for viewers of unknown location")
        self._by_country = counter("pages_by_country", "pages by the country of the viewer", "country")
        self._logged = counter("log_pages", "pages by their result in the decision log", "result")
        self._shadowed = counter("shadow_pages", "pages by their result in the shadow", "result")
        self._activated = gauge("activated_timestamp_seconds", "when rules were last activated", "livemin")
        self._checked = gauge("checked_timestamp_seconds", "when the files were last checked", "livemin")
        self._failures = gauge("reload_failures", "failed attempts since the last success", "livemax")
        # Made when they are first set, because a gauge begins at 0, as if the rules were not the newest.
        self._of_published = cache(
            lambda: (
                gauge("fresh", "whether published rules are known to be the newest", "livemin"),
                gauge("published_version", "the version of published rules, or 0 for others", "livemin"),
                gauge("signed_timestamp_seconds", "when the source was last signed", "livemin"),
            )
        )

    def add(self, counts: Counts, following: FollowStatus | None, published: PublishedState | None) -> None:
        """Add new numbers, and set the state of following files and of published rules."""
        for metric, number in (
            (self._pages, counts.pages),
            (self._items, counts.items),
            (self._tombstones, counts.tombstones),
            (self._uncertain, counts.uncertain),
            (self._unknown, counts.unknown_locations),
        ):
            if number:
                metric.inc(number)
        for (outcome, scope, reason), number in counts.hidden.items():
            self._hidden.labels(outcome, scope or "", reason or "").inc(number)
        for country, number in counts.countries.items():
            self._by_country.labels(country).inc(number)
        for metric, results in ((self._logged, counts.logged), (self._shadowed, counts.shadowed)):
            for result, number in results.items():
                metric.labels(result).inc(number)
        if following is not None:
            for metric, instant in ((self._activated, following.activated), (self._checked, following.checked)):
                if instant is not None:
                    metric.set(instant.timestamp())
            self._failures.set(following.failures)
        if published is not None:
            fresh, version, signed = self._of_published()
            fresh.set(published.state == "fresh")
            version.set(published.version or 0)
            for metric, instant in ((self._activated, published.activated), (signed, published.signed)):
                if instant is not None:
                    metric.set(instant.timestamp())
