"""`withhold fetch`: keep the published rules of a host up to date."""

from __future__ import annotations

import logging
import socket
from pathlib import Path
from typing import Annotated

import typer

from withhold.cli import options
from withhold.cli.exit_codes import ExitCode
from withhold.cli.live_options import Name, Trust, on_signals, read_trust, reported, seconds_of
from withhold.cli.output import err, show
from withhold.cli.render import Format
from withhold.cli.results import RecordedResult


def fetch(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="The store, such as https://HOST/PATH or s3://BUCKET/PATH.")
    ],
    spool: Annotated[Path, typer.Option("--spool", metavar="DIRECTORY", help="Where to keep the rules of this host.")],
    trust: Trust,
    name: Name = "rules",
    every: Annotated[
        str | None, typer.Option("--every", metavar="INTERVAL", help="Go on, at this interval, such as 5s.")
    ] = None,
    receipts: Annotated[
        str | None, typer.Option("--receipts", metavar="URL", help="A store for receipts, for `withhold fleet`.")
    ] = None,
    host: Annotated[
        str | None,
        typer.Option("--host", metavar="NAME", help="The name of this host in receipts; by default its own."),
    ] = None,
    form: Annotated[Format, options.formats()] = Format.TEXT,
) -> None:
    """Fetch the newest rules, verify their signatures, and make them those in use on this host.

    Exits with 1 if this fails, or if the rules in use are not known to be the newest. With --every, go on until a signal ends it, and
    report changes on standard error.
    """
    interval = None if every is None else seconds_of(every)
    if host is not None and receipts is None:
        raise typer.BadParameter("it requires --receipts", param_hint="'--host'")
    with reported(form):
        from withhold.live import Fetcher, Receipts, State

        trusted = read_trust(trust)
        written = None if receipts is None else Receipts(receipts, socket.gethostname() if host is None else host)
        with Fetcher(source, spool, trusted, name=name, interval=interval or 5.0, receipts=written) as fetcher:
            if interval is None:
                _log_to_standard_error(logging.WARNING, logging.WARNING)  # errors are in the status
                status = fetcher.fetch()
                show(RecordedResult(status.to_dict(), str(status)), form)
                fine = status.state is State.FRESH and status.error is None
                raise typer.Exit(ExitCode.FINE if fine else ExitCode.FAILURE)
            _log_to_standard_error(logging.INFO, logging.CRITICAL)
            on_signals(fetcher.close)
            fetcher.run()


def _log_to_standard_error(lowest: int, highest: int) -> None:
    handler = logging.StreamHandler(err().file)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    handler.addFilter(lambda record: record.levelno <= highest)
    log = logging.getLogger("withhold.live")
    log.addHandler(handler)
    log.setLevel(lowest)
