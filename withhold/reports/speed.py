"""Measure how long questions take on a rule set, on this machine, compared with calls that do nothing."""

from __future__ import annotations

import operator
import random
import time
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import cycle, islice
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

from withhold.engine import Engine, Reference, View
from withhold.errors import Place, Problem, TrafficError
from withhold.model import RuleSet, Viewer
from withhold.reports.traffic import read_traffic
from withhold.snapshot import Snapshot
from withhold.snapshot.snapshot import Kind

PAGE = 500
KINDS: tuple[Kind, Kind] = ("tweets", "accounts")
_QUESTIONS = 20_000
_TURNS = 15
#: The number of answers of each sample that are compared with the reference.
_COMPARED = 200

Pair = tuple[int, int]


class Figure(NamedTuple):
    """The time of one question in nanoseconds: the median of all turns, and the quartiles."""

    what: str
    nanoseconds: float
    low: float
    high: float


class WrongAnswer(Exception):  # noqa: N818  # it is not an error of the caller
    """The engine and the reference differ, so nothing is timed."""


class _Empty:
    """An object whose method has the signature of `View.withholds` and does nothing."""

    def withholds(self, tweet_id: int, account_id: int) -> bool:  # noqa: ARG002
        return False


def invented_pairs(snapshot: Snapshot) -> list[Pair]:
    """Return invented pairs with ids of the size of current ones.

    Rules name few of these, so some ids from rules are added.
    """
    chance = random.Random(1)  # noqa: S311  # a sample, the same each time
    pairs = [(chance.randrange(2**60, 2**61), chance.randrange(2**60, 2**61)) for _ in range(_QUESTIONS)]
    tweets, accounts = (list(islice(snapshot.postings(kind), _QUESTIONS // 10)) for kind in KINDS)
    pairs += [(tweet_id, chance.randrange(2**60, 2**61)) for tweet_id, _ in tweets]
    return pairs + [(chance.randrange(2**60, 2**61), account_id) for account_id, _ in accounts]


class Traffic(NamedTuple):
    """The pairs to ask about, the country of most impressions, and the number of impressions that were left out."""

    pairs: list[Pair]
    country: str | None
    left_out: int


def sample_traffic(path: Path) -> Traffic:
    """Sample pairs from the impressions that name both a tweet and an account, weighted by their counts.

    O(impressions). Raises the errors of `read_traffic`, and `TrafficError` if no impression names both.
    """
    counts: Counter[Pair] = Counter()
    countries: Counter[str | None] = Counter()
    left_out = 0
    for tweet, account, country, count in read_traffic(path):
        if tweet is None or account is None:
            left_out += count
        else:
            counts[tweet, account] += count
            countries[country] += count
    if not sum(counts.values()):
        message = "no impression names both a tweet and its account"
        hint = "the questions are about tweets with their authors: fill in both columns, with counts above zero"
        raise TrafficError(Problem("no-pairs", message, Place(str(path)), hint))
    chance = random.Random(1)  # noqa: S311  # a sample, the same each time
    pairs = chance.choices(list(counts), list(counts.values()), k=_QUESTIONS)
    return Traffic(pairs, countries.most_common(1)[0][0], left_out)


def measure(
    snapshot: Snapshot, viewer: Viewer, at: datetime, pairs: Sequence[Pair], progress: Callable[[float], None]
) -> list[Figure]:
    """Time each way of asking about pairs (tweet, account), for a few seconds.

    The ways take turns, so that a slow moment affects all of them.

    Raises `WrongAnswer` if the answers to a sample differ from those of `Reference`.
    """
    view, tables = Engine(snapshot).view(viewer, at), (snapshot.tweets, snapshot.accounts)
    _compare(snapshot, view, pairs)
    both = [(pair, all(table.find(id_) is None for table, id_ in zip(tables, pair, strict=True))) for pair in pairs]
    named = _enough([pair for pair, is_miss in both if not is_miss])
    unnamed = _enough([pair for pair, is_miss in both if is_miss])
    contenders = dict(_contenders(view, unnamed, named))
    took: dict[str, list[float]] = {what: [] for what in contenders}
    for turn in range(_TURNS + 1):
        for what, (run, questions) in contenders.items():
            began = time.perf_counter_ns()
            run()
            if turn:  # the first turn warms up
                took[what].append((time.perf_counter_ns() - began) / questions)
        progress((turn + 1) / (_TURNS + 1))
    return [Figure(what, median(found), quantiles(found)[0], quantiles(found)[2]) for what, found in took.items()]


def _enough(pairs: list[Pair]) -> list[Pair]:
    """Return enough pairs for a turn, repeated if needed. With few questions, the cost of the clock would dominate."""
    return list(islice(cycle(pairs), _QUESTIONS))


def _contenders(
    view: View, unnamed: list[Pair], named: list[Pair]
) -> Iterator[tuple[str, tuple[Callable[[], object], int]]]:
    """Yield each contender: its name, a function that runs it, and the number of questions that it answers."""

    def one_by_one(ask: Callable[[int, int], object], pairs: list[Pair]) -> tuple[Callable[[], object], int]:
        def run() -> None:
            for tweet_id, account_id in pairs:
                ask(tweet_id, account_id)

        return run, len(pairs)

    some = unnamed or named
    floors: dict[str, Callable[[int, int], object]] = {
        "a method in Python that does nothing": _Empty().withholds,
        "a function in C that compares two references": operator.is_,
    }
    yield from ((what, one_by_one(floor, some)) for what, floor in floors.items())
    if unnamed:
        pages = [unnamed[at : at + PAGE] for at in range(0, len(unnamed), PAGE)]
        columns = [tuple(array("q", column) for column in zip(*page, strict=True)) for page in pages]
        yield "view.withholds, no rule names it", one_by_one(view.withholds, unnamed)
        yield f"view.filter, pages of {PAGE} that no rule names", (lambda: list(map(view.filter, pages)), len(unnamed))
        yield (
            f"view.mask, columns of {PAGE} that no rule names",
            (lambda: [view.mask(*both) for both in columns], len(unnamed)),
        )
    if named:
        yield "view.withholds, a rule names it", one_by_one(view.withholds, named)
        yield (
            "view.check, a rule names it",
            (lambda: [view.check(tweet_id=tweet, account_id=account) for tweet, account in named], len(named)),
        )


def _compare(snapshot: Snapshot, view: View, pairs: Sequence[Pair]) -> None:
    """Compare the answers to a sample with the reference, which has the rules that name the sample."""
    # The rules are not looked up in the tables, which are under test.
    named: list[dict[int, int]] = []
    for at, kind in enumerate(KINDS):
        asked = {pair[at] for pair in pairs}
        named.append({id_: posting for id_, posting in snapshot.postings(kind) if id_ in asked})
    hits = [pair for pair in pairs if pair[0] in named[0] or pair[1] in named[1]]
    chance = random.Random(2)  # noqa: S311  # a sample, the same each time
    sample = [*chance.sample(hits, min(len(hits), _COMPARED)), *chance.sample(list(pairs), min(len(pairs), _COMPARED))]
    postings = {found[id_] for pair in sample for found, id_ in zip(named, pair, strict=True) if id_ in found}
    naming = {rule.id: rule for posting in postings for rule in snapshot.rules_of(posting)}
    # Outcomes at other places are not compared.
    reference = Reference(RuleSet(naming.values()), places=[view.viewer.location_key])
    for pair in sample:
        wanted = reference.check(pair, view.viewer, view.at)
        if (
            view.check(tweet_id=pair[0], account_id=pair[1]).outcome is not wanted.outcome
            or view.withholds(*pair) is wanted.visible
        ):
            raise WrongAnswer(f"the engine and the reference differ on tweet {pair[0]} of account {pair[1]}")
