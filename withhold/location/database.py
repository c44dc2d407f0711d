"""One loaded database, with all that is asked of it: the thing that a reload replaces as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, NamedTuple, Protocol

from withhold.location.address import WIDE, Address, Transition, network_of, parse, wide_network_of
from withhold.location.headers import redacted
from withhold.location.location import Evidence, Location, LocationState
from withhold.location.records import Records
from withhold.location.schema import NO_RECORD, RecordPlace
from withhold.location.table import NetworkTable

if TYPE_CHECKING:  # the native module may be missing, and geoip2 need not be loaded
    from geoip2.models import AnonymousIP, City, Country, Enterprise

    from withhold.native.addresses import Lookup

#: What changes when files do: device, inode, size and times of each; None for a missing one.
Signature = tuple[tuple[int, int, int, int, int] | None, ...]


class Leaves(Protocol):
    """What knows the record of an address: the sorted networks, or the opened file until they are there."""

    def leaf(self, address: Address) -> tuple[RecordPlace, int]:
        """Return what is said of an address, and the prefix length of the network; -1 if none can be named."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Database:
    """A database, perhaps one of anonymous addresses beside it, and how addresses are read. Immutable.

    `table` is what `GeoIP.locate` looks into first, by `native` where that is compiled; None until it is built.
    `records` and `anonymous_records` are the files themselves, in memory. `signature` is that of the files when they
    were read.
    """

    name: str
    leaves: Leaves
    table: NetworkTable | None
    transition: Transition
    versions: frozenset[int]
    anonymous: Leaves | None = None
    anonymous_name: str = ""
    native: Lookup[Location] | None = None
    records: Records | None = None
    anonymous_records: Records | None = None
    signature: Signature = ()

    def tell(self, address: object) -> Evidence:
        """Return all that is known of where `address` is. Raises `TypeError` for what could not be one."""
        asked = self.anonymous_name or None
        if address is None:
            return Evidence(None, why="no address", anonymity_database=asked)
        if not isinstance(address, (str, IPv4Address, IPv6Address)):
            raise TypeError(f"an address is text or an `ipaddress` address, not `{type(address).__name__}`")
        said = str(address)
        given = parse(said)
        if given is None:
            return Evidence(None, why=f"`{redacted(said)}` is not an IP address", anonymity_database=asked)
        meant = self.transition.read(given)
        if isinstance(meant, str):
            return Evidence(None, why=f"the address is {meant}", anonymity_database=asked)
        if meant.version not in self.versions:
            why = f"{self.name} is not used for IPv{meant.version}"
            return Evidence(None, why=why, anonymity_database=asked)
        place, prefix = self.leaves.leaf(meant)
        anonymiser, by = place.anonymiser, self.name
        if self.anonymous is not None and anonymiser is None:
            anonymiser, by = self.anonymous.leaf(meant)[0].anonymiser, self.anonymous_name
        cidr = None if place is NO_RECORD or prefix < 0 else network_of(meant, prefix)
        # Words go into logs, so they name no network that is narrower than a /24 or a /48.
        wide = cidr is None or prefix > WIDE[meant.version]
        why = f"within {wide_network_of(meant)}" if wide else f"in {cidr}"
        why = f"as IPv4 {why}" if given.version != meant.version else why
        why += f" of {self.name}" if cidr else f" by {self.name}"
        why += f", {place.note}" if place.note else ""
        if anonymiser:
            why += f"; {anonymiser} by {by}"
        elif self.anonymous is not None:
            why += f"; not anonymous by {self.anonymous_name}"
        return Evidence(
            place.country,
            place.subdivisions,
            LocationState.ANONYMISED if anonymiser else LocationState.KNOWN if place.country else LocationState.UNKNOWN,
            cidr,
            why,
            place.registered_country,
            place.represented_country,
            anonymiser,
            asked,
        )

    def record(self, address: object) -> Country | City | Enterprise | None:
        """Return the record of `address` as geoip2's model; None if there is none."""
        meant = self._meant(address)
        return self.records.place(meant) if self.records and meant else None

    def anonymous_record(self, address: object) -> AnonymousIP | None:
        """Return the record of `address` in the database of anonymous addresses; None if there is none."""
        meant = self._meant(address)
        return self.anonymous_records.anonymous(meant) if self.anonymous_records and meant else None

    def _meant(self, address: object) -> Address | None:
        given = parse(str(address))
        meant = self.transition.read(given) if given else None
        return meant if isinstance(meant, Address) and meant.version in self.versions else None


class Refused(NamedTuple):
    """Stands in for a database that was found broken after it had been taken into use: nothing is known."""

    reason: str

    def leaf(self, address: Address) -> tuple[RecordPlace, int]:
        del address
        return RecordPlace(note=f"which was refused: {self.reason}"), -1
