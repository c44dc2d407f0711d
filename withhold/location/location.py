"""Where an address is, as far as it is known: the value that `GeoIP.locate` answers with."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING, NamedTuple, Protocol

from withhold.location.address import WIDE, network_of, parse
from withhold.model import Viewer

if TYPE_CHECKING:  # geoip2 is loaded when a record is asked for
    from geoip2.models import AnonymousIP, City, Country, Enterprise


class LocationState(StrEnum):
    """What is known about where a viewer is."""

    KNOWN = "known"
    UNKNOWN = "unknown"
    #: Tor, a VPN or a proxy: if there is a country, it is that of the exit.
    ANONYMISED = "anonymised"


class Anonymised(StrEnum):
    """What an anonymised viewer counts as: of unknown location, or located where the exit is."""

    UNKNOWN = "unknown"
    LOCATED = "located"


class Evidence(NamedTuple):
    """All that a database or a header says about one address; the fields are those of `Location`."""

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

    def tell(self, address: object) -> Evidence:
        """A finding is its own source: what it says does not depend on the address any more."""
        del address
        return self

    def record(self, address: object) -> None:
        """A finding has no database behind it."""

    def anonymous_record(self, address: object) -> None:
        """A finding has no database behind it."""

    def __repr__(self) -> str:
        # As text it may go into a log: there, a network is no narrower than a /24 or a /48.
        first, _, length = (self.cidr or "").partition("/")
        if (address := parse(first)) and int(length) > (most := WIDE[address.version]):
            return repr(self._replace(cidr=network_of(address, most)))
        return f"Evidence({', '.join(f'{name}={value!r}' for name, value in self._asdict().items())})"


class Source(Protocol):
    """Something that can be asked about an address again; what it answers never changes."""

    def tell(self, address: object) -> Evidence: ...
    def record(self, address: object) -> Country | City | Enterprise | None: ...
    def anonymous_record(self, address: object) -> AnonymousIP | None: ...


class _LookedUp(NamedTuple):
    """What a source says of one address, and the source for more."""

    finding: Evidence
    source: Source

    def tell(self, address: object) -> Evidence:
        del address
        return self.finding

    def record(self, address: object) -> Country | City | Enterprise | None:
        return self.source.record(address)

    def anonymous_record(self, address: object) -> AnonymousIP | None:
        return self.source.anonymous_record(address)


class Location:
    """Where an address is. A value: read-only, compared by what it says, safe to share between threads.

    `country` is an ISO 3166-1 code or None; `subdivisions` are the ISO 3166-2 codes in it, broadest first.
    `state` is known, unknown or anonymised. `network` is the network of the record that answered, None if
    there was none; `why` says all this in words. `registered_country` (where the provider registered) and
    `represented_country` (whose base it is) are told apart and are never the location. `anonymiser` is
    `Tor exit`, `VPN` and so on, or None; `anonymity_database` is the name of the database that would say so,
    None if there is none.

    `network` is exact, a single address at worst. All words (`why`, `str`, `repr`, a viewer's signal) name a
    network of at most a /24 or a /48, so they may be logged.

    >>> here = Location.of(Evidence("GB", ("GB-ENG",), LocationState.KNOWN, why="said so"))
    >>> here.country, here.state, str(here.viewer())
    ('GB', <LocationState.KNOWN: 'known'>, 'GB, GB-ENG (said so)')

    `country` is found when the location is made; the rest is looked up when it is read (about a
    microsecond), in the very table that gave the country, so a reload in between changes nothing.
    """

    __slots__ = ("_address", "_country", "_source")

    _address: object
    _country: str | None
    _source: Source

    @classmethod
    def of(cls, finding: Evidence) -> Location:
        """Make a location of what is already known."""
        made = cls()
        made._address = None
        made._country = finding.country
        made._source = finding
        return made

    @property
    def finding(self) -> Evidence:
        """Everything at once, as a named tuple: cheaper than reading one attribute after the other."""
        return self._source.tell(self._address)

    @property
    def country(self) -> str | None:
        return self._country

    @property
    def subdivisions(self) -> tuple[str, ...]:
        return self.finding.subdivisions

    @property
    def state(self) -> LocationState:
        return self.finding.state

    @property
    def network(self) -> IPv4Network | IPv6Network | None:
        return self.finding.network

    @property
    def why(self) -> str:
        return self.finding.why

    @property
    def registered_country(self) -> str | None:
        return self.finding.registered_country

    @property
    def represented_country(self) -> str | None:
        return self.finding.represented_country

    @property
    def anonymiser(self) -> str | None:
        return self.finding.anonymiser

    @property
    def anonymity_database(self) -> str | None:
        return self.finding.anonymity_database

    def record(self) -> Country | City | Enterprise | None:
        """Return the record that this was read from as geoip2's own model, for its other fields.

        The model is `geoip2.models.City`, `Enterprise` or, also for other schemas, `Country`. It is read when it is
        asked for, from the database that answered, also after a reload; some 0.1 ms. None if that has no record of
        the address, if a header said where this is, or if the location was pickled.
        """
        return self._source.record(self._address)

    def anonymous_record(self) -> AnonymousIP | None:
        """Return the same of the database of anonymous addresses: `geoip2.models.AnonymousIP` or None."""
        return self._source.anonymous_record(self._address)

    def looked_up(self) -> Location:
        """Return the same location with everything but the records looked up once and for all."""
        made = Location()
        made._address = self._address
        made._country = self._country
        made._source = _LookedUp(self.finding, self._source)
        return made

    def viewer(self, account_id: int | None = None, anonymised: Anonymised | str = Anonymised.UNKNOWN) -> Viewer:
        """Return the viewer who is here; an anonymised one counts as `anonymised` says.

        Raises `SubjectIdError` for an `account_id` that is none, `ValueError` for another `anonymised`.
        """
        found = self.finding
        located = Anonymised(anonymised) is Anonymised.LOCATED or found.state is LocationState.KNOWN
        return Viewer(
            country=found.country if located else None,
            subdivisions=found.subdivisions if located else (),
            account_id=account_id,
            signal=found.why,
        )

    def __eq__(self, other: object) -> bool:
        return self.finding == other.finding if isinstance(other, Location) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.finding)

    def __repr__(self) -> str:
        found = self.finding
        where = ", ".join((found.country, *found.subdivisions)) if found.country else "nowhere"
        return f"<Location {found.state}: {where}; {found.why}>"

    def __reduce__(self) -> tuple[Callable[[Evidence], Location], tuple[Evidence]]:
        # Pickled and copied as what it says: the source behind it may be a table of tens of megabytes.
        return Location.of, (self.finding,)
