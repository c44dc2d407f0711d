"""The options that commands share, and what they are read into."""

from __future__ import annotations

import warnings
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from withhold.cli.exit_codes import ExitCode
from withhold.cli.output import Format, err, print_problems, refuse_rules
from withhold.errors import RuleSetError, RuleSetWarning, WithholdError
from withhold.location import GeoIP
from withhold.model import Policy, RuleSet, Settle, Viewer, check_id
from withhold.model.instants import parse_instant

Rules = Annotated[Path, typer.Argument(metavar="RULES", help="A rule file, or a directory of them.", exists=True)]
TweetId = Annotated[int | None, typer.Option("--tweet", metavar="ID", help="The tweet asked about.")]
AccountId = Annotated[int | None, typer.Option("--account", metavar="ID", help="The account, or the tweet's author.")]
Country = Annotated[
    str | None, typer.Option("--country", metavar="CODE", help="Where the viewer is; unknown if nothing says it.")
]
Subdivisions = Annotated[
    list[str] | None,
    typer.Option("--subdivision", metavar="CODE", help="Where in the country, such as US-MS; may be repeated."),
]
Address = Annotated[str | None, typer.Option("--ip", metavar="ADDRESS", help="The viewer's address, to locate them.")]
Database = Annotated[
    Path | None, typer.Option("--geoip", help="A MaxMind database, with --ip.", exists=True, dir_okay=False)
]
ViewerId = Annotated[int | None, typer.Option("--viewer", metavar="ID", help="The account that is looking.")]
At = Annotated[
    str | None, typer.Option("--at", metavar="INSTANT", help="Another instant than now: 2021-02-10T10:30:00+05:30.")
]
UnknownLocation = Annotated[
    Settle, typer.Option("--unknown-location", help="What to do where it is not known whether a rule reaches.")
]
AuthorSeesOwn = Annotated[bool, typer.Option("--author-sees-own", help="Show authors their own withheld content.")]
Form = Annotated[Format, typer.Option("--format", help="How to print the answer.")]


def load_rules(path: Path, form: Format) -> RuleSet:
    """Load a rule set with a progress bar on a terminal; exits with `INVALID_RULES` if it is refused."""
    columns = (TextColumn("reading"), BarColumn(), DownloadColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar, warnings.catch_warnings():
        warnings.simplefilter("ignore", RuleSetWarning)  # they are printed with the problems, from the rule set
        task = bar.add_task("", total=None)
        try:
            rules = RuleSet.load(path, progress=lambda done, total: bar.update(task, completed=done, total=total))
        except RuleSetError as error:
            bar.stop()
            raise refuse_rules(error, form) from None
    if form is Format.TEXT:
        print_problems(rules.warnings)
    return rules


def subject_of(tweet: int | None, account: int | None) -> tuple[int | None, int | None]:
    """Return the pair asked about; a usage error if there is none."""
    if tweet is None and account is None:
        raise typer.BadParameter("say what is asked about", param_hint="'--tweet' or '--account'")
    for name, value in (("--tweet", tweet), ("--account", account)):
        _id(name, value)
    return tweet, account


def viewer_of(
    country: str | None, subdivisions: list[str] | None, address: str | None, database: Path | None, viewer: int | None
) -> Viewer:
    """Return the viewer that the options describe; a usage error if they contradict each other."""
    _id("--viewer", viewer)
    if address is None and database is None:
        signal = "the country was given" if country else "nothing says where the viewer is"
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always", RuleSetWarning)
                made = Viewer(country=country, subdivisions=subdivisions or (), account_id=viewer, signal=signal)
        except WithholdError as error:
            raise typer.BadParameter(str(error), param_hint="'--country' or '--subdivision'") from None
        for warning in caught:
            err.print(f"warning: {warning.message}", style="yellow")
        return made
    if country is not None or subdivisions:
        raise typer.BadParameter("give either a country or an address", param_hint="'--country' and '--ip'")
    if address is None or database is None:
        raise typer.BadParameter("an address and a database go together", param_hint="'--ip' and '--geoip'")
    return open_geoip(database).locate(address).viewer(account_id=viewer)


def open_geoip(database: Path) -> GeoIP:
    """Open a location database; exits with `FAILURE` if it cannot be used."""
    try:
        return GeoIP(database)
    except (WithholdError, OSError) as error:
        err.print(str(error), style="red")
        raise typer.Exit(ExitCode.FAILURE) from None


def policy_of(unknown_location: Settle, *, author_sees_own: bool) -> Policy:
    return Policy(unknown_location=unknown_location, author_sees_own=author_sees_own)


def instant_of(text: str | None) -> datetime | None:
    """Read `--at`; a usage error if it is no instant."""
    try:
        return None if text is None else parse_instant(text)
    except WithholdError as error:
        raise typer.BadParameter(str(error), param_hint="'--at'") from None


def _id(name: str, value: int | None) -> None:
    try:
        if value is not None:
            check_id(value)
    except WithholdError as error:
        raise typer.BadParameter(str(error), param_hint=f"'{name}'") from None
