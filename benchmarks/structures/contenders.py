"""The structures that are compared, and the ids in their tables and in questions."""

from __future__ import annotations

import random
from array import array
from dataclasses import dataclass, field
from typing import TypeAlias

from withhold.snapshot.buckets import FILLING

SHAPES = ("random", "snowflakes", "times only", "whole seconds", "sequential")
SHIPPED = ("buckets4", FILLING)  # four bits, because `mask_of` sets four
READ = "one read in each"
START = 450_000_000_000  # a snowflake's milliseconds, some fourteen years after its epoch
Ids: TypeAlias = "array[int]"


@dataclass
class Contender:
    """A structure with its parameters, its two tables and its figures."""

    title: str
    kind: str
    k: float = 1.0
    huge: bool = False
    tables: int = 0
    taken: dict[str, list[float]] = field(default_factory=dict)

    @property
    def floor(self) -> bool:
        return self.kind in ("none", "read")


def contenders(size: int) -> list[list[Contender]]:
    """Return the structures to compare, by section of the table."""
    sections = [
        [
            Contender("no look-up", "none"),
            Contender(READ, "read", FILLING),
            Contender(f"{READ} of 16 bytes an id", "read", 0.5),
        ],
        [
            Contender(f"buckets, k = {FILLING}, 4 bits (ships)", *SHIPPED),
            Contender(f"buckets without filter, k = {FILLING}", "csr", FILLING),
            Contender("buckets without filter, k = 1", "csr", 1),
            Contender("open addressing, load 0.55", "slots", 0.55),
            Contender("Bloom word, then open addressing", "bloom_slots", 0.55),
            Contender("Swiss table, load 7/8", "swiss"),
            Contender("binary fuse, then buckets", "fuse", FILLING),
            Contender("split-block Bloom, then buckets", "split", FILLING),
            Contender("sorted, bisected", "sorted"),
            Contender("lines of 5, load 0.7", "lines", 3.5),
        ],
        [
            Contender(f"buckets, k = {k}, {bits} bits", f"buckets{bits}", k)
            for k in (4, 5, 6, 8)
            for bits in (3, 4, 5)
            if (f"buckets{bits}", k) != SHIPPED
        ],
    ]
    if size >= 10_000_000:
        sections.append(
            [
                Contender(f"{READ}, huge pages", "read", FILLING, huge=True),
                Contender(f"buckets, k = {FILLING}, 4 bits, huge pages", *SHIPPED, huge=True),
                Contender("open addressing, huge pages", "slots", 0.55, huge=True),
            ]
        )
    return sections


class World:
    """The ids of the two tables, and questions about ids in them or not in them."""

    def __init__(self, size: int, shape: str = "random", seed: int = 1) -> None:
        self.random = random.Random(seed)
        self.shape = shape
        self.tweets = self.ids(size * 4 // 5)
        self.accounts = self.ids(size - size * 4 // 5)

    def bits(self, count: int) -> Ids:
        raw = array("Q")
        raw.frombytes(self.random.randbytes(8 * count))
        return raw

    def ids(self, count: int) -> Ids:
        """Return the ids of a table, which have 59 to 61 bits unless they are sequential."""
        match self.shape:
            case "random":
                return array("q", (2**58 + raw % (7 * 2**58) for raw in self.bits(count)))
            case "snowflakes":
                return array("q", ((START + at) << 22 | raw % 4 for at, raw in enumerate(self.bits(count))))
            case "times only":
                return array("q", ((START + at) << 22 for at in range(count)))
            case "whole seconds":
                return array("q", ((START + 1000 * at) << 22 for at in range(count)))
            case _:
                return array("q", range(1, count + 1))

    def missing(self, table: Ids, count: int) -> Ids:
        """Return ids of the same distribution that are not in the table."""
        size, raws = len(table), self.bits(count)
        match self.shape:
            case "random":
                return array("q", (2**58 + raw % (7 * 2**58) for raw in raws))
            case "snowflakes":
                return array("q", ((START + raw % size) << 22 | 4 + (raw >> 62) for raw in raws))
            case "times only":
                return array("q", ((START + size + raw % (15 * size)) << 22 for raw in raws))
            case "whole seconds":
                return array("q", ((START + 1000 * (size + raw % (15 * size))) << 22 for raw in raws))
            case _:
                return array("q", (size + 1 + raw % (15 * size) for raw in raws))

    def misses(self, count: int) -> Ids:
        """Return pairs of a tweet and an account that are not in the tables, as one array."""
        pairs = array("q", bytes(16 * count))
        pairs[::2], pairs[1::2] = self.missing(self.tweets, count), self.missing(self.accounts, count)
        return pairs

    def hits(self, count: int) -> tuple[Ids, Ids]:
        """Return pairs of a tweet and an account that are in the tables, and the right answers."""
        tweets = self.random.choices(range(len(self.tweets)), k=count)
        accounts = self.random.choices(range(len(self.accounts)), k=count)
        pairs = array("q", bytes(16 * count))
        pairs[::2] = array("q", map(self.tweets.__getitem__, tweets))
        pairs[1::2] = array("q", map(self.accounts.__getitem__, accounts))
        both = zip(tweets, accounts, strict=True)
        return pairs, array("I", ((31 * (tweet + 1) + account + 1) % 2**32 for tweet, account in both))
