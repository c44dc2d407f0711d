"""Where the library stands beside calls that do nothing or only read memory, and beside two frozensets."""

from __future__ import annotations

import random
from array import array
from collections.abc import Callable
from itertools import compress
from operator import not_
from pathlib import Path
from typing import Any

from benchmarks import floors, machine
from benchmarks.questions import Pool, flat, misses
from benchmarks.rivals.rival import LeftOut
from benchmarks.rivals.sets import FrozenSets
from benchmarks.serving.agreement import WrongAnswerError
from benchmarks.serving.scenarios import pages
from benchmarks.snapshots import FILE
from benchmarks.targets.turns import asking, by_pages, ratio, take_turns
from benchmarks.workload import NOW, VIEWER, Columns, Pair
from withhold import Engine, Snapshot

PAGE = 500
EACH = 5_000
Figures = dict[str, dict[str, Any]]


class Loaded:
    """One size: a view, the frozensets, the floors and the questions."""

    def __init__(self, directory: Path) -> None:
        columns = Columns.opened(directory)
        self.view = Engine(Snapshot.open(directory / FILE)).view(VIEWER, NOW)
        self.here = FrozenSets()
        self.here.load(columns, directory)
        self.everywhere = of_all(columns)
        self.on_accounts, self.count = sum(columns.on_accounts), len(columns)
        self.hits = Pool.opened(directory / "questions.hits").pairs[:PAGE]
        self._random = random.Random(6)

    def turns(self, count: int) -> list[list[Pair]]:
        """Return misses for one warming turn and `count` others, new ones each time, once all agree on them."""
        found = pages(misses(self._random, EACH * (count + 1)), EACH)
        for pair in self.hits:
            if not (
                self.view.withholds(*pair)
                and self.here.check(*pair)
                and self.view.check(tweet_id=pair[0], account_id=pair[1]).withheld
            ):
                raise WrongAnswerError(f"{pair} is withheld, and somebody says that it is not")
        for part in found:
            if (
                any(self.view.mask(*flat(part)))
                or len(self.view.filter(part).visible) < EACH
                or self.everywhere.page(part)
            ):
                raise WrongAnswerError("somebody withholds what no rule names")
        read_much()
        return found

    def tables(self) -> tuple[array[int], array[int]]:
        """Return what a floor reads: tables of eight bytes an id, as a plain list has.

        A view reads two bytes an id for a miss, so that more of them are near, and it can be below this floor.
        """
        # Written, for a page of zeros that nobody wrote is one page for all.
        tweets, accounts = (array("Q", b"." * 8 * count) for count in (self.count - self.on_accounts, self.on_accounts))
        return tweets, accounts


def read_much() -> None:
    """Read twice what the last cache holds: what was just read of the tables must not be near when the clock runs."""
    (b"." * max(2 * machine.last_cache(), 2**27)).count(b"x")


class InPython:
    """A method of the signature of `View.withholds` that does nothing."""

    def withholds(self, tweet_id: int, account_id: int) -> bool:  # noqa: ARG002
        return False


class Floors:
    """The floors, or why there are none."""

    def __init__(self) -> None:
        self._built, self.missing = None, {"missing": ""}
        try:
            self._built = floors.built()
        except LeftOut as error:
            self.missing["missing"] = str(error)

    def empty(self) -> Any:
        """Return a method that does nothing."""
        return self._built and self._built.Empty()

    def reads(self, loaded: Loaded) -> Any:
        """Return methods that make two random reads."""
        return self._built and self._built.Reads(*loaded.tables())


def miss(loaded: Loaded, floor: Any, missing: dict[str, str], turns: int) -> dict[str, Any]:
    """`withholds` against a floor, and the frozensets' method beside them."""
    methods: dict[str, Callable[[int, int], object]] = {
        "withholds": loaded.view.withholds,
        "frozensets": loaded.everywhere.check,
        "empty Python method": InPython().withholds,
    }
    if floor is None:
        return missing
    methods["floor"] = floor.withholds
    contenders = {name: asking(method) for name, method in methods.items()}
    return ratio(take_turns(contenders, loaded.turns(turns), EACH), "withholds", "floor")


def of_all(columns: Columns) -> FrozenSets:
    """Return two frozensets of all ids, wherever they are withheld: what a table has, and no more."""
    sets = FrozenSets()
    sets.tweets = frozenset(compress(columns.ids, map(not_, columns.on_accounts)))
    sets.accounts = frozenset(compress(columns.ids, columns.on_accounts))
    return sets


def filtered(loaded: Loaded, turns: int) -> Figures:
    """`filter` of lists of 500 against the comprehension that a feed engineer would write."""

    def by_hand(sets: FrozenSets) -> Callable[[list[Pair]], list[Pair]]:
        tweets, accounts = sets.tweets, sets.accounts
        return lambda page: [pair for pair in page if pair[0] not in tweets and pair[1] not in accounts]

    contenders = {
        "filter": by_pages(loaded.view.filter),
        "all": by_pages(by_hand(loaded.everywhere)),
        "one country": by_pages(by_hand(loaded.here)),
    }
    parts = [pages(part, PAGE) for part in loaded.turns(turns)]
    found = take_turns(contenders, parts, EACH)
    return {"filter": ratio(found, "all", "filter"), "filter, one country": ratio(found, "one country", "filter")}


def masked(loaded: Loaded, floor: Any, missing: dict[str, str], turns: int) -> Figures:
    """`mask` of two buffers of 500 against reads with prefetch, and against the comprehension."""
    view = loaded.view
    answers: dict[str, Callable[[Any], object]] = {
        "mask": lambda both: view.mask(*both),
        "all": lambda both: loaded.everywhere.mask(*both),
        "one country": lambda both: loaded.here.mask(*both),
    }
    if floor is not None:
        answers["floor"] = lambda both: floor.mask(*both)
    contenders = {name: by_pages(answer) for name, answer in answers.items()}
    parts = [[flat(page) for page in pages(part, PAGE)] for part in loaded.turns(turns)]
    found = take_turns(contenders, parts, EACH)
    return {
        "mask, sets": ratio(found, "all", "mask"),
        "mask, one country": ratio(found, "one country", "mask"),
        "mask, floor": missing if floor is None else ratio(found, "mask", "floor"),
    }


def hit(loaded: Loaded, turns: int) -> dict[str, Any]:
    """A hit with its decision, of 500 asked again and again, against a miss of such."""
    missing, hits = loaded.turns(0)[0][:PAGE] * 10, loaded.hits * 10
    view = loaded.view

    def checked(_: None) -> None:
        for tweet, account in hits:
            view.check(tweet_id=tweet, account_id=account)

    def missed(_: None) -> None:
        asking(view.withholds)(missing)

    found = take_turns({"check, hit": checked, "withholds, miss": missed}, [None] * (turns + 1), EACH)
    return ratio(found, "check, hit", "withholds, miss")


def measured(small: Path, medium: Path, large: Path, turns: int) -> Figures:
    """Return all ratios. The larger sizes are let go of one after the other."""
    found: Figures = {}
    below = Floors()
    loaded = Loaded(small)
    found["miss, small"] = miss(loaded, below.empty(), below.missing, turns)
    found["hit"] = hit(loaded, turns)
    loaded = Loaded(medium)
    found["miss, medium"] = miss(loaded, below.reads(loaded), below.missing, turns)
    found |= filtered(loaded, turns)
    loaded = loaded if large == medium else Loaded(large)
    reads = below.reads(loaded)
    found["miss, large"] = miss(loaded, reads, below.missing, turns)
    return found | masked(loaded, reads, below.missing, turns)
