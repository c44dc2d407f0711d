"""`withhold bench`: what does this rule set cost to serve, on this machine?"""

from __future__ import annotations

import time
import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from withhold.cli import options
from withhold.cli.exit_codes import ExitCode
from withhold.cli.output import err, print_problems, show
from withhold.cli.render import Format
from withhold.cli.results import BenchResult
from withhold.errors import RuleSetWarning, TrafficError
from withhold.reports.speed import Traffic, WrongAnswer, made_up, measure, of_traffic


def bench(
    rules: options.Rules,
    traffic: options.Traffic = None,
    country: options.Country = None,
    at: options.At = None,
    root: options.Root = None,
    form: Annotated[Format, options.formats(BenchResult)] = Format.TEXT,
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
    show(BenchResult(snapshot, took, viewer, traffic, asked, figures), form)


def _asked(traffic: Path) -> Traffic:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuleSetWarning)  # a country was read as another: here it is the same
            return of_traffic(traffic)
    except TrafficError as error:
        print_problems(error.problems, err)
        raise typer.Exit(ExitCode.USAGE) from None
