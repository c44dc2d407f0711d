"""`withhold ledger`: verify the record of legal demands, and move it to another database."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from withhold.cli import options
from withhold.cli.collection import no_garbage_collection
from withhold.cli.exit_codes import ExitCode
from withhold.cli.output import err, refuse, show
from withhold.cli.render import Format
from withhold.cli.results import Refusal
from withhold.errors import LedgerError, quoted

if TYPE_CHECKING:
    from withhold.ledger import Fold, Head, Ledger

#: The code that computes the current states of the package's ledgers.
_FOLDS: tuple[Fold, ...] = ()

_HASH = re.compile("[0-9a-f]{64}")
_STEP = 10_000
#: Problems of the command line, and failures that have nothing to do with what the ledger holds.
_USAGE = ("bad-ledger-url", "no-ledger")
_FAILURES = ("ledger-busy", "ledger-unavailable")

ledger = typer.Typer(help="Verify the record of legal demands, or move it to another database.", no_args_is_help=True)


@dataclass(frozen=True, slots=True)
class LedgerResult:
    """What a command on a ledger found or did."""

    values: Mapping[str, object]
    text: str

    def to_dict(self) -> dict[str, object]:
        return dict(self.values)

    def __str__(self) -> str:
        return self.text


_Format = Annotated[Format, options.formats(LedgerResult)]


def _head_option(text: str | None) -> str | None:
    if text is not None and not _HASH.fullmatch(text):
        raise typer.BadParameter(f"{quoted(text)} is not what `withhold ledger head` prints: 64 hexadecimal digits")
    return text


@ledger.command()
def verify(
    url: options.LedgerUrl,
    head: Annotated[
        str | None,
        typer.Option(
            "--head",
            metavar="HASH",
            callback=_head_option,
            help="What `withhold ledger head` printed earlier, kept elsewhere. It proves that nothing up to there was "
            "removed or rewritten.",
        ),
    ] = None,
    form: _Format = Format.TEXT,
) -> None:
    """Check that no event was changed, removed, added or moved, and compute the current states again.

    Exits with 4 if anything differs. Without --head, the removal of the last events is not found, nor is a ledger that
    was rewritten as a whole.
    """
    with _opened(url, form, read_only=True) as opened, _progress("verifying") as bar, no_garbage_collection():
        from withhold.ledger import verify as run

        found = run(opened, head, lambda done, whole: _advance(bar, done, whole))
    show(LedgerResult(found.to_dict(), str(found)), form)


@ledger.command()
def head(url: options.LedgerUrl, form: _Format = Format.TEXT) -> None:
    """Print the hash of the last event. Keep it where nobody can change it, and give it to `verify` later."""
    with _opened(url, form, read_only=True) as opened:
        found = opened.head
    show(LedgerResult(_values(found), found.hash), form)


@ledger.command()
def export(url: options.LedgerUrl) -> None:
    """Print all events as JSON Lines; the last line holds their number and the head."""
    with _opened(url, Format.TEXT, read_only=True) as opened, _progress("exporting") as bar:
        from withhold.ledger import export as run

        run(opened, typer.get_binary_stream("stdout"), lambda done, whole: _advance(bar, done, whole))


@ledger.command("import")
def import_(
    file: Annotated[typer.FileBinaryRead, typer.Argument(metavar="FILE", help="An export; `-` is standard input.")],
    url: options.LedgerUrl,
    form: _Format = Format.TEXT,
) -> None:
    """Record the events of an export in a new ledger. If a single bit differs, record nothing and exit with 4."""
    with _opened(url, form, create=True) as opened, _progress("importing") as bar, no_garbage_collection():
        from withhold.ledger import import_ as run

        found = run(opened, _counted(file, bar))
    text = f"imported {found.sequence:,} events; compare the head with one that was kept elsewhere: {found.hash}"
    show(LedgerResult(_values(found), text), form)


def _values(found: Head) -> dict[str, object]:
    return {"events": found.sequence, "head": found.hash}


@contextmanager
def _opened(url: str, form: Format, *, create: bool = False, read_only: bool = False) -> Iterator[Ledger]:
    """Open a ledger. Exit if it is refused, now or later, or if the libraries for ledgers are missing."""
    try:
        from withhold.ledger import Ledger

        with Ledger.open(url, _FOLDS, create=create, read_only=read_only) as opened:
            yield opened
    except ImportError as error:
        err.print(str(error), style="red")
        raise typer.Exit(ExitCode.FAILURE) from None
    except LedgerError as error:
        if error.code in _USAGE:
            raise typer.BadParameter(error.problem.message, param_hint="'--ledger'") from None
        refused = refuse(Refusal(error, Path("the ledger")), form)
        raise typer.Exit(ExitCode.FAILURE) if error.code in _FAILURES else refused from None


@contextmanager
def _progress(what: str) -> Iterator[Progress]:
    columns = (TextColumn(what), BarColumn(), TaskProgressColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        bar.add_task("", total=None)
        yield bar


def _advance(bar: Progress, done: int, whole: int | None) -> None:
    bar.update(bar.task_ids[0], completed=done, total=whole)


def _counted(file: BinaryIO, bar: Progress) -> Iterator[bytes]:
    """Yield the lines of a file, and show how much of it was read."""
    size = None
    if file.seekable():
        start = file.tell()
        size = file.seek(0, os.SEEK_END) - start
        file.seek(start)
    done = 0
    for number, line in enumerate(file):
        if number % _STEP == 0:
            _advance(bar, done, size)
        done += len(line)
        yield line
