"""The page of results: ratios, the figures behind them, and their limitations."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.report import plots
from benchmarks.report.tables import digits, figure, half, middle, ns, table, times
from benchmarks.rivals import NOT_TRIED
from benchmarks.serving.scenarios import LOOP

PAGE = "page of 500"
OURS = ("withhold", "withhold, pure Python")

LIMITATIONS = """\
- **It is one machine.** Its caches decide what "cold" means. Neither a new id nor its neighbours are in the nearest
  caches, but a table that fits into the last-level cache is not read from memory either. Read ratios instead of
  nanoseconds. Ignore differences below 10%, and differences whose middle halves overlap.{cache}
- **The rules are random.** 80% are on tweets; each names one id; they are in 20 countries of unequal frequency; 2% have
  a window of time, and 1% are worldwide. Ids are random, with 59 to 61 bits. Real ids cluster in time, which favours
  bitmaps and sorted columns.
- **The traffic is random too.** No rule names 99% of it. A service that withholds more pays more for each hit.
- **The rivals do less.** Rivals that store no dates must be rebuilt when a window opens or ends. Sets, bitmaps, columns
  and Redis give no reason. No rival handles unknown locations. They are faster because of this, and the notes below list
  the missing features of each. Policy engines have many features that this benchmark does not use.
- **One thread, one question.** Except in the section on throughput, nothing else competes for the processor. Each rival
  has answered all questions once before they are timed, because the answers are compared; a cold question is not asked
  twice in a turn. The garbage collector runs as usual; loaded data are frozen (`gc.freeze`) for every rival.
- **Times of single calls include the clock.** Its cost is stated above, and is part of every p50, p99 and p99.9. Means
  over a loop include the loop instead. Both make ratios look closer to 1 than they are.
- **p99.9 is that of a process that runs alone.** In a service it depends on the scheduler and on other requests.
- **Slow rivals get fewer questions.** Each has about a tenth of a second for a scenario of a turn. No p99.9 is given for
  fewer than a thousand calls.
- **The authors of `withhold` wrote it.** Every rival is used as its documentation recommends for speed. If you know a
  better way, please report it."""


def write(found: dict[str, Any], directory: Path) -> None:
    """Write the page and its plots."""
    drawn = plots.draw(found, directory / "plots")
    (directory / "RESULTS.md").write_text(page(found, drawn), encoding="utf-8")


def summary(found: dict[str, Any]) -> str:
    """Return the summary for the terminal: the measured package, and the main figures."""
    shown = [text for title, text in sections(found) if title in ("Targets", "Ratios", "Equal answers")]
    return "\n\n".join([f"measured: {found['machine']['engine']}", *shown])


def page(found: dict[str, Any], drawn: list[str]) -> str:
    """Return the whole page as Markdown."""
    here = found["machine"]
    about = (
        f"{machine.summary(here)} · {here['engine']} · reading the clock twice takes {here['clock_ns']:.0f} ns, which is part of "
        "the time of every single call"
    )
    kind = "a quick run, which is only a test of the benchmarks" if found["quick"] else "a full run"
    lines = [
        "# What a check costs",
        f"Written by `python -m benchmarks`, {kind}. Do not edit.",
        about,
        (
            "Every rival runs in its own process. Before it is timed, all of its answers have been compared with those of the "
            "reference. The rivals are timed in several turns, each in another order. Figures are medians of the turns. The "
            "range in parentheses is the middle half of the turns, as factors of the median."
        ),
    ]
    if any(size["ids"] != size["rules"] for size in found["sizes"]):
        lines.append(
            "Every id has its own rule, except in the largest set: that many `Rule` objects do not fit into memory, so each of "
            "its rules names a hundred ids."
        )
    placed = {"Ratios": "cost", "Pages": "pages", "Memory": "memory"}
    for title, text in sections(found):
        lines += [f"## {title}", text]
        if placed.get(title) in drawn:
            lines.append(picture(placed[title], title))
    return "\n\n".join(lines) + "\n"


def picture(name: str, title: str) -> str:
    """Return the Markdown of a plot, in its light and its dark form."""
    dark = f'<source media="(prefers-color-scheme: dark)" srcset="plots/{name}-dark.svg">'
    return f'<picture>{dark}<img alt="{title}" src="plots/{name}-light.svg"></picture>'


def sections(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the title and text of each section for which there are figures."""
    sizes = found["sizes"]
    if sizes:
        yield "Ratios", ratios(sizes)
    if "targets" in found:
        yield "Targets", targets(found["targets"])
    if "differential" in found:
        yield "Equal answers", differential(found["differential"])
    if sizes:
        yield "Pages", pages(sizes)
        yield "Single checks", "\n\n".join(singles(size) for size in sizes)
    if "throughput" in found:
        yield "Throughput", throughput(found["throughput"])
    if sizes or "sharing" in found:
        yield "Memory", memory(sizes, found.get("sharing", {}))
    yield "Limitations", LIMITATIONS.format(cache=cold(found["machine"], sizes))
    if sizes:
        yield "How the rivals were used", used(sizes)
    yield "Left out", left_out(sizes)
    yield "Reproduce", REPRODUCE


REPRODUCE = """\
```sh
pip install -e '.[bench]'                 # the rivals that have wheels; Redis is measured if redis-server is installed
python -m benchmarks --quick              # some four minutes
python -m benchmarks --keep figures/      # this page, and the raw figures as JSON
```

OPA's package requires Python 3.14, but the parts used here also work with 3.11. Install it with
`pip install --ignore-requires-python opa-golib-python-bindings`."""


def cold(here: dict[str, Any], sizes: list[dict[str, Any]]) -> str:
    """Return a warning if the last-level cache can hold the whole file, so that cold checks may not read memory."""
    last = here.get("last_cache", 0)
    file = max((size["compiled"]["file_bytes"] for size in sizes if size["compiled"]), default=0)
    if not last > file > 0:
        return ""
    return (
        f"\n  The kernel of this machine reports a last-level cache of {last / 1e6:,.0f} MB. The largest file of `withhold` "
        f"has {file / 1e6:,.0f} MB, so\n  the cache can hold all of it. Other users of the machine may share the cache, and "
        "their share is unknown. These figures\n  therefore do not show the cost of a check that reads from memory only."
    )


def ours(size: dict[str, Any]) -> str:
    """Return the name of the implementation of `withhold` that the ratios compare with."""
    names: list[str] = [*OURS, *size["rivals"]]
    return next(name for name in names if name in size["rivals"])


def names_of(sizes: list[dict[str, Any]]) -> list[str]:
    """Return the names of all rivals that were measured at any size."""
    return list(dict.fromkeys(name for size in sizes for name in size["rivals"]))


def ratios(sizes: list[dict[str, Any]]) -> str:
    """Return the ratios of the rivals' costs to that of the library, for a check without a rule and an item of a page."""
    head = ["rival", *(f"{kind}, {size['ids']:,}" for kind in ("check", "page") for size in sizes)]
    rows = []
    for name in names_of(sizes):
        row = [name]
        for scenario in (LOOP, PAGE):
            for size in sizes:
                theirs, own = (middle(figure(size, who, scenario)) for who in (name, ours(size)))
                row.append(ns(own) if name == ours(size) else times(theirs / own if theirs and own else None))
        rows.append(row)
    against = ours(sizes[-1])
    caption = (
        f"Each rival's cost divided by that of `{against}`, by the number of ids: for a check of a new tweet and author that "
        "no rule names, and for an item of a page of 500 from mixed traffic. Below 1 × the rival is faster."
    )
    return f"{caption}\n\n{table(head, rows)}\n\nCost by the number of ids:"


def targets(rows: list[dict[str, Any]]) -> str:
    """Return each target with its limit, its figure, and whether it is met."""

    def cells(row: dict[str, Any]) -> list[str]:
        if "value" not in row:
            return [row["what"], row["limit"], f"not measured: {row['missing']}", "", "", ""]
        spread = f"{digits(row['low'])}–{digits(row['high'])}" if "low" in row else ""
        value = f"{digits(row['value'])} {row['unit']}"
        of = ", ".join(f"{name} {ns(took)}" for name, took in row.get("ns", {}).items())
        return [row["what"], row["limit"], value, spread, of, {True: "yes", False: "**MISSED**", None: ""}[row["met"]]]

    text = table(["target", "limit", "result", "middle half", "medians", "met"], map(cells, rows))
    if all(row.get("met") is None for row in rows):
        text = f"A quick run judges no limit: its sizes are smaller than those of the limits.\n\n{text}"
    return f"{text}\n\n{FLOORS}" if any("value" in row and "floor" in row["name"] for row in rows) else text


FLOORS = (
    "`floor` is an empty compiled method; where the target mentions random reads, it also reads tables of eight bytes an id. "
    "No library that is called from Python can be faster than the empty method. So if an engine takes less than 1,000 times "
    "the time of the empty method, no library can be 1,000 times as fast as this engine; if it takes little more, a library "
    "would have almost no time left for its look-up. (The engines and `withholds` at 100,000 ids were timed with cold misses, each in "
    "its own process; the empty method was timed together with the first row.) `all` and `one country` are the comprehensions."
)


def differential(found: dict[str, Any]) -> str:
    """Return how many answers were compared, and the result."""
    return (
        f"`withholds`, `filter` and `mask` of each implementation answered {found['questions']:,} random questions, of which "
        f"{found['withheld']:,} are about withheld tweets. Wrong answers: {found['disagreements']}. On {found['decisions']:,} of the "
        f"questions, whole decisions were compared as well. The implementations: {'; '.join(found['ways'])}."
    )


def pages(sizes: list[dict[str, Any]]) -> str:
    """Return the cost of an item of a page, for lists and for buffers."""
    found = []
    for size in sizes:
        head = [
            f"time per item, {size['ids']:,} ids",
            *(f"list of {n:,}" for n in PAGES),
            *(f"buffers of {n:,}" for n in PAGES),
        ]
        kinds = [f"{kind} of {n}" for kind in ("page", "mask") for n in PAGES]
        rows = [[name, *(half(figure(size, name, kind)) for kind in kinds)] for name in size["rivals"]]
        found.append(table(head, rows))
    return "\n\n".join(found)


PAGES = (50, 500, 2_000)


def singles(size: dict[str, Any]) -> str:
    """Return the cost of single checks."""
    head = [
        f"{size['ids']:,} ids in {size['rules']:,} rules",
        *("miss, cold: p50", "p99", "p99.9", "in a loop", "miss, hot: p50", "in a loop"),
        *("hit: p50", "p99", "traffic, in a loop"),
    ]
    columns = [("miss, cold", part) for part in ("p50", "p99", "p99.9")]
    columns += [(LOOP, "mean"), ("miss, hot", "p50"), ("miss, hot, in a loop", "mean"), ("hit", "p50"), ("hit", "p99")]
    columns += [("traffic, in a loop", "mean")]

    def cell(name: str, scenario: str, which: str) -> str:
        turns = figure(size, name, scenario, which)
        return half(turns) if scenario == LOOP else ns(middle(turns))

    return table(head, [[name, *(cell(name, *column) for column in columns)] for name in size["rivals"]])


def throughput(found: dict[str, Any]) -> str:
    """Return the number of questions per second."""
    ways = {"calls": "single calls", "page": "pages of 500", "mask": "buffers of 500", "column": "one buffer"}
    rows = []
    for name, by_way in found.items():
        if name == "ids":
            continue
        for way, label in ways.items():
            if not by_way[way]:
                continue
            cells = [f"{digits((middle(by_way[way][kind]) or 0) / 1e6)} M" for kind in CONCURRENCY]
            rows.append([f"{name}, {label}", *cells])
    return table([f"questions per second, {found['ids']:,} ids", *CONCURRENCY], rows)


CONCURRENCY = ("1 thread", "2 threads", "2 processes")


def memory(sizes: list[dict[str, Any]], shared: dict[str, Any]) -> str:
    """Return the bytes per id, and the memory of four workers together."""
    known = [size for size in sizes if size["ids"] >= 100_000]
    head = ["", *(f"{kind}, {size['ids']:,}" for size in known for kind in ("bytes per id", "load"))]
    rows = []
    for name in names_of(known):
        row = [name]
        for size in known:
            one = size["rivals"].get(name)
            row += [digits(one["memory"] / size["ids"]), f"{digits(one['seconds'])} s"] if one else ["–", "–"]
        rows.append(row)
    caption = (
        "The growth of a worker's resident memory while it loads. For Redis it includes the server's memory. For mapped files "
        "(LMDB, `withhold`) it is the file and the private memory of the process. If each id has its own rule, most of the "
        "memory of `withhold` is the rules with their names, dates and reasons, which most rivals do not store."
    )
    text = f"{caption}\n\n{table(head, rows)}" if rows else ""
    files = [
        [
            f"{size['ids']:,}",
            *(f"{digits(size['compiled'][part])} s" for part in ("rules_s", "compile_s", "save_s")),
            digits(size["compiled"]["file_bytes"] / size["ids"]),
        ]
        for size in sizes
        if size["compiled"]
    ]
    if files:
        head = ["ids", "generating the rules", "compiling", "saving", "bytes per id in the file"]
        text += f"\n\nCreation of the file that `withhold` maps, in its own process:\n\n{table(head, files)}"
    held = [
        [name, *(f"{sum(by_kind[kind]) / 1e6:,.0f} MB" for kind in ("pss", "own"))]
        for name, by_kind in shared.items()
        if name != "ids"
    ]
    if held:
        head = [f"4 workers, {shared['ids']:,} ids", "together (PSS)", "private"]
        text += f"\n\nThe memory of four workers after answering traffic, without Python itself:\n\n{table(head, held)}"
    return text


def used(sizes: list[dict[str, Any]]) -> str:
    """Return the version and note of each rival."""
    latest = {name: one for size in sizes for name, one in size["rivals"].items()}
    return "\n".join(f"- **{name}** {one['version']}: {one['note']}." for name, one in latest.items())


def left_out(sizes: list[dict[str, Any]]) -> str:
    """Return the rivals that were not measured, with the reasons."""
    at: dict[tuple[str, str], list[str]] = {}
    for size in sizes:
        for left in size["left_out"].items():
            at.setdefault(left, []).append(f"{size['ids']:,}")
    lines = [f"- **{name}** at {', '.join(ids)} ids: {reason}." for (name, reason), ids in at.items()]
    return "\n".join([*lines, *(f"- {name}: {reason}." for name, reason in NOT_TRIED.items())])
