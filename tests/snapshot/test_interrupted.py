"""Processes that are forked or interrupted while they serve, and threads that run after the main thread has ended."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from tests import forking
from tests.implementations import MakeSnapshot, each_snapshot
from withhold import Engine, Rule, RuleSet, Snapshot, SnapshotError, Viewer
from withhold.engine import engine as engine_room
from withhold.snapshot.stored import StoredRules

RULES = RuleSet(
    Rule(id=f"r{n}", tweets=[n], accounts=[9], withheld_in=["IN"], except_in=["US"], reason="terms")
    for n in range(1, 30)
)


class Taken:
    """A lock that is held and never released: by a thread that does not exist after a fork, or by interrupted code."""

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        assert not blocking
        assert timeout == -1, "nobody waits"
        return False

    def __enter__(self) -> None:
        pytest.fail("somebody waits for a lock")

    def __exit__(self, *_: object) -> None: ...


@each_snapshot
def test_answering_waits_for_no_lock(snapshot_of: MakeSnapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    made = 0

    def taken() -> Any:
        nonlocal made
        made += 1
        return Taken()

    for lock in ("snapshot.cache.Lock", "engine.engine.RLock"):
        monkeypatch.setattr(f"withhold.{lock}", taken)
    engine = Engine(snapshot_of(RULES))
    assert made >= 2
    for _ in range(2):
        view = engine.view(Viewer(country="IN"))
        assert [view.check(tweet_id=tweet).rule_id for tweet in (1, 2, 1)] == ["r1", "r2", "r1"]
        assert len(view.filter([(1, 5), (50, 9), (50, 50)]).hidden) == 2
        assert list(view.mask([1, 50], [1, 9])) == [1, 1]
        assert not engine.view(Viewer(country="US")).withholds(1, 9)
        assert not engine.anywhere((1, 9)).visible
        assert "r1" in str(engine.explain((1, 9), Viewer(country="IN")))


def test_a_file_can_be_opened_after_the_main_thread_has_ended(tmp_path: Path) -> None:
    Snapshot.compile(RULES).save(tmp_path / "rules.wh")
    script = """
        import sys, threading
        from withhold import Engine, Snapshot, Viewer

        def serve():
            threading.main_thread().join()
            for verify in ("header", "full"):
                view = Engine(Snapshot.open(sys.argv[1], verify=verify)).view(Viewer(country="IN"))
                print(verify, view.withholds(1, 1))

        threading.Thread(target=serve).start()
    """
    assert forking.output(dedent(script), tmp_path / "rules.wh") == "header True\nfull True\n"


def test_reading_the_rules_of_one_file_does_not_wait_for_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor for another thread that reads the same file: a process that is forked meanwhile would wait forever."""
    Snapshot.compile(RULES).save(tmp_path / "rules.wh")
    slow, quick = Snapshot.open(tmp_path / "rules.wh"), Snapshot.open(tmp_path / "rules.wh")
    begun, go_on = threading.Event(), threading.Event()
    read, shared = StoredRules.read, StoredRules._shared

    def late(wrapped: Any) -> Any:
        def wait(stored: StoredRules, *rest: Any) -> Any:
            if threading.current_thread() is not threading.main_thread():
                begun.set()
                assert go_on.wait(60)
            return wrapped(stored, *rest)

        return wait

    monkeypatch.setattr(StoredRules, "read", late(read))
    monkeypatch.setattr(StoredRules, "_shared", late(shared))
    for ask in (lambda snapshot: snapshot.rules, lambda snapshot: list(snapshot.rules_of(0)[0].tweets)):
        begun.clear()
        go_on.clear()
        with ThreadPoolExecutor(1) as thread:
            waiting = thread.submit(ask, slow)
            assert begun.wait(60)
            found = ask(quick), ask(slow)
            go_on.set()
            assert found == (waiting.result(), waiting.result())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="only where processes fork")
def test_a_process_that_is_forked_while_a_thread_activates_can_activate() -> None:
    script = """
        import os, signal, threading, warnings
        from withhold import Engine, Rule, RuleSet, Viewer
        import withhold.engine.engine as module

        warnings.simplefilter("ignore", DeprecationWarning)  # that there are threads, as there are in such servers
        engine, begun, compiled = Engine(RuleSet([])), threading.Event(), module._compiled

        def slowly(rules):
            if threading.current_thread() is not threading.main_thread():
                begun.set()
                threading.Event().wait()
            return compiled(rules)

        module._compiled = slowly
        rules = RuleSet([Rule(id="a", tweets=[5], withheld_in=["IN"], reason="terms")])
        threading.Thread(target=engine.activate, args=(rules,), daemon=True).start()
        begun.wait()
        child = os.fork()
        if child == 0:
            signal.alarm(120)
            engine.activate(rules)
            os._exit(0 if engine.view(Viewer(country="IN")).withholds(5, 6) else 1)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
        os._exit(0)
    """
    assert forking.output(dedent(script)) == "0\n"


def test_rules_that_a_handler_activates_while_its_thread_compiles_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    older, newer = RULES, RuleSet([Rule(id="new", tweets=[77], withheld_in=["IN"], reason="terms")])
    engine = Engine(RuleSet([]))
    compiled = engine_room._compiled

    def interrupted(rules: RuleSet) -> Snapshot:
        if rules is older:
            engine.activate(newer)
            assert engine.snapshot.revision == newer.revision
        return compiled(rules)

    monkeypatch.setattr(engine_room, "_compiled", interrupted)
    engine.activate(older)
    assert engine.snapshot.revision == newer.revision


def test_a_file_is_verified_even_if_no_thread_can_be_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "rules.wh"
    Snapshot.compile(RULES).save(path)
    whole = path.read_bytes()
    monkeypatch.setattr("threading.Thread.start", _refused)
    assert Snapshot.open(path).rules == RULES
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(SnapshotError, match="has changed since it was written"):
        Snapshot.open(path)


def _refused(_: object) -> None:
    raise RuntimeError("can't start new thread")
