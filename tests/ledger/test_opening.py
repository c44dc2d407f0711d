"""Ledgers are opened, created, upgraded or refused."""

from __future__ import annotations

import subprocess
import sys

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from tests.ledger.material import WHO, Balances, added, codes, drop_triggers, run_sql
from tests.ledger.server import needs_postgres
from withhold.ledger import EMPTY, Ledger, LedgerError, schema, verify


class Newer(Balances):
    """The same fold, which now counts from 100."""

    version = 2

    def apply(self, event, states):
        super().apply(event, states)
        name = event.data["name"]
        found = states.get("balance", name)
        if found is not None and found["events"] == 1:
            states.put("balance", name, {**found, "sum": found["sum"] + 100})


def refusal(url, folds=(), **more):
    with pytest.raises(LedgerError) as raised:
        Ledger.open(url, folds, **more)
    return codes(raised.value)


def test_no_ledger_is_made_unasked(url, tmp_path):
    for read_only in (False, True):
        assert refusal(url, read_only=read_only) == ["no-ledger"]
    assert list(tmp_path.glob("*.db*")) == []
    with Ledger.open(url, create=True) as made:
        assert made.head == EMPTY
    with Ledger.open(url) as opened:
        assert opened.head == EMPTY


def test_a_database_of_something_else_is_no_ledger_until_one_is_made_in_it(url, tmp_path):
    (tmp_path / "orders.db").touch()
    run_sql(url, "CREATE TABLE others (id integer)")
    assert refusal(url) == ["no-ledger"]
    with Ledger.open(url, create=True) as made:
        assert made.append([added("a")], **WHO).sequence == 1
    run_sql(url, "INSERT INTO others VALUES (1)")


@pytest.mark.parametrize(
    "url",
    [
        *("", "orders.db", "sqlite://", "sqlite:///:memory:", "mysql://host/x", "postgresql://host", "sqlite+x:///a"),
        *("sqlite:///file::memory:?uri=true", "sqlite:///file:a?mode=memory&uri=true", "sqlite:///a?b.db"),
    ],
)
def test_other_urls_are_refused(url):
    assert refusal(url, create=True) == ["bad-ledger-url"]


def test_a_password_is_in_no_message():
    with pytest.raises(LedgerError, match="ledger-unavailable") as raised:
        Ledger.open("postgresql://asha:hunter2@127.0.0.1:1/orders")
    assert "hunter2" not in str(raised.value)


def test_opening_for_reading_makes_nothing(url):
    with pytest.raises(TypeError, match="create-read-only"):
        Ledger.open(url, create=True, read_only=True)


def test_the_migrations_make_the_tables_of_the_schema(ledger):
    with ledger.database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "version_table": "ledger_version"})
        assert compare_metadata(context, schema.metadata) == []


def test_an_older_ledger_is_upgraded_on_request_and_gets_its_states_and_triggers(ledger, url):
    ledger.append([added("a", 2), added("a", 3)], **WHO)
    events = list(ledger.events())
    drop_triggers(url)
    run_sql(url, "DROP TABLE ledger_states", "DROP TABLE ledger_folds", "UPDATE ledger_version SET version_num = '1'")
    for read_only in (False, True):
        assert refusal(url, [Balances()], read_only=read_only) == ["old-ledger"]
    with Ledger.open(url, [Balances()], create=True) as upgraded:
        assert list(upgraded.events()) == events
        assert verify(upgraded, events[-1].head).states == 1
        assert upgraded.append([added("a")], **WHO).sequence == 3
        assert upgraded.state("balance", "a") == {"sum": 6, "events": 3}


@pytest.mark.parametrize("revision", ["3", "1.0", "x"])
def test_a_newer_ledger_is_refused_and_left_alone(ledger, url, revision):
    run_sql(url, f"UPDATE ledger_version SET version_num = '{revision}'")  # noqa: S608
    for more in ({}, {"create": True}, {"read_only": True}):
        assert refusal(url, [Balances()], **more) == ["new-ledger"]


def test_other_folds_compute_the_states_again_on_request(ledger, url):
    ledger.append([added("a", 2), added("b")], **WHO)
    assert refusal(url, [Newer()]) == ["projection-outdated"]
    with Ledger.open(url, [Newer()], read_only=True) as opened:
        with pytest.raises(LedgerError, match="projection-outdated"):
            verify(opened)
        assert opened.state("balance", "a") == {"sum": 2, "events": 1}
    with Ledger.open(url, [Newer()], create=True) as newer:
        assert newer.state("balance", "a") == {"sum": 102, "events": 1}
        assert verify(newer).states == 2
        # A process that still has the older fold can no longer write: its states would be mixed with the newer ones.
        with pytest.raises(LedgerError, match="projection-outdated"):
            ledger.append([added("a")], **WHO)
        assert newer.head.sequence == 2


def test_without_folds_a_ledger_with_states_is_read_only(ledger, url):
    ledger.append([added("a", 2)], **WHO)
    with Ledger.open(url) as opened:
        assert opened.state("balance", "a") == {"sum": 2, "events": 1}
        with pytest.raises(LedgerError, match="projection-outdated"):
            opened.append([added("a")], **WHO)
    assert ledger.head.sequence == 1


def test_events_that_were_inserted_without_their_states_are_noticed(ledger, url):
    ledger.append([added("a")], **WHO)
    run_sql(url, "UPDATE ledger_folds SET sequence = 0")
    assert refusal(url, [Balances()]) == ["projection-outdated"]


@pytest.mark.parametrize(
    ("missing", "code", "extra"),
    [
        ("sqlalchemy", "from withhold.ledger import Ledger", "demands"),
        ("psycopg", "from withhold.ledger import Ledger; Ledger.open('postgresql://127.0.0.1:1/x')", "postgres"),
    ],
)
def test_the_message_of_a_missing_library_names_the_extra(missing, code, extra):
    script = (
        f"import sys; sys.modules[{missing!r}] = None\ntry:\n    {code}\nexcept ImportError as error:\n    print(error)"
    )
    printed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert printed.startswith(f"`{missing}` is not installed [missing-extra]; install the extra `{extra}` of withhold")


@needs_postgres
def test_the_options_of_a_postgresql_url_are_kept(request):
    url = request.getfixturevalue("server").database()
    run_sql(url, "CREATE SCHEMA tenant")
    with Ledger.open(f"{url}{'&' if '?' in url else '?'}options=-csearch_path%3Dtenant", create=True) as ledger:
        ledger.append([added("a")], **WHO)
    assert refusal(url) == ["no-ledger"], "the ledger is in the schema that the URL names"
