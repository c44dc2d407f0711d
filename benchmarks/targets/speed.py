"""Compare the time of the library with that of the floors (no work, or only reads of memory) and of two frozensets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import floors
from benchmarks.questions import flat
from benchmarks.rivals.rival import LeftOut
from benchmarks.rivals.sets import FrozenSets
from benchmarks.serving.scenarios import pages
from benchmarks.targets.files import Figures
from benchmarks.targets.loaded import EACH, PAGE, Loaded
from benchmarks.targets.pages import of_tweets
from benchmarks.targets.turns import asking, by_pages, ratio, take_turns
from benchmarks.workload import Pair


class InPython:
    """A Python method with the signature of `View.withholds` that does nothing."""

    def withholds(self, tweet_id: int, account_id: int) -> bool:  # noqa: ARG002
        return False


class Floors:
    """The floors, or the reason why they are missing."""

    def __init__(self) -> None:
        self._built, self.missing = None, {"missing": ""}
        try:
            self._built = floors.built()
        except LeftOut as error:
            self.missing["missing"] = str(error)

    def empty(self) -> Any:
        """Return an object with a method that does nothing."""
        return self._built and self._built.Empty()

    def reads(self, loaded: Loaded) -> Any:
        """Return an object with methods that only make random reads."""
        return self._built and self._built.Reads(*loaded.tables())


def miss(loaded: Loaded, floor: Any, missing: dict[str, str], turns: int) -> dict[str, Any]:
    """Compare `withholds` with a floor; also time frozensets and an empty Python method."""
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


def filtered(loaded: Loaded, turns: int) -> Figures:
    """Compare `filter` of lists of 500 with a list comprehension."""

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
    """Compare `mask` of two buffers of 500 with random reads, and with a list comprehension."""
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
    """Compare `check` of 500 repeated hits with `withholds` of 500 repeated misses."""
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
    """Return all ratios. Only one of the larger sizes is in memory at a time."""
    found: Figures = {}
    below = Floors()
    loaded = Loaded(small)
    found["miss, small"] = miss(loaded, below.empty(), below.missing, turns)
    found["hit"] = hit(loaded, turns)
    loaded = Loaded(medium)
    found["miss, medium"] = miss(loaded, below.reads(loaded), below.missing, turns)
    found |= filtered(loaded, turns) | of_tweets(loaded, turns)
    loaded = loaded if large == medium else Loaded(large)
    reads = below.reads(loaded)
    found["miss, large"] = miss(loaded, reads, below.missing, turns)
    return found | masked(loaded, reads, below.missing, turns)
