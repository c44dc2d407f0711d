"""Compare the answers of all implementations to random questions with the answers of a dict of rows.

The dict is independent of the library. It is first compared with `withhold.Reference` on 500 of the questions.
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
    """The oracle: all rows by id."""

    def __init__(self, columns: Columns) -> None:
        self.named: tuple[dict[int, list[tuple[int, int]]], dict[int, list[tuple[int, int]]]] = ({}, {})
        for on_account, id_, place, window in columns.rows():
            self.named[on_account].setdefault(id_, []).append((place, window))

    def withholds(self, pair: Pair) -> bool:
        rows = [row for side, id_ in enumerate(pair) for row in self.named[side].get(id_, ())]
        return any(place in HERE and IN_FORCE[window] for place, window in rows)


def drawn(columns: Columns, count: int, seed: int = 5) -> list[Pair]:
    """Return random questions: half are misses; in the others a rule names the tweet, its author, or both."""
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
    """Return a view of each implementation: in memory and from a file, in C and in Python."""
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
    """Ask all implementations all questions. Raise `WrongAnswerError` for the first wrong answer."""
    pairs, rows = drawn(columns, count), Rows(columns)
    right = [rows.withholds(pair) for pair in pairs]
    sample = pairs[:500]
    reference = oracle.Oracle(columns, sample)
    _compare("the dict of rows", sample, right, [reference.withholds(pair) for pair in sample])
    implementations = views(columns, directory)
    for name, view in implementations.items():
        for how, answers in _ways(view).items():
            _compare(f"{name}, {how}", pairs, right, answers(pairs))
    first, *others = implementations.values()
    for pair in pairs[:DECISIONS]:
        decision = first.check(tweet_id=pair[0], account_id=pair[1])
        for view in others:
            other = view.check(tweet_id=pair[0], account_id=pair[1])
            if other != decision:
                raise WrongAnswerError(f"the decisions on {pair} differ: {other} is not {decision}")
    return {
        "questions": count,
        "withheld": sum(right),
        "ways": list(implementations),
        "decisions": DECISIONS,
        "disagreements": 0,
    }


def _ways(view: View) -> dict[str, Callable[[list[Pair]], list[bool]]]:
    def filtered(pairs: list[Pair]) -> list[bool]:
        answers: list[bool] = []
        for page in pages(pairs, 500):
            withheld = {index for index, _ in view.filter(page).hidden}
            answers += [index in withheld for index in range(len(page))]
        return answers

    return {
        "withholds": lambda pairs: [view.withholds(*pair) for pair in pairs],
        "filter": filtered,
        "mask": lambda pairs: [bool(byte) for byte in view.mask(*flat(pairs))],
    }


def _compare(name: str, pairs: list[Pair], right: list[bool], answers: list[bool]) -> None:
    for pair, expected, answer in zip(pairs, right, answers, strict=False):
        if answer is not expected:
            raise WrongAnswerError(f"{name} answers {answer} for {pair}, and the right answer is {expected}")
