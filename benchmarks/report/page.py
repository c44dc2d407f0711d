"""The page of results: ratios first, then what they are made of, and what they cannot say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.report import plots
from benchmarks.report.tables import digits, half, middle, ns, table, times
from benchmarks.rivals import NOT_TRIED

LOOP, PAGE = "miss, cold, in a loop", "page of 500"
OURS = ("withhold", "withhold, pure Python")

CANNOT_SAY = """\
- **It is one machine.** Its caches decide what "cold" means: ids that come once find neither their row nor its
  neighbours near, but a table that fits into the last cache is not in memory either. Read ratios, not nanoseconds, and
  trust no difference below a tenth, nor one whose middle halves overlap.{cache}
- **The rules are drawn, not collected.** 80 % on tweets, one rule an id, 20 countries with skew, 2 % with a window, 1 %
  worldwide; ids are random, of 59 to 61 bits. Real ids cluster in time, which favours bitmaps and sorted columns.
- **The traffic is drawn too.** 99 % of it is in no rule. A service where much is withheld pays more for each hit.
- **Rivals do not do the same.** Who knows no dates has to be made anew when a window opens or ends; sets, bitmaps,
  columns and Redis give no reason, and none of them knows doubt about where a viewer is. They are faster for it; the notes
  below say what each leaves out. Engines of policies can do much that is not asked of them here.
- **One thread, one question.** But for the section on throughput, nobody competes for the processor with a worker, and
  all have had their questions once before the clock ran (that is how their answers were compared), though not a cold one
  within the same turn. The collector runs as always, with what was loaded frozen (`gc.freeze`), for everybody.
- **Single calls carry the clock.** What reading it costs is named above and is in every p50, p99 and p99.9; means over a
  loop carry the loop instead. Both make ratios look nearer to 1 than they are.
- **p99.9 is of one process that runs alone.** In a service it belongs to the scheduler and to other requests.
- **Slow rivals are asked less.** Each has about a tenth of a second for one scenario of one turn; where fewer than a
  thousand calls fit, no p99.9 is given.
- **It was written by the authors of `withhold`.** Every rival is used as its documentation says to use it for speed; who
  knows a better way is asked to say so."""


def write(found: dict[str, Any], directory: Path) -> None:
    """Write the page, and the plots beside it."""
    drawn = plots.draw(found, directory / "plots")
    (directory / "RESULTS.md").write_text(page(found, drawn), encoding="utf-8")


def summary(found: dict[str, Any]) -> str:
    """Return what a terminal shows at the end: what was measured, and then the figures."""
    shown = [text for title, text in sections(found) if title in ("Targets", "Ratios", "Everybody agrees")]
    return "\n\n".join([f"measured: {found['machine']['engine']}", *shown])


def page(found: dict[str, Any], drawn: list[str]) -> str:
    """Return the whole page as Markdown."""
    here = found["machine"]
    about = (
        f"{machine.said(here)} · {here['engine']} · two readings of the clock take {here['clock_ns']:.0f} ns, and are in every "
        "single call's time"
    )
    kind = "a quick run, for trying the suite and not for quoting" if found["quick"] else "a full run"
    lines = [
        "# What a check costs",
        f"Written by `python -m benchmarks`, {kind}. Do not edit.",
        about,
        (
            "Every rival runs in a process of its own and has given the reference's answer to every question that is timed, "
            "before it is timed. They are asked in turn, several turns, in an order that changes; figures are medians of "
            "the turns, with the middle half of the turns beside them as factors of the median."
        ),
    ]
    if any(size["ids"] != size["rules"] for size in found["sizes"]):
        lines.append(
            "Every id has a rule of its own, but in the largest set: as many `Rule` objects would not fit into memory, so its "
            "ids stand in rules of a hundred."
        )
    placed = {"Ratios": "cost", "Pages": "pages", "Memory": "memory"}
    for title, text in sections(found):
        lines += [f"## {title}", text]
        if placed.get(title) in drawn:
            lines.append(picture(placed[title], title))
    return "\n\n".join(lines) + "\n"


def picture(name: str, title: str) -> str:
    """Return a plot, for readers of light and of dark pages."""
    dark = f'<source media="(prefers-color-scheme: dark)" srcset="plots/{name}-dark.svg">'
    return f'<picture>{dark}<img alt="{title}" src="plots/{name}-light.svg"></picture>'


def sections(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Return the sections for which there are figures."""
    sizes = found["sizes"]
    if sizes:
        yield "Ratios", ratios(sizes)
    if "targets" in found:
        yield "Targets", targets(found["targets"])
    if "differential" in found:
        yield "Everybody agrees", differential(found["differential"])
    if sizes:
        yield "Pages", pages(sizes)
        yield "Single checks", "\n\n".join(singles(size) for size in sizes)
    if "throughput" in found:
        yield "Throughput", throughput(found["throughput"])
    if sizes or "sharing" in found:
        yield "Memory", memory(sizes, found.get("sharing", {}))
    yield "What these numbers cannot say", CANNOT_SAY.format(cache=cold(found["machine"], sizes))
    if sizes:
        yield "How the rivals were used", used(sizes)
    yield "Left out", left_out(sizes)
    yield "Reproduce", REPRODUCE


REPRODUCE = """\
```sh
pip install -e '.[bench]'                 # the rivals that come as wheels; Redis is measured if redis-server is found
python -m benchmarks --quick              # two minutes
python -m benchmarks --keep figures/      # this page, and the raw figures as JSON
```

OPA's package asks for Python 3.14, but its library and what is used of it work with 3.11 as well, once it is installed by
`pip install --ignore-requires-python opa-golib-python-bindings`."""


def cold(here: dict[str, Any], sizes: list[dict[str, Any]]) -> str:
    """Say so if what is called cold may all have lain in the last cache."""
    last = here.get("last_cache", 0)
    file = max((size["compiled"]["file_bytes"] for size in sizes if size["compiled"]), default=0)
    if not last > file > 0:
        return ""
    return (
        f"\n  The last cache of this machine, {last / 1e6:,.0f} MB as its kernel tells it, is larger than all that `withhold` "
        f"reads here (its\n  largest file has {file / 1e6:,.0f} MB), and nobody tells how much of it neighbours leave: these "
        "figures do not say what a\n  check costs whose rows are in memory alone."
    )


def ours(size: dict[str, Any]) -> str:
    """Return the name of the way of answering that the ratios are to."""
    names: list[str] = [*OURS, *size["rivals"]]
    return next(name for name in names if name in size["rivals"])


def figure(size: dict[str, Any], name: str, scenario: str, which: str = "mean") -> list[float] | None:
    """Return the turns of one figure, if there are any."""
    found: list[float] | None = size["rivals"].get(name, {}).get("timings", {}).get(scenario, {}).get(which)
    return found


def names_of(sizes: list[dict[str, Any]]) -> list[str]:
    """Return everybody who was measured at any size, in the order of the first that has them."""
    return list(dict.fromkeys(name for size in sizes for name in size["rivals"]))


def ratios(sizes: list[dict[str, Any]]) -> str:
    """Return each rival's cost over the library's: a check that misses, and an item of a page."""
    head = ["times as dear as", *(f"{kind}, {size['ids']:,}" for kind in ("check", "page") for size in sizes)]
    rows = []
    for name in names_of(sizes):
        row = [name]
        for scenario in (LOOP, PAGE):
            for size in sizes:
                theirs, own = (middle(figure(size, who, scenario)) for who in (name, ours(size)))
                row.append(ns(own) if name == ours(size) else times(theirs / own if theirs and own else None))
        rows.append(row)
    against = ours(sizes[-1])
    said = (
        f"Each rival's cost over that of `{against}`: a check of a tweet and its author that no rule names and that comes "
        "once, and an item of a page of 500 of mixed traffic, at so many ids. Below 1 × the rival is cheaper."
    )
    return f"{said}\n\n{table(head, rows)}\n\nHow cost grows with the number of ids:"


def targets(rows: list[dict[str, Any]]) -> str:
    """Return what is asked, what was found, and whether that will do."""

    def said(row: dict[str, Any]) -> list[str]:
        if "value" not in row:
            return [row["what"], row["limit"], f"not measured: {row['missing']}", "", "", ""]
        spread = f"{digits(row['low'])}–{digits(row['high'])}" if "low" in row else ""
        value = f"{digits(row['value'])} {row['unit']}"
        of = ", ".join(f"{name} {ns(took)}" for name, took in row.get("ns", {}).items())
        return [row["what"], row["limit"], value, spread, of, {True: "met", False: "**MISSED**", None: ""}[row["met"]]]

    text = table(["what", "asked", "found", "middle half", "medians", ""], map(said, rows))
    return f"{text}\n\n{FLOORS}" if any("value" in row and "floor" in row["name"] for row in rows) else text


FLOORS = (
    "`floor` is an empty compiled method, with random reads in tables of eight bytes an id where it is said to have them. "
    "An engine that is less than 1,000 times as dear as the empty method is less than 1,000 times as dear as any library "
    "that is called from Python; "
    "one that is little more than that leaves a library next to nothing for its look-up. (The engines and `withholds` at "
    "100,000 ids are cold misses in processes of their own; the empty method was timed beside the misses of the first row.) "
    "`all` and `one country` are the comprehensions."
)


def differential(found: dict[str, Any]) -> str:
    """Return how much was compared."""
    return (
        f"{found['questions']:,} random questions, {found['withheld']:,} of them withheld, were asked by `withholds`, "
        f"`filter` and `mask` of: {'; '.join(found['ways'])}. Disagreements with the oracle: {found['disagreements']}. "
        f"The whole decisions on {found['decisions']:,} of them were compared as well."
    )


def pages(sizes: list[dict[str, Any]]) -> str:
    """Return the cost of an item of a page, as lists and as buffers."""
    found = []
    for size in sizes:
        head = [
            f"an item, {size['ids']:,} ids",
            *(f"list of {n:,}" for n in PAGES),
            *(f"buffers of {n:,}" for n in PAGES),
        ]
        kinds = [f"{kind} of {n}" for kind in ("page", "mask") for n in PAGES]
        rows = [[name, *(half(figure(size, name, kind)) for kind in kinds)] for name in size["rivals"]]
        found.append(table(head, rows))
    return "\n\n".join(found)


PAGES = (50, 500, 2_000)


def singles(size: dict[str, Any]) -> str:
    """Return what single checks cost."""
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
    """Return questions a second."""
    ways = {"calls": "one by one", "page": "pages of 500", "mask": "buffers of 500", "column": "one buffer of all"}
    rows = []
    for name, by_way in found.items():
        if name == "ids":
            continue
        for way, label in ways.items():
            if not by_way[way]:
                continue
            cells = [f"{digits((middle(by_way[way][how]) or 0) / 1e6)} M" for how in HOWS]
            rows.append([f"{name}, {label}", *cells])
    return table([f"questions a second, {found['ids']:,} ids", *HOWS], rows)


HOWS = ("1 thread", "2 threads", "2 processes")


def memory(sizes: list[dict[str, Any]], shared: dict[str, Any]) -> str:
    """Return bytes an id, and what four workers hold together."""
    known = [size for size in sizes if size["ids"] >= 100_000]
    head = ["", *(f"{kind}, {size['ids']:,}" for size in known for kind in ("bytes an id", "load"))]
    rows = []
    for name in names_of(known):
        row = [name]
        for size in known:
            one = size["rivals"].get(name)
            row += [digits(one["memory"] / size["ids"]), f"{digits(one['seconds'])} s"] if one else ["–", "–"]
        rows.append(row)
    said = (
        "By how much a worker's resident memory grew as it loaded; for Redis, with what the server holds; for what is "
        "mapped from a file (LMDB, `withhold`), the file and what is the process's own. Where each id has a rule of its own, "
        "most of what `withhold` holds is the rules, with their names, dates and reasons, which most others do not keep."
    )
    text = f"{said}\n\n{table(head, rows)}" if rows else ""
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
        head = ["ids", "making the rules", "compiling", "saving", "bytes an id in the file"]
        text += f"\n\nMaking the file that `withhold` maps, in a process of its own:\n\n{table(head, files)}"
    held = [
        [name, *(f"{sum(by_kind[kind]) / 1e6:,.0f} MB" for kind in ("pss", "own"))]
        for name, by_kind in shared.items()
        if name != "ids"
    ]
    if held:
        head = [f"4 workers, {shared['ids']:,} ids", "together (PSS)", "of their own"]
        text += f"\n\nFour workers that have answered traffic, Python itself left aside:\n\n{table(head, held)}"
    return text


def used(sizes: list[dict[str, Any]]) -> str:
    """Return version and note of each rival."""
    latest = {name: one for size in sizes for name, one in size["rivals"].items()}
    return "\n".join(f"- **{name}** {one['version']}: {one['note']}." for name, one in latest.items())


def left_out(sizes: list[dict[str, Any]]) -> str:
    """Return who is missing, and why."""
    at: dict[tuple[str, str], list[str]] = {}
    for size in sizes:
        for left in size["left_out"].items():
            at.setdefault(left, []).append(f"{size['ids']:,}")
    lines = [f"- **{name}** at {', '.join(ids)} ids: {reason}." for (name, reason), ids in at.items()]
    return "\n".join([*lines, *(f"- {name}: {reason}." for name, reason in NOT_TRIED.items())])
