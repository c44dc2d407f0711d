"""Show the progress of a command on a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from withhold.cli.output import err


@contextmanager
def progress(what: str) -> Iterator[Progress]:
    """Show a bar on standard error, if it is a terminal, until the end of the block. The whole is unknown at first."""
    columns = (TextColumn(what), BarColumn(), TaskProgressColumn())
    with Progress(*columns, console=err(), transient=True, disable=not err().is_terminal) as bar:
        bar.add_task("", total=None)
        yield bar


def advance(bar: Progress, done: int, whole: int | None) -> None:
    """Show how much is done, of how much."""
    bar.update(bar.task_ids[0], completed=done, total=whole)
