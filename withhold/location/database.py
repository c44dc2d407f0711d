"""One loaded database, with all that is asked of it: the thing that a reload replaces as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, NamedTuple, Protocol

from withhold.location.address import V4_BITS, V6_BITS, Address, Transition, parse
from withhold.location.headers import printable
from withhold.location.location import Finding, Location, State
from withhold.location.schema import NO_RECORD, Place
from withhold.location.table import Table

if TYPE_CHECKING:  # the module may be missing
    from withhold.native.addresses import Lookup


class Leaves(Protocol):
    """What knows the record of an address: the sorted networks, or the opened file until they are there."""

    def leaf(self, address: Address) -> tuple[Place, int]: ...


@dataclass(frozen=True, slots=True, eq=False)
class Database:
    """A database, perhaps one of anonymous addresses beside it, and how addresses are read. Immutable.

    `table` is what `GeoIP.locate` looks into first, by `native` where that is compiled; None until it is built.
    """

    name: str
    leaves: Leaves
    table: Table | None
    transition: Transition
    versions: frozenset[int]
    anonymous: Leaves | None = None
    anonymous_name: str = ""
    native: Lookup[Location] | None = None

    def tell(self, address: object) -> Finding:
        """Return all that is known of where `address` is. Raises `TypeError` for what could not be one."""
        if address is None:
            return Finding(None, why="no address")
        if not isinstance(address, (str, IPv4Address, IPv6Address)):
            raise TypeError(f"an address is text or an `ipaddress` address, not `{type(address).__name__}`")
        said = str(address)
        given = parse(said)
        if given is None:
            return Finding(None, why=f"`{printable(said)}` is not an IP address")
        meant = self.transition.read(given)
        if isinstance(meant, str):
            return Finding(None, why=f"{said} is {meant}")
        if meant.version not in self.versions:
            return Finding(None, why=f"{said}: {self.name} is not used for IPv{meant.version}")
        place, prefix = self.leaves.leaf(meant)
        anonymiser, by = place.anonymiser, self.name
        if self.anonymous is not None and anonymiser is None:
            anonymiser, by = self.anonymous.leaf(meant)[0].anonymiser, self.anonymous_name
        cidr = None if place is NO_RECORD else _cidr(meant, prefix)
        why = f"{said} stands for {meant}" if ":" in said and meant.version == 4 else said
        why += f" in {cidr} of {self.name}" if cidr else f" by {self.name}"
        why += f", {place.note}" if place.note else ""
        why += f"; {anonymiser} by {by}" if anonymiser else ""
        return Finding(
            place.country,
            place.subdivisions,
            State.ANONYMISED if anonymiser else State.KNOWN if place.country else State.UNKNOWN,
            cidr,
            why,
            place.registered_country,
            place.represented_country,
            anonymiser,
        )


class Refused(NamedTuple):
    """Stands in for a database that was found broken after it had been taken into use: nothing is known."""

    reason: str

    def leaf(self, address: Address) -> tuple[Place, int]:
        del address
        return Place(note=f"which was refused: {self.reason}"), 0


def _cidr(address: Address, prefix: int) -> str:
    version, value = address
    rest = (V4_BITS if version == 4 else V6_BITS) - prefix
    return f"{Address(version, value >> rest << rest)}/{prefix}"
