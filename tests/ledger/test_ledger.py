"""What is recorded, and what is refused."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import text

from tests.ledger.material import WHO, Balances, added
from withhold.ledger import EMPTY, HeadMoved, Ledger, LedgerError, NewEvent
from withhold.ledger.reading import _TIP


def test_events_are_read_as_they_were_appended(ledger):
    assert ledger.head == EMPTY
    data = {"name": "नमस्ते \u2028", "amount": -(2**63), "more": [None, True, {"a": []}]}
    head = ledger.append([NewEvent("added", data), added("b")], **WHO, history="typed in later")
    first, second = ledger.events()
    assert (first.data, first.sequence, first.actor, first.tool, first.kind) == (data, 1, "asha", "tests 1", "added")
    assert (first.recorded_at, first.history) == ("2021-02-01T09:00:00.000000Z", "typed in later")
    assert (first.previous, second.previous, second.head) == (EMPTY.hash, first.hash, head)
    assert ledger.head == head
    assert [event.sequence for event in ledger.events(after=1)] == [2]
    assert [event.sequence for event in ledger.events(until=1)] == [1]


def test_the_instant_of_the_next_event_is_known_before_it_is_recorded(ledger, clock):
    for step in (0, -1, 2):
        clock.tick(timedelta(hours=step))
        expected = ledger.recorded_at()
        ledger.append([added("a")], **WHO)
        assert [*ledger.events()][-1].recorded_at == expected


def test_a_command_is_recorded_on_the_head_that_was_expected(ledger):
    one = ledger.append([added("a")], **WHO, expect=EMPTY)
    with pytest.raises(HeadMoved, match="head-moved"):
        ledger.append([added("a")], **WHO, expect=EMPTY)
    assert ledger.append([added("a")], **WHO, expect=one).sequence == 2


def test_a_key_is_looked_up_first(ledger):
    one = ledger.append([added("a"), added("b")], **WHO, key="k", expect=EMPTY)
    ledger.append([added("c")], **WHO)
    assert ledger.append([added("a"), added("b")], **WHO, key="k", expect=EMPTY) == one
    for events, more in (([added("a")], {}), ([added("a"), added("b")], {"actor": "ravi"})):
        with pytest.raises(LedgerError, match="key-reused"):
            ledger.append(events, **{**WHO, **more}, key="k")

    def refused(_head, _states):
        raise AssertionError

    assert ledger.write(lambda _head, _states: [added("d")], **WHO, key="w", content=["d"]).sequence == 4
    assert ledger.write(refused, **WHO, key="w", content=["d"]).sequence == 4
    with pytest.raises(LedgerError, match="key-reused"):
        ledger.write(refused, **WHO, key="w", content=["e"])
    with pytest.raises(TypeError, match="key-without-content"):
        ledger.write(refused, **WHO, key="x")


def test_the_clock_never_goes_back(ledger, clock):
    ledger.append([added("a")], **WHO)
    clock.tick(-timedelta(hours=1))
    ledger.append([added("a")], **WHO)
    clock.tick(timedelta(hours=2))
    ledger.append([added("a")], **WHO)
    times = [event.recorded_at[11:16] for event in ledger.events()]
    assert times == ["09:00", "09:00", "10:00"]


def test_the_past_is_recorded_with_a_reason_only(ledger):
    past, now = "2021-02-01T14:29:59.999999+05:30", "2021-02-01T09:00:00Z"
    with pytest.raises(LedgerError, match=r"event 2: .*backdated"):
        ledger.append([added("a", effective_at=now), added("a", effective_at=past)], **WHO)
    assert ledger.head == EMPTY
    ledger.append([added("a", effective_at=now)], **WHO)
    ledger.append([added("a", effective_at=past)], **WHO, history="the order was on paper")
    assert [event.history for event in ledger.events()] == [None, "the order was on paper"]


def test_states_are_those_after_the_last_event(ledger, url):
    ledger.append([added("a", 2), added("ab"), added("b"), added("a", 3), NewEvent("cleared", {"name": "b"})], **WHO)
    assert ledger.state("balance", "a") == {"sum": 5, "events": 2}
    assert ledger.state("balance", "b") is None
    assert [key for key, _ in ledger.states("balance")] == ["a", "ab"]
    assert [key for key, _ in ledger.states("balance", "ab")] == ["ab"]
    with Ledger.open(url, [Balances()]) as again:
        assert again.state("balance", "a") == {"sum": 5, "events": 2}


def test_a_command_sees_the_states_and_cannot_put_any(ledger):
    ledger.append([added("a", 2), added("b")], **WHO)

    def spend(head, states):
        assert (head.sequence, states.get("balance", "a")) == (2, {"sum": 2, "events": 1})
        assert [key for key, _ in states.scan("balance")] == ["a", "b"]
        return [added("a", -states.get("balance", "a")["sum"])]

    with ledger.rehearse(spend, **WHO) as (events, states):
        assert (len(events), states.get("balance", "a")) == (1, {"sum": 0, "events": 2})
    assert ledger.head.sequence == 2
    ledger.write(spend, **WHO)
    assert ledger.state("balance", "a") == {"sum": 0, "events": 2}
    with pytest.raises(TypeError, match="states-are-read-only"):
        ledger.write(lambda _, states: states.put("balance", "a", {}), **WHO)


def test_a_command_that_fails_or_has_nothing_to_do_records_nothing(ledger):
    assert ledger.write(lambda _head, _states: [], **WHO, key="k", content=1) == EMPTY
    with pytest.raises(ZeroDivisionError):
        ledger.write(lambda _head, _states: 1 / 0, **WHO)
    with pytest.raises(KeyError):  # from the fold
        ledger.append([added("a"), NewEvent("added", {"name": "b"})], **WHO)
    assert (ledger.head, ledger.state("balance", "a")) == (EMPTY, None)


def test_a_writer_looks_up_the_last_event_and_its_key_in_indexes(ledger):
    """Otherwise each command of a large ledger would take as long as it takes to read the ledger."""
    ledger.append([added("a")], **WHO)
    with ledger.database.reading() as connection:
        query = str(_TIP.params(with_key="k").compile(connection, compile_kwargs={"literal_binds": True}))
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET enable_seqscan = off"))  # which it prefers for a small table
        explain = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
        plan = [str(row) for row in connection.execute(text(f"{explain} {query}"))]
    assert [step for step in plan if re.search(r"SCAN ledger_events|Seq Scan on ledger_events", step)] == []
    assert any("ledger_events_key" in step for step in plan)
