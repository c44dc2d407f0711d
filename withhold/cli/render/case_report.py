"""The text of `withhold test`, which imports this module to register it."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from withhold.cli.render import Part
from withhold.cli.render.text import render
from withhold.cli.render.wording import counted
from withhold.errors import escaped_path, name_in_text
from withhold.model import Rule
from withhold.testing.coverage import SPEAKS, Coverage, Share
from withhold.testing.mutation import Mutation
from withhold.testing.pasting import Addition
from withhold.testing.report import Report
from withhold.testing.running import failure


@render.register
def _report(report: Report) -> Iterator[Part]:
    """Yield a line for each file, every failure in full, a summary, and the results of coverage and mutation."""
    for tested in report.files:
        failed = f", {len(tested.failed)} failed" if tested.failed else ""
        line = f"{escaped_path(tested.file.path)}: {counted(case=len(tested.results))}{failed}"
        yield Text(line, style="red" if failed else "green")
    for tested in report.files:
        for result in tested.failed:
            yield ""
            yield failure(result, tested.engine)
    if report.failures:
        yield ""
    failed = f"{report.failures} failed" if report.failures else "all passed"
    summary = f"{counted(case=report.cases)} in {counted(file=len(report.files))}: {failed}"
    yield Text(summary, style="bold red" if report.failures else "bold green")
    for path in report.uncovered or ():
        yield Text(f"no case file tests it: {escaped_path(path)}", style="yellow")
    if report.coverage is not None:
        yield Text(f"coverage: {report.tried} of the sides were tried", style="bold")
        for found in report.coverage:
            yield Text(_coverage(found), style="yellow" if found.untried else "")
    if report.mutation is not None:
        yield from _mutation(report, report.mutation)


def _coverage(found: Coverage) -> str:
    name = f"{_place(found.rule)}{name_in_text(found.rule.id)}"
    if not found.sides:
        return f"  {name}: never in force, nothing to try"
    cases = counted(case=found.cases) if found.speaks else "it decided no case"
    missing = [side for side in found.untried if side != SPEAKS]
    untried = f"; not tried: {', '.join(missing)}" if missing else "; all tried" if found.speaks else ""
    return f"  {name}: {cases}{untried}"


def _place(rule: Rule) -> str:
    """Return the place of a rule, or an empty text: a rule of a snapshot may have been created in Python."""
    return f"{rule.place}: " if rule.place else ""


def _mutation(report: Report, mutation: Mutation) -> Iterator[Part]:
    equivalent = f"; {len(mutation.equivalent):,} more had no effect" if mutation.equivalent else ""
    yield Text(f"mutation: {report.noticed} of the changes were noticed{equivalent}", style="bold")
    for mutant in mutation.survivors:
        line = f"  {_place(mutant.rule)}not noticed: {name_in_text(mutant.rule.id)} {mutant.change}"
        yield Text(line, style="yellow")
    for rule, changes in mutation.untested:
        line = f"  {_place(rule)}no case concerns it: {name_in_text(rule.id)} ({counted(change=changes)})"
        yield Text(line, style="yellow")
    if report.written is not None:
        yield from _written(*report.written)
        return
    for addition in report.additions:
        yield f"\nadd to {escaped_path(addition.path)}, if this behaviour is intended:"
        yield from addition.lines()


def _written(added: list[Addition], after: Mutation) -> Iterator[Part]:
    yield ""
    for addition in added:
        what = f"{'wrote' if addition.is_new else 'added to'} {escaped_path(addition.path)}"
        yield f"{what}: {counted(case=addition.cases)}, unreviewed"
    if not added:
        yield "no case was written: none is missing"
        return
    share = Share(after.killed, after.counted)
    yield Text(f"mutation with these cases: {share} of the changes are noticed; review each case", style="bold")
