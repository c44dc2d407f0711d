"""The records of a database as models of geoip2, for callers who need more than the location."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from withhold.location.address import Address
from withhold.location.anonymity import ANONYMISERS, HOSTING, HOSTING_PROVIDER, AnonymousSchema
from withhold.location.mmdb import RecordReader, reading
from withhold.location.schema import Schema

if TYPE_CHECKING:
    from geoip2.models import AnonymousIP, City, Country, Enterprise

#: Keys of MaxMind's schemas that hold a map.
_MAXMIND = ("country", "continent", "registered_country", "traits")


@dataclass(frozen=True, slots=True)
class Records:
    """The records of one opened database, read from a file in memory or by the reader that was passed."""

    name: str
    reader: RecordReader
    schema: Schema

    def place(self, address: Address) -> Country | City | Enterprise | None:
        """Return the record of `address` as the model for its schema, or None if there is none.

        Raises `GeoIPError` (`broken-database`) if the record cannot be read.
        """
        from geoip2 import models

        model = {"city": models.City, "enterprise": models.Enterprise}.get(self.schema.name, models.Country)
        with reading(self.name):
            record, prefix = self.reader.get_with_prefix_len(str(address))
            if not isinstance(record, dict):
                return None
            if not any(isinstance(record.get(key), dict) for key in _MAXMIND):
                # geoip2 has no model for this schema, so return one with the country only.
                code = self.schema.read(record).country
                record = {"country": {"iso_code": code}} if code else {}
            return model(["en"], **{**record, "ip_address": str(address), "prefix_len": prefix})

    def anonymous(self, address: Address) -> AnonymousIP | None:
        """Return the record of `address` in a database of anonymous addresses, or None if there is none.

        Raises `GeoIPError` (`broken-database`) if the record cannot be read.
        """
        from geoip2.models import AnonymousIP

        with reading(self.name):
            record, prefix = self.reader.get_with_prefix_len(str(address))
            if not isinstance(record, dict) or not isinstance(self.schema, AnonymousSchema):
                return None
            flags = self.schema.flags(record)
            return AnonymousIP(
                str(address),
                is_anonymous=not flags.isdisjoint(ANONYMISERS),
                is_anonymous_vpn="VPN" in flags,
                is_hosting_provider=not flags.isdisjoint((HOSTING, HOSTING_PROVIDER)),
                is_public_proxy=not flags.isdisjoint(("public proxy", "proxy")),
                is_residential_proxy="residential proxy" in flags,
                is_tor_exit_node="Tor exit" in flags,
                prefix_len=prefix,
            )
