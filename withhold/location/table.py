"""The flattened table: the country of an address in a few steps.

IPv4 has a byte for each of its 16,777,216 /24s: the number of a country, or one of two signs. `DEEP`: the
answer differs within, and a bisection of the sorted networks finds it. `ELSEWHERE`: the question is not for this
table alone, as somebody near that address is anonymous. IPv6 is sparser, and its networks are deeper: for every /16
in use there is an index of its /32s, which says between which networks to bisect. Where one of them is `DEEP`, the
networks smaller than a /64 that are in it are bisected in turn.

What else is known of an address is looked up in the sorted networks when it is asked for. The alternatives are
measured in `benchmarks/location/`. The native look-up, where there is one, reads these same buffers, and keeps what
is asked for most in a shorter form (`withhold/native/runs.pxd`).
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable

from withhold.location.address import V4_BITS
from withhold.location.networks import HALF, SMALLER, Networks, Run

DEEP = 254
ELSEWHERE = 255

_CELL = 24  # bits of an IPv4 address that choose its byte
_SLOT = 32  # bits of an IPv6 address that choose its entry in an index
_SLOTS = 1 << 16
#: IPv4-compatible and -mapped, NAT64, Teredo, 6to4: whoever is there is not where these addresses are.
_TRANSITION = ((0, 16), (0x0064 << 112, 16), (0x20010000 << 96, 32), (0x2002 << 112, 16))


class NetworkTable:
    """A database, flattened. Immutable once built; a look-up takes no lock."""

    __slots__ = ("cells4", "codes", "codes4", "codes6", "index4", "index6", "networks", "starts4", "starts6")

    def __init__(self, networks: Networks, elsewhere: Iterable[tuple[int, int, int]] = ()) -> None:
        """Lay out `networks`; `elsewhere` are version, first address and prefix length of what is settled elsewhere."""
        self.networks = networks
        self.starts4, self.starts6 = networks.v4.starts, networks.v6.starts
        known: dict[str | None, int] = {None: 0}
        codes = [known.setdefault(place.country, len(known)) for place in networks.places]
        #: By its number: the country.
        self.codes = list(known)
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
        #: By the index of a network: the number of its country.
        self.codes4 = bytes(codes[number] for number in networks.v4.numbers)
        self.codes6 = bytes(codes6)
        #: By the first 16 bits of an address: how many networks start before the /16.
        self.index4 = _index(networks.v4.starts, 0, len(networks.v4.starts), 16)
        #: The same of IPv6, and in each index, by the next 16 bits: how many start before the /32.
        self.index6 = _indexes6(networks.v6)


def _fill(cells4: bytearray, first: int, prefix: int, code: int) -> None:
    count = 1 << max(0, _CELL - prefix)
    at = first >> (V4_BITS - _CELL)
    cells4[at : at + count] = bytes((code,)) * count


def _mark(codes: bytearray, run: Run, first: int, bits: int) -> None:
    """Mark all networks that the one of `bits` from `first` touches, whole: too many go the long way, none too few."""
    begin = run.find(first)
    end = bisect_left(run.starts, first + (1 << bits), begin + 1)
    codes[begin:end] = bytes((ELSEWHERE,)) * (end - begin)


def _indexes6(run: Run) -> list[array[int] | None]:
    """Return the index of each /16, None for one in which there is no record."""
    indexes: list[array[int] | None] = [None] * _SLOTS
    starts, at = run.starts, 0
    while at < len(starts):
        top = starts[at] >> (HALF - 16)
        end = bisect_left(starts, (top + 1) << (HALF - 16), at)
        indexes[top] = _index(starts, at, end, HALF - 32)
        after = starts[end] >> (HALF - 16) if end < len(starts) else _SLOTS
        if run.numbers[end - 1] and after > top + 1:
            # One network covers whole /16s: they share an index.
            indexes[top + 1 : after] = [array("I", [end]) * (_SLOTS + 1)] * (after - top - 1)
        at = end
    return indexes


def _index(starts: array[int], begin: int, end: int, shift: int) -> array[int]:
    """Return how many of all `starts` are before each of 65,536 slots, those from `begin` to `end` lying in them."""
    index = array("I")
    for at in range(begin, end):
        slot = starts[at] >> shift & (_SLOTS - 1)
        if slot >= len(index):
            index.extend(array("I", [at]) * (slot + 1 - len(index)))
    index.extend(array("I", [end]) * (_SLOTS + 1 - len(index)))
    return index
