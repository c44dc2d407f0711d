from __future__ import annotations

import pytest

from benchmarks import caches
from withhold import Decision, Outcome, Reference, Snapshot, engine_info


@pytest.mark.parametrize("native", [False, True], ids=["in Python", "in C"])
def test_questions_read_caches_as_often_as_documented(native, monkeypatch):
    if native and not engine_info().native:
        pytest.skip(engine_info().why)
    monkeypatch.setattr(caches, "REPEATS", 1)
    monkeypatch.setattr(caches, "NAMED", caches.NAMED[:200])
    monkeypatch.setattr(caches, "UNNAMED", caches.UNNAMED[:200])
    rules = caches.rules()
    pairs = (caches.NAMED[0], caches.UNNAMED[0])
    right = {pair: Reference(rules).check(pair, caches.VIEWER, caches.AT) for pair in pairs}
    found = caches.measure_questions(Snapshot.compile(rules, native=native), right)
    again = 0 if native else 1
    assert [round(reading.reads, 1) for reading in found] == [0, 3, again, 1, 1]


def test_a_wrong_answer_stops_the_measurement():
    rules = caches.rules()
    right = {pair: Decision(outcome=Outcome.VISIBLE) for pair in (caches.NAMED[0], caches.UNNAMED[0])}
    with pytest.raises(AssertionError, match="the reference gives another answer"):
        caches.measure_questions(Snapshot.compile(rules), right)
