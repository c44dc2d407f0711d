"""Engines, views and caches in processes that fork, are interrupted, or exchange values."""

from __future__ import annotations

import copy
import json
import os
import pickle
import threading
from pathlib import Path
from textwrap import dedent
from typing import Any, get_type_hints

import pytest
from cachetools import FIFOCache

from tests import forking
from tests.implementations import MakeSnapshot, each_snapshot
from withhold import (
    Decision,
    Engine,
    Rule,
    RuleSet,
    RuleSetError,
    Snapshot,
    SubjectTypeError,
    Tweet,
    TweetDecisions,
    Viewer,
)
from withhold.engine import engine as engine_room
from withhold.snapshot import cache as caches
from withhold.snapshot.cache import Cache


def ruled(name: str, tweet: int) -> RuleSet:
    return RuleSet([Rule(id=name, tweets=[tweet], withheld_in=["IN"], reason="terms")])


OLD, NEW, OTHER = ruled("old", 1), ruled("new", 2), ruled("other", 3)


class LateError(Exception):
    """Raised by a signal handler at a deadline."""


def no_rules(engine: Engine) -> None:
    with pytest.raises(SubjectTypeError):
        engine.activate(None)  # type: ignore[arg-type]


def deadline(engine: Engine) -> None:
    with pytest.raises(LateError):
        engine.activate(OTHER)


@pytest.mark.parametrize("handler", [no_rules, deadline])
def test_c1_a_failed_activation_in_a_handler_does_not_undo_the_one_it_interrupted(
    handler: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, compiled = Engine(OLD), engine_room._compiled

    def interrupted(rules: RuleSet) -> Snapshot:
        if rules is OTHER:
            raise LateError
        if rules is NEW:
            handler(engine)
        return compiled(rules)

    monkeypatch.setattr(engine_room, "_compiled", interrupted)
    engine.activate(NEW)
    assert engine.snapshot.revision == NEW.revision


def test_c1_of_waiting_threads_the_last_one_to_call_activate_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if the last one gets the lock first, as a signal handler does while its thread waits."""
    engine, compiled = Engine(OLD), engine_room._compiled

    class Lock:
        """While the first thread waits for this lock, another one overtakes it."""

        overtaken = False

        def __enter__(self) -> None:
            if not Lock.overtaken:
                Lock.overtaken = True
                engine.activate(NEW)

        def __exit__(self, *_: object) -> None: ...

    monkeypatch.setattr(engine, "_activating", Lock())
    engine.activate(OTHER)
    assert engine.snapshot.revision == NEW.revision
    engine.activate(OLD)
    assert engine.snapshot.revision == OLD.revision
    assert compiled(OLD).revision == OLD.revision


@pytest.mark.skipif(not hasattr(os, "fork"), reason="only where processes fork")
@each_snapshot
def test_c10_a_child_forked_while_another_thread_writes_to_a_cache_can_use_the_cache(
    snapshot_of: MakeSnapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine(snapshot_of(OLD))
    begun, end = threading.Event(), threading.Event()
    kept: Cache[Any, Any] = engine._decider._kept
    write = FIFOCache.__setitem__

    def slowly(self: Any, key: object, value: object) -> None:
        if threading.current_thread() is not threading.main_thread():
            begun.set()
            assert end.wait(60)
        write(self, key, value)

    monkeypatch.setattr(FIFOCache, "__setitem__", slowly)
    thread = threading.Thread(target=kept.keep, args=("half", "written"))
    thread.start()
    assert begun.wait(60)
    # Call the hook without a fork. In a child the writing thread would not exist, but its lock would still be held.
    caches._CACHES.restore()
    view = engine.view(Viewer(country="IN"))
    first = view.check(tweet_id=1)
    assert len(kept) == 1
    assert view.check(tweet_id=1) is first
    end.set()
    thread.join()
    assert "half" not in kept._kept, "no half-written entry is kept"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="only where processes fork")
def test_c10_the_hook_is_called_in_a_child() -> None:
    script = """
        import os, warnings
        from withhold.snapshot.cache import Cache

        cache = Cache(2)
        cache._lock.acquire()
        if (child := os.fork()) == 0:
            cache.keep("a", 1)
            os._exit(0 if cache.recall("a") == 1 else 1)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), cache._lock.locked())
    """
    assert forking.output(dedent(script)) == "0 True\n"


def test_c10_a_cache_works_after_a_handler_interrupted_a_write(monkeypatch: pytest.MonkeyPatch) -> None:
    """cachetools writes in several steps. Between them its parts are inconsistent."""
    cache: Cache[int, int] = Cache(2)
    cache.keep(1, 1)
    cache.keep(2, 2)
    popped = FIFOCache.popitem

    def interrupted(self: Any) -> Any:
        popped(self)
        raise LateError

    with monkeypatch.context() as patched:
        patched.setattr(FIFOCache, "popitem", interrupted)
        with pytest.raises(LateError):
            cache.keep(3, 3)
    for key in range(4, 9):
        cache.keep(key, key)
        assert cache.recall(key) == key
    assert len(cache) == 2


def test_c11_type_checkers_check_the_code_after_a_truth_test_of_a_decision() -> None:
    """With `NoReturn` the rest of the function was unreachable and not checked."""
    for kind in (Decision, TweetDecisions):
        assert get_type_hints(kind.__bool__)["return"] is bool
    view = Engine(OLD).view(Viewer(country="IN"))
    for found in (view.check(tweet_id=1), view.check_tweet(Tweet(1, 5))):
        with pytest.raises(TypeError, match=r"decision-truth\]; use \.(decision\.)?visible"):
            bool(found)


def test_c12_a_viewer_can_be_created_again_from_its_dict() -> None:
    for viewer in (
        Viewer(country="US", subdivisions=["US-MS"], account_id=2**63 - 1, signal="the edge"),
        Viewer.unknown(account_id=17),
        Viewer(country="IN"),
    ):
        assert Viewer(**viewer.to_dict()) == viewer
        assert Viewer(**json.loads(json.dumps(viewer.to_dict()))) == viewer


@each_snapshot
def test_c12_objects_that_belong_to_a_process_say_what_to_send_instead(snapshot_of: MakeSnapshot) -> None:
    engine = Engine(snapshot_of(OLD))
    for thing, hint in (
        (engine, "the path of a snapshot, or a `RuleSet`"),
        (engine.view(Viewer(country="IN")), "its `viewer` and `at`"),
        (engine.snapshot, "save it, send the path"),
    ):
        for send in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match=r"\[not-picklable\]") as caught:
                send(thing)
            assert hint in str(caught.value)
    again = pickle.loads(pickle.dumps((OLD, engine.check((1, 5), Viewer(country="IN")))))  # noqa: S301
    assert again == (OLD, engine.check((1, 5), Viewer(country="IN")))


def test_c12_loading_a_snapshot_as_rules_says_how_to_open_it(tmp_path: Path) -> None:
    Snapshot.compile(OLD).save(tmp_path / "rules.wh")
    with pytest.raises(
        RuleSetError, match=r"this is a snapshot, not a rule file \[not-rules\]; open it with `Snapshot.open`"
    ):
        RuleSet.load(tmp_path / "rules.wh")
