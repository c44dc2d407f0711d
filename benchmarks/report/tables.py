"""Markdown tables, and figures as text."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from typing import Any


def figure(size: dict[str, Any], name: str, scenario: str, which: str = "mean") -> list[float] | None:
    """Return one figure of a rival for each turn, or None if it was not measured."""
    found: list[float] | None = size["rivals"].get(name, {}).get("timings", {}).get(scenario, {}).get(which)
    return found


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table whose first column is aligned to the left, and the others to the right."""
    rule = ["---", *("--:" for _ in head[1:])]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, rule, *rows))


def ns(value: float | None) -> str:
    """Return nanoseconds as text with a suitable unit."""
    if value is None:
        return "–"
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if value >= size:
            return f"{digits(value / size)} {unit}"
    return f"{value:.0f} ns"


def digits(value: float) -> str:
    """Return a number with three significant digits, or all digits from 100 on."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def times(value: float | None) -> str:
    """Return a ratio as text."""
    return "–" if value is None else f"{digits(value)} ×"


def middle(values: Sequence[float] | None) -> float | None:
    """Return the median, or None without values."""
    return statistics.median(values) if values else None


def half(values: Sequence[float] | None) -> str:
    """Return the median, and the middle half of the turns as factors of it."""
    if not values:
        return "–"
    if len(values) < 2:
        return ns(values[0])
    low, median, high = statistics.quantiles(values, n=4)
    return f"{ns(median)} ({digits(low / median)}–{digits(high / median)})"
