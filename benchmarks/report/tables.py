"""Markdown tables, and figures as people read them."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table: the first column to the left, the others to the right."""
    rule = ["---", *("--:" for _ in head[1:])]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, rule, *rows))


def ns(value: float | None) -> str:
    """Return nanoseconds with three digits and a unit that fits."""
    if value is None:
        return "–"
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if value >= size:
            return f"{digits(value / size)} {unit}"
    return f"{value:.0f} ns"


def digits(value: float) -> str:
    """Return a figure with two or three digits that mean something."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def times(value: float | None) -> str:
    """Return a ratio."""
    return "–" if value is None else f"{digits(value)} ×"


def middle(values: Sequence[float] | None) -> float | None:
    """Return the median."""
    return statistics.median(values) if values else None


def half(values: Sequence[float] | None) -> str:
    """Return the median with the middle half of the turns."""
    if not values:
        return "–"
    if len(values) < 2:
        return ns(values[0])
    low, median, high = statistics.quantiles(values, n=4)
    return f"{ns(median)} ({digits(low / median)}–{digits(high / median)})"
