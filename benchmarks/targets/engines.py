"""How far policy engines are away, from the figures of a size that has been measured."""

from __future__ import annotations

import statistics
from typing import Any

ENGINES = ("OPA", "Cedar", "casbin", "regorus")
SCENARIO = "miss, cold, in a loop"


def measured(sizes: list[dict[str, Any]], floor: float | None = None) -> dict[str, dict[str, Any]]:
    """Return each engine's check over that of the library, turn by turn, at 100,000 ids.

    With the nanoseconds of an empty compiled method: over it as well, which is as far away as any library could be.
    """
    size = next((size for size in sizes if size["ids"] == 100_000), None)
    if size is None:
        return {}
    ours = size["rivals"].get("withhold") or size["rivals"].get("withhold, pure Python")
    found: dict[str, dict[str, Any]] = {}
    for name in ENGINES:
        theirs = size["rivals"].get(name)
        if theirs is None or ours is None:
            found[name] = {"missing": size["left_out"].get(name, "not asked for in this run")}
            continue
        above, below = theirs["timings"][SCENARIO]["mean"], ours["timings"][SCENARIO]["mean"]
        each = [over / under for over, under in zip(above, below, strict=True)]
        low, _, high = statistics.quantiles(each, n=4)
        value = statistics.median(above) / statistics.median(below)
        medians = {name: statistics.median(above), "withholds": statistics.median(below)}
        found[name] = {"value": value, "low": low, "high": high, "ns": medians}
        if floor:
            nearest = {name: medians[name], "floor": floor}
            found[f"{name}, floor"] = {"value": medians[name] / floor, "ns": nearest}
    return found
