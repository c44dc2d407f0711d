"""Fit lists into a comment on GitHub: longer lists are cut, and end with the number of missing entries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate

#: The maximum number of bytes of a comment. GitHub accepts 65,536 characters; this leaves room for a heading.
LIMIT = 64_000

# The bytes that are reserved for the line with the number of missing entries.
_RESERVED = 100


def size(lines: Iterable[str]) -> int:
    """Return the size of lines in bytes of UTF-8, with their line feeds."""
    return sum(len(line.encode(errors="surrogatepass")) + 1 for line in lines)


def count_fitting(entries: Sequence[Sequence[str]], limit: int) -> int:
    """Return how many entries fit into `limit` bytes. If not all do, leave room for the line with their number."""
    sizes = list(map(size, entries))
    if sum(sizes) <= limit:
        return len(sizes)
    return sum(total <= limit - _RESERVED for total in accumulate(sizes))


def fitted(entries: Iterable[Sequence[str]], limit: int, more: Callable[[int], str]) -> list[str]:
    """Return the lines of the first entries that fit into `limit` bytes, and `more(count)` for the others.

    >>> fitted([["a"], ["b"]], 200, "and {} more".format), fitted([["a" * 99], ["b"]], 101, "and {} more".format)
    (['a', 'b'], ['and 2 more'])
    """
    all_entries = list(entries)
    kept = count_fitting(all_entries, limit)
    left = len(all_entries) - kept
    return [*(line for entry in all_entries[:kept] for line in entry), *([more(left)] if left else [])]
