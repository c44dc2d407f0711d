"""What all commands print alike."""

from __future__ import annotations

import json
from collections.abc import Iterable
from enum import StrEnum
from typing import Any

import typer
from rich.console import Console
from rich.text import Text

from withhold.errors import COMMAND, Problem
from withhold.model import Outcome
from withhold.model.protected import KnownProtected, protection

_STYLES = {Outcome.VISIBLE: "green", Outcome.WITHHELD: "bold yellow", Outcome.SUSPENDED: "bold red"}

_SEVERITIES = {"error": "red", "warning": "yellow", "note": "cyan"}

# Values are printed as they are: no markup, no emoji, no line that is broken where a tool would read it.
PLAIN: dict[str, Any] = {"markup": False, "emoji": False, "highlight": False, "soft_wrap": True}
out = Console(**PLAIN)
err = Console(stderr=True, **PLAIN)


class Format(StrEnum):
    """Every format that some command can print; `options.formats` says which a command has."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    SARIF = "sarif"
    JUNIT = "junit"


def print_json(value: object) -> None:
    """Print one JSON document."""
    typer.echo(json_text(value, indent=2))


def json_text(value: object, indent: int | None = None) -> str:
    """Return a JSON document in printable ASCII, in which CI systems find no command.

    >>> print(json_text("\\x1b \\x7f ##[error]"))
    "\\u001b \\u007f \\u0023#[error]"
    """
    text = json.dumps(value, indent=indent).replace("\x7f", "\\u007f")
    return COMMAND.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def outcome_text(outcome: Outcome) -> Text:
    """Return an outcome in its colour; what is not visible is in capitals, for those who see no colour."""
    return Text(outcome.value if outcome is Outcome.VISIBLE else outcome.value.upper(), style=_STYLES[outcome])


def problem_to_dict(problem: Problem) -> dict[str, object]:
    return {
        "code": problem.code,
        "message": problem.message,
        "place": str(problem.place) if problem.place is not None else None,
        "hint": problem.hint,
        "severity": problem.severity,
    }


def protection_to_dict(known: KnownProtected | None) -> dict[str, object]:
    """Return how many accounts were known to be protected (None: no list was read), and the sentence for it."""
    return {"protected": None if known is None else known.accounts, "protection": protection(known)}


def counted(**counts: int) -> str:
    """Return `4 rules · 1 account` of how many there are of what."""
    return " · ".join(f"{count:,} {what}{'' if count == 1 else 's'}" for what, count in counts.items())


def print_problems(problems: Iterable[Problem], console: Console) -> None:
    for problem in problems:
        console.print(str(problem), style=_SEVERITIES[problem.severity])
