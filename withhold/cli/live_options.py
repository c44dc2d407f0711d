"""The options of commands on signed rules, and how their errors are reported."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from withhold.cli.collection import no_garbage_collection
from withhold.cli.exit_codes import ExitCode
from withhold.cli.output import err, refuse
from withhold.cli.render import Format
from withhold.cli.results import DiffResult, Refusal
from withhold.errors import LiveError, RuleSetError, SnapshotError, escaped_path, quoted
from withhold.model import RuleSet
from withhold.reports import Side, differences, summarize
from withhold.snapshot import Snapshot

if TYPE_CHECKING:
    from securesystemslib.signer import Signer

    from withhold.live import Live

_PASSWORD = "WITHHOLD_KEY_PASSWORD"  # noqa: S105  # the name of a variable
_INTERVAL = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)")
_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}
#: Problems of the command line, and failures that have nothing to do with what is in the store.
_USAGE = (
    "bad-store-url",
    "bad-host",
    "bad-name",
    "bad-keep",
    "key-in-the-open",
    "key-unreadable",
    "no-pending",
    "unknown-role",
)
_FAILURES = (
    "store-unavailable",
    "store-refuses",
    "store-busy",
    "key-exists",
    "key-unwritable",
    "publish-moved",
    "root-moved",
)

StoreUrl = Annotated[
    str,
    typer.Option(
        "--to",
        metavar="URL",
        envvar="WITHHOLD_STORE",
        help="The store: file:///PATH, s3://BUCKET/PATH, gs://BUCKET/PATH or az://ACCOUNT/CONTAINER/PATH.",
    ),
]
Trust = Annotated[
    Path,
    typer.Option(
        "--trust",
        metavar="FILE",
        envvar="WITHHOLD_TRUSTED_ROOT",
        help="The trusted root, a file that `withhold keys init` has written.",
    ),
]
Name = Annotated[str, typer.Option("--name", metavar="NAME", help="The name of the rule set in the store.")]
Keys = Annotated[
    list[str] | None,
    typer.Option(
        "--key",
        metavar="FILE|env:NAME",
        envvar="WITHHOLD_KEYS",
        help="The encrypted file of a private key, or a variable of the environment that holds one; may be repeated. "
        f"The password is read from {_PASSWORD}, or asked.",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Keep = Annotated[int, typer.Option("--keep", metavar="N", help="How many versions to keep in the store.")]


def read_trust(trust: Path) -> bytes:
    """Return the content of a trusted root. Exit with a usage error if it cannot be read."""
    try:
        return trust.read_bytes()
    except OSError as error:
        message = f"cannot read {escaped_path(trust)}: {(error.strerror or str(error)).lower()}"
        raise typer.BadParameter(message, param_hint="'--trust'") from None


def read_signers(keys: Sequence[str] | None) -> list[Signer]:
    """Return the signers of the keys that the options name. Raises `LiveError`."""
    from withhold.live import read_signer

    if not keys:
        raise typer.BadParameter("give a key", param_hint="'--key'")
    return [read_signer(key, password_of) for key in keys]


def password_of(name: str) -> str:
    """Return the password of a key, from the environment or from the user."""
    given = os.environ.get(_PASSWORD)
    return given or str(typer.prompt(f"password of {escaped_path(name)}", hide_input=True, err=True))


def seconds_of(text: str) -> float:
    """Return an interval such as `5m` in seconds. Raise a usage error for other text."""
    found = _INTERVAL.fullmatch(text)
    if found is None or not float(found[1]):
        raise typer.BadParameter(f"{quoted(text)} is not an interval; write it like 500ms, 10s, 5m or 1h")
    return float(found[1]) * _UNITS[found[2]]


@contextmanager
def reported(form: Format) -> Iterator[None]:
    """Print why something was refused, and exit; also if libraries are missing."""
    try:
        yield
    except ImportError as error:
        err.print(str(error), style="red")
        raise typer.Exit(ExitCode.FAILURE) from None
    except LiveError as error:
        if error.code in _USAGE:
            raise typer.BadParameter(str(error)) from None
        refused = refuse(Refusal(error, Path("the store")), form)
        raise typer.Exit(ExitCode.FAILURE) if error.code in _FAILURES else refused from None
    except SnapshotError as error:
        raise refuse(Refusal(RuleSetError([error.problem]), Path("the store")), form) from None


def difference(live: Live, before: Snapshot | None, after: Snapshot) -> DiffResult:
    """Return the difference of a snapshot from what is live."""
    old = before or Snapshot.compile(RuleSet())
    name = f"version {live.version}, which is live" if before else "nothing, as no rules are live"
    with no_garbage_collection():
        sides = Side(name, old.revision, "store"), Side("what would be live", after.revision, "path")
        return DiffResult(summarize(*sides, differences(old, after)), whole=False, audit=False)
