"""How the ids of a table are spread over buckets: the definition, which `withhold.native` repeats in C.

Nearly every question is about an id that no rule names. So a bucket of four ids or so has one 64-bit word in
which each of them sets four bits: an id that misses one of its bits is not there, for one read of memory; one
in some 200 that are not there passes, and is then looked for in vain.

`benchmarks/structures/STRUCTURES.md` shows why, beside what else was thought of: a single question costs what one read of memory
does, and in large tables nothing answers pages for less. A binary fuse filter answers single questions faster there, and
pages slower, and is built by attempts that can fail.
"""

from __future__ import annotations

#: Ids to a bucket, on the average.
FILLING = 4

_FIRST, _SECOND = 0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93
_64_BITS = (1 << 64) - 1


def buckets_for(ids: int) -> int:
    """Return how many buckets a table of so many ids has."""
    return max(1, -(-ids // FILLING))


def mixed(id_: int) -> int:
    """Return 64 bits that depend on all bits of an id: ids of one second, or that count up, are spread as any."""
    bits = (id_ ^ id_ >> 32) * _FIRST & _64_BITS
    bits ^= bits >> 32
    return bits * _SECOND & _64_BITS


def bucket_of(bits: int, buckets: int) -> int:
    """Return the bucket of an id by its mixed bits, of which the highest count."""
    return bits * buckets >> 64


def mask_of(bits: int) -> int:
    """Return the four bits of an id in the word of its bucket, by its mixed bits, of which the lowest count."""
    return 1 << (bits & 63) | 1 << (bits >> 6 & 63) | 1 << (bits >> 12 & 63) | 1 << (bits >> 18 & 63)
