"""What is asked about a set of rules: (tweet, author) pairs, drawn so that each is asked for as its pool says."""

from __future__ import annotations

import random
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.workload import FIRST_ID, HERE, IN_FORCE, LAST_ID, Columns, Pair

#: `cold`: ids that no rule names, each asked about once. `hot`: 500 such pairs, again and again. `hits`: withheld
#: here and now. `traffic`: 99 % in no rule, 0.9 % withheld elsewhere (or not now), 0.1 % withheld here; each once.
POOLS = ("cold", "hot", "hits", "traffic")
HOT, HITS = 500, 1_000


@dataclass(frozen=True)
class Pool:
    """Pairs of one kind, and what the oracle says about each (1: withheld)."""

    pairs: list[Pair]
    expected: bytes = b""

    def save(self, path: Path) -> None:
        """Write the pairs and the answers."""
        path.write_bytes(array("q", (id_ for pair in self.pairs for id_ in pair)).tobytes() + self.expected)

    @classmethod
    def opened(cls, path: Path) -> Pool:
        """Read what `save` wrote: of 17 bytes a question, 16 are the pair."""
        whole = path.read_bytes()
        count = len(whole) // 17
        flat = array("q", whole[: 16 * count])
        return cls(list(zip(flat[::2], flat[1::2], strict=True)), whole[16 * count :])


def drawn(columns: Columns, *, cold: int, traffic: int, seed: int = 2) -> dict[str, list[Pair]]:
    """Draw all pools. Misses come from the range of the rules' own ids, so that a search cannot tell them apart."""
    random_ = random.Random(seed)
    here, elsewhere = _rows(columns, random_)
    mixed = misses(random_, traffic)
    for number, at in enumerate(random_.sample(range(traffic), traffic // 100)):
        mixed[at] = _naming(columns, random_.choice(elsewhere if number % 10 else here), mixed[at])
    found = misses(random_, HITS)
    return {
        "cold": misses(random_, cold),
        "hot": misses(random_, HOT),
        "hits": [_naming(columns, random_.choice(here), pair) for pair in found],
        "traffic": mixed,
    }


def misses(random_: random.Random, count: int) -> list[Pair]:
    """Return pairs of ids that no rule names: among 2⁶¹ they are not met by chance, and the oracle would tell."""
    return [(random_.randint(FIRST_ID, LAST_ID), random_.randint(FIRST_ID, LAST_ID)) for _ in range(count)]


def _rows(columns: Columns, random_: random.Random) -> tuple[list[int], list[int]]:
    """Return rows that withhold here and now, and others, some thousand of each."""
    here: list[int] = []
    elsewhere: list[int] = []
    for row in random_.sample(range(len(columns)), min(len(columns), 20_000)):
        reaches = columns.places[row] in HERE and IN_FORCE[columns.windows[row]]
        (here if reaches else elsewhere).append(row)
    return here, elsewhere


def _naming(columns: Columns, row: int, pair: Pair) -> Pair:
    """Put the id of a row into a pair, on its side."""
    id_ = columns.ids[row]
    return (pair[0], id_) if columns.on_accounts[row] else (id_, pair[1])


def flat(pairs: Sequence[Pair]) -> tuple[array[int], array[int]]:
    """Return pairs as two buffers."""
    return array("q", (tweet for tweet, _ in pairs)), array("q", (account for _, account in pairs))
