"""Following goes on under load, in threads and in forked processes, and ends with its engine."""

from __future__ import annotations

import gc
import os
import sys
import threading
import weakref
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.engine.followed import FOREVER, INDIA, check, compiled, hidden, put, rules
from tests.engine.followed import engine as engine
from tests.engine.followed import following as following
from tests.engine.followed import path as path
from tests.forking import run, until
from withhold import Engine, Following, RuleSet, Snapshot


def test_an_engine_follows_one_path_until_it_is_closed(engine: Engine, path: Path, following: Following) -> None:
    with pytest.raises(RuntimeError, match=r"\[already-following\]"):
        engine.follow(path, FOREVER)
    following.close()
    following.close()
    assert following.status().alive is False
    put(path, compiled(path.with_name("new"), 2, 3))
    check(following)
    assert hidden(engine) == [1, 2]
    with engine.follow(path, FOREVER) as other:
        following.close()
        assert (hidden(engine), other.status().alive) == ([2, 3], True)


def test_following_ends_with_the_engine(path: Path) -> None:
    def begun() -> tuple[weakref.ref[Engine], threading.Thread]:
        """The callback refers to the engine."""
        engine = Engine(RuleSet())
        following = engine.follow(path, FOREVER, on_change=lambda _: engine.snapshot)
        assert following._watcher is not None
        return weakref.ref(engine), following._watcher._thread

    gone, thread = begun()
    gc.collect()
    assert gone() is None
    thread.join(60)
    assert not thread.is_alive()

    engine = Engine(RuleSet())
    following = engine.follow(path, FOREVER)
    del engine
    assert following.status().revision is None
    following.close()


def test_1000_swaps_under_load(path: Path, request: pytest.FixtureRequest) -> None:
    """No page is answered from two revisions, no answer is wrong, and nothing raises."""
    request.addfinalizer(partial(sys.setswitchinterval, sys.getswitchinterval()))
    sys.setswitchinterval(1e-5)  # the threads take turns often, and the test takes seconds instead of minutes
    one, two = compiled(path.with_name("new"), 1, 2), compiled(path.with_name("new"), 3, 4)
    expected = {rules(1, 2).revision: [0, 1], rules(3, 4).revision: [2, 3]}
    page = [(tweet, 100) for tweet in range(1, 10)]
    path.write_bytes(one)
    engine = Engine(RuleSet())
    stop, wrong, asked = threading.Event(), list[object](), [0, 0]

    def ask(which: int) -> None:
        try:
            while not stop.wait(0.0005):
                found = engine.view(INDIA).filter(page).hidden
                revisions = {decision.revision for _, decision in found}
                if len(revisions) != 1 or expected[revisions.pop()] != [index for index, _ in found]:
                    wrong.append(found)
                asked[which] += 1
        except BaseException as error:  # noqa: BLE001
            wrong.append(error)

    with engine.follow(path, FOREVER) as following:
        threads = [threading.Thread(target=ask, args=(which,)) for which in range(2)]
        for thread in threads:
            thread.start()
        for number in range(1000):
            put(path, two if number % 2 == 0 else one)
            status = check(following)
            assert status.error is None
        assert until(lambda: min(asked) > 10), "on a busy machine, a thread may begin late"
        stop.set()
        for thread in threads:
            thread.join()
        assert (wrong, status.revision) == ([], rules(1, 2).revision)


FORKED = """
import os, sys, threading, time
from pathlib import Path
from tests.forking import forked, until
from withhold import Engine, RuleSet, Viewer

path, new = Path(sys.argv[1]), Path(sys.argv[2])
view = lambda: engine.view(Viewer(country="IN"))

engine = Engine(RuleSet())
following = engine.follow(path, 0.01)
assert view().withholds(1, 100)

def grandchild():
    assert [thread.name for thread in threading.enumerate()].count("withhold-follow") == 1
    new.replace(path)
    return until(lambda: view().withholds(3, 100) and following.status().alive)

def child():
    forked(grandchild)
    assert until(lambda: view().withholds(3, 100))
    following.close()
    return until(lambda: threading.active_count() == 1) and not following.status().alive

# The lock is held by a thread that does not exist in the child.
held, release = threading.Event(), threading.Event()
def hold():
    with engine._activating:
        held.set()
        release.wait(60)
thread = threading.Thread(target=hold)
thread.start()
held.wait(60)
forked(child)
release.set()
thread.join()
assert until(lambda: view().withholds(3, 100))
following.close()
forked(lambda: threading.active_count() == 1 and not following.status().alive)
print("done")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_following_goes_on_in_a_child_and_in_its_child(path: Path) -> None:
    compiled(path.with_name("new"), 3, 4)
    run(FORKED, path, path.with_name("new"))


def test_a_fork_during_the_first_reading_leaves_the_child_free_to_follow(
    engine: Engine, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hook is called without a fork: in a child, the thread that reads does not exist."""
    other: list[Following] = []
    load = Following._load

    def forks(following: Following) -> Any:
        monkeypatch.undo()
        engine._following = following
        following._forked(engine)
        other.append(engine.follow(path, FOREVER))
        return load(following)

    monkeypatch.setattr(Following, "_load", forks)
    Following(engine, path, FOREVER, None, None, mapped=False, verify="full")._read(engine, None)
    assert other[0].status().alive
    other[0].close()


@pytest.mark.parametrize("cached", [0, 1, 450])
def test_what_was_cached_of_the_old_rules_is_dropped_and_open_views_go_on(path: Path, cached: int) -> None:
    asked = range(1, cached + 1)
    put(path, compiled(path.with_name("new"), *asked, 1000))
    engine = Engine(Snapshot.open(path, mapped=False))
    with engine.follow(path, FOREVER, guard=None) as following:
        before, view = engine._decider, engine.view(INDIA)
        expected = [view.check(tweet_id=tweet, account_id=7) for tweet in asked]
        assert len(before._kept) == cached
        put(path, compiled(path.with_name("new"), 2000))
        check(following)
        assert (len(before._kept), hidden(engine)) == (0, [])
        assert [view.check(tweet_id=tweet, account_id=7) for tweet in asked] == expected
        assert len(before._kept) == cached, "the view has decided again"
