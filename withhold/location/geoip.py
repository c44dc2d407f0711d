"""Where an address is, by a MaxMind database.

A database is right about most addresses and wrong about some: it tells where a network is used, not where
a person is. Nothing here guesses; what is not known is unknown.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path

import maxminddb

from withhold.errors import GeoIPError, Problem, shown
from withhold.model.viewer import Viewer
from withhold.territories import countries, subdivisions

# IPv6 networks that carry an IPv4 address of somebody else: a Teredo server, a translator, nobody.
_NOT_THE_VIEWERS = tuple(map(IPv6Network, ("::/96", "2001::/32", "64:ff9b::/96")))


@dataclass(frozen=True, slots=True)
class Location:
    """Where an address is, as far as a database knows; `why` says how it is known, or why it is not."""

    country: str | None
    subdivisions: tuple[str, ...]
    network: str | None
    why: str

    def viewer(self, account_id: int | None = None) -> Viewer:
        """Return a viewer there, whose `signal` is `why`."""
        return Viewer(country=self.country, subdivisions=self.subdivisions, account_id=account_id, signal=self.why)


class GeoIP:
    """A location database in MaxMind's schema, or in the flat one with `country_code`. Threads may share it.

    Raises `GeoIPError` if `path` is no such database, and `OSError` if it cannot be opened.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.name = Path(path).name
        try:
            self._reader = maxminddb.open_database(path, maxminddb.MODE_AUTO)
        except (maxminddb.InvalidDatabaseError, ValueError, UnicodeDecodeError) as error:
            raise GeoIPError(Problem("bad-geoip", f"`{path}` is not a MaxMind database: {error}")) from None

    def locate(self, address: str | IPv4Address | IPv6Address) -> Location:
        """Return where an address is; text that is no plain address, and all that is not known, is unknown.

        Never raises for an address.
        """
        # The reader's own parser takes `134744072` for 8.8.8.8, so it never sees text.
        try:
            parsed = ip_address(address) if isinstance(address, str) else address
        except ValueError:
            return _unknown(f"{shown(address)} is not an IP address")
        if isinstance(parsed, IPv6Address):
            if parsed.scope_id is not None:
                return _unknown(f"`{parsed}` is a local address")
            if parsed.ipv4_mapped is not None:
                parsed = parsed.ipv4_mapped
            elif any(parsed in network for network in _NOT_THE_VIEWERS):
                return _unknown(f"{parsed} does not tell the viewer's own address")
        if parsed.version == 6 and self._reader.metadata().ip_version == 4:
            return _unknown(f"{self.name} knows no IPv6")
        try:
            record, prefix = self._reader.get_with_prefix_len(parsed)
        except (maxminddb.InvalidDatabaseError, ValueError) as error:
            return _unknown(f"{self.name} is broken at {parsed}: {error}")
        network = str(ip_network((parsed, prefix), strict=False)) if record is not None else None
        country, parts = _read(record)
        if country is None:
            return Location(None, (), network, f"{self.name} has no country for {parsed}")
        return Location(country, parts, network, f"{parsed} in {network} of {self.name}")


def _unknown(why: str) -> Location:
    return Location(None, (), None, why)


def _read(record: object) -> tuple[str | None, tuple[str, ...]]:
    """Take the country and the subdivisions from a record; a code that ISO does not have is not known."""
    if not isinstance(record, dict):
        return None, ()
    where = record.get("country")
    code = where.get("iso_code") if isinstance(where, dict) else record.get("country_code")
    if not isinstance(code, str) or code not in countries():
        return None, ()
    found = record.get("subdivisions")
    names = [part.get("iso_code") for part in found if isinstance(part, dict)] if isinstance(found, list) else []
    known = subdivisions(code)
    return code, tuple(full for name in names if (full := f"{code}-{name}") in known)
