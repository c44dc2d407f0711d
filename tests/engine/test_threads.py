"""Many threads ask questions while rule sets are replaced, and while other threads change the arguments.

These tests matter most without a GIL, where a mistake in C code crashes the process.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from time import sleep

import pytest

from tests.implementations import MakeSnapshot, each_snapshot
from withhold import Engine, Rule, RuleSet, Snapshot, SubjectIdError, Viewer

TWEETS = range(1, 401)
PAGE = [(tweet, 9) for tweet in TWEETS]
ROUNDS = 1000


def rules(version: int) -> RuleSet:
    """Each version withholds all tweets in the same places, by rules with its own names."""
    ids = range(1, 401)
    return RuleSet(
        Rule(id=f"v{version}-{part}", tweets=ids[part::4], withheld_in=["IN"], reason="terms") for part in range(4)
    )


@each_snapshot
def test_no_page_mixes_revisions(snapshot_of: MakeSnapshot) -> None:
    snapshots = [snapshot_of(rules(version)) for version in range(3)]
    revisions = {snapshot.revision: f"v{version}-" for version, snapshot in enumerate(snapshots)}
    engine = Engine(snapshots[0])
    done = threading.Event()
    seen: set[str] = set()

    def serve() -> None:
        while not done.is_set():
            page = engine.view(Viewer(country="IN")).filter(PAGE)
            found = {decision.revision for _, decision in page.hidden}
            assert len(page.hidden) == len(PAGE)
            assert len(found) == 1, "one page, one revision"
            assert {str(decision.rule_id)[:3] for _, decision in page.hidden} == {revisions[found.copy().pop()]}
            seen.update(found)

    with ThreadPoolExecutor(8) as threads:
        serving = [threads.submit(serve) for _ in range(8)]
        try:
            for round_ in range(ROUNDS):
                snapshot = snapshots[round_ % 3]
                engine.activate(snapshot)
                assert engine.view(Viewer(country="IN")).check(tweet_id=1, account_id=9).revision == snapshot.revision
            for snapshot in snapshots:
                # The rounds may end before any thread has run.
                engine.activate(snapshot)
                while snapshot.revision not in seen and not any(each.done() for each in serving):
                    sleep(0.001)
        finally:
            done.set()
        for each in serving:
            each.result()
        assert seen == set(revisions)


def at_once(one: Callable[[], None], other: Callable[[], None]) -> None:
    """Run a function in four threads, and another one in four more threads as long as any of the first ones runs."""
    done = threading.Event()

    def meanwhile() -> None:
        while not done.is_set():
            other()

    with ThreadPoolExecutor(8) as threads:
        changing = [threads.submit(meanwhile) for _ in range(4)]
        reading = [threads.submit(one) for _ in range(4)]
        try:
            for each in reading:
                each.result()
        finally:
            done.set()
        for each in changing:
            each.result()


@each_snapshot
def test_a_list_that_others_change_is_read_in_a_consistent_state(snapshot_of: MakeSnapshot) -> None:
    first, count = 2**61, 500  # each id is a separate object
    named = Rule(id="r", tweets=range(first, first + count, 2), withheld_in=["IN"], reason="terms")
    view = Engine(snapshot_of(RuleSet([named]))).view(Viewer(country="IN"))
    column, authors = [first + n for n in range(count)], [1] * count
    answered: list[bytearray] = []

    def read() -> None:
        for _ in range(100):
            with suppress(SubjectIdError, IndexError, ValueError):  # its length was changed at that moment
                answered.append(view.mask(column, authors))

    def change() -> None:
        for at in range(0, count, 10):
            column[at : at + 1] = [first + at + 2 * (at < count // 2)]
        column.extend(range(first, first + 9 * count))
        del column[count:]
        column[:] = [first + n for n in range(count)]
        sleep(0.002)  # otherwise no other thread gets to read

    at_once(read, change)
    read()
    assert {bytes(mask) for mask in answered} == {bytes([1, 0]) * (count // 2)}


def test_many_threads_read_the_rules_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("withhold.snapshot.opened._KEPT", 1)
    ruled = RuleSet(
        Rule(id=f"r{n:03}", tweets=[n, 1000], withheld_in=["IN"], reason="terms", note="n" * n) for n in range(1, 31)
    )
    Snapshot.compile(ruled).save(tmp_path / "rules.wh")
    opened = Snapshot.open(tmp_path / "rules.wh")

    def read() -> None:
        for n in range(1, 31):
            (found,) = opened.rules_of(_posting(opened, n))
            assert found == ruled[f"r{n:03}"]

    def read_all() -> None:
        assert [rule.id for rule in opened.rules_of(_posting(opened, 1000))] == [rule.id for rule in ruled]

    at_once(read, read_all)


def _posting(snapshot: Snapshot, tweet_id: int) -> int:
    posting = snapshot.tweets.find(tweet_id)
    assert posting is not None
    return posting
