"""`Database`: a loaded database and its settings. A reload replaces it as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, NamedTuple, Protocol

from withhold.location.address import LONGEST_SHOWN, Address, Transition, network_of, parse, wide_network_of
from withhold.location.headers import redacted
from withhold.location.location import Evidence, LocationState
from withhold.location.record_place import NO_RECORD, RecordPlace
from withhold.location.records import Records
from withhold.location.table import NetworkTable
from withhold.watching import FileSignature

if TYPE_CHECKING:  # importing geoip2 takes time
    from geoip2.models import AnonymousIP, City, Country, Enterprise

#: Identifies the contents of files: device, inode, size and times of each, or None for a missing file.
Signature = tuple[FileSignature | None, ...]


class Leaves(Protocol):
    """A source of records: the sorted networks, or the opened file while they are being built."""

    def leaf(self, address: Address) -> tuple[RecordPlace, int]:
        """Return the record of an address and the prefix length of its network, or -1 if the record cannot be read."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Database:
    """A database, an optional database of anonymous addresses, and the settings for addresses. Immutable.

    `GeoIP.locate` searches `table` first. `table` is None until it is built.
    `records` and `anonymous_records` read the files, which are in memory. `signature` identifies the files that were
    read.
    """

    name: str
    leaves: Leaves
    table: NetworkTable | None
    transition: Transition
    versions: frozenset[int]
    anonymous: Leaves | None = None
    anonymous_name: str = ""
    records: Records | None = None
    anonymous_records: Records | None = None
    signature: Signature = ()

    def evidence(self, address: object) -> Evidence:
        """Return everything that is known about the location of `address`.

        Raises `TypeError` unless it is text, an `ipaddress` address or None.
        """
        searched = self.anonymous_name or None
        if address is None:
            return Evidence(None, why="no address", anonymity_database=searched)
        if not isinstance(address, (str, IPv4Address, IPv6Address)):
            raise TypeError(f"an address is text or an `ipaddress` address, not `{type(address).__name__}`")
        text = str(address)
        given = parse(text)
        if given is None:
            return Evidence(None, why=f"`{redacted(text)}` is not an IP address", anonymity_database=searched)
        target = self.transition.read(given)
        if isinstance(target, str):
            return Evidence(None, why=f"the address is {target}", anonymity_database=searched)
        if target.version not in self.versions:
            why = f"{self.name} is not used for IPv{target.version}"
            return Evidence(None, why=why, anonymity_database=searched)
        place, prefix = self.leaves.leaf(target)
        anonymiser, by = place.anonymiser, self.name
        if self.anonymous is not None and anonymiser is None:
            anonymiser, by = self.anonymous.leaf(target)[0].anonymiser, self.anonymous_name
        return self._described(target, place, prefix, anonymiser, by, mapped=given.version != target.version)

    def evidence_within(self, network: Address, number: int) -> Evidence:
        """Return the evidence for any address of a /24 or a /48, given by its first address. No address in it is anonymous.

        `number` is the number of the place if its network is smaller, and else -1.
        """
        place, prefix = self.leaves.leaf(network)
        if number >= 0 and self.table is not None:
            place, prefix = self.table.networks.places[number], LONGEST_SHOWN[network.version] + 1
        return self._described(network, place, prefix, None, self.name, mapped=False)

    def _described(
        self, target: Address, place: RecordPlace, prefix: int, anonymiser: str | None, by: str, *, mapped: bool
    ) -> Evidence:
        cidr = None if place is NO_RECORD or prefix < 0 else network_of(target, prefix)
        # The text may be logged, so it shows no network that is narrower than a /24 or a /48.
        wide = cidr is None or prefix > LONGEST_SHOWN[target.version]
        why = f"within {wide_network_of(target)}" if wide else f"in {cidr}"
        why = f"as IPv4 {why}" if mapped else why
        if cidr is None:
            why += f"; {self.name} {place.note}"
        else:
            why += f" of {self.name}, {place.note}" if place.note else f" of {self.name}"
        if anonymiser:
            why += f"; {anonymiser} according to {by}"
        elif self.anonymous is not None:
            why += f"; not anonymous according to {self.anonymous_name}"
        return Evidence(
            place.country,
            place.subdivisions,
            LocationState.ANONYMISED if anonymiser else LocationState.KNOWN if place.country else LocationState.UNKNOWN,
            cidr=cidr,
            why=why,
            registered_country=place.registered_country,
            represented_country=place.represented_country,
            anonymiser=anonymiser,
            anonymity_database=self.anonymous_name or None,
        )

    def record(self, address: object) -> Country | City | Enterprise | None:
        """Return the record of `address` as a model of geoip2, or None if there is none."""
        target = self._target(address)
        return self.records.place(target) if self.records and target else None

    def anonymous_record(self, address: object) -> AnonymousIP | None:
        """Return the record of `address` in the database of anonymous addresses, or None if there is none."""
        target = self._target(address)
        return self.anonymous_records.anonymous(target) if self.anonymous_records and target else None

    def _target(self, address: object) -> Address | None:
        """Return the address to look up for `address`, or None if it has no location."""
        given = parse(str(address))
        target = self.transition.read(given) if given else None
        return target if isinstance(target, Address) and target.version in self.versions else None


class Refused(NamedTuple):
    """Takes the place of a database that was found to be broken while in use. Every location is unknown."""

    reason: str

    def leaf(self, address: Address) -> tuple[RecordPlace, int]:
        del address
        return RecordPlace(note=f"was refused: {self.reason}"), -1
