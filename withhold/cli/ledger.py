"""`withhold ledger`: verify the record of legal demands, and move it to another database."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer
from rich.progress import Progress

from withhold.cli import options
from withhold.cli.collection import no_garbage_collection
from withhold.cli.opening import opened
from withhold.cli.output import show
from withhold.cli.progress import advance, progress
from withhold.cli.render import Format
from withhold.cli.results import RecordedResult
from withhold.errors import quoted

if TYPE_CHECKING:
    from withhold.ledger import Head

_HASH = re.compile("[0-9a-f]{64}")
_STEP = 10_000

ledger = typer.Typer(help="Verify the record of legal demands, or move it to another database.", no_args_is_help=True)
_Format = Annotated[Format, options.formats()]


def _head_option(text: str | None) -> str | None:
    if text is not None and not _HASH.fullmatch(text):
        raise typer.BadParameter(
            f"{quoted(text)} is not a head as `withhold ledger head` prints it: 64 hexadecimal digits"
        )
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
            help="The earlier output of `withhold ledger head`, kept elsewhere. It proves that no event "
            "up to that head was removed or rewritten.",
        ),
    ] = None,
    form: _Format = Format.TEXT,
) -> None:
    """Check that no event was changed, removed, added or moved, and compute the current states again.

    Exits with 4 if anything differs. Without --head, it cannot find that the last events were removed, or that the
    whole ledger was rewritten.
    """
    with opened(url, form, read_only=True) as record, progress("verifying") as bar, no_garbage_collection():
        from withhold.ledger import verify as run

        found = run(record, head, lambda done, whole: advance(bar, done, whole))
    show(RecordedResult(found.to_dict(), str(found)), form)


@ledger.command()
def head(url: options.LedgerUrl, form: _Format = Format.TEXT) -> None:
    """Print the hash of the last event. Keep it where nobody can change it, and give it to `verify` later."""
    with opened(url, form, read_only=True) as record:
        found = record.head
    show(RecordedResult(_values(found), found.hash), form)


@ledger.command()
def export(url: options.LedgerUrl) -> None:
    """Print all events as JSON Lines; the last line holds their number and the head."""
    with opened(url, Format.TEXT, read_only=True) as record, progress("exporting") as bar:
        from withhold.ledger import export as run

        run(record, typer.get_binary_stream("stdout"), lambda done, whole: advance(bar, done, whole))


@ledger.command()
def upgrade(url: options.LedgerUrl, form: _Format = Format.TEXT) -> None:
    """Upgrade the tables of an older version, and compute the current states again if that version computed them.

    The events stay as they are. Keep a copy, and run `verify` first.
    """
    with opened(url, form, read_only=True):
        pass  # a ledger that does not exist is not created
    with opened(url, form, create=True) as record:
        found = record.head
    show(RecordedResult(_values(found), f"the ledger is up to date; events: {found.sequence:,}"), form)


@ledger.command("import")
def import_(
    file: Annotated[typer.FileBinaryRead, typer.Argument(metavar="FILE", help="An export; `-` is standard input.")],
    url: options.LedgerUrl,
    form: _Format = Format.TEXT,
) -> None:
    """Record the events of an export in a new ledger. If a single bit differs, record nothing and exit with 4."""
    with opened(url, form, create=True) as record, progress("importing") as bar, no_garbage_collection():
        from withhold.ledger import import_ as run

        found = run(record, _counted(file, bar))
    text = f"imported {found.sequence:,} events; compare the head with a copy that was kept elsewhere: {found.hash}"
    show(RecordedResult(_values(found), text), form)


def _values(found: Head) -> dict[str, object]:
    return {"events": found.sequence, "head": found.hash}


def _counted(file: BinaryIO, bar: Progress) -> Iterator[bytes]:
    """Yield the lines of a file, and show the progress of reading."""
    size = None
    if file.seekable():
        start = file.tell()
        size = file.seek(0, os.SEEK_END) - start
        file.seek(start)
    done = 0
    for number, line in enumerate(file):
        if number % _STEP == 0:
            advance(bar, done, size)
        done += len(line)
        yield line
