"""`withhold code`: explain the code of a problem or of advice."""

from __future__ import annotations

from typing import Annotated

import typer

from withhold.cli import options
from withhold.cli.codes import explained
from withhold.cli.output import show
from withhold.cli.render import Format
from withhold.errors import did_you_mean, quoted


def code(
    name: Annotated[
        str,
        typer.Argument(
            metavar="CODE",
            help="The code, as it is printed in brackets.",
            autocompletion=lambda incomplete: [each for each in explained() if each.startswith(incomplete)],
        ),
    ],
    form: Annotated[Format, options.formats()] = Format.TEXT,
) -> None:
    """Explain the code of a problem or of advice: its meaning, and the remedy."""
    wanted = name.strip().removeprefix("[").removesuffix("]").lower()
    if wanted not in explained():
        message = f"there is no code {quoted(wanted)}; {did_you_mean(wanted, explained())}"
        raise typer.BadParameter(message, param_hint="'CODE'")
    show(explained()[wanted], form)
