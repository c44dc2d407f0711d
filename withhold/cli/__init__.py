"""The command `withhold`: a file for each subcommand."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; says how to install it where its libraries are missing."""
    try:
        from withhold.cli.app import app
    except ModuleNotFoundError as error:
        if error.name not in ("typer", "rich"):
            raise
        sys.exit("withhold: the command line needs more libraries; install them with: pip install 'withhold[cli]'")
    app()
