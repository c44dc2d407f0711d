"""What `withhold test` prints for people."""

from __future__ import annotations

from rich.console import Console

from withhold.cli.output import counted
from withhold.errors import escaped, escaped_path
from withhold.model import Rule
from withhold.testing.coverage import SPEAKS, Coverage
from withhold.testing.mutation import Mutation
from withhold.testing.report import Report
from withhold.testing.running import failure


def print_report(report: Report, console: Console) -> None:
    """Print a line for each file, every failure in full, what else was asked for, and a summary."""
    for tested in report.files:
        failed = f", {len(tested.failed)} failed" if tested.failed else ""
        style = "red" if failed else "green"
        console.print(f"{escaped_path(tested.file.path)}: {counted(case=len(tested.results))}{failed}", style=style)
    for tested in report.files:
        for result in tested.failed:
            console.print()
            console.print(failure(result, tested.engine))
    if report.failures:
        console.print()
    failed = f"{report.failures} failed" if report.failures else "all passed"
    summary = f"{counted(case=report.cases)} in {counted(file=len(report.files))}: {failed}"
    console.print(summary, style="bold red" if report.failures else "bold green")
    for path in report.uncovered or ():
        console.print(f"no case file is about it: {escaped_path(path)}", style="yellow")
    if report.coverage is not None:
        console.print(f"coverage: {report.tried} of what there is to try", style="bold")
        for rule in report.coverage:
            console.print(_covered(rule), style="yellow" if rule.untried else None)
    if report.mutation is not None:
        _print_mutation(report, report.mutation, console)


def _covered(found: Coverage) -> str:
    if not found.sides:
        return f"  {_named(found.rule)}: never in force, so there is nothing to try"
    spoke = f"{counted(case=found.cases)}" if found.speaks else "never made to speak"
    missing = [side for side in found.untried if side != SPEAKS]
    untried = f"; not tried: {', '.join(missing)}" if missing else "; all tried" if found.speaks else ""
    return f"  {_named(found.rule)}: {spoke}{untried}"


def _named(rule: Rule) -> str:
    return f"{_at(rule)}{escaped(rule.id)}"


def _at(rule: Rule) -> str:
    """Return where a rule stands; one of a snapshot may never have stood in a file."""
    return f"{rule.place}: " if rule.place else ""


def _print_mutation(report: Report, mutation: Mutation, console: Console) -> None:
    beside = f"; {len(mutation.equivalent):,} more change nothing for anybody" if mutation.equivalent else ""
    console.print(f"mutation: {report.noticed} of all changes were noticed{beside}", style="bold")
    for mutant in mutation.survivors:
        console.print(f"  {_at(mutant.rule)}not noticed: {escaped(mutant.rule.id)} {mutant.change}", style="yellow")
    for rule, changes in mutation.untested:
        console.print(
            f"  {_at(rule)}no case asks about it: {escaped(rule.id)} ({counted(change=changes)})", style="yellow"
        )
    for addition in report.additions:
        console.print(f"\nadd to {escaped_path(addition.path)}, if it is what is meant:")
        for line in addition.lines():
            console.print(line)
