"""The options that several commands share, and the functions that read their values."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from withhold.cli.configuration import Configuration, read_configuration
from withhold.cli.output import err, print_problems, refuse
from withhold.cli.place import read_place
from withhold.cli.render import Format
from withhold.cli.results import Refusal
from withhold.errors import RuleSetError, RuleSetWarning, SnapshotError, WithholdError, escaped_path, quoted
from withhold.model import Policy, RuleSet, Settle, Viewer
from withhold.model.instants import in_iso, parse_instant
from withhold.model.protected import Protected
from withhold.parsing.ids import id_from_text
from withhold.snapshot import Snapshot
from withhold.snapshot.opened import is_snapshot
from withhold.sources import load_protected, protected_beside
from withhold.sources.mentions import Mentions

if TYPE_CHECKING:
    from withhold.cli.location_options import Databases

Rules = Annotated[
    Path, typer.Argument(metavar="RULES", help="A rule file, a directory of rule files, or a snapshot.", exists=True)
]
Root = Annotated[
    Path | None,
    typer.Option(
        "--root",
        metavar="DIRECTORY",
        help="Open no file outside this directory. By default: RULES, or its directory if it is a file.",
        exists=True,
        file_okay=False,
    ),
]
NoConfig = Annotated[
    bool, typer.Option("--no-config", help="Read no `withhold.toml`, and no `[tool.withhold]` of `pyproject.toml`.")
]
#: The hint for a refused configuration.
NO_CONFIG = "correct the configuration, or give --no-config"
TweetId = Annotated[str | None, typer.Option("--tweet", metavar="ID", help="The id of the tweet.")]
AccountId = Annotated[
    str | None, typer.Option("--account", metavar="ID", help="The id of the account, or of the tweet's author.")
]
Country = Annotated[
    str | None,
    typer.Option("--country", metavar="CODE", help="Where the viewer is, such as IN or US-MS; unknown by default."),
]
Subdivisions = Annotated[
    list[str] | None,
    typer.Option(
        "--subdivision",
        metavar="CODE",
        help="The viewer's subdivision, such as US-MS, or MS with --country US; may be repeated.",
    ),
]
Address = Annotated[
    str | None, typer.Option("--ip", metavar="ADDRESS", help="The viewer's IP address, to look up in --geoip.")
]
ViewerId = Annotated[str | None, typer.Option("--viewer", metavar="ID", help="The viewer's own account.")]
At = Annotated[
    str | None,
    typer.Option(
        "--at", metavar="INSTANT", help="The instant to decide for, such as 2021-02-10T10:30:00+05:30; by default now."
    ),
]
Demand = Annotated[str | None, typer.Option("--demand", metavar="ID", help="Only rules for the demand with this id.")]
UnknownLocation = Annotated[
    Settle | None,
    typer.Option(
        "--unknown-location", help="What to do if it is unknown whether a rule reaches the viewer. [default: show]"
    ),
]
AuthorSeesOwn = Annotated[
    bool | None,
    typer.Option(
        "--author-sees-own/--no-author-sees-own", help="Show authors their own withheld content.", show_default=False
    ),
]
Traffic = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="A file of impressions, in CSV or Parquet, with the columns tweet, account, country and count.",
        exists=True,
        dir_okay=False,
    ),
]

LedgerUrl = Annotated[
    str,
    typer.Option(
        "--ledger",
        metavar="URL",
        envvar="WITHHOLD_LEDGER",
        help="The ledger: sqlite:///PATH, or postgresql://USER@HOST/DATABASE.",
    ),
]


def formats(*others: Format) -> Any:
    """Return the option `--format`, with text, JSON, and the other formats of a command's results.

    The command names them, because `formats_of` would load every format.
    """
    known = (Format.TEXT, Format.JSON, *others)

    def read(text: str) -> Format:
        if text in known:
            return Format(text)
        raise typer.BadParameter(f"{quoted(text)} is not one of {', '.join(f'`{form}`' for form in known)}")

    return typer.Option("--format", metavar=f"[{'|'.join(known)}]", parser=read, help="The output format.")


def configuration_of(rules: Path, form: Format, *, no_config: bool) -> Configuration:
    """Return the configuration for the rules at a path. Exit with `INVALID_RULES` if it is refused."""
    if no_config:
        return Configuration()
    try:
        return read_configuration(rules)
    except RuleSetError as error:
        raise refuse(Refusal(error, rules, NO_CONFIG, what="the configuration"), form) from None


def policy_of(
    configuration: Configuration, unknown_location: Settle | None, author_sees_own: bool | None = None
) -> Policy:
    """Return the policy of the options, or else of the configuration. Print a note if the configuration decides."""
    own = configuration.policy
    policy = Policy(
        unknown_location=own.unknown_location if unknown_location is None else unknown_location,
        author_sees_own=own.author_sees_own if author_sees_own is None else author_sees_own,
    )
    given = Policy(unknown_location=unknown_location or Settle.SHOW, author_sees_own=bool(author_sees_own))
    if policy != given:
        values = f"unknown_location {policy.unknown_location}, author_sees_own {str(policy.author_sees_own).lower()}"
        err().print(f"note: the policy of {escaped_path(str(configuration.path))} is used: {values}", style="yellow")
    return policy


def load_rules(path: Path, root: Path | None, form: Format, mentions: Mentions | None = None) -> RuleSet:
    """Load a rule set, and print its warnings. Exit with `INVALID_RULES` if it is refused.

    `mentions` gets the places of its ids in rule files.
    """
    try:
        rules = read_rules(path, root, mentions)
    except RuleSetError as error:
        raise refuse(Refusal(error, path), form) from None
    print_problems(rules.warnings)
    return rules


def protected_accounts(rules: Path, root: Path | None, configuration: Configuration) -> list[Protected] | None:
    """Return the accounts of the lists around the rules and of those in the configuration, or None if there is no list.

    Of a snapshot, only the lists in the configuration are read. Raises `RuleSetError` with the problems of the lists.
    """
    around = None if is_snapshot(rules) else protected_beside(rules, root)
    if not configuration.protected:
        return around
    named = (each for path in configuration.protected for each in load_protected(path))
    return list({each.account: each for each in (*named, *(around or ()))}.values())


def read_rules(path: Path, root: Path | None, mentions: Mentions | None = None) -> RuleSet:
    """Load a rule set or open a snapshot, with a progress bar on a terminal. Raise `RuleSetError` if it is refused."""
    if is_snapshot(path):
        try:
            return Snapshot.open(path).rules
        except SnapshotError as error:
            raise RuleSetError([error.problem]) from None
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn  # a snapshot needs neither a bar

    from withhold.sources.loader import load_files  # nor the YAML parser

    columns = (TextColumn("reading"), BarColumn(), DownloadColumn())
    with (
        Progress(*columns, console=err(), transient=True, disable=not err().is_terminal) as bar,
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore", RuleSetWarning)  # the rule set has them too, and they are printed from there
        task = bar.add_task("", total=None)
        return load_files(path, root, lambda done, total: bar.update(task, completed=done, total=total), mentions)


def load_snapshot(path: Path, root: Path | None, form: Format, mentions: Mentions | None = None) -> Snapshot:
    """Open a snapshot, or load and compile a rule set as `load_rules` does."""
    if not is_snapshot(path):
        return Snapshot.compile(load_rules(path, root, form, mentions))
    try:
        return Snapshot.open(path)
    except SnapshotError as error:
        raise refuse(Refusal(RuleSetError([error.problem]), path), form) from None


def subject_of(tweet: str | None, account: str | None, form: Format) -> tuple[int | None, int | None]:
    """Return the ids of the question. Print a note if the author is missing; raise a usage error if both ids are."""
    if tweet is None and account is None:
        raise typer.BadParameter("give the id of a tweet or an account", param_hint="'--tweet' or '--account'")
    if account is None and form is Format.TEXT:
        err().print(
            "note: only rules on the tweet itself are considered; give its author with --account", style="yellow"
        )
    return id_of("--tweet", tweet), id_of("--account", account)


def viewer_of(
    country: str | None,
    subdivisions: list[str] | None,
    address: str | None,
    databases: Databases | None,
    viewer: str | None,
    form: Format = Format.TEXT,
) -> Viewer:
    """Return the viewer that the options describe. Raise a usage error if they contradict each other."""
    viewer_id = id_of("--viewer", viewer)
    if address is None and (databases is None or not databases.given):
        return viewer_in(country, subdivisions or (), viewer_id)
    if country is not None or subdivisions:
        raise typer.BadParameter("give either a country or an address", param_hint="'--country' and '--ip'")
    if address is None or databases is None or databases.geoip is None:
        raise typer.BadParameter("give both an address and a location database", param_hint="'--ip' and '--geoip'")
    try:
        ip_address(address)
    except ValueError:
        raise typer.BadParameter(f"{quoted(address)} is not an IP address", param_hint="'--ip'") from None
    if databases.anonymous is None and form is Format.TEXT:
        err().print("note: the address was not checked for anonymity; give --anonymous", style="yellow")
    return databases.open(databases.geoip).locate(address).viewer(viewer_id, databases.anonymised)


def viewer_in(
    country: str | None, subdivisions: Sequence[str] = (), viewer_id: int | None = None, *, signal: str | None = None
) -> Viewer:
    """Return a viewer in a place. Raise a usage error if there is no such place.

    `signal` describes the source of the place; by default it is the options.
    """
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", RuleSetWarning)
            around, inside = read_place(country, subdivisions)
            given = "the subdivision" if inside else "the country" if around else "no location"
            made = Viewer(
                country=around, subdivisions=inside, account_id=viewer_id, signal=signal or f"{given} was given"
            )
    except WithholdError as error:
        message = str(error).replace("use it as `country`", "give it with --country")
        options = [f"'--{name}'" for name, value in (("country", country), ("subdivision", subdivisions)) if value]
        raise typer.BadParameter(message, param_hint=" or ".join(options) or "'--country'") from None
    for warning in caught:
        err().print(f"warning: {warning.message}", style="yellow")
    return made


def with_now(text: str) -> str:
    """Return the text of an option for an instant, with the current instant in place of `now`."""
    return str(in_iso(datetime.now(UTC))) if text.strip().lower() == "now" else text


def instant_of(text: str | None, name: str = "--at") -> datetime | None:
    """Return the instant in an option, or the current instant for `now`. Raise a usage error for other text."""
    try:
        return None if text is None else parse_instant(with_now(text))
    except WithholdError as error:
        raise typer.BadParameter(str(error), param_hint=f"'{name}'") from None


def id_of(name: str, text: str | None) -> int | None:
    """Return the id in an option. Raise a usage error for other text."""
    try:
        return None if text is None else id_from_text(text)
    except WithholdError as error:
        raise typer.BadParameter(str(error), param_hint=f"'{name}'") from None
