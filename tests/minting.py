"""Generate plausible ids of each year, and measure how often lists of them are refused.

`python -m tests.minting` tests a million ids of each year, which takes ten minutes. The low twelve bits of an id are a
sequence number. The shares of ids with sequence 0 were measured on ids of tweets and accounts in public repositories.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from withhold.model.precision import Precision, Sign
from withhold.snowflake import first_id_at

YEARS = range(2011, 2027)
# Each share with its first month; None means that the sequence begins at any number up to 511.
_SHARES = (
    ((2011, 1), 0.80),
    ((2012, 1), 0.74),
    ((2014, 1), 0.71),
    ((2017, 1), 0.61),
    ((2018, 1), 0.60),
    ((2019, 1), 0.55),
    ((2020, 1), 0.43),
    ((2021, 1), 0.21),
    ((2022, 5), 0.48),
    ((2023, 9), None),
)
_SINCE = [(first_id_at(datetime(*since, 1, tzinfo=UTC)), share) for since, share in _SHARES]


def minted(rng: random.Random, year: int) -> int:
    """Return a random id of a year, generated like Twitter's machines do."""
    first, end = (first_id_at(datetime(at, 1, 1, tzinfo=UTC)) >> 22 for at in (year, year + 1))
    id_ = rng.randrange(first, end) << 22 | rng.randrange(1024) << 12
    share = next(share for since, share in reversed(_SINCE) if id_ >= since)
    if share is None:
        return id_ | rng.randrange(512)
    sequence = 1
    while rng.random() < 0.5:
        sequence += 1
    return id_ if rng.random() < share else id_ | min(sequence, 4095)


def cast(number: int) -> int:
    """Return `int(float(id))`, which rounds an id."""
    return int(float(number))


def judged(ids: Iterable[int]) -> tuple[bool, bool]:
    """Return whether a list of ids is refused, and whether it is refused or gives a warning."""
    precision = Precision()
    signs = {precision.sign(id_) for id_ in ids}
    refused = Sign.SHORT in signs or bool(precision.lost())
    return refused, refused or bool(precision.doubtful())


def rates(year: int, *, lists: int, size: int, way: Callable[[int], int] = int) -> tuple[float, float]:
    """Return the shares of random lists that are refused, and that are refused or give a warning.

    `way` is applied to each id first.
    """
    found = []
    for seed in range(lists):
        rng = random.Random(f"{year} {seed}")
        found.append(judged(way(minted(rng, year)) for _ in range(size)))
    return sum(refused for refused, _ in found) / lists, sum(warned for _, warned in found) / lists


def main() -> None:
    """Print for each year the shares of exact lists that are refused or give a warning, and of rounded lists that are refused."""
    sizes = (1, 3, 10, 20, 40, 90, 1000)
    print("a million exact ids of each year, by length of list: refused, with a warning / rounded lists refused")  # noqa: T201
    print("    ", *(f"{size:^21,}" for size in sizes))  # noqa: T201
    for year in YEARS:
        cells = []
        for size in sizes:
            refused, warned = rates(year, lists=1_000_000 // size // len(sizes), size=size)
            caught, _ = rates(year, lists=200, size=size, way=cast)
            cells.append(f"{refused:7.3%} {warned - refused:6.2%} / {caught:4.0%}")
        print(year, *cells, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
