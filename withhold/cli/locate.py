"""`withhold locate`: locate an address, or the sender of a request."""

from __future__ import annotations

from typing import Annotated

import typer

from withhold.cli import location_options, options
from withhold.cli.output import show
from withhold.cli.render import Format
from withhold.cli.results import AddressResult, RequestResult
from withhold.errors import WithholdError
from withhold.location import Anonymised, Resolver, TrustedProxies


def locate(
    address: Annotated[
        str | None, typer.Argument(metavar="ADDRESS", help="An IP address; omit it to replay a request with --peer.")
    ] = None,
    geoip: location_options.Database = None,
    anonymous: location_options.Anonymous = None,
    ip_version: location_options.IPVersions = None,
    country_path: location_options.CountryPath = None,
    peer: Annotated[
        str | None,
        typer.Option("--peer", metavar="ADDRESS", help="Replay a request: the address of the socket's peer."),
    ] = None,
    header: Annotated[
        list[str] | None,
        typer.Option("--header", metavar="'NAME: VALUE'", help="A header of the request; may be repeated."),
    ] = None,
    trust: Annotated[
        list[str] | None,
        typer.Option("--trust", metavar="NETWORK", help="Peers whose headers are trusted; may be repeated."),
    ] = None,
    client_header: Annotated[
        str, typer.Option("--client-header", metavar="NAME", help="The header that contains the client's address.")
    ] = "x-forwarded-for",
    cdn: Annotated[
        str | None, typer.Option("--cdn", metavar="NAME", help="The CDN whose country header is used.")
    ] = None,
    anonymised: location_options.AnonymisedAs = Anonymised.UNKNOWN,
    form: Annotated[Format, options.formats()] = Format.TEXT,
) -> None:
    """Print the location of an address, or of the sender of a request, and how it was determined."""
    if (address is None) == (peer is None):
        raise typer.BadParameter("give an address, or the peer of a request", param_hint="'ADDRESS' or '--peer'")
    if address is not None and (header or trust or cdn):
        raise typer.BadParameter("headers belong to a request: give the address of its peer", param_hint="'--peer'")
    if geoip is None and (address is not None or cdn is None):
        raise typer.BadParameter("give a location database", param_hint="'--geoip'")
    databases = location_options.Databases(
        geoip=geoip, anonymous=anonymous, ip_versions=ip_version, country_path=country_path
    )
    if geoip is None and databases.given:
        raise typer.BadParameter("give the location database that the other options configure", param_hint="'--geoip'")
    database = databases.open(geoip) if geoip else None
    if database is not None and address is not None:
        show(AddressResult(database.locate(address), anonymised), form)
        return
    headers = [_split(line) for line in header or ()]
    try:
        proxies = TrustedProxies(trust or (), header=client_header) if trust else None
        resolver = Resolver(geoip=database, proxies=proxies, cdn=cdn, anonymised=anonymised)
    except WithholdError as error:
        hint = "'--trust', '--cdn' or '--client-header'"
        raise typer.BadParameter(location_options.in_shell(error), param_hint=hint) from None
    show(RequestResult(resolver.resolve(peer, headers)), form)


def _split(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon or not name.strip():
        raise typer.BadParameter("write it like `X-Forwarded-For: 192.0.2.1`", param_hint="'--header'")
    return name.strip(), value.strip()
