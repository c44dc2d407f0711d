"""Random questions to every way of answering, held to a dict of rows.

The oracle here knows nothing of the library: a dict of rows, and three comparisons. It is held to
`withhold.Reference` on some hundred of the questions first.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import oracle
from benchmarks.questions import flat, misses
from benchmarks.serving.agreement import WrongAnswerError
from benchmarks.serving.scenarios import pages
from benchmarks.workload import HERE, IN_FORCE, NOW, VIEWER, Columns, Pair
from withhold import Engine, Snapshot, View, engine_info

DECISIONS = 20_000


class Rows:
    """The oracle: every row under its id."""

    def __init__(self, columns: Columns) -> None:
        self.named: tuple[dict[int, list[tuple[int, int]]], dict[int, list[tuple[int, int]]]] = ({}, {})
        for on_account, id_, place, window in columns.rows():
            self.named[on_account].setdefault(id_, []).append((place, window))

    def withholds(self, pair: Pair) -> bool:
        rows = [row for side, id_ in enumerate(pair) for row in self.named[side].get(id_, ())]
        return any(place in HERE and IN_FORCE[window] for place, window in rows)


def drawn(columns: Columns, count: int, seed: int = 5) -> list[Pair]:
    """Return questions of which half miss; the others name a tweet, an account, or both, wherever withheld."""
    random_ = random.Random(seed)
    pairs = misses(random_, count)
    sides = _sides(columns)
    for at in range(count // 2):
        tweet, account = pairs[at]
        which = random_.randrange(3)
        tweet = random_.choice(sides[0]) if which != 1 else tweet
        account = random_.choice(sides[1]) if which != 0 else account
        pairs[at] = (tweet, account)
    random_.shuffle(pairs)
    return pairs


def _sides(columns: Columns) -> tuple[list[int], list[int]]:
    sides: tuple[list[int], list[int]] = ([], [])
    for on_account, id_, _, _ in columns.rows():
        sides[on_account].append(id_)
    return sides


def views(columns: Columns, directory: Path) -> dict[str, View]:
    """Return every way of answering that is built: in memory and from a file, compiled and not."""
    rules = columns.rule_set()
    made: dict[str, Snapshot] = {}
    modes = {"native": True, "pure Python": False} if engine_info().native else {"pure Python": False}
    for name, native in modes.items():
        made[f"{name}, compiled"] = snapshot = Snapshot.compile(rules, native=native)
        path = directory / f"differential-{native}.wh"
        snapshot.save(path)
        for other, opened in modes.items():
            made[f"{other}, from the file of {name}"] = Snapshot.open(path, native=opened)
    return {name: Engine(snapshot).view(VIEWER, NOW) for name, snapshot in made.items()}


def compared(columns: Columns, directory: Path, count: int) -> dict[str, Any]:
    """Ask everybody everything; raise if anybody differs."""
    pairs, rows = drawn(columns, count), Rows(columns)
    right = [rows.withholds(pair) for pair in pairs]
    sample = pairs[:500]
    reference = oracle.Oracle(columns, sample)
    _same("the oracle of rows", sample, right, [reference.withholds(pair) for pair in sample])
    asked = views(columns, directory)
    for name, view in asked.items():
        for how, answered in _ways(view).items():
            _same(f"{name}, {how}", pairs, right, answered(pairs))
    first, *others = asked.values()
    for pair in pairs[:DECISIONS]:
        decision = first.check(tweet_id=pair[0], account_id=pair[1])
        for view in others:
            if view.check(tweet_id=pair[0], account_id=pair[1]) != decision:
                raise WrongAnswerError(
                    f"decisions on {pair} differ: {view.check(tweet_id=pair[0], account_id=pair[1])} is not {decision}"
                )
    return {"questions": count, "withheld": sum(right), "ways": list(asked), "decisions": DECISIONS, "disagreements": 0}


def _ways(view: View) -> dict[str, Callable[[list[Pair]], list[bool]]]:
    def filtered(pairs: list[Pair]) -> list[bool]:
        said: list[bool] = []
        for page in pages(pairs, 500):
            withheld = {index for index, _ in view.filter(page).withheld}
            said += [index in withheld for index in range(len(page))]
        return said

    return {
        "withholds": lambda pairs: [view.withholds(*pair) for pair in pairs],
        "filter": filtered,
        "mask": lambda pairs: [bool(byte) for byte in view.mask(*flat(pairs))],
    }


def _same(who: str, pairs: list[Pair], right: list[bool], said: list[bool]) -> None:
    for pair, expected, answer in zip(pairs, right, said, strict=False):
        if answer is not expected:
            raise WrongAnswerError(f"{who} says {answer} about {pair}, and it is {expected}")
