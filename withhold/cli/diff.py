"""`withhold diff`: list the subjects whose outcome a rule change alters, where and when."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import chdir, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from withhold.cli import options
from withhold.cli.collection import no_garbage_collection
from withhold.cli.exit_codes import ExitCode
from withhold.cli.git import RevisionError
from withhold.cli.output import err, print_problems, show
from withhold.cli.render import Format
from withhold.cli.results import DiffResult
from withhold.cli.revisions import commit_behind, commit_of, diff_command, is_path, lay_out
from withhold.errors import RuleSetError, RuleSetWarning, TrafficError, quoted
from withhold.model import Period, Policy
from withhold.reports import Impact, Side, differences, read_traffic, summarize, weigh
from withhold.snapshot import Snapshot
from withhold.snapshot.opened import is_snapshot
from withhold.sources.root import repository_around

#: The exit status with `--exit-code` if there is a difference, as in git.
_DIFFERENT = 1

_SIDE = "A rule file, a directory, a snapshot, a git revision, or REVISION:PATH."


def _no_range(given: str) -> str:
    """Refuse a range such as `main...HEAD` before the parser reports a missing second side."""
    if diff_command(given) and not os.path.exists(given):  # noqa: PTH110  # as in `_read`
        try:
            commit_of(given)  # some revisions have two dots in them: `HEAD^{/fix..}`
        except RevisionError as error:
            raise typer.BadParameter(str(error)) from None
    return given


def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help=_SIDE, callback=_no_range)],
    new: Annotated[str, typer.Argument(metavar="NEW", help=_SIDE)],
    rules: Annotated[
        Path, typer.Option("--rules", metavar="PATH", help="The path of the rules in a git revision.")
    ] = Path("rules"),
    root: Annotated[
        str | None,
        typer.Option(
            metavar="DIRECTORY",
            help="Open no file outside this directory; in a revision it is relative to the top. "
            "By default: each side, or its directory if it is a file.",
        ),
    ] = None,
    unknown_location: options.UnknownLocation = None,
    from_: Annotated[
        str | None, typer.Option("--from", metavar="INSTANT", help="Compare outcomes from this instant on.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="INSTANT", help="Compare outcomes before this instant.")
    ] = None,
    audit: Annotated[
        bool, typer.Option("--audit", help="Also list differences between rules that change no outcome.")
    ] = False,
    whole: Annotated[bool, typer.Option("--all", help="List every id, rule and difference.")] = False,
    traffic: options.Traffic = None,
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="INSTANT", help="With --traffic: the instant to compare at, by default now."),
    ] = None,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 1 if there is a difference.")] = False,
    no_config: options.NoConfig = False,
    form: Annotated[Format, options.formats(Format.MARKDOWN)] = Format.TEXT,
) -> None:
    """List exactly which accounts and tweets get a different outcome under NEW than under OLD, where and when.

    With --traffic, also count the impressions that get a different outcome. Exits with 4 if a side is refused. The exemption of
    authors (author_sees_own) is not considered.
    """
    if at is not None and traffic is None:
        raise typer.BadParameter("it requires --traffic", param_hint="'--at'")
    within = Period(options.instant_of(from_, "--from"), options.instant_of(until, "--until"))
    if within.start and within.end and within.end <= within.start:
        raise typer.BadParameter("it must be after --from", param_hint="'--until'")
    instant = options.instant_of(at) or datetime.now(UTC)
    configuration = options.configuration_of(Path(), form, no_config=no_config)
    policy = options.policy_of(configuration, unknown_location, author_sees_own=False)
    before, source_before = _read("OLD", old, rules, root, configuration.root, form)
    after, source_after = _read("NEW", new, rules, root, configuration.root, form)
    sides = Side(old, before.revision, source_before), Side(new, after.revision, source_after)
    with no_garbage_collection():
        summary = summarize(*sides, differences(before, after, policy, within), within)
    if traffic is not None:
        summary.impact = _impact(traffic, before, after, policy, instant)
    result = DiffResult(summary, whole=whole, audit=audit)
    show(result, form)
    if exit_code and result.blocks:
        raise typer.Exit(_DIFFERENT)


def _read(
    name: str, given: str, rules: Path, root: str | None, configured: Path | None, form: Format
) -> tuple[Snapshot, str]:
    """Read one side, a path or a revision, and return it and its source.

    Places in a revision have the form `REVISION:PATH`. The configured root is used for paths inside it, and for revisions.
    """
    if not given or "\0" in given:  # an unset shell variable would be the current directory
        raise typer.BadParameter("it is empty", param_hint=f"'{name}'")
    if root is not None and (not root or "\0" in root):
        raise typer.BadParameter("it is empty", param_hint="'--root'")
    try:
        if not is_path(given):
            top = repository_around(Path())
            if root is None and configured is not None and top is not None:
                root = os.path.relpath(os.path.realpath(configured), top)
            return _read_revision(given, rules, root, form)
    except RevisionError as error:
        raise typer.BadParameter(str(error), param_hint=f"'{name}'") from None
    if root is not None and not os.path.isdir(root):  # noqa: PTH112  # `Path.is_dir` raises for a name that is too long
        raise typer.BadParameter(
            f"{quoted(root)} is not a directory on disk, and {quoted(given)} is a path on disk", param_hint="'--root'"
        )
    inside = configured is not None and Path(os.path.realpath(given)).is_relative_to(os.path.realpath(configured))
    return options.load_snapshot(
        Path(given), Path(root) if root is not None else configured if inside else None, form
    ), "path"


def _read_revision(given: str, rules: Path, root: str | None, form: Format) -> tuple[Snapshot, str]:
    commit = commit_behind(given)
    source = f"commit {commit}"
    if root is None:
        with _laid_out(given, rules, root, commit, alone=True) as (path, inside):
            if path == inside or is_snapshot(path):
                return options.load_snapshot(path, inside, form), source
            with suppress(RuleSetError):  # the file may name lists of ids, which are not there
                loaded = options.read_rules(path, inside)
                print_problems(loaded.warnings)
                return Snapshot.compile(loaded), source
    with _laid_out(given, rules, root, commit) as (path, inside):
        return options.load_snapshot(path, inside, form), source


@contextmanager
def _laid_out(
    given: str, rules: Path, root: str | None, commit: str, *, alone: bool = False
) -> Iterator[tuple[Path, Path]]:
    """Write a revision to a directory, change to it, and yield the relative paths of the rules and their root."""
    with TemporaryDirectory() as folder:
        written = lay_out(given, rules, root, Path(folder), commit=commit, alone=alone)
        with chdir(folder):
            yield written.path.relative_to(folder), written.root.relative_to(folder)


def _impact(traffic: Path, before: Snapshot, after: Snapshot, policy: Policy, at: datetime) -> Impact:
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", RuleSetWarning)
            impact = weigh(before, after, read_traffic(traffic), at, policy)
    except TrafficError as error:
        print_problems(error.problems)
        raise typer.Exit(ExitCode.USAGE) from None
    for warning in caught:
        err().print(str(warning.message), style="yellow")
    return impact
