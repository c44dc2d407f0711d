"""The sorted networks of a database, in which bisection finds the record of an address."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator

from withhold.location.address import V4_BITS, V6_BITS, Address
from withhold.location.mmdb import Leaf
from withhold.location.record_place import NO_RECORD, RecordPlace
from withhold.location.tree import let_threads_run

#: IPv6 networks are sorted by the first 64 bits of their address. The few that are smaller than a /64 are kept separately.
HALF = 64
SMALLER = (1 << 32) - 1


class Run:
    """Sorted adjacent networks: the start, the prefix length and the place number of each.

    Place number 0 means no record. Flat arrays take 9 or 13 bytes a network. They hold no Python objects, so neither
    the garbage collector nor reference counts write to them, and forked processes keep sharing their memory.
    """

    __slots__ = ("numbers", "prefixes", "starts")

    def __init__(self, typecode: str) -> None:
        self.starts = array(typecode, [0])
        self.numbers = array("I", [0])
        self.prefixes = bytearray(1)

    def add(self, first: int, end: int, prefix: int, number: int) -> None:
        """Append the network from `first` up to, but not including, `end`. Addresses after it have no record so far."""
        if self.starts[-1] == first:
            self.numbers[-1], self.prefixes[-1] = number, prefix
        else:
            self.starts.append(first)
            self.numbers.append(number)
            self.prefixes.append(prefix)
        if not end >> (8 * self.starts.itemsize):
            self.starts.append(end)
            self.numbers.append(0)
            self.prefixes.append(0)

    def find(self, value: int) -> int:
        """Return the index of the network that contains `value`. O(log n)."""
        return bisect_right(self.starts, value) - 1

    def __iter__(self) -> Iterator[tuple[int, int, int]]:
        """Yield the start, the prefix length and the place number of each network with a record."""
        for at, found in enumerate(zip(self.starts, self.prefixes, self.numbers, strict=True)):
            let_threads_run(at)
            if found[2]:
                yield found


class Networks:
    """The networks of a database, of both IP versions. Immutable once built; look-ups take no lock."""

    __slots__ = ("marks_anonymous", "places", "smaller", "v4", "v6")

    def __init__(self, leaves: Iterable[Leaf]) -> None:
        """Read all networks with a record. Those of each IP version must be in order."""
        self.v4, self.v6 = Run("I"), Run("Q")
        self.smaller: dict[int, Run] = {}
        numbers: dict[RecordPlace, int] = {NO_RECORD: 0}
        for version, first, prefix, place in leaves:
            number = numbers.setdefault(place, len(numbers))
            if version == 4:
                self.v4.add(first, first + (1 << (V4_BITS - prefix)), prefix, number)
                continue
            high = first >> HALF
            if prefix <= HALF:
                self.v6.add(high, high + (1 << (HALF - prefix)), prefix, number)
                continue
            if high not in self.smaller:
                self.smaller[high] = Run("Q")
                self.v6.add(high, high + 1, HALF, SMALLER)
            low = first & ((1 << HALF) - 1)
            self.smaller[high].add(low, low + (1 << (V6_BITS - prefix)), prefix, number)
        self.places = list(numbers)
        #: Whether a record marks its network as anonymous. Databases of countries may do so, too.
        self.marks_anonymous = any(place.anonymiser is not None for place in self.places)

    def leaf(self, address: Address) -> tuple[RecordPlace, int]:
        """Return the record of an address and the prefix length of its network (0 if there is no record). O(log n)."""
        version, value = address
        if version == 4:
            run, at = self.v4, self.v4.find(value)
        else:
            run, at = self.v6, self.v6.find(value >> HALF)
            if run.numbers[at] == SMALLER:
                run = self.smaller[value >> HALF]
                at = run.find(value & ((1 << HALF) - 1))
        return self.places[run.numbers[at]], run.prefixes[at]

    def smaller_place(self, high: int, low: int) -> RecordPlace:
        """Return the record of an IPv6 address, given as two halves, whose /64 is marked `SMALLER`."""
        run = self.smaller[high]
        return self.places[run.numbers[run.find(low)]]

    def locates(self, version: int) -> bool:
        """Return whether any network of an IP version has a country or is anonymous."""
        known = [place.country is not None or place.anonymiser is not None for place in self.places]
        runs = (self.v4,) if version == 4 else (self.v6, *self.smaller.values())
        return any(number != SMALLER and known[number] for run in runs for _, _, number in run)

    def anonymous(self) -> Iterator[tuple[int, int, int]]:
        """Yield the IP version, first address and prefix length of the anonymous networks."""
        hidden = [place.anonymiser is not None for place in self.places]
        for first, prefix, number in self.v4:
            if hidden[number]:
                yield 4, first, prefix
        for first, prefix, number in self.v6:
            if number == SMALLER or hidden[number]:
                yield 6, first << HALF, prefix
