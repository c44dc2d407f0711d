"""Random rules with realistic proportions, generated from a seed, as columns that every process reads from files."""

from __future__ import annotations

import random
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from withhold import Rule, RuleSet, Viewer

NOW = datetime(2026, 1, 1, tzinfo=UTC)
VIEWER = Viewer(country="IN")
COUNTRIES = (
    *("IN", "TR", "RU", "DE", "BR", "FR", "JP", "PK", "ID", "GB"),
    *("KR", "VN", "TH", "MX", "AE", "SG", "AU", "ES", "IT", "ZA"),
)
PLACES = (*COUNTRIES, "WORLD")
#: The places whose rules reach the viewer.
HERE = frozenset({PLACES.index("IN"), PLACES.index("WORLD")})

_MONTH = timedelta(days=30)
#: Windows of time. 98% of rules have none; the windows of the others are open, have ended, or have not begun.
WINDOWS: tuple[tuple[datetime | None, datetime | None], ...] = (
    (None, None),
    (NOW - _MONTH, NOW + _MONTH),
    (NOW - 2 * _MONTH, NOW - _MONTH),
    (NOW + _MONTH, None),
)
#: The same in seconds, with numbers instead of None, for rivals that compare numbers.
SECONDS = tuple(
    (int(start.timestamp()) if start else 0, int(end.timestamp()) if end else 2**40) for start, end in WINDOWS
)
NOW_SECONDS = int(NOW.timestamp())
IN_FORCE = tuple(start <= NOW_SECONDS < end for start, end in SECONDS)

#: Ids with 59 to 61 bits, like snowflakes since 2013.
FIRST_ID, LAST_ID = 2**58, 2**61 - 1

Pair = tuple[int, int]


@dataclass(frozen=True)
class Size:
    """The number of ids in all rules, and in each rule."""

    ids: int
    per_rule: int = 1

    @property
    def rules(self) -> int:
        return self.ids // self.per_rule


# Ten million `Rule` objects do not fit into memory, so the rules of the largest set name a hundred ids each.
FULL = (Size(1_000), Size(100_000), Size(1_000_000), Size(10_000_000, per_rule=100))
QUICK = FULL[:2]


@dataclass(frozen=True)
class Columns:
    """The rules as columns, with a row for each id: its kind, the id, and the indices of its place and window."""

    on_accounts: bytes
    ids: array[int]
    places: bytes
    windows: bytes
    per_rule: int

    @classmethod
    def made(cls, size: Size, seed: int = 1) -> Columns:
        """Generate columns: 80% on tweets, 20 countries of unequal frequency, 2% with a window, 1% worldwide."""
        random_ = random.Random(seed)
        rules, per_rule = size.rules, size.per_rule
        skew = [1 / (rank + 1) for rank in range(len(COUNTRIES))]
        homes = random_.choices(range(len(COUNTRIES)), skew, k=rules)
        world = PLACES.index("WORLD")
        on_accounts = (random_.random() >= 0.8 for _ in range(rules))
        places = (world if random_.random() < 0.01 else home for home in homes)
        windows = (random_.randrange(1, len(WINDOWS)) if random_.random() < 0.02 else 0 for _ in range(rules))
        return cls(
            on_accounts=_repeated(on_accounts, per_rule),
            ids=_ids(random_, size.ids),
            places=_repeated(places, per_rule),
            windows=_repeated(windows, per_rule),
            per_rule=per_rule,
        )

    def __len__(self) -> int:
        return len(self.ids)

    def rows(self) -> Iterator[tuple[int, int, int, int]]:
        """Return the rows: whether on an account, id, place, window."""
        return zip(self.on_accounts, self.ids, self.places, self.windows, strict=True)

    def rule(self, number: int) -> Rule:
        """Return one rule."""
        at = number * self.per_rule
        ids = self.ids[at : at + self.per_rule]
        start, end = WINDOWS[self.windows[at]]
        return Rule(
            id=f"r{number}",
            accounts=ids if self.on_accounts[at] else (),
            tweets=() if self.on_accounts[at] else ids,
            withheld_in=[PLACES[self.places[at]]],
            from_=start,
            until=end,
            reason="legal_demand",
        )

    def rule_set(self) -> RuleSet:
        """Return all rules."""
        return RuleSet(self.rule(number) for number in range(len(self) // self.per_rule))

    def save(self, directory: Path) -> None:
        """Write the columns to a directory."""
        (directory / "columns.ids").write_bytes(self.ids.tobytes())
        flags = self.on_accounts + self.places + self.windows
        (directory / "columns.flags").write_bytes(self.per_rule.to_bytes(8, "little") + flags)

    @classmethod
    def opened(cls, directory: Path) -> Columns:
        """Read columns written by `save`."""
        ids = array("q", (directory / "columns.ids").read_bytes())
        flags = (directory / "columns.flags").read_bytes()
        count, per_rule, flags = len(ids), int.from_bytes(flags[:8], "little"), flags[8:]
        return cls(flags[:count], ids, flags[count : 2 * count], flags[2 * count :], per_rule)


def _repeated(values: Iterator[int], times: int) -> bytes:
    """Return each value as `times` bytes, because the ids of a rule are adjacent."""
    drawn = bytes(values)
    return drawn if times == 1 else b"".join(drawn[at : at + 1] * times for at in range(len(drawn)))


def _ids(random_: random.Random, count: int) -> array[int]:
    width = LAST_ID - FIRST_ID + 1
    return array("q", (FIRST_ID + drawn % width for drawn in array("Q", random_.randbytes(8 * count))))
