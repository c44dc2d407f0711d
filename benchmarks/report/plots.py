"""The three plots, each in a light and a dark form: cost by number of ids, cost per item of a page, memory."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.report.tables import figure, middle
from benchmarks.serving.scenarios import LOOP

#: The colours of each family of rivals, for light and for dark pages.
FAMILIES = {
    "withhold": ("#0969da", "#58a6ff"),
    "by hand": ("#1a7f37", "#3fb950"),
    "stores": ("#8250df", "#bc8cff"),
    "engines": ("#bc4c00", "#f0883e"),
}
FAMILY = {
    **dict.fromkeys(("withhold", "withhold, pure Python", "withhold, file in Python"), "withhold"),
    **dict.fromkeys(("frozensets", "dict", "dict + TTLCache", "numpy", "pyroaring"), "by hand"),
    **dict.fromkeys(("LMDB", "SQLite", "Redis"), "stores"),
}
THEMES = {"light": ("#1f2328", "#d1d9e0", "#ffffff", 0), "dark": ("#e6edf3", "#3d444d", "#0d1117", 1)}


def draw(found: dict[str, Any], directory: Path) -> list[str]:
    """Draw the plots for which there are figures, and return their names."""
    sizes = found["sizes"]
    if not sizes:
        return []
    try:
        import matplotlib as mpl
    except ImportError:
        return []
    mpl.use("svg")
    directory.mkdir(parents=True, exist_ok=True)
    # The largest size that nearly every rival can load, because memory at small sizes is mostly overhead.
    shown = max((size for size in sizes if size["ids"] <= 1_000_000), key=lambda size: size["ids"], default=sizes[0])
    drawing: dict[str, Callable[[Any, Callable[[str], str]], None]] = {
        "cost": lambda axes, colour: _cost(axes, sizes, colour),
        "pages": lambda axes, colour: _dots(axes, _page_costs(shown), colour, *PAGE_WORDS, shown["ids"]),
        "memory": lambda axes, colour: _dots(axes, _memory(shown), colour, *MEMORY_WORDS, shown["ids"]),
    }
    for name, draws in drawing.items():
        for theme, (ink, grid, paper, which) in THEMES.items():
            _figure(directory / f"{name}-{theme}.svg", ink, grid, paper, which, draws)
    return list(drawing)


BUFFERS = ", buffers"
PAGE_WORDS = ("nanoseconds an item, page of 500", "{:,.0f} ns")
MEMORY_WORDS = ("bytes an id", "{:,.0f}")


def _figure(path: Path, ink: str, grid: str, paper: str, which: int, draws: Callable[..., None]) -> None:
    from matplotlib import pyplot as plt

    style = {
        **dict.fromkeys(("text.color", "axes.labelcolor", "xtick.color", "ytick.color"), ink),
        "axes.edgecolor": grid,
        "grid.color": grid,
        "figure.facecolor": paper,
        "axes.facecolor": paper,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "font.size": 10,
        "svg.hashsalt": path.name,
        "svg.fonttype": "none",
    }
    with plt.rc_context(style):
        drawn, axes = plt.subplots(figsize=(9, 5.6), layout="constrained")
        draws(axes, lambda name: FAMILIES[_family(name)][which])
        drawn.savefig(path, metadata={"Date": None})
        plt.close(drawn)


def _cost(axes: Any, sizes: list[dict[str, Any]], colour: Callable[[str], str]) -> None:
    """Draw a line for each rival, with its name at the end."""
    ends = []
    for name in dict.fromkeys(name for size in sizes for name in size["rivals"]):
        points = [(size["ids"], middle(figure(size, name, LOOP))) for size in sizes if name in size["rivals"]]
        known = [(ids, cost) for ids, cost in points if cost]
        if not known:
            continue
        ours = _family(name) == "withhold"
        dashes = "--" if ours and name != "withhold" else "-"
        axes.plot(*zip(*known, strict=True), dashes, marker="o", ms=4, lw=2.6 if ours else 1.2, color=colour(name))
        ends.append((name, *known[-1]))
    axes.set(xscale="log", yscale="log", xlabel="ids that rules name", ylabel="nanoseconds a check (cold miss)")
    axes.set_xticks([size["ids"] for size in sizes], [f"{size['ids']:,}" for size in sizes])
    axes.minorticks_off()
    axes.grid(axis="y", lw=0.5)
    low, high = axes.get_ylim()
    last = sizes[-1]["ids"]
    axes.set_xlim(right=last * (last / sizes[0]["ids"]) ** 0.28)
    heights = spread_out([math.log10(cost) for _, _, cost in ends], 0.034 * math.log10(high / low))
    for (name, ids, cost), height in zip(ends, heights, strict=True):
        axes.annotate(
            f"{name} · {cost:,.0f}" if cost < 10_000 else f"{name} · {cost / 1000:,.0f} k",
            xy=(ids, cost),
            xytext=(last * (last / sizes[0]["ids"]) ** 0.025, 10**height),
            color=colour(name),
            va="center",
            fontsize=8.5,
            fontweight="bold" if _family(name) == "withhold" else "normal",
            arrowprops={
                "arrowstyle": "-",
                "lw": 0.5,
                "color": colour(name),
                "shrinkA": 0,
                "shrinkB": 3,
                "relpos": (0, 0.5),
            },
        )


def spread_out(heights: list[float], gap: float) -> list[float]:
    """Move heights apart, as little as possible, until they differ by at least `gap`."""
    order = sorted(range(len(heights)), key=heights.__getitem__)
    found = list(heights)
    for _ in range(200):
        for below, above in itertools.pairwise(order):
            short = gap - (found[above] - found[below])
            if short > 1e-9:
                found[below] -= short / 2
                found[above] += short / 2
    return found


def _dots(axes: Any, values: dict[str, float], colour: Callable[[str], str], label: str, form: str, ids: int) -> None:
    """Draw a dot for each rival with its figure, not a bar, because lengths are meaningless on a logarithmic scale."""
    names = sorted(values, key=values.__getitem__, reverse=True)
    for row, name in enumerate(names):
        axes.plot(values[name], row, "o", ms=8, color=colour(name))
        text = f"  {form.format(values[name])}"
        weight = "bold" if _family(name) == "withhold" else "normal"
        axes.annotate(text, (values[name], row), (6, 0), textcoords="offset points", va="center", fontweight=weight)
    axes.set_yticks(range(len(names)), names)
    axes.set(xscale="log", xlabel=f"{label}, {ids:,} ids (logarithmic)")
    axes.set_xlim(left=min(values.values()) / 2, right=max(values.values()) * 4)
    axes.grid(axis="x", lw=0.5)
    axes.hlines(
        range(len(names)), 0, [values[name] for name in names], lw=0.5, color=axes.xaxis.get_gridlines()[0].get_color()
    )
    axes.set_axisbelow(True)


def _family(name: str) -> str:
    return FAMILY.get(name.removesuffix(BUFFERS), "engines")


def _page_costs(size: dict[str, Any]) -> dict[str, float]:
    """Return the cost per item of lists, and of buffers for the rivals that accept them."""
    found = {}
    for name in size["rivals"]:
        for scenario, label in (("page of 500", name), ("mask of 500", name + BUFFERS)):
            cost = middle(figure(size, name, scenario))
            if cost:
                found[label] = cost
    return found


def _memory(size: dict[str, Any]) -> dict[str, float]:
    return {name: max(one["memory"] / size["ids"], 1) for name, one in size["rivals"].items()}
