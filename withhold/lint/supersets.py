"""Which of many sets hold all of another, without comparing each with each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, islice, pairwise


def supersets(sets: Sequence[Sequence[int]], most: int = 1000) -> Iterator[set[int]]:
    """Yield for each set, none of which is empty, the numbers of those that hold all of it; its own is among them.

    Each set asks its rarest members first, and stops when no other set is left; of the sets that have the rarest, it asks
    `most`, so that thousands of sets with the same members take no square of that. Takes memory for members of several
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
            found = rarest.copy() if len(rarest) <= most else {number, *islice(rarest, most)}
            for other in others:
                if len(found) == 1:
                    break
                found &= other
        yield found
