"""`withhold bench`: measure how long decisions take with a rule set, on this machine."""

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
from withhold.reports.speed import Traffic, WrongAnswer, invented_pairs, measure, sample_traffic


def bench(
    rules: options.Rules,
    traffic: options.Traffic = None,
    country: Annotated[
        str | None,
        typer.Option(
            "--country",
            metavar="CODE",
            help="Where the viewer is, such as IN or US-MS; by default the country with the most traffic, or else unknown.",
        ),
    ] = None,
    at: options.At = None,
    root: options.Root = None,
    no_config: options.NoConfig = False,
    form: Annotated[Format, options.formats()] = Format.TEXT,
) -> None:
    """Measure how long decisions about tweets take with a rule set, compared with calls that do nothing.

    The tweets are those of --traffic or, without it, invented ones. The viewer is in --country or, by default, in the country with
    the most traffic. Without either option, the viewer's location is unknown.
    """
    impressions = None if traffic is None else _read_traffic(traffic)
    if impressions and country is None:
        viewer = options.viewer_in(impressions.country, signal="most of the traffic was there")
    else:
        viewer = options.viewer_in(country)
    instant = options.instant_of(at) or datetime.now(UTC)
    configuration = options.configuration_of(rules, form, no_config=no_config)
    began = time.perf_counter()
    snapshot = options.load_snapshot(rules, root or configuration.root, form)
    took = time.perf_counter() - began
    pairs = impressions.pairs if impressions else invented_pairs(snapshot)
    with Progress(console=err(), transient=True, disable=not err().is_terminal) as bar:
        task = bar.add_task("measuring", total=1.0)
        try:
            figures = measure(snapshot, viewer, instant, pairs, lambda done: bar.update(task, completed=done))
        except WrongAnswer as error:
            bar.stop()
            err().print(f"{error}: nothing was timed", style="red")
            raise typer.Exit(ExitCode.FAILURE) from None
    show(BenchResult(snapshot, took, viewer, traffic, impressions, figures), form)


def _read_traffic(traffic: Path) -> Traffic:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuleSetWarning)  # aliases of countries do not matter here
            return sample_traffic(traffic)
    except TrafficError as error:
        print_problems(error.problems)
        raise typer.Exit(ExitCode.USAGE) from None
