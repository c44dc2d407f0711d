"""The database itself refuses to change, remove or reorder events, and opening refuses a database that does not."""

# ruff: noqa: S608  # the statements are those of an attacker

from __future__ import annotations

import pytest
from sqlalchemy.exc import DBAPIError

from tests.ledger.material import WHO, Balances, added, drop_triggers, in_both, run_sql
from withhold.ledger import Ledger, LedgerError, verify

_COLUMNS = "sequence, actor, tool, recorded_at, kind, data, history, key, content, previous, hash"
_LAST = "(SELECT hash FROM ledger_events WHERE sequence = 3)"
_ZEROS = f"'{'0' * 64}'"


def _row(sequence: object, previous: str, key: str = "NULL") -> str:
    return f"{sequence}, 'a', 't', '2021-02-01T09:00:00.000000Z', 'added', '{{}}', NULL, {key}, NULL, {previous}, 'x'"


def _insert(sequence: int, previous: str, key: str = "NULL", how: str = "INSERT", more: str = "") -> str:
    return f"{how} INTO ledger_events ({_COLUMNS}) VALUES ({_row(sequence, previous, key)}) {more}"


ATTACKS = {
    "update": "UPDATE ledger_events SET data = '{}' WHERE sequence = 2",
    "update of nothing": "UPDATE ledger_events SET actor = actor",
    "update of the sequence": "UPDATE ledger_events SET sequence = 9 WHERE sequence = 3",
    "delete the last": "DELETE FROM ledger_events WHERE sequence = 3",
    "delete all": "DELETE FROM ledger_events",
    "insert a gap": _insert(5, _LAST),
    "insert at the beginning": _insert(0, _ZEROS),
    "insert a negative number": _insert(-1, _ZEROS),
    "insert again": _insert(3, "(SELECT hash FROM ledger_events WHERE sequence = 2)"),
    "insert on another event": _insert(4, "(SELECT hash FROM ledger_events WHERE sequence = 2)"),
    "insert on no event": _insert(4, _ZEROS),
    "insert a used key": _insert(4, _LAST, "'k'"),
    "upsert": _insert(3, _LAST, more="ON CONFLICT (sequence) DO UPDATE SET data = excluded.data"),
    "two events, one of them out of order": f"INSERT INTO ledger_events ({_COLUMNS}) VALUES ({_row(4, _LAST)}), ({_row(6, _LAST)})",
}
IN_SQLITE = {
    "replace": _insert(3, _LAST, how="REPLACE"),
    "replace the next": _insert(3, "(SELECT hash FROM ledger_events WHERE sequence = 2)", how="INSERT OR REPLACE"),
    "update or ignore": "UPDATE OR IGNORE ledger_events SET data = '{}'",
    "insert or ignore": _insert(3, _LAST, how="INSERT OR IGNORE"),
    "update or replace": "UPDATE OR REPLACE ledger_events SET sequence = 2 WHERE sequence = 3",
    "insert without a number": f"INSERT INTO ledger_events ({_COLUMNS}) VALUES ({_row('NULL', _ZEROS)})",
}
IN_POSTGRESQL = {
    "truncate": "TRUNCATE ledger_events",
    "as a replica": "SET session_replication_role = replica; DELETE FROM ledger_events",
    "insert as a replica": f"SET session_replication_role = replica; {_insert(9, _LAST)}",
    "copy": "CREATE TABLE t AS SELECT * FROM ledger_events; INSERT INTO ledger_events SELECT * FROM t",
}


@pytest.fixture
def filled(ledger):
    ledger.append([added("a"), added("b")], **WHO, key="k")
    ledger.append([added("c")], **WHO)
    return ledger


@pytest.mark.parametrize(("url", "attack"), in_both(ATTACKS, IN_SQLITE, IN_POSTGRESQL), indirect=["url"])
def test_the_database_refuses(attack, filled, url):
    before = list(filled.events())
    with pytest.raises(DBAPIError, match="append-only"):
        run_sql(url, attack)
    assert list(filled.events()) == before
    assert verify(filled).head.sequence == 3


def test_the_next_event_may_be_inserted(filled, url):
    """Otherwise the tests above would pass for any statement."""
    run_sql(url, _insert(4, _LAST))
    assert filled.head.sequence == 4


WEAKENED_IN_SQLITE = {
    "with one more, which drops events in silence": [
        "CREATE TRIGGER more BEFORE INSERT ON ledger_events BEGIN SELECT RAISE(IGNORE); END"
    ],
    "with one more, which changes states": [
        "CREATE TRIGGER more AFTER INSERT ON ledger_states BEGIN UPDATE ledger_states SET data = '{}'; END"
    ],
    "dropped": ["DROP TRIGGER ledger_events_delete"],
    "for one column": [
        "DROP TRIGGER ledger_events_update",
        "CREATE TRIGGER ledger_events_update BEFORE UPDATE OF actor ON ledger_events BEGIN SELECT RAISE(ABORT, 'no'); END",
    ],
    "without effect": [
        "DROP TRIGGER ledger_events_insert",
        "CREATE TRIGGER ledger_events_insert BEFORE INSERT ON ledger_events BEGIN SELECT 1; END",
    ],
    "on another table": [
        "DROP TRIGGER ledger_events_delete",
        "CREATE TRIGGER ledger_events_delete BEFORE DELETE ON ledger_states BEGIN SELECT RAISE(ABORT, 'no'); END",
    ],
}
WEAKENED_IN_POSTGRESQL = {
    "with one more, which drops events in silence": [
        "CREATE FUNCTION more() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NULL; END$$",
        "CREATE TRIGGER more BEFORE INSERT ON ledger_events FOR EACH ROW EXECUTE FUNCTION more()",
    ],
    "with a rule, which drops events in silence": ["CREATE RULE more AS ON INSERT TO ledger_events DO INSTEAD NOTHING"],
    "dropped": ["DROP TRIGGER ledger_events_change ON ledger_events"],
    "disabled": ["ALTER TABLE ledger_events DISABLE TRIGGER ledger_events_insert"],
    "not for replicas": ["ALTER TABLE ledger_events ENABLE TRIGGER ledger_events_change"],
    "for one event": [
        "DROP TRIGGER ledger_events_change ON ledger_events",
        "CREATE TRIGGER ledger_events_change BEFORE UPDATE ON ledger_events EXECUTE FUNCTION ledger_events_change()",
        "ALTER TABLE ledger_events ENABLE ALWAYS TRIGGER ledger_events_change",
    ],
    "without effect": [
        "CREATE OR REPLACE FUNCTION ledger_events_change() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$"
    ],
    "with a condition": [
        "DROP TRIGGER ledger_events_insert ON ledger_events",
        (
            "CREATE TRIGGER ledger_events_insert BEFORE INSERT ON ledger_events FOR EACH ROW WHEN (false) "
            "EXECUTE FUNCTION ledger_events_insert()"
        ),
        "ALTER TABLE ledger_events ENABLE ALWAYS TRIGGER ledger_events_insert",
    ],
}


@pytest.mark.parametrize(("url", "weakened"), in_both({}, WEAKENED_IN_SQLITE, WEAKENED_IN_POSTGRESQL), indirect=["url"])
def test_a_ledger_whose_triggers_are_missing_or_weaker_is_not_opened_except_to_read(weakened, filled, url):
    run_sql(url, *weakened)
    for create in (False, True):  # `create=True` must not hide that somebody changed them
        with pytest.raises(LedgerError, match="no-triggers"):
            Ledger.open(url, [Balances()], create=create)
    with Ledger.open(url, [Balances()], read_only=True) as opened:
        assert opened.head == filled.head
        with pytest.raises(LedgerError, match="no-triggers"):
            verify(opened)
        with pytest.raises(LedgerError, match=r"\[read-only\]"):
            opened.append([added("a")], **WHO)


def test_all_triggers_that_are_missing_are_named(ledger, url):
    drop_triggers(url)
    with pytest.raises(
        LedgerError, match=r"`ledger_events_update`, `ledger_events_delete`|`ledger_events_change`, `led"
    ):
        Ledger.open(url, [Balances()])
