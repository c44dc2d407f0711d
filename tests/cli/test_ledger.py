"""`withhold ledger`."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from tests.ledger.material import WHO, added, drop_triggers, run_sql
from withhold.cli.app import app
from withhold.demands.register import open_ledger


@pytest.fixture
def url(tmp_path, monkeypatch):
    """Make a ledger with three events, and name it in the environment."""
    found = f"sqlite:///{tmp_path}/orders.db"
    with open_ledger(found, create=True) as ledger:
        for name in "abc":
            ledger.append([added(name)], **WHO)
    monkeypatch.setenv("WITHHOLD_LEDGER", found)
    return found


def run(*arguments, status=0, **more):
    found = CliRunner().invoke(app, ["ledger", *map(str, arguments)], **more)
    assert (found.exit_code, type(found.exception)) in ((status, type(None)), (status, SystemExit)), found.output
    return found


def as_json(*arguments, status=0):
    return json.loads(run(*arguments, "--format", "json", status=status).stdout)


def test_a_ledger_is_verified_with_the_head_that_was_kept(url):
    kept = run("head").stdout.strip()
    assert as_json("head") == {"events": 3, "head": kept}
    assert "no head was given" in run("verify").stdout
    with open_ledger(url) as ledger:
        ledger.append([added("d")], **WHO)
    printed = run("verify", "--head", kept).stdout
    assert printed.startswith("4 events are unchanged; the head is ")
    assert "the given head is that of event 3; no head was given for the 1 events after it" in printed
    assert as_json("verify", "--head", kept) == {
        "valid": True,
        "events": 4,
        "head": as_json("head")["head"],
        "given": {"events": 3, "head": kept},
        "states": 0,
    }


@pytest.mark.parametrize("head", ["", "abc", "0" * 63, "g" * 64, "A" * 64, "0" * 65])
def test_something_else_than_a_head_is_a_usage_error(url, head):
    assert "is not a head as `withhold ledger head` prints it" in " ".join(
        run("verify", "--head", head, status=2).stderr.split()
    )


def test_a_ledger_that_was_changed_is_refused(url):
    drop_triggers(url)
    run_sql(url, "UPDATE ledger_events SET actor = 'mallory' WHERE sequence = 2")
    printed = run("verify", status=4)
    assert (printed.stdout, printed.stderr.splitlines()[-1]) == ("", "the ledger was refused: 2 problems")
    assert "event 2: the event was changed: its hash differs [event-changed]" in printed.stderr
    answer = as_json("verify", status=4)
    assert (answer["valid"], [problem["code"] for problem in answer["problems"]]) == (
        False,
        ["no-triggers", "event-changed"],
    )
    assert answer["problems"][1]["place"] == "event 2"
    run("head")  # damaged ledgers can be read
    run("export")


def test_a_ledger_of_another_version_is_upgraded(url, tmp_path):
    run_sql(url, "UPDATE ledger_folds SET version = 99")
    refused = run("verify", status=4).stderr
    assert "[projection-outdated]; run `withhold ledger upgrade`" in refused
    assert run("upgrade").stdout == "the ledger is up to date; events: 3\n"
    run("verify")
    assert as_json("upgrade") == as_json("head")
    run("upgrade", "--ledger", f"sqlite:///{tmp_path}/none.db", status=2)
    assert not (tmp_path / "none.db").exists()


def test_a_head_that_is_not_there_is_refused(url):
    assert "head-not-found" in run("verify", "--head", "f" * 64, status=4).stderr


def test_an_export_is_imported_from_a_file_or_standard_input(url, tmp_path):
    exported = run("export").stdout_bytes
    file = tmp_path / "orders.jsonl"
    file.write_bytes(exported)
    kept = as_json("head")
    for name, source, more in (("b", file, {}), ("c", "-", {"input": exported})):
        copy = f"sqlite:///{tmp_path}/{name}.db"
        printed = run("import", source, "--ledger", copy, **more).stdout
        assert printed == f"imported 3 events; compare the head with a copy that was kept elsewhere: {kept['head']}\n"
        assert as_json("head", "--ledger", copy) == kept
        assert run("export", "--ledger", copy).stdout_bytes == exported
        assert "ledger-not-empty" in run("import", file, "--ledger", copy, status=4).stderr
    assert as_json("import", file, "--ledger", f"sqlite:///{tmp_path}/d.db") == kept


def test_an_export_that_was_changed_is_refused(url, tmp_path):
    file = tmp_path / "orders.jsonl"
    file.write_bytes(run("export").stdout_bytes.replace(b"asha", b"ravi", 1))
    copy = f"sqlite:///{tmp_path}/copy.db"
    assert "line 1: the event was changed" in run("import", file, "--ledger", copy, status=4).stderr
    assert as_json("head", "--ledger", copy)["events"] == 0


@pytest.mark.parametrize("command", ["verify", "head", "export"])
def test_a_ledger_that_is_not_there_is_a_usage_error_and_is_not_made(command, tmp_path):
    url = f"sqlite:///{tmp_path}/none.db"
    printed = run(command, "--ledger", url, status=2)
    assert (printed.stdout, "--ledger" in printed.stderr) == ("", True)
    assert list(tmp_path.iterdir()) == []
    run(command, "--ledger", "mysql://host/x", status=2)
    run(command, status=2, env={"WITHHOLD_LEDGER": ""})


def test_a_server_that_does_not_answer_is_a_failure():
    printed = run("verify", "--ledger", "postgresql://asha:hunter2@127.0.0.1:1/orders", status=1)
    assert "ledger-unavailable" in printed.stderr
    assert "hunter2" not in printed.output


def test_without_the_extra_the_message_names_it(url):
    script = "import sys; sys.modules['sqlalchemy'] = None; from withhold.cli import main; sys.argv[1:] = ['ledger', 'head']; main()"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (1, "")
    assert found.stderr.startswith(
        "`sqlalchemy` is not installed [missing-extra]; install the extra `demands` of withhold"
    )
