"""Open the ledger of a command, and print why the ledger or the command was refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from withhold.cli.exit_codes import ExitCode
from withhold.cli.output import err, refuse
from withhold.cli.render import Format
from withhold.cli.results import Refusal
from withhold.errors import DemandError, LedgerError

if TYPE_CHECKING:
    from withhold.ledger import Ledger

#: The clock of the ledger, which the demo sets to the day of its events. None is the system clock.
CLOCK: ContextVar[Callable[[], datetime] | None] = ContextVar("CLOCK", default=None)

#: Problems of the command line, and failures that do not depend on the content of the ledger.
_USAGE = ("bad-ledger-url", "no-ledger")
_FAILURES = ("ledger-busy", "ledger-unavailable")


@contextmanager
def opened(url: str, form: Format, *, create: bool = False, read_only: bool = False) -> Iterator[Ledger]:
    """Open a ledger. Exit if it or the command is refused, now or later, or if libraries are missing."""
    try:
        from withhold.demands.register import open_ledger

        with open_ledger(url, create=create, read_only=read_only, clock=CLOCK.get()) as ledger:
            yield ledger
    except ImportError as error:
        err().print(str(error), style="red")
        raise typer.Exit(ExitCode.FAILURE) from None
    except LedgerError as error:
        if error.code in _USAGE:
            message = error.problem.message + (f"; {error.hint}" if error.hint else "")
            raise typer.BadParameter(message, param_hint="'--ledger'") from None
        refused = refuse(Refusal(error, Path("the ledger")), form)
        raise typer.Exit(ExitCode.FAILURE) if error.code in _FAILURES else refused from None
    except DemandError as error:
        raise refuse(Refusal(error, Path("the command")), form) from None
