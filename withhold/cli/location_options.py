"""The options that choose and configure location databases."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from withhold.cli.exit_codes import ExitCode
from withhold.cli.output import err
from withhold.errors import GeoIPError, WithholdError
from withhold.location import Anonymised, GeoIP

Database = Annotated[
    Path | None, typer.Option("--geoip", help="A MaxMind database, to locate addresses.", exists=True, dir_okay=False)
]
Anonymous = Annotated[
    Path | None,
    typer.Option(
        "--anonymous", help="A database of anonymous addresses, such as Anonymous-IP.", exists=True, dir_okay=False
    ),
]
IPVersions = Annotated[
    list[int] | None,
    typer.Option("--ip-version", metavar="4|6", help="The only IP version to look up in the database."),
]
CountryPath = Annotated[
    str | None,
    typer.Option(
        "--country-path",
        metavar="KEY.KEY",
        help="The keys that lead to the country code in a database of another schema.",
    ),
]
AnonymisedAs = Annotated[
    Anonymised, typer.Option("--anonymised", help="How to treat a viewer behind Tor, a VPN or a proxy.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Databases:
    """The values of these options."""

    geoip: Path | None
    anonymous: Path | None = None
    ip_versions: list[int] | None = None
    country_path: str | None = None
    anonymised: Anonymised = Anonymised.UNKNOWN

    @property
    def given(self) -> bool:
        return any((self.geoip, self.anonymous, self.ip_versions, self.country_path))

    def open(self, geoip: Path) -> GeoIP:
        """Open `geoip`, configured by the other options. Exit with `FAILURE` if a database cannot be used."""
        if {*(self.ip_versions or ())} - {4, 6}:
            raise typer.BadParameter("it is `4` or `6`", param_hint="'--ip-version'")
        keys = self.country_path.split(".") if self.country_path is not None else None
        if keys is not None and not all(keys):
            raise typer.BadParameter("write it like `country.code`", param_hint="'--country-path'")
        try:
            return GeoIP(
                geoip,
                anonymous=self.anonymous,
                ip_versions=self.ip_versions or (4, 6),
                country_path=keys,
                wait=None,
            )
        except (GeoIPError, OSError) as error:
            err().print(in_shell(error), style="red", markup=False, highlight=False)
            raise typer.Exit(ExitCode.FAILURE) from None


def in_shell(error: Exception) -> str:
    """Return the text of an error, with options of the command in place of arguments of Python.

    >>> from withhold.errors import Problem
    >>> in_shell(GeoIPError(Problem("unknown-schema", "no country", hint="give `country_path=('country', 'code')`")))
    'no country [unknown-schema]; give `--country-path country.code`'
    """
    text = str(error)
    if not isinstance(error, WithholdError):
        return text
    text = re.sub(r"`ip_versions=\((\d),\)`", r"`--ip-version \1`", text)
    text = re.sub(r"`country_path=\((.*?)\)`", lambda found: f"`--country-path {_dotted(found[1])}`", text)
    return text.replace("`country_path`", "`--country-path`").replace("`proxies`", "`--trust`")


def _dotted(keys: str) -> str:
    return ".".join(re.findall(r"'([^']*)'", keys))
