"""The targets with their limits, in one table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Limit:
    """A figure with its upper or lower bound. A figure without a bound (None) is only for comparison."""

    what: str
    bound: float | None
    unit: str = "×"
    at_least: bool = False

    def __str__(self) -> str:
        return "" if self.bound is None else f"{'≥' if self.at_least else '≤'} {self.bound:,g} {self.unit}"

    def met(self, value: float) -> bool | None:
        """Return whether a figure meets the bound, or None without a bound."""
        if self.bound is None:
            return None
        return value >= self.bound if self.at_least else value <= self.bound


LIMITS = {
    "miss, small": Limit("`withholds`, a miss at {small} ids / an empty compiled method", 1.3),
    "miss, medium": Limit("`withholds`, a cold miss at {medium} ids / an empty method with two random reads", 1.3),
    "miss, large": Limit("`withholds`, a cold miss at {large} ids / an empty method with two random reads", 1.3),
    "filter": Limit(
        "comprehension with two frozensets of all ids / `filter` of 500 cold pairs, at {medium} ids", 5, at_least=True
    ),
    "filter, one country": Limit("the same with frozensets of one country only, which have a quarter of the ids", None),
    "mask, floor": Limit("`mask` of two buffers of 500 at {large} ids / random reads with prefetch", 2),
    "mask, sets": Limit("comprehension with two frozensets of all ids / the same `mask`", 10, at_least=True),
    "mask, one country": Limit("the same with frozensets of one country only, which have a quarter of the ids", None),
    "hit": Limit("`check` of a hit, with its decision / `withholds` of a miss", 3),
    "plain tweets": Limit("`filter` of 500 hot `Tweet`s / of 500 hot pairs, at {medium} ids", 1.5),
    "retweets and quotes": Limit("the same with 20% retweets and 20% quotes", 2),
    "key": Limit("`filter` with a `key` that returns pairs / of pairs; the calls of the key alone are most of it", 4),
    "five named": Limit("`filter` of a hot page with five hidden items, with its freshness / of a page of misses", 1.3),
    "500 tweets built": Limit("building 500 `Tweet`s", 50, "µs"),
    "viewer": Limit("`Resolver.viewer`, IPv4 behind one proxy, 12 headers / geoip2's `country()`, new addresses", 0.1),
    "viewer, account": Limit("the same with an `account_id`", 0.1),
    "viewer, CDN": Limit("the same behind a CDN's header", 0.15),
    "viewer in Python": Limit("`Resolver.viewer` without compiled modules / geoip2's `country()`", 0.35),
    "viewer in Python, account": Limit("the same with an `account_id`, in Python", 0.35),
    "viewer in Python, CDN": Limit("the same behind a CDN's header, in Python", 0.45),
    "request, cold": Limit(
        "a request (resolve, open the view, `filter` of 500 cold pairs, {medium} ids) / the `filter` alone", 1.2
    ),
    "request, hot": Limit("the same with pairs that were asked before", 1.4),
    "request, cold, resolved in Python": Limit("the same, cold, with a resolver in Python", None),
    "request, hot, resolved in Python": Limit("the same, hot, with a resolver in Python", None),
    "Viewer, seen": Limit('`Viewer(country="IN")`', 0.4, "µs"),
    "first, half": Limit(
        "first decision of an engine on an account with one rule: half of all subdivisions, except the others",
        20,
        "ms",
    ),
    "first, subdivisions": Limit("the same with 300 rules of 10 subdivisions each", 20, "ms"),
    "first, countries": Limit("the same with 200 rules of 20 countries each", 20, "ms"),
    "gc": Limit("additional time of `gc.collect()` with {large} ids mapped instead of {small}", 1, "ms"),
    "file": Limit("size of the file per id, at {large} ids", 20, "bytes"),
    "private": Limit("additional private memory of a worker at {large} ids instead of {small}", 1, "MB"),
    "open": Limit("opening a file of {large} ids with `verify='header'`", 20, "ms"),
    "verify": Limit("opening it with `verify='full'`", 1, "GB/s", at_least=True),
    "compile": Limit("compiling and saving {large} ids from arrays", 1, "million ids/s", at_least=True),
    "compile, memory": Limit("peak memory while compiling {large} ids from arrays / size of the file", 4),
    "csv": Limit("loading, compiling and saving {medium} ids from CSV", 0.3, "million ids/s", at_least=True),
    "csv, memory": Limit("peak memory while loading and compiling {medium} ids from CSV / size of the file", 4),
    "cases": Limit("`withhold test` of {cases} cases in 40 files with 1,000 rules, the whole process", 5, "s"),
    "diff": Limit(
        "`withhold diff` of two directories of rule files, each with {medium} ids in CSV, the whole process", 10, "s"
    ),
    "diff, memory": Limit("peak memory of this process", 1, "GB"),
    "OPA": Limit("a check by OPA / by `withholds`, at 100,000 ids", None),
    "Cedar": Limit("a check by Cedar / by `withholds`, at 100,000 ids", None),
    "OPA, floor": Limit("a check by OPA at 100,000 ids / an empty compiled method", None),
    "Cedar, floor": Limit("a check by Cedar at 100,000 ids / an empty compiled method", None),
    "casbin": Limit("a check by casbin / by `withholds`, at 100,000 ids", 1_000, at_least=True),
    "regorus": Limit("a check by regorus / by `withholds`, at 100,000 ids", None),
}


def judged(measured: dict[str, Any], sizes: dict[str, str], *, quick: bool) -> list[dict[str, Any]]:
    """Return every target with its figure (median, middle half), or with the reason why there is none.

    A quick run has other sizes than those of the limits, and too few turns, so its figures are not judged. Targets that are
    the same at its sizes are returned once.
    """
    found: list[dict[str, Any]] = []
    for name, limit in LIMITS.items():
        figure = measured.get(name, {"missing": "not part of this run"})
        row = {
            "name": name,
            "what": limit.what.format(**sizes),
            "limit": "" if quick else str(limit),
            "unit": limit.unit,
            **figure,
        }
        if "value" in figure:
            row["met"] = None if quick else limit.met(figure["value"])
        if all(row["what"] != other["what"] for other in found):
            found.append(row)
    return found
