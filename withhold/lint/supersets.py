"""Find the supersets of each of many sets among the others, without comparing all pairs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, islice, pairwise


def supersets(sets: Sequence[Sequence[int]], most: int = 1000) -> Iterator[set[int]]:
    """Yield for each set the numbers of its supersets, its own number included. No set may be empty.

    The search intersects the sets that contain a member, beginning with the rarest member, and stops when only the set
    itself is left. Of the sets that contain the rarest member only `most` are examined, so the time does not grow
    quadratically if thousands of sets have the same members. Memory: one sorted list of all members, and an index of
    the members that several sets share.

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
