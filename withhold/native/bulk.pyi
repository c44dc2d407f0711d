from collections.abc import Callable
from typing import Any

from withhold.native.cells import Cells

class Timeline:
    def __init__(self, number: int, starts: list[int], sets: list[bytes]) -> None: ...

class Hidden:
    rows: bytearray
    bad: bytearray
    stretches: bytearray

def hidden(
    tweet_table: Any,
    account_table: Any,
    timelines: dict[Any, Timeline],
    make: Callable[[int, int], Timeline],
    tweets: Cells,
    accounts: Cells,
    source_tweets: Cells | None,
    source_accounts: Cells | None,
    places: bytearray,
    instants: Cells | int,
    times: int,
    by: int,
) -> Hidden: ...
