"""`Location`: the location of an address, and the evidence for it. `GeoIP.locate` returns it."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING, NamedTuple, Protocol

from withhold.location.address import LONGEST_SHOWN, network_of, parse
from withhold.model import Viewer

if TYPE_CHECKING:  # geoip2 is imported when a record is requested
    from geoip2.models import AnonymousIP, City, Country, Enterprise


class LocationState(StrEnum):
    """How much is known about the location of a viewer."""

    KNOWN = "known"
    UNKNOWN = "unknown"
    #: Behind Tor, a VPN, a proxy or a relay. The country, if there is one, is that of the exit.
    ANONYMISED = "anonymised"


class Anonymised(StrEnum):
    """How to treat an anonymised viewer: with an unknown location, or as located at the exit."""

    UNKNOWN = "unknown"
    LOCATED = "located"


class Evidence(NamedTuple):
    """The location of one address according to one database or header. `Location` has the same fields, and documents them."""

    country: str | None
    subdivisions: tuple[str, ...] = ()
    state: LocationState = LocationState.UNKNOWN
    cidr: str | None = None
    why: str = ""
    registered_country: str | None = None
    represented_country: str | None = None
    anonymiser: str | None = None
    anonymity_database: str | None = None

    @property
    def network(self) -> IPv4Network | IPv6Network | None:
        return ip_network(self.cidr) if self.cidr else None

    def evidence(self, address: object) -> Evidence:
        """Return this evidence, which is about one address only. This method makes evidence a `Source`."""
        del address
        return self

    def record(self, address: object) -> None:
        """Return None: there is no database behind this evidence."""

    def anonymous_record(self, address: object) -> None:
        """Return None: there is no database behind this evidence."""

    def __repr__(self) -> str:
        # The text may be logged, so it shows no network that is narrower than a /24 or a /48.
        first, _, length = (self.cidr or "").partition("/")
        if (address := parse(first)) and int(length) > (most := LONGEST_SHOWN[address.version]):
            return repr(self._replace(cidr=network_of(address, most)))
        return f"Evidence({', '.join(f'{name}={value!r}' for name, value in self._asdict().items())})"


class Source(Protocol):
    """The source of the attributes of a location. Its answers for one address never change."""

    def evidence(self, address: object) -> Evidence: ...
    def record(self, address: object) -> Country | City | Enterprise | None: ...
    def anonymous_record(self, address: object) -> AnonymousIP | None: ...


class _LookedUp(NamedTuple):
    """The evidence for one address, and its source, which still has the records."""

    found: Evidence
    source: Source

    def evidence(self, address: object) -> Evidence:
        del address
        return self.found

    def record(self, address: object) -> Country | City | Enterprise | None:
        return self.source.record(address)

    def anonymous_record(self, address: object) -> AnonymousIP | None:
        return self.source.anonymous_record(address)


class Location:
    """The location of an address: read-only, compared by its evidence, safe to share between threads.

    - `country`: an ISO 3166-1 code, or None.
    - `subdivisions`: the ISO 3166-2 codes within it, broadest first.
    - `state`: known, unknown or anonymised.
    - `network`: the network of the record that was found, or None.
    - `why`: the evidence in words.
    - `registered_country`: where the provider registered the network. It is never used as the location.
    - `represented_country`: the country to which a military base or the like belongs. It is never used as the location.
    - `anonymiser`: `Tor exit`, `VPN` and so on, or None.
    - `anonymity_database`: the name of the database that was searched for anonymisers, or None if there is none.

    `network` is exact, and may be a single address. The texts (`why`, `str`, `repr`, the signal of a viewer) show no network
    that is narrower than a /24 or a /48, so they may be logged.

    >>> here = Location.of(Evidence("GB", ("GB-ENG",), LocationState.KNOWN, why="an example"))
    >>> here.country, here.state, str(here.viewer())
    ('GB', <LocationState.KNOWN: 'known'>, 'GB, GB-ENG (an example)')

    `country` is looked up when the location is created. Every other attribute is looked up when it is read, in a few
    microseconds. It comes from the same table, so a reload in between changes nothing. `evidence` returns all of them
    at once.
    """

    __slots__ = ("_address", "_country", "_source")

    _address: object
    _country: str | None
    _source: Source

    @classmethod
    def of(cls, evidence: Evidence) -> Location:
        """Return the location that evidence describes. It has no records."""
        made = cls()
        made._address = None
        made._country = evidence.country
        made._source = evidence
        return made

    @property
    def evidence(self) -> Evidence:
        """All attributes in one look-up, as a named tuple."""
        return self._source.evidence(self._address)

    @property
    def country(self) -> str | None:
        return self._country

    @property
    def subdivisions(self) -> tuple[str, ...]:
        return self.evidence.subdivisions

    @property
    def state(self) -> LocationState:
        return self.evidence.state

    @property
    def network(self) -> IPv4Network | IPv6Network | None:
        return self.evidence.network

    @property
    def why(self) -> str:
        return self.evidence.why

    @property
    def registered_country(self) -> str | None:
        return self.evidence.registered_country

    @property
    def represented_country(self) -> str | None:
        return self.evidence.represented_country

    @property
    def anonymiser(self) -> str | None:
        return self.evidence.anonymiser

    @property
    def anonymity_database(self) -> str | None:
        return self.evidence.anonymity_database

    def record(self) -> Country | City | Enterprise | None:
        """Return the record of the address as a model of geoip2, for its other fields. Takes about 0.1 ms.

        The model is `geoip2.models.City` or `Enterprise`, and `Country` for all other schemas. The record is from the
        database that gave this location, even after a reload. Return None if that database has no record of the
        address, or if the location comes from a header or was pickled. Raises `GeoIPError` (`broken-database`) if the
        record cannot be read, for example from a reader that was closed.
        """
        return self._source.record(self._address)

    def anonymous_record(self) -> AnonymousIP | None:
        """Return the record in the database of anonymous addresses, as `record` does: a `geoip2.models.AnonymousIP` or None."""
        return self._source.anonymous_record(self._address)

    def looked_up(self) -> Location:
        """Return the same location with all attributes looked up now. Only the records are still read on request."""
        made = Location()
        made._address = self._address
        made._country = self._country
        made._source = _LookedUp(self.evidence, self._source)
        return made

    def viewer(self, account_id: int | None = None, anonymised: Anonymised | str = Anonymised.UNKNOWN) -> Viewer:
        """Return a viewer at this location. `anonymised` decides where an anonymised viewer is taken to be.

        Raises `SubjectIdError` or `SubjectIdTypeError` for an invalid `account_id`, and `ValueError` for an unknown value of
        `anonymised`.
        """
        found = self.evidence
        located = Anonymised(anonymised) is Anonymised.LOCATED or found.state is LocationState.KNOWN
        return Viewer(
            country=found.country if located else None,
            subdivisions=found.subdivisions if located else (),
            account_id=account_id,
            signal=found.why,
        )

    def __eq__(self, other: object) -> bool:
        return self.evidence == other.evidence if isinstance(other, Location) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.evidence)

    def __repr__(self) -> str:
        found = self.evidence
        where = ", ".join((found.country, *found.subdivisions)) if found.country else "nowhere"
        return f"<Location {found.state}: {where}; {found.why}>"

    def __reduce__(self) -> tuple[Callable[[Evidence], Location], tuple[Evidence]]:
        # A pickle or a copy contains only the evidence, because the source may be a table of tens of megabytes.
        return Location.of, (self.evidence,)
