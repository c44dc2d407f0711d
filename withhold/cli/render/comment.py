"""Lines that fit into a comment on GitHub: longer lists are cut, and end with how many entries are missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate

#: The bytes of a comment. GitHub takes 65,536 characters, which are at most as many bytes; a bot may add a heading.
LIMIT = 64_000

# For the line that says how many are missing.
_RESERVED = 100


def size(lines: Iterable[str]) -> int:
    """Return the bytes that lines take in UTF-8, each with its line feed."""
    return sum(len(line.encode(errors="surrogatepass")) + 1 for line in lines)


def count_fitting(entries: Sequence[Sequence[str]], limit: int) -> int:
    """Return how many entries fit into `limit` bytes, and if not all do, the line that says so as well."""
    sizes = list(map(size, entries))
    if sum(sizes) <= limit:
        return len(sizes)
    return sum(total <= limit - _RESERVED for total in accumulate(sizes))


def fitted(entries: Iterable[Sequence[str]], limit: int, more: Callable[[int], str]) -> list[str]:
    """Return the lines of the first entries that fit into `limit` bytes, and `more(count)` for those left out.

    >>> fitted([["a"], ["b"]], 200, "and {} more".format), fitted([["a" * 99], ["b"]], 101, "and {} more".format)
    (['a', 'b'], ['and 2 more'])
    """
    listed = list(entries)
    kept = count_fitting(listed, limit)
    left = len(listed) - kept
    return [*(line for entry in listed[:kept] for line in entry), *([more(left)] if left else [])]
