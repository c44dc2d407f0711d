"""Pass the counts of `Metrics` on to OpenTelemetry. Needs `opentelemetry-api`, the extra `otel`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from withhold.engine import FollowStatus
from withhold.serving.extras import imported
from withhold.serving.metrics import Counts, PublishedState

if TYPE_CHECKING:
    from opentelemetry.metrics import Meter


class OpenTelemetry:
    """A sink for `Metrics`: instruments of OpenTelemetry, of a meter (by default the one of the name `withhold`).

    The instruments have the names of the metrics of `Prometheus`, with dots: `withhold.pages`, `withhold.hidden_items` and so
    on. There is no event and no span for a page or for a decision.

    Raises `ImportError` if `opentelemetry-api` is not installed.
    """

    def __init__(self, meter: Meter | None = None) -> None:
        if meter is None:
            meter = imported("opentelemetry.metrics", "otel").get_meter("withhold")
        counter, gauge = meter.create_counter, meter.create_gauge
        self._pages = counter("withhold.pages", "{page}", "pages filtered")
        self._items = counter("withhold.items", "{item}", "items on these pages, shown or hidden")
        self._tombstones = counter("withhold.tombstones", "{item}", "shown items in which a quoted tweet is hidden")
        self._hidden = counter("withhold.hidden_items", "{item}", "hidden items")
        self._uncertain = counter(
            "withhold.uncertain_items", "{item}", "hidden items that a more precise location could show"
        )
        self._unknown = counter("withhold.unknown_locations", "{page}", "pages for viewers of unknown location")
        self._by_country = counter("withhold.pages_by_country", "{page}", "pages by the country of the viewer")
        self._logged = counter("withhold.log_pages", "{page}", "pages by their result in the decision log")
        self._shadowed = counter("withhold.shadow_pages", "{page}", "pages by their result in the shadow")
        self._activated = gauge("withhold.activated_timestamp", "s", "when rules were last activated")
        self._checked = gauge("withhold.checked_timestamp", "s", "when the files were last checked")
        self._failures = gauge("withhold.reload_failures", "{attempt}", "failed attempts since the last success")
        self._fresh = gauge("withhold.fresh", "1", "whether published rules are known to be the newest")
        self._version = gauge("withhold.published_version", "1", "the version of published rules, or 0 for others")
        self._signed = gauge("withhold.signed_timestamp", "s", "when the source was last signed")

    def add(self, counts: Counts, following: FollowStatus | None, published: PublishedState | None) -> None:
        """Add new numbers, and set the state of following files and of published rules."""
        self._pages.add(counts.pages)
        self._items.add(counts.items)
        self._tombstones.add(counts.tombstones)
        self._uncertain.add(counts.uncertain)
        self._unknown.add(counts.unknown_locations)
        for (outcome, scope, reason), number in counts.hidden.items():
            self._hidden.add(number, {"outcome": outcome, "scope": scope or "", "reason": reason or ""})
        for country, number in counts.countries.items():
            self._by_country.add(number, {"country": country})
        for instrument, results in ((self._logged, counts.logged), (self._shadowed, counts.shadowed)):
            for result, number in results.items():
                instrument.add(number, {"result": result})
        if following is not None:
            for instrument, instant in ((self._activated, following.activated), (self._checked, following.checked)):
                if instant is not None:
                    instrument.set(instant.timestamp())
            self._failures.set(following.failures)
        if published is not None:
            self._fresh.set(int(published.state == "fresh"))
            self._version.set(published.version or 0)
            for instrument, instant in ((self._activated, published.activated), (self._signed, published.signed)):
                if instant is not None:
                    instrument.set(instant.timestamp())
