"""The flattened table, which finds the country of an address in a few steps.

For IPv4 it has one byte for each of the 16,777,216 /24s: the number of a country, or one of two marks. `DEEP` means
that the /24 contains several networks, and a bisection of the sorted networks finds the right one. `ELSEWHERE` means
that the table cannot answer alone: an address in this /24 is anonymous, so `Database.evidence` must answer. IPv6 is
sparser, and its networks are smaller. For each /16 in use, an index of its /32s bounds the bisection. If the result is
`DEEP`, a second bisection searches the networks that are smaller than a /64.

All other attributes of an address are looked up in the sorted networks when they are read. `benchmarks/location/` measures the
alternatives. Requests are resolved with these same buffers, in C too (`withhold/native/resolver.pyx`).
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable

from withhold.location.address import V4_BITS
from withhold.location.networks import HALF, SMALLER, Networks, Run
from withhold.location.record_place import RecordPlace
from withhold.model import Viewer
from withhold.model.viewer import LocationKey

DEEP = 254
ELSEWHERE = 255

_CELL = 24  # bits of an IPv4 address that choose its byte
_SLOT = 32  # bits of an IPv6 address that choose its entry in an index
_SLOTS = 1 << 16
#: IPv4-compatible and IPv4-mapped addresses, NAT64, Teredo, 6to4: their own records do not locate the viewer.
_TRANSITION = ((0, 16), (0x0064 << 112, 16), (0x20010000 << 96, 32), (0x2002 << 112, 16))


class NetworkTable:
    """A flattened database. Immutable once built; look-ups take no lock."""

    __slots__ = (
        *("cells4", "codes", "codes4", "codes6", "index4", "index6", "keys_by_code", "keys_by_number", "networks"),
        *("starts4", "starts6"),
    )

    def __init__(self, networks: Networks, elsewhere: Iterable[tuple[int, int, int]] = ()) -> None:
        """Flatten `networks`, and mark the networks of `elsewhere` (IP version, first address, prefix length) `ELSEWHERE`."""
        self.networks = networks
        self.starts4, self.starts6 = networks.v4.starts, networks.v6.starts
        known: dict[str | None, int] = {None: 0}
        codes = [known.setdefault(place.country, len(known)) for place in networks.places]
        #: The countries by their numbers.
        self.codes = list(known)
        #: The location of a viewer by the number of the country, and of the place. None if it is unknown or anonymised.
        self.keys_by_code = _keys_of(map(RecordPlace, known))
        self.keys_by_number = _keys_of(networks.places)
        codes6 = bytearray(DEEP if number == SMALLER else codes[number] for number in networks.v6.numbers)

        cells4 = bytearray(1 << _CELL)
        for first, prefix, number in networks.v4:
            _fill(cells4, first, prefix, codes[number] if prefix <= _CELL else DEEP)
        for version, first, prefix in (*((6, *found) for found in _TRANSITION), *elsewhere):
            if version == 4:
                _fill(cells4, first, min(prefix, _CELL), ELSEWHERE)
            else:
                _mark(codes6, networks.v6, first >> HALF, max(0, HALF - prefix))
        self.cells4 = bytes(cells4)
        #: The number of the country for each network.
        self.codes4 = bytes(codes[number] for number in networks.v4.numbers)
        self.codes6 = bytes(codes6)
        #: For each value of the first 16 bits of an address, the number of networks that start before this /16.
        self.index4 = _index(networks.v4.starts, 0, len(networks.v4.starts), 16)
        #: For IPv6, one index for each /16: for each value of the next 16 bits, the number of networks before this /32.
        self.index6 = _indexes6(networks.v6)


def _keys_of(places: Iterable[RecordPlace]) -> list[LocationKey | None]:
    made: dict[LocationKey, LocationKey] = {}  # many places differ only in other fields
    keys: list[LocationKey | None] = []
    for place in places:
        if place.country is None or place.anonymiser is not None:
            keys.append(None)
            continue
        written = (place.country, place.subdivisions)
        if written not in made:
            made[written] = Viewer(country=place.country, subdivisions=place.subdivisions).location_key
        keys.append(made[written])
    return keys


def _fill(cells4: bytearray, first: int, prefix: int, code: int) -> None:
    count = 1 << max(0, _CELL - prefix)
    at = first >> (V4_BITS - _CELL)
    cells4[at : at + count] = bytes((code,)) * count


def _mark(codes: bytearray, run: Run, first: int, bits: int) -> None:
    """Mark the whole of each network that overlaps the range of `bits` bits from `first`.

    Marking too much costs only time; marking too little would miss an anonymous address.
    """
    begin = run.find(first)
    end = bisect_left(run.starts, first + (1 << bits), begin + 1)
    codes[begin:end] = bytes((ELSEWHERE,)) * (end - begin)


def _indexes6(run: Run) -> list[array[int] | None]:
    """Return the index of each /16, or None if the /16 has no record."""
    indexes: list[array[int] | None] = [None] * _SLOTS
    starts, at = run.starts, 0
    while at < len(starts):
        top = starts[at] >> (HALF - 16)
        end = bisect_left(starts, (top + 1) << (HALF - 16), at)
        indexes[top] = _index(starts, at, end, HALF - 32)
        after = starts[end] >> (HALF - 16) if end < len(starts) else _SLOTS
        if run.numbers[end - 1] and after > top + 1:
            # The last network extends over further /16s, which share one index.
            indexes[top + 1 : after] = [array("I", [end]) * (_SLOTS + 1)] * (after - top - 1)
        at = end
    return indexes


def _index(starts: array[int], begin: int, end: int, shift: int) -> array[int]:
    """Return, for each of 65,536 slots, how many `starts` precede it. Those from `begin` to `end` fall into them."""
    index = array("I")
    for at in range(begin, end):
        slot = starts[at] >> shift & (_SLOTS - 1)
        if slot >= len(index):
            index.extend(array("I", [at]) * (slot + 1 - len(index)))
    index.extend(array("I", [end]) * (_SLOTS + 1 - len(index)))
    return index
