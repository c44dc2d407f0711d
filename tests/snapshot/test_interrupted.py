"""Processes that are forked or interrupted while they serve, and threads that go on when the first has ended."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from tests.implementations import MakeSnapshot, each_snapshot
from withhold import Engine, Rule, RuleSet, Snapshot, Viewer

RULES = RuleSet(
    Rule(id=f"r{n}", tweets=[n], accounts=[9], withheld_in=["IN"], except_in=["US"], reason="terms")
    for n in range(1, 30)
)


class Taken:
    """A lock that somebody has and will never give back: a thread that a fork left behind, or the code that a signal
    interrupted.
    """

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        assert not blocking
        assert timeout == -1, "nobody waits"
        return False

    def __enter__(self) -> None:
        pytest.fail("somebody waits for a lock")

    def __exit__(self, *_: object) -> None: ...


@each_snapshot
def test_no_answer_waits_for_a_lock(snapshot_of: MakeSnapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    made = 0

    def taken() -> Any:
        nonlocal made
        made += 1
        return Taken()

    for module in ("snapshot.opened", "engine.decider", "engine.engine"):
        monkeypatch.setattr(f"withhold.{module}.Lock", taken)
    engine = Engine(snapshot_of(RULES))
    assert made >= 2
    for _ in range(2):
        view = engine.view(Viewer(country="IN"))
        assert [view.check(tweet).rule_id for tweet in (1, 2, 1)] == ["r1", "r2", "r1"]
        assert len(view.filter([(1, 5), (50, 9), (50, 50)]).withheld) == 2
        assert list(view.mask([1, 50], [1, 9])) == [1, 1]
        assert not engine.view(Viewer(country="US")).withholds(1, 9)
        assert not engine.anywhere((1, 9)).visible
        assert "r1" in str(engine.explain((1, 9), Viewer(country="IN")))


def test_what_is_saved_can_be_opened_when_the_main_thread_has_ended(tmp_path: Path) -> None:
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
    command = [sys.executable, "-c", dedent(script), str(tmp_path / "rules.wh")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout.split(), done.stderr) == (["header", "True", "full", "True"], "")
