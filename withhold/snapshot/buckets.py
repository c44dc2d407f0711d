"""The distribution of the ids of a table over buckets. This is the definition; `withhold.native` has it in C too.

Nearly every question is about an id that no rule names. So each bucket of about four ids has a filter: a 64-bit word
in which each id of the bucket sets four bits. If any of the four bits of an id is not set, the id is not in the table,
and one read of memory was enough. About one in 200 absent ids passes the filter and is then searched for in vain.

`benchmarks/structures/STRUCTURES.md` compares this with other structures. A single question costs one read of memory,
and in large tables no other structure answers pages faster. A binary fuse filter answers single questions in large
tables faster, but pages more slowly, and building one may fail and have to be repeated.
"""

from __future__ import annotations

#: The average number of ids in a bucket.
FILLING = 4

_FIRST, _SECOND = 0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93
_64_BITS = (1 << 64) - 1


def buckets_for(ids: int) -> int:
    """Return the number of buckets for a number of ids."""
    return max(1, -(-ids // FILLING))


def mixed(id_: int) -> int:
    """Return a 64-bit hash. Ids from the same second and consecutive ids are distributed as evenly as any others."""
    bits = (id_ ^ id_ >> 32) * _FIRST & _64_BITS
    bits ^= bits >> 32
    return bits * _SECOND & _64_BITS


def bucket_of(bits: int, buckets: int) -> int:
    """Return the bucket of an id from its mixed bits. The highest bits determine it."""
    return bits * buckets >> 64


def mask_of(bits: int) -> int:
    """Return the four bits of an id in the word of its bucket from its mixed bits.

    The lowest 24 bits determine them.
    """
    return 1 << (bits & 63) | 1 << (bits >> 6 & 63) | 1 << (bits >> 12 & 63) | 1 << (bits >> 18 & 63)
