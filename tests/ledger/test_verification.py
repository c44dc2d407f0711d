"""Every change of the past is found, even if the owner of the database made it."""

# ruff: noqa: S608  # the statements are those of an attacker

from __future__ import annotations

import json
from io import BytesIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from tests.ledger.material import WHO, Balances, added, codes, drop_triggers, run_sql
from withhold.ledger import EMPTY, Head, Ledger, LedgerError, NewEvent, export, schema, triggers, verify
from withhold.ledger.event import Row, canonical, hash_of

EVENTS = 6


def fill(ledger):
    """Record six events, and return the heads after each."""
    ledger.append([added("a", 2), added("b", note='x,"}\\')], **WHO, key="k-1")
    ledger.append([added("c", effective_at="2021-01-01T00:00:00Z")], **WHO, history="on paper", key="k-2")
    ledger.append([added("a", 3), NewEvent("cleared", {"name": "b"}), added("d")], **WHO)
    return [EMPTY, *(event.head for event in ledger.events())]


@pytest.fixture
def heads(ledger):
    return fill(ledger)


def problems(url):
    """Verify a ledger that lost its triggers, which somebody made again afterwards. Return the codes, without repetitions."""
    with Ledger.open(url, [Balances()], read_only=True) as opened:
        with opened.database._engine.begin() as connection:
            triggers.install(connection)
        with pytest.raises(LedgerError) as raised:
            verify(opened)
    return list(dict.fromkeys(codes(raised.value)))


def attack(url, *statements):
    drop_triggers(url)
    run_sql(url, *statements)


def test_a_ledger_is_verified_with_and_without_a_head(ledger, heads):
    found = verify(ledger)
    assert (found.head, found.given, found.states) == (heads[-1], None, 3)
    assert "no head was given: this does not show whether the last events were removed" in str(found)
    for head in heads:
        for given_ in (head, head.hash):
            found = verify(ledger, given_)
            assert (found.head, found.given, found.states) == (heads[-1], head, 3)
            later = EVENTS - head.sequence
            assert (f"no head was given for the {later} events after it" in str(found)) is (later > 0)
            assert found.to_dict()["given"] == {"events": head.sequence, "head": head.hash}


def test_a_head_of_another_event_or_ledger_is_not_found(ledger, heads):
    for head in ("f" * 64, heads[2].hash.upper(), Head(3, heads[2].hash), Head(2, "f" * 64), Head(1, EMPTY.hash)):
        with pytest.raises(LedgerError, match=r"head-not-found") as raised:
            verify(ledger, head)
        assert (head if isinstance(head, str) else head.hash) in str(raised.value)


def test_progress_is_reported_up_to_the_end(ledger, heads, monkeypatch):
    monkeypatch.setattr("withhold.ledger.progress._STEP", 2)
    calls = []
    verify(ledger, progress=lambda done, whole: calls.append((done, whole)))
    assert calls == [(2, 9), (4, 9), (6, 9), (6, 9), (8, 9), (9, 9)]


@pytest.mark.parametrize("column", [column for column in Row._fields if column != "sequence"])
def test_a_change_of_any_field_of_any_event_is_found(ledger, heads, url, column):
    drop_triggers(url)
    values = {"hash": "f" * 64, "previous": heads[1].hash, "key": "k-1", "data": '{"name":"a","amount":2}'}
    for sequence in range(1, EVENTS + 1):
        # Reverted after each, so that one test tries all.
        of_event = f"WHERE sequence = {sequence}"
        with ledger.database.reading() as connection:
            before = connection.execute(
                select(schema.events.c[column]).where(schema.events.c.sequence == sequence)
            ).scalar()
        value = values.get(column, "x") if before != values.get(column, "x") else "y"
        for changed in [value, *([None] if before is not None and column in ("history", "key", "content") else [])]:
            set_to(ledger, sequence, column, changed)
            assert "event-changed" in problems(url), (of_event, changed)
            drop_triggers(url)
        set_to(ledger, sequence, column, before)
    with Ledger.open(url, [Balances()], read_only=True) as opened:
        with pytest.raises(LedgerError) as raised:
            verify(opened)
        assert codes(raised.value) == ["no-triggers"]


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("column", [column for column in Row._fields if column != "sequence"])
def test_a_value_of_another_type_is_found(ledger, heads, url, column):
    attack(url, f"UPDATE ledger_events SET {column} = CAST({column} AS BLOB) WHERE sequence = 2")
    if column == "history":  # it is NULL, and stays so
        run_sql(url, "UPDATE ledger_events SET history = x'80' WHERE sequence = 2")
    assert "event-changed" in problems(url)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_text_that_is_not_utf_8_is_found(ledger, heads, url):
    attack(url, "UPDATE ledger_events SET actor = CAST(x'80' AS TEXT) WHERE sequence = 2")
    assert problems(url) == ["ledger-unavailable"]


def set_to(ledger, sequence, column, value):
    with ledger.database.writing() as connection:
        connection.execute(update(schema.events).where(schema.events.c.sequence == sequence).values({column: value}))


def _copy(sequence, key_and_content, of):
    columns = f"{sequence}, actor, tool, recorded_at, kind, data, history, {key_and_content}, previous, hash"
    return f"INSERT INTO ledger_events SELECT {columns} FROM ledger_events WHERE sequence = {of}"


MOVES = {
    "the first is removed": ["DELETE FROM ledger_events WHERE sequence = 1"],
    "one is removed": ["DELETE FROM ledger_events WHERE sequence = 3"],
    "one is removed, and the gap closed": [
        "DELETE FROM ledger_events WHERE sequence = 3",
        "UPDATE ledger_events SET sequence = -sequence WHERE sequence > 3",
        "UPDATE ledger_events SET sequence = -sequence - 1 WHERE sequence < 0",
    ],
    "two are swapped": [
        "UPDATE ledger_events SET sequence = 99 WHERE sequence = 3",
        "UPDATE ledger_events SET sequence = 3 WHERE sequence = 4",
        "UPDATE ledger_events SET sequence = 4 WHERE sequence = 99",
    ],
    "one is repeated at the end": [_copy(7, "NULL, NULL", 6)],
    "one is hidden before the first": [_copy(0, "'k-9', 'x'", 1)],
    "one is hidden far before the first": [_copy(-(2**63), "key, content", 1)],
    "the last moved away": ["UPDATE ledger_events SET sequence = 9223372036854775807 WHERE sequence = 6"],
}


@pytest.mark.parametrize("move", MOVES)
def test_events_that_were_removed_added_or_moved_are_found(ledger, heads, url, move):
    attack(url, *MOVES[move])
    assert set(problems(url)) & {"event-missing", "event-changed"}


def cut(url, head):
    """Remove the events after a head, and make the projection fit."""
    attack(
        url,
        f"DELETE FROM ledger_events WHERE sequence > {head.sequence}",
        "UPDATE ledger_folds SET version = 0",
    )
    with Ledger.open(url, [Balances()], read_only=True) as opened, opened.database._engine.begin() as connection:
        triggers.install(connection)
    Ledger.open(url, [Balances()], create=True).close()


def test_the_removal_of_the_last_events_is_found_with_a_head_only(ledger, heads, url):
    cut(url, heads[4])
    with Ledger.open(url, [Balances()]) as opened:
        assert verify(opened).head == heads[4]
        assert verify(opened, heads[4]).given == heads[4]
        assert verify(opened, heads[3]).given == heads[3]
        for head in heads[5:]:
            with pytest.raises(LedgerError, match="head-not-found"):
                verify(opened, head)


def test_a_ledger_that_was_rewritten_as_a_whole_is_found_with_a_head_only(ledger, heads, url):
    drop_triggers(url)
    with ledger.reading() as reading:
        rows = list(reading.rows())
    previous = EMPTY.hash
    with ledger.database.writing() as connection:
        for row in rows:
            data = {**json.loads(row.data), "amount": 9}
            forged = row._replace(data=canonical(data), previous=previous)
            forged = forged._replace(hash=hash_of(forged))
            previous = forged.hash
            where = schema.events.c.sequence == row.sequence
            connection.execute(update(schema.events).where(where).values(**forged._asdict()))
    cut(url, Head(EVENTS, previous))
    with Ledger.open(url, [Balances()]) as opened:
        assert (verify(opened).head.sequence, opened.state("balance", "a")) == (6, {"sum": 18, "events": 2})
        for head in heads[1:]:
            with pytest.raises(LedgerError, match="head-not-found"):
                verify(opened, head)


def append_forged(ledger, **fields):
    """Append an event past the package, with a right hash."""
    with ledger.reading() as reading:
        last = reading.last()
    forged = Row(
        last.sequence + 1,
        "a",
        "t",
        last.recorded_at,
        "added",
        '{"amount":1,"name":"a"}',
        None,
        None,
        None,
        last.hash,
        "",
    )._replace(**fields)
    with ledger.database.writing() as connection:
        connection.execute(schema.events.insert().values(**forged._replace(hash=hash_of(forged))._asdict()))


FORGED = {
    "before the last": ({"recorded_at": "2021-02-01T08:59:59.999999Z"}, "event-changed"),
    "at no instant": ({"recorded_at": "2021-02-01T09:00:00Z"}, "event-changed"),
    "in the past": ({"data": '{"amount":1,"effective_at":"2020-01-01T00:00:00Z","name":"a"}'}, "backdated"),
    "at no time": ({"data": '{"amount":1,"effective_at":"soon","name":"a"}'}, "not-an-instant"),
    "at a number": ({"data": '{"amount":1,"effective_at":5,"name":"a"}'}, "not-an-instant"),
    "without an actor": ({"actor": ""}, "bad-event-text"),
    "a bell": ({"tool": "t\x07"}, "control-character"),
    "a kind that is none": ({"kind": "Added!"}, "bad-event-kind"),
    "a list": ({"data": "[]"}, "event-changed"),
    "a float": ({"data": '{"amount":1.5,"name":"a"}'}, "event-changed"),
    "NaN": ({"data": '{"amount":NaN,"name":"a"}'}, "event-changed"),
    "no JSON": ({"data": "{"}, "event-changed"),
    "two objects": ({"data": "{} {}"}, "event-changed"),
    "deep": ({"data": '{"a":' + "[" * 100_000 + "]" * 100_000 + "}"}, "event-changed"),
    "a huge number": ({"data": '{"a":' + "9" * 5_000 + "}"}, "event-changed"),
    "no name for the fold": ({"data": "{}"}, "event-not-foldable"),
}


@pytest.mark.parametrize("forged", FORGED)
def test_an_event_that_no_command_records_is_found(ledger, heads, forged):
    fields, code = FORGED[forged]
    append_forged(ledger, **fields)
    with pytest.raises(LedgerError) as raised:
        verify(ledger)
    assert codes(raised.value)[0] == "projection-outdated"
    assert code in codes(raised.value)


def test_a_key_that_is_used_again_is_found(ledger, heads, url):
    drop_triggers(url)
    append_forged(ledger, key="k-1", content="x")
    assert "key-reused" in problems(url)


STATES = {
    "changed": "UPDATE ledger_states SET data = '{\"events\":2,\"sum\":6}' WHERE key = 'a'",
    "written otherwise": "UPDATE ledger_states SET data = '{\"sum\":5,\"events\":2}' WHERE key = 'a'",
    "removed": "DELETE FROM ledger_states WHERE key = 'c'",
    "added": "INSERT INTO ledger_states VALUES ('balance', 'e', '{\"events\":2,\"sum\":6}', 6, 'x')",
    "a removed one": "INSERT INTO ledger_states VALUES ('balance', 'b', '{\"events\":1,\"sum\":1}', 2, 'x')",
    "of another event": "UPDATE ledger_states SET sequence = 1 WHERE key = 'a'",
    "of another hash": f"UPDATE ledger_states SET hash = '{'0' * 64}' WHERE key = 'a'",
    "of another kind": "UPDATE ledger_states SET kind = 'other' WHERE key = 'a'",
}


@pytest.mark.parametrize("change", STATES)
def test_a_state_that_does_not_follow_from_the_events_is_found(ledger, heads, url, change):
    run_sql(url, STATES[change])
    assert problems(url) == ["state-changed"]
    with Ledger.open(url) as without:
        assert "the current states were not compared" in str(verify(without, heads[-1]))


def test_a_million_problems_are_not_listed(ledger, url):
    ledger.append([added("a") for _ in range(300)], **WHO)
    attack(url, "UPDATE ledger_events SET actor = 'mallory'")
    with Ledger.open(url, [Balances()], read_only=True) as opened, pytest.raises(LedgerError) as raised:
        verify(opened)
    assert (len(raised.value.problems), codes(raised.value)[-1]) == (101, "more-problems")


text = st.text(st.characters(codec="utf-8"), max_size=4)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(st.dictionaries(text, values, max_size=4)))
def test_any_data_is_verified_and_read_back(tmp_path_factory, datas):
    url = f"sqlite:///{tmp_path_factory.mktemp('any')}/orders.db"
    datas = [{**data, "name": "a", "amount": 1} for data in datas]
    for data in datas:
        data.pop("effective_at", None)
    with Ledger.open(url, [Balances()], create=True) as opened:
        head = opened.append([NewEvent("added", data) for data in datas], **WHO)
        assert verify(opened, head).head.sequence == len(datas)
        assert [event.data for event in opened.events()] == datas


def test_others_may_write_while_a_ledger_is_verified_or_exported(ledger, heads, monkeypatch):
    monkeypatch.setattr("withhold.ledger.progress._STEP", 1)
    written = []

    def write(*_):
        written.append(ledger.append([added("a")], **WHO))

    assert (verify(ledger, progress=write).head, len(written)) == (heads[-1], EVENTS + 3 + 2)
    kept = ledger.head
    with BytesIO() as stream:
        assert export(ledger, stream, progress=write) == kept
        assert len(stream.getvalue().splitlines()) == kept.sequence + 1
    assert verify(ledger, kept).head == ledger.head != kept
