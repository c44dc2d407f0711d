"""`withhold locate`: where is this address, or whoever sent this request?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from withhold.cli import options
from withhold.cli.output import Format, out, print_json
from withhold.errors import WithholdError
from withhold.location import Anonymised, Location, Resolution, Resolver, TrustedProxies


def locate(
    address: Annotated[
        str | None, typer.Argument(metavar="ADDRESS", help="An IP address; left out for a request (--peer).")
    ] = None,
    geoip: options.Database = None,
    anonymous: Annotated[
        Path | None,
        typer.Option("--anonymous", help="An Anonymous-IP database beside it.", exists=True, dir_okay=False),
    ] = None,
    peer: Annotated[
        str | None, typer.Option("--peer", metavar="ADDRESS", help="Replay a request: the address of its socket.")
    ] = None,
    header: Annotated[
        list[str] | None,
        typer.Option("--header", metavar="'NAME: VALUE'", help="A header of the request; may be repeated."),
    ] = None,
    trust: Annotated[
        list[str] | None,
        typer.Option("--trust", metavar="NETWORK", help="Peers whose headers are believed; may be repeated."),
    ] = None,
    client_header: Annotated[
        str, typer.Option("--client-header", metavar="NAME", help="The one header that names the client.")
    ] = "x-forwarded-for",
    cdn: Annotated[
        str | None, typer.Option("--cdn", metavar="NAME", help="The CDN whose country header counts.")
    ] = None,
    anonymised: Annotated[
        Anonymised, typer.Option("--anonymised", help="What a viewer behind Tor, a VPN or a proxy counts as.")
    ] = Anonymised.UNKNOWN,
    form: options.Form = Format.TEXT,
) -> None:
    """Say where an address is, or whoever sent a request, and how that is known."""
    if (address is None) == (peer is None):
        raise typer.BadParameter("give an address, or the peer of a request", param_hint="'ADDRESS' or '--peer'")
    if address is not None and (header or trust or cdn):
        raise typer.BadParameter("headers belong to a request: give its peer", param_hint="'--peer'")
    if geoip is None and (address is not None or cdn is None):
        raise typer.BadParameter("give the database to look it up in", param_hint="'--geoip'")
    database = options.open_geoip(geoip, anonymous) if geoip else None
    if database is not None and address is not None:
        _print_location(database.locate(address), anonymised, form)
        return
    headers = [_split(line) for line in header or ()]
    try:
        proxies = TrustedProxies(trust or (), header=client_header) if trust else None
        resolver = Resolver(geoip=database, proxies=proxies, cdn=cdn, anonymised=anonymised)
    except WithholdError as error:
        raise typer.BadParameter(str(error), param_hint="'--trust', '--cdn' or '--client-header'") from None
    _print_resolution(resolver.resolve(peer, headers), form)


def _split(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon or not name.strip():
        raise typer.BadParameter("write it like `X-Forwarded-For: 192.0.2.1`", param_hint="'--header'")
    return name.strip(), value.strip()


def _to_dict(location: Location) -> dict[str, object]:
    found = location.finding
    return {
        "country": found.country,
        "subdivisions": list(found.subdivisions),
        "state": found.state,
        "network": found.cidr,
        "why": found.why,
        "registered_country": found.registered_country,
        "represented_country": found.represented_country,
        "anonymiser": found.anonymiser,
    }


def _print_location(location: Location, anonymised: Anonymised, form: Format) -> None:
    if form is Format.JSON:
        print_json({**_to_dict(location), "viewer": location.viewer(anonymised=anonymised).to_dict()})
        return
    out.print(str(location.viewer(anonymised=anonymised)))
    for name, value in _to_dict(location).items():
        if value and name not in ("why", "country", "subdivisions"):
            out.print(f"  {name.replace('_', ' '):<19} {value}")


def _print_resolution(resolution: Resolution, form: Format) -> None:
    if form is Format.TEXT:
        out.print(str(resolution))
        return
    signals = [{"name": signal.name, **_to_dict(signal.location)} for signal in resolution.signals]
    print_json(
        {
            "viewer": resolution.viewer().to_dict(),
            "address": resolution.address,
            "why": resolution.trace.why,
            "winner": resolution.winner.name if resolution.winner else None,
            "disagreed": [signal.name for signal in resolution.disagreed],
            "signals": signals,
        }
    )
