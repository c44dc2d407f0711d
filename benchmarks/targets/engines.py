"""The cost of policy engines divided by that of the library."""

from __future__ import annotations

import statistics
from typing import Any

from benchmarks.serving.scenarios import LOOP

ENGINES = ("OPA", "Cedar", "casbin", "regorus")


def measured(sizes: list[dict[str, Any]], floor: float | None = None) -> dict[str, dict[str, Any]]:
    """Return the time of each engine's check divided by that of the library, by turn, at 100,000 ids.

    `floor` is the time of an empty compiled method in nanoseconds. If it is given, the time of each engine is also
    divided by it: no library can have a larger ratio.
    """
    size = next((size for size in sizes if size["ids"] == 100_000), None)
    if size is None:
        return {}
    ours = size["rivals"].get("withhold") or size["rivals"].get("withhold, pure Python")
    found: dict[str, dict[str, Any]] = {}
    for name in ENGINES:
        theirs = size["rivals"].get(name)
        if theirs is None or ours is None:
            found[name] = {"missing": size["left_out"].get(name, "not part of this run")}
            continue
        above, below = theirs["timings"][LOOP]["mean"], ours["timings"][LOOP]["mean"]
        each = [over / under for over, under in zip(above, below, strict=True)]
        low, _, high = statistics.quantiles(each, n=4)
        value = statistics.median(above) / statistics.median(below)
        medians = {name: statistics.median(above), "withholds": statistics.median(below)}
        found[name] = {"value": value, "low": low, "high": high, "ns": medians}
        if floor:
            nearest = {name: medians[name], "floor": floor}
            found[f"{name}, floor"] = {"value": medians[name] / floor, "ns": nearest}
    return found
