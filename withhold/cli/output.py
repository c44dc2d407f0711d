"""The consoles on which commands print, and functions that print a result."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from functools import cache
from io import StringIO
from typing import TYPE_CHECKING, Any

import typer

from withhold.cli.exit_codes import ExitCode
from withhold.cli.render import Format, renderer
from withhold.cli.render.text import problem_text
from withhold.cli.results import Refusal
from withhold.errors import Problem

if TYPE_CHECKING:  # plain output needs no console, and importing one takes as long as a search in a million ids
    from rich.console import Console

# Values are printed as they are: no markup, no emoji, no wrapped lines.
_PLAIN: dict[str, Any] = {"markup": False, "emoji": False, "highlight": False, "soft_wrap": True}


@cache
def out() -> Console:
    """Return the console of standard output."""
    from rich.console import Console

    return Console(**_PLAIN)


@cache
def err() -> Console:
    """Return the console of standard error."""
    from rich.console import Console

    return Console(stderr=True, **_PLAIN)


def show(result: object, form: Format, console: Console | None = None) -> None:
    """Print a result in a format of the command, by default to standard output."""
    file = sys.stdout if console is None else console.file
    for part in renderer(form)(result):
        if isinstance(part, str):
            file.write(f"{part}\n")
        else:
            (console or out()).print(part)
    file.flush()


def document(result: object, form: Format) -> str:
    """Return the text that `show` prints to a file."""
    from rich.console import Console

    with StringIO() as file:
        show(result, form, Console(file=file, width=120, **_PLAIN))
        return file.getvalue()


def refuse(
    refusal: Refusal, form: Format, console: Console | None = None, write: Callable[[str], object] | None = None
) -> typer.Exit:
    """Print why files were refused, and return the exit to raise.

    Text is printed on `console`, by default that of standard error, and any other format on standard output. If `write`
    is given, it receives the output instead, and text is printed on `console` as well.
    """
    if write is not None:
        write(document(refusal, form))
    elif form is not Format.TEXT:
        show(refusal, form)
    if form is Format.TEXT or write is not None:
        show(refusal, Format.TEXT, console or err())
    return typer.Exit(ExitCode.INVALID_RULES)


def print_problems(problems: Iterable[Problem]) -> None:
    """Print problems to standard error."""
    for problem in problems:
        err().print(problem_text(problem))
