"""The limits, in one table: what is asked, and how much of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Limit:
    """A figure that must be at most, or at least, so much; or one that is told for comparison (None)."""

    what: str
    bound: float | None
    unit: str = "×"
    at_least: bool = False

    def __str__(self) -> str:
        return "" if self.bound is None else f"{'≥' if self.at_least else '≤'} {self.bound:,g} {self.unit}"

    def met(self, value: float) -> bool | None:
        """Tell whether a figure is on the right side."""
        if self.bound is None:
            return None
        return value >= self.bound if self.at_least else value <= self.bound


LIMITS = {
    "miss, small": Limit("`withholds`, a miss at {small} ids, over an empty compiled method", 1.3),
    "miss, medium": Limit("`withholds`, a cold miss at {medium} ids, over an empty method with two random reads", 1.3),
    "miss, large": Limit("`withholds`, a cold miss at {large} ids, over an empty method with two random reads", 1.3),
    "filter": Limit(
        "comprehension over two frozensets of all ids, over `filter` of 500 cold pairs at {medium}", 5, at_least=True
    ),
    "filter, one country": Limit("the same where the frozensets have the ids of one country alone, a quarter", None),
    "mask, floor": Limit("`mask` of two buffers of 500 at {large} ids, over random reads with prefetch", 2),
    "mask, sets": Limit("comprehension over two frozensets of all ids, over that `mask`", 10, at_least=True),
    "mask, one country": Limit("the same where the frozensets have the ids of one country alone, a quarter", None),
    "hit": Limit("`check` of a hit, with its decision, over `withholds` of a miss", 3),
    "first, half": Limit(
        "first decision of an engine on an account whose one rule has half of all subdivisions, except the others",
        20,
        "ms",
    ),
    "first, subdivisions": Limit("the same where 300 rules have 10 subdivisions each", 20, "ms"),
    "first, countries": Limit("the same where 200 rules have 20 countries each", 20, "ms"),
    "gc": Limit("what `gc.collect()` takes longer with {large} ids mapped than with {small}", 1, "ms"),
    "file": Limit("the file, for each id of {large}", 20, "bytes"),
    "private": Limit("memory of its own that a worker takes more at {large} ids than at {small}", 1, "MB"),
    "open": Limit("opening a file of {large} ids with `verify='header'`", 20, "ms"),
    "verify": Limit("opening it with `verify='full'`", 1, "GB/s", at_least=True),
    "compile": Limit("compiling {large} ids from arrays, and saving them", 1, "million ids/s", at_least=True),
    "compile, memory": Limit("most memory while compiling {large} ids from arrays, over the file", 4),
    "csv": Limit("loading and compiling {medium} ids from CSV, and saving them", 0.3, "million ids/s", at_least=True),
    "csv, memory": Limit("most memory while loading and compiling {medium} ids from CSV, over the file", 4),
    "cases": Limit("`withhold test` of {cases} cases in 40 files, on 1,000 rules, from its start to its end", 5, "s"),
    "diff": Limit("`withhold diff` of two directories of rule files, {medium} ids in CSV in each, likewise", 10, "s"),
    "diff, memory": Limit("most memory that it holds", 1, "GB"),
    "OPA": Limit("OPA over `withholds`, a check at 100,000 ids", 1_000, at_least=True),
    "Cedar": Limit("Cedar over `withholds`, a check at 100,000 ids", 1_000, at_least=True),
    "OPA, floor": Limit("OPA, a check at 100,000 ids, over an empty compiled method", None),
    "Cedar, floor": Limit("Cedar, a check at 100,000 ids, over an empty compiled method", None),
    "casbin": Limit("casbin over `withholds`, a check at 100,000 ids", 1_000, at_least=True),
    "regorus": Limit("regorus over `withholds`, a check at 100,000 ids", 100, at_least=True),
}


def judged(measured: dict[str, Any], sizes: dict[str, str], *, quick: bool) -> list[dict[str, Any]]:
    """Return every limit with its figure (median, middle half), or with the reason why there is none.

    A quick run has other sizes than those that the limits are for, and too few turns: nothing is judged by it.
    """
    found = []
    for name, limit in LIMITS.items():
        figure = measured.get(name, {"missing": "no part of this run"})
        row = {
            "name": name,
            "what": limit.what.format(**sizes),
            "limit": str(limit),
            "unit": limit.unit,
            **figure,
        }
        if "value" in figure:
            row["met"] = None if quick else limit.met(figure["value"])
        found.append(row)
    return found
