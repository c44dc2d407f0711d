"""Which of many sets hold all of another, without comparing each with each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, pairwise


def supersets(sets: Sequence[Sequence[int]]) -> Iterator[set[int]]:
    """Yield for each set, none of which is empty, the numbers of those that hold all of it; its own is among them.

    Each set asks its rarest members first, and stops when no other set is left. Takes memory for members of several
    sets only, but for one sorted list of all.

    >>> list(supersets([[1], [1, 2], [3]]))
    [{0, 1}, {1}, {2}]
    """
    ordered = sorted(chain.from_iterable(sets))
    holders: dict[int, set[int]] = {one: set() for one, other in pairwise(ordered) if one == other}
    for number, members in enumerate(sets):
        for member in members:
            if member in holders:
                holders[member].add(number)
    for number, members in enumerate(sets):
        found = {number}
        if all(member in holders for member in members):
            rarest, *others = sorted((holders[member] for member in members), key=len)
            found = rarest.copy()
            for other in others:
                if len(found) == 1:
                    break
                found &= other
        yield found


def wider(masks: Iterable[int]) -> Iterator[tuple[int, list[int]]]:
    """Yield each of several different numbers, none of which is 0, with those that have all of its bits, itself too.

    >>> list(wider([0b01, 0b11, 0b10]))
    [(1, [1, 3]), (3, [3]), (2, [3, 2])]
    """
    rows = list(masks)
    width = max(map(int.bit_length, rows), default=0)
    # Bit by bit, as a number of its own: which rows have it. Bits that the same rows have are one.
    columns: dict[int, int] = {}
    for at, column in enumerate(zip(*(f"{row:0{width}b}" for row in rows), strict=True), 1):
        columns[int("".join(reversed(column)), 2)] = 1 << width - at
    rarest_first = sorted(columns.items(), key=lambda item: item[0].bit_count())
    for number, row in enumerate(rows):
        found = (1 << len(rows)) - 1
        for having, bit in rarest_first:
            if row & bit:
                found &= having
                if found == 1 << number:
                    break
        yield row, [rows[at] for at in _bits(found)]


def _bits(number: int) -> Iterator[int]:
    while number:
        lowest = number & -number
        yield lowest.bit_length() - 1
        number ^= lowest
