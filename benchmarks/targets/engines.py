"""How far policy engines are away, from the figures of a size that has been measured."""

from __future__ import annotations

import statistics
from typing import Any

ENGINES = ("OPA", "Cedar", "casbin", "regorus")
SCENARIO = "miss, cold, in a loop"


def measured(sizes: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return each engine's check over that of the library, turn by turn, at 100,000 ids."""
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
        found[name] = {"value": value, "low": low, "high": high}
    return found
