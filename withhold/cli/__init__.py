"""The command `withhold`: a file for each subcommand."""

from __future__ import annotations

import gc
import sys
from io import TextIOWrapper

from withhold.cli.collection import no_garbage_collection
from withhold.errors import SnapshotError, how_to_install


def main() -> None:
    """Run the command line. Exit with an error that names the extra to install if its libraries are missing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # escape what a terminal cannot print
    try:
        with no_garbage_collection():
            from withhold.cli.app import app

            gc.freeze()  # modules are never garbage, and searching them takes a sixth of a short command
        app()
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in ("typer", "rich"):
            raise
        sys.exit(f"withhold: the command line needs `{missing}`, which is not installed; {how_to_install('cli')}")
    except (OSError, SnapshotError) as error:  # a full disk, a closed pipe, a damaged record of a snapshot
        sys.exit(f"withhold: {error}")
