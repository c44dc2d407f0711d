"""`withhold test`: run case files against the rules that they name."""

# ruff: noqa: PT028  # this is a command, not a test

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from withhold.cli import options
from withhold.cli.exit_codes import ExitCode
from withhold.cli.output import document, err, print_problems, refuse, show
from withhold.cli.render import Format, case_report  # noqa: F401  # it registers the text of a report
from withhold.cli.results import Refusal
from withhold.cli.writing import check_folder, write_text
from withhold.errors import CaseError, escaped_path
from withhold.testing.cases import CaseFile
from withhold.testing.completing import complete
from withhold.testing.coverage import coverage as cover
from withhold.testing.mutation import Mutation
from withhold.testing.mutation import mutate as change
from withhold.testing.pasting import Addition, additions
from withhold.testing.questions import Index
from withhold.testing.report import FileResults, Report
from withhold.testing.running import Runner
from withhold.testing.suggestion import Suggestion
from withhold.testing.suite import Library, read_all
from withhold.testing.uncovered import uncovered


def test(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[PATHS]...",
            help="Case files, or directories of case files; by default the current directory.",
            exists=True,
        ),
    ] = None,
    root: Annotated[
        Path | None,
        typer.Option(
            metavar="DIRECTORY",
            help="Open no rule file outside this directory. By default: the directory of the rules, which must be in the repository.",
            exists=True,
            file_okay=False,
        ),
    ] = None,
    form: Annotated[Format, options.formats(Format.JUNIT)] = Format.TEXT,
    output: Annotated[
        Path | None,
        typer.Option("--output", metavar="FILE", help="Write the report to a file, and print it as text as well."),
    ] = None,
    coverage: Annotated[
        bool, typer.Option("--coverage", help="Report which sides of each rule the cases have tried.")
    ] = False,
    fail_under: Annotated[
        float | None,
        typer.Option(
            "--fail-under", metavar="PERCENT", min=0, max=100, help="Fail if the coverage is lower; implies --coverage."
        ),
    ] = None,
    mutate: Annotated[
        bool,
        typer.Option(
            "--mutate", help="Change the rules one thing at a time, and list the changes that no case notices."
        ),
    ] = False,
    write: Annotated[
        bool,
        typer.Option(
            "--write",
            help="Write the cases that are missing to case files, marked as unreviewed; implies --mutate.",
        ),
    ] = False,
    mutation_threshold: Annotated[
        float | None,
        typer.Option(
            "--mutation-threshold",
            metavar="PERCENT",
            min=0,
            max=100,
            help="Fail if a smaller share of the changes is noticed; implies --mutate.",
        ),
    ] = None,
) -> None:
    """Run case files against the rules that they name. Exits with 1 if a case fails, and with 4 if a file is refused."""
    if output is not None:
        check_folder(output)
        if os.path.islink(output):  # noqa: PTH114
            message = f"{escaped_path(output)} is a link; give the path of its target"
            raise typer.BadParameter(message, param_hint="'--output'")
    library = Library(root)
    mutate = mutate or write or mutation_threshold is not None
    measured = coverage or fail_under is not None or mutate
    try:
        files = read_all(paths or [Path()], library, begins=write and bool(paths))
        others = uncovered(paths or [], files, library) if measured else []
        if not files and not others:
            read_all(paths or [Path()], library)  # it raises the reason why there is nothing to test
    except CaseError as error:
        to_file = None if output is None else partial(write_text, output)
        raise refuse(Refusal(error, (paths or [Path()])[0]), form, write=to_file) from None
    warnings = (warning for file in (*files, *others) for warning in (*file.rules.warnings, *file.warnings))
    print_problems(dict.fromkeys(warnings))  # several case files may test the same rules
    report = Report([_tested(file, library) for file in files])
    report.fail_under, report.mutation_threshold = fail_under, mutation_threshold
    if measured:
        report.uncovered = [other.only for other in others if other.only is not None]
        index = Index([*files, *others], library)
        if coverage or fail_under is not None:
            report.coverage = cover(index)
        if mutate:
            if report.failures:  # a case notices a change if it then fails
                err().print("no rule was changed: all cases must pass first", style="yellow")
            else:
                report.mutation = _mutation(index)
                if write:
                    report.written = _write(*complete([*files, *others], library, report.mutation))
    if output is not None:
        write_text(output, document(report, form))
    show(report, form if output is None else Format.TEXT)
    for measure, message in report.shortfalls():
        err().print(f"{measure}: {message}", style="red")
    if not report.fine:
        raise typer.Exit(ExitCode.FAILURE)


def _tested(file: CaseFile, library: Library) -> FileResults:
    engine = library.engine(file)
    return FileResults(file, engine, list(Runner(file, engine).run_all()))


def _mutation(index: Index) -> Mutation:
    columns = (TextColumn("changing rules"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=err(), transient=True, disable=not err().is_terminal) as bar:
        task = bar.add_task("", total=len(index.rules))
        return change(index, lambda done: bar.update(task, completed=done))


def _write(suggestions: list[Suggestion], after: Mutation) -> tuple[list[Addition], Mutation]:
    """Write the suggested cases to their files, all or none of which must be in their repository."""
    added = additions(suggestions)
    for addition in added:
        check_folder(addition.path, "--write")
    for addition in added:
        ends = addition.is_new or addition.path.read_bytes().endswith(b"\n")
        text = "\n".join([*([] if ends else [""]), *addition.lines(with_reasons=False), ""])
        write_text(addition.path, text, "x" if addition.is_new else "a")
    return added, after
