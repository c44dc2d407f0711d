"""The command `withhold`: a file for each subcommand."""

from __future__ import annotations

import sys
from io import TextIOWrapper

from withhold.errors import SnapshotError, how_to_install


def main() -> None:
    """Run the command line; says how to install it where its libraries are missing."""
    try:
        from withhold.cli.app import app
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in ("typer", "rich"):
            raise
        sys.exit(f"withhold: the command line needs `{missing}`, which is not installed; {how_to_install('cli')}")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a letter that a terminal lacks is no reason to fail
    try:
        app()
    except (OSError, SnapshotError) as error:  # a disk that is full, a reader that went away, a record that is none
        sys.exit(f"withhold: {error}")
