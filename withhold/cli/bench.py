"""`withhold bench`: what does this rule set cost to serve, on this machine?"""

from __future__ import annotations

import platform
import time
import warnings
from datetime import UTC, datetime
from pathlib import Path

import typer
from rich.progress import Progress
from rich.table import Table

from withhold.cli import options
from withhold.cli.exit_codes import ExitCode
from withhold.cli.output import Format, counted, err, out, print_json, print_problems
from withhold.errors import RuleSetWarning, TrafficError
from withhold.model.viewer import spoken_of
from withhold.native import engine_info
from withhold.native.package import this_package
from withhold.reports.speed import Figure, Traffic, WrongAnswer, made_up, measure, of_traffic

_CAUTION = """\
Medians of one run, in nanoseconds for one tweet with its author; `times` is over the first line. The loop around the calls is
in all of them. Answers were compared with the reference first. It does not show other processes, other threads, or
caches that other work has emptied: read the ratios."""


def bench(
    rules: options.Rules,
    traffic: options.Traffic = None,
    country: options.Country = None,
    at: options.At = None,
    root: options.Root = None,
    form: options.Form = Format.TEXT,
) -> None:
    """Time the questions of a feed on a rule set, beside what a call costs that asks nothing.

    Without --traffic they are about ids that are made up. The viewer is in --country, or else where most of the traffic
    was, or at an unknown location.
    """
    asked = None if traffic is None else _asked(traffic)
    if asked and country is None:
        country = asked.country
    viewer = options.viewer_of(country, None, None, None, None)
    instant = options.instant_of(at) or datetime.now(UTC)
    began = time.perf_counter()
    snapshot = options.load_snapshot(rules, root, form)
    took = time.perf_counter() - began
    pairs = asked.pairs if asked else made_up(snapshot)
    with Progress(console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task("measuring", total=1.0)
        try:
            figures = measure(snapshot, viewer, instant, pairs, lambda done: bar.update(task, completed=done))
        except WrongAnswer as error:
            bar.stop()
            err.print(f"{error}: nothing was timed", style="red")
            raise typer.Exit(ExitCode.FAILURE) from None
    if form is Format.JSON:
        print_json(
            {
                "revision": snapshot.revision,
                "rules": snapshot.rule_count,
                "accounts": len(snapshot.accounts),
                "tweets": len(snapshot.tweets),
                "seconds_to_load": took,
                "package": this_package()._asdict(),
                "native": engine_info().native,
                "why": engine_info().why,
                "python": platform.python_version(),
                "viewer": viewer.to_dict(),
                "traffic": str(traffic) if traffic else None,
                "impressions_left_out": asked.left_out if asked else 0,
                "figures": [figure._asdict() for figure in figures],
            }
        )
        return
    of = counted(rule=snapshot.rule_count, account=len(snapshot.accounts), tweet=len(snapshot.tweets))
    out.print(f"measured: {this_package()}", soft_wrap=True)
    out.print(f"{of}, revision {snapshot.revision}; ready in {took * 1000:,.0f} ms")
    out.print(f"Python {platform.python_version()}; {spoken_of(viewer)}")
    if asked and asked.left_out:
        out.print(f"{asked.left_out:,} impressions that do not name both tweet and account were left out")
    out.print()
    out.print(_table(figures))
    out.print(_CAUTION)


def _asked(traffic: Path) -> Traffic:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuleSetWarning)  # a country was read as another: here it is the same
            return of_traffic(traffic)
    except TrafficError as error:
        print_problems(error.problems, err)
        raise typer.Exit(ExitCode.USAGE) from None


def _table(figures: list[Figure]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("what", "ns", "middle half", "times"):
        table.add_column(name, justify="left" if name == "what" else "right")
    for figure in figures:
        middle = f"{figure.low:,.0f}-{figure.high:,.0f}"
        times = f"{figure.nanoseconds / figures[0].nanoseconds:.2f}"
        table.add_row(figure.what, f"{figure.nanoseconds:,.0f}", middle, times)
    return table
