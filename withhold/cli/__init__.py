"""The command `withhold`: a file for each subcommand."""

from __future__ import annotations

import sys
from io import TextIOWrapper

from withhold.errors import SnapshotError


def main() -> None:
    """Run the command line; says how to install it where its libraries are missing."""
    try:
        from withhold.cli.app import app
    except ModuleNotFoundError as error:
        if error.name not in ("typer", "rich"):
            raise
        sys.exit("withhold: the command line needs more libraries; install them with: pip install 'withhold[cli]'")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a letter that a terminal lacks is no reason to fail
    try:
        app()
    except (OSError, SnapshotError) as error:  # a disk that is full, a reader that went away, a record that is none
        sys.exit(f"withhold: {error}")
