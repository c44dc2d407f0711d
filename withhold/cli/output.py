"""The consoles on which commands print, and functions that print a result."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from io import StringIO
from typing import Any

import typer
from rich.console import Console

from withhold.cli.exit_codes import ExitCode
from withhold.cli.render import Format, renderer
from withhold.cli.render.text import problem_text
from withhold.cli.results import Refusal
from withhold.errors import Problem

# Values are printed as they are: no markup, no emoji, no wrapped lines.
_PLAIN: dict[str, Any] = {"markup": False, "emoji": False, "highlight": False, "soft_wrap": True}
out = Console(**_PLAIN)
err = Console(stderr=True, **_PLAIN)


def show(result: object, form: Format, console: Console = out) -> None:
    """Print a result in a format of the command."""
    for part in renderer(form)(result):
        if isinstance(part, str):
            console.file.write(f"{part}\n")
        else:
            console.print(part)
    console.file.flush()


def document(result: object, form: Format) -> str:
    """Return the text that `show` prints to a file."""
    with StringIO() as file:
        show(result, form, Console(file=file, width=120, **_PLAIN))
        return file.getvalue()


def refuse(
    refusal: Refusal, form: Format, console: Console = err, write: Callable[[str], object] | None = None
) -> typer.Exit:
    """Print why files were refused, and return the exit to raise.

    Text is printed on `console`, and any other format on standard output. If `write` is given, it receives the output
    instead, and text is printed on `console` as well.
    """
    if write is not None:
        write(document(refusal, form))
    elif form is not Format.TEXT:
        show(refusal, form)
    if form is Format.TEXT or write is not None:
        show(refusal, Format.TEXT, console)
    return typer.Exit(ExitCode.INVALID_RULES)


def print_problems(problems: Iterable[Problem], console: Console) -> None:
    for problem in problems:
        console.print(problem_text(problem))
