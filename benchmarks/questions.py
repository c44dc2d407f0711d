"""Questions about a set of rules: random pairs of a tweet and its author, in pools of different kinds."""

from __future__ import annotations

import random
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.workload import FIRST_ID, HERE, IN_FORCE, LAST_ID, Columns, Pair

#: `cold`: pairs that no rule names, each used once. `hot`: 500 such pairs, used repeatedly. `hits`: pairs that are
#: withheld here and now. `traffic`: pairs that are used once each. No rule names 99% of them; 0.9% are withheld
#: elsewhere or at another time, and 0.1% here and now.
POOLS = ("cold", "hot", "hits", "traffic")
HOT, HITS = 500, 1_000


@dataclass(frozen=True)
class Pool:
    """Pairs of one kind, and the right answer to each (1 if withheld)."""

    pairs: list[Pair]
    expected: bytes = b""

    def save(self, path: Path) -> None:
        """Write the pairs and the answers."""
        path.write_bytes(array("q", (id_ for pair in self.pairs for id_ in pair)).tobytes() + self.expected)

    @classmethod
    def opened(cls, path: Path) -> Pool:
        """Read a pool written by `save`: 16 bytes for the pair of each question, and one for its answer."""
        whole = path.read_bytes()
        count = len(whole) // 17
        flat = array("q", whole[: 16 * count])
        return cls(list(zip(flat[::2], flat[1::2], strict=True)), whole[16 * count :])


def drawn(columns: Columns, *, cold: int, traffic: int, seed: int = 2) -> dict[str, list[Pair]]:
    """Draw all pools. Misses come from the range of the rules' own ids, so a range check cannot recognise them."""
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
    """Return pairs of random ids.

    In practice no rule names any of them by chance; if one did, the oracle would detect it.
    """
    return [(random_.randint(FIRST_ID, LAST_ID), random_.randint(FIRST_ID, LAST_ID)) for _ in range(count)]


def _rows(columns: Columns, random_: random.Random) -> tuple[list[int], list[int]]:
    """Return rows that withhold here and now, and other rows, thousands of each."""
    here: list[int] = []
    elsewhere: list[int] = []
    for row in random_.sample(range(len(columns)), min(len(columns), 20_000)):
        reaches = columns.places[row] in HERE and IN_FORCE[columns.windows[row]]
        (here if reaches else elsewhere).append(row)
    return here, elsewhere


def _naming(columns: Columns, row: int, pair: Pair) -> Pair:
    """Return the pair with the id of a row as its tweet or its author."""
    id_ = columns.ids[row]
    return (pair[0], id_) if columns.on_accounts[row] else (id_, pair[1])


def flat(pairs: Sequence[Pair]) -> tuple[array[int], array[int]]:
    """Return the tweets and the authors of pairs as two buffers."""
    return array("q", (tweet for tweet, _ in pairs)), array("q", (account for _, account in pairs))
