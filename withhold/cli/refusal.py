"""What is printed of files that were refused, in each format that an answer can have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import assert_never

import typer
from rich.console import Console

from withhold.cli.exit_codes import ExitCode
from withhold.cli.output import Format, counted, err, json_text, print_problems, problem_to_dict
from withhold.errors import CaseError, RuleSetError, escaped
from withhold.reports.comment import LIMIT, fitted


def refuse(
    error: RuleSetError | CaseError,
    form: Format,
    path: Path,
    console: Console = err,
    write: Callable[[str], object] | None = None,
    *,
    note: str = "",
    more: Mapping[str, object] = MappingProxyType({}),
) -> typer.Exit:
    """Print why files were refused, and return the exit to raise.

    Text goes to `console`, any other format to standard output. With `write` the format goes there, and text to `console`.
    Problems without a place of their own concern `path`. A `note` on how the command ran is printed too; JSON has `more`.
    """
    if write is not None:
        write(_document(error, form, path, note, more))
    elif form is not Format.TEXT:
        typer.echo(_document(error, form, path, note, more), nl=False)
    if form is Format.TEXT or write is not None:
        print_problems(error.problems, console)
        console.print(_summary(error))
        if note:
            console.print(note)
    return typer.Exit(ExitCode.INVALID_RULES)


def _document(error: RuleSetError | CaseError, form: Format, path: Path, note: str, more: Mapping[str, object]) -> str:
    match form:
        case Format.TEXT:
            return "".join(f"{line}\n" for line in (*map(str, error.problems), _summary(error)))
        case Format.JSON:
            of_rules = {"read": error.read, "refused": error.refused} if isinstance(error, RuleSetError) else {}
            problems = [problem_to_dict(problem) for problem in error.problems]
            return json_text({"valid": False, "fine": False, **of_rules, **more, "problems": problems}, indent=2) + "\n"
        case Format.SARIF:
            from withhold.cli.sarif import sarif_of

            return json_text(sarif_of(error.problems, path, note), indent=2) + "\n"
        case Format.JUNIT:
            from withhold.testing.report import refused_as_junit

            return refused_as_junit(error.problems)
        case Format.MARKDOWN:
            # Indented lines are code, in which nothing is markup.
            listed = ([f"    {escaped(str(problem))}"] for problem in error.problems)
            shown = fitted(listed, LIMIT - 1_000, "    … and {:,} more".format)
            return "\n".join([f"**{_summary(error)}**", "", *shown, ""])
        case _:
            assert_never(form)


def _summary(error: RuleSetError | CaseError) -> str:
    problems = counted(problem=len(error.problems))
    if isinstance(error, CaseError):
        return f"no case was run: {problems}"
    of_rules = f"; rules read: {error.read}, refused: {error.refused}" if error.refused else ""
    return f"the rule set was refused: {problems}{of_rules}"
