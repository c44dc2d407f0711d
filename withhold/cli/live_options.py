"""The options of commands on signed rules, and how their errors are reported."""

from __future__ import annotations

import getpass
import os
import re
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from withhold.cli.collection import no_garbage_collection
from withhold.cli.exit_codes import ExitCode
from withhold.cli.output import err, refuse
from withhold.cli.render import Format
from withhold.cli.results import DiffResult, Refusal
from withhold.errors import LiveError, Problem, RuleSetError, SnapshotError, escaped_path, quoted
from withhold.model import RuleSet
from withhold.reports import Side, differences, summarize
from withhold.snapshot import Snapshot

if TYPE_CHECKING:
    from securesystemslib.signer import Signer

    from withhold.live import Live

_KEYS = "WITHHOLD_KEYS"
_PASSWORD = "WITHHOLD_KEY_PASSWORD"  # noqa: S105  # the name of a variable
_INTERVAL = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)")
_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}
#: The shortest and the longest interval, in seconds. A timestamp is valid for an hour, and hosts warn after half of it.
_SHORTEST, _LONGEST = 0.01, 1800
#: Problems of the command line.
_USAGE = (
    "bad-store-url",
    "store-read-only",
    "bad-host",
    "bad-name",
    "bad-keep",
    "key-in-the-open",
    "key-unreadable",
    "no-pending",
    "unknown-role",
)
#: Failures that may not occur again.
FAILURES = (
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
        envvar=_KEYS,
        help="The encrypted file of a private key, or a variable of the environment that holds one; may be repeated. "
        f"{_KEYS} separates them by spaces. The password is read from {_PASSWORD}, or asked.",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Keep = Annotated[int, typer.Option("--keep", metavar="N", help="How many versions to keep in the store.")]


def read_trust(trust: Path) -> bytes:
    """Return the content of a trusted root. Exit with a usage error if the file cannot be read.

    Raises `LiveError` (`not-a-root`) if the file is not a root.
    """
    from tuf.api.metadata import Root

    from withhold.live.trusted import check_root, parsed

    try:
        content = trust.read_bytes()
    except OSError as error:
        message = f"cannot read {escaped_path(trust)}: {(error.strerror or str(error)).lower()}"
        raise typer.BadParameter(message, param_hint="'--trust'") from None
    try:
        check_root(None, parsed(Root, content))
    except LiveError:
        message, hint = f"{escaped_path(trust)} is not a root", "give the file that `withhold keys init` wrote"
        raise LiveError(Problem("not-a-root", message, hint=hint)) from None
    return content


def read_signers(keys: Sequence[str] | None) -> list[Signer]:
    """Return the signers of the keys that the options name. Raises `LiveError`."""
    from withhold.live import read_signer

    if not keys:
        raise typer.BadParameter("give a key", param_hint="'--key'")
    return [read_signer(key, password_of) for key in keys]


def password_of(name: str, *, new: bool = False) -> str:
    """Return the password of a key, from the environment or from the user, who enters a new one twice."""
    if given := os.environ.get(_PASSWORD):
        return given
    question = f"password of {escaped_path(name)}"
    with warnings.catch_warnings():
        warnings.simplefilter("error", getpass.GetPassWarning)  # the password would be visible
        try:
            password = getpass.getpass(f"{question}: ", sys.stderr)
            if new and getpass.getpass("the same again: ", sys.stderr) != password:
                raise typer.BadParameter("the passwords differ")
        except (getpass.GetPassWarning, EOFError):
            raise typer.BadParameter(f"no terminal to ask for the {question}; set {_PASSWORD}") from None
    return password


def confirm(question: str) -> None:
    """Ask a question on standard error. Exit with a failure unless the answer is yes."""
    err().print(f"{question} [y/N]: ", end="")
    answer = sys.stdin.readline()
    if answer.strip().lower() in {"y", "yes"}:
        return
    if not answer:
        err().print()
        raise typer.BadParameter("nobody answered; to publish without a question, give --yes")
    err().print("nothing was published")
    raise typer.Exit(ExitCode.FAILURE)


def seconds_of(text: str) -> float:
    """Return an interval such as `5m` in seconds. Raise a usage error for other text."""
    found = _INTERVAL.fullmatch(text)
    seconds = 0.0 if found is None else float(found[1]) * _UNITS[found[2]]
    if not _SHORTEST <= seconds <= _LONGEST:
        message = f"{quoted(text)} is not an interval from 10ms to 30m; write it like 500ms, 10s or 5m"
        raise typer.BadParameter(message, param_hint="'--every'")
    return seconds


def on_signals(stop: Callable[[], object]) -> None:
    """Call a function if a signal ends this process, so that the work in progress is finished first."""
    # In a thread, because a signal may interrupt this one while it holds a lock that `stop` needs.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=stop).start())


@contextmanager
def reported(form: Format) -> Iterator[None]:
    """Print the reason of a refusal, or the name of a missing extra, and exit."""
    try:
        yield
    except ImportError as error:
        err().print(str(error), style="red")
        raise typer.Exit(ExitCode.FAILURE) from None
    except LiveError as error:
        if error.code in _USAGE:
            raise typer.BadParameter(str(error)) from None
        refused = refuse(Refusal(error, Path("the store")), form)
        raise typer.Exit(ExitCode.FAILURE) if error.code in FAILURES else refused from None
    except SnapshotError as error:
        raise refuse(Refusal(RuleSetError([error.problem]), Path("the store")), form) from None


def difference(live: Live, name: str, before: Snapshot | None, after: Snapshot) -> DiffResult:
    """Return the difference of a snapshot from the rule set with a name that is live."""
    old = before or Snapshot.compile(RuleSet())
    title = (
        f"version {live.version}, which is live" if before else f"nothing, as no rules named {quoted(name)} are live"
    )
    with no_garbage_collection():
        sides = Side(title, old.revision, "store"), Side("what would be live", after.revision, "path")
        return DiffResult(summarize(*sides, differences(old, after)), whole=False, audit=False)
