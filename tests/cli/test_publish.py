"""`withhold publish`, `sign`, `refresh` and `keys`."""

from __future__ import annotations

import getpass
import json
import logging
import signal
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from tests.live.material import private_line
from withhold import Snapshot
from withhold.cli.app import app
from withhold.live import Publisher

PASSWORD = "correct horse battery staple"  # noqa: S105
IN = "rules:\n- {id: in-1, accounts: [1101, 1102], withheld_in: [IN], reason: legal_demand}\n"
TR = "rules:\n- {id: tr-1, tweets: [7], withheld_in: [TR], reason: legal_demand}\n"
CASES = """\
rules: in.yaml
cases:
- {it: is withheld, account: 1101, at: 2026-01-01T00:00:00Z, expect: {IN: withheld, US: visible}}
"""
KEYS = ("--key", "k/targets.pem", "--key", "k/online.pem")


@pytest.fixture(autouse=True)
def there(tmp_path, monkeypatch):
    """Make a repository, and name it in the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WITHHOLD_KEY_PASSWORD", PASSWORD)
    monkeypatch.setenv("WITHHOLD_STORE", (tmp_path / "store").as_uri())
    monkeypatch.setenv("WITHHOLD_TRUSTED_ROOT", "k/trusted-root.json")
    (tmp_path / "in.yaml").write_text(IN)
    (tmp_path / "tr.yaml").write_text(TR)
    run("keys", "init", "--keys", "k")
    return tmp_path


def run(*arguments, status=0, **more):
    found = CliRunner().invoke(app, [*map(str, arguments)], **more)
    assert (found.exit_code, type(found.exception)) in ((status, type(None)), (status, SystemExit)), found.output
    return found


def published(*arguments, status=0):
    return json.loads(run("publish", *arguments, *KEYS, "--yes", "--format", "json", status=status).stdout)


def live(there):
    publisher = Publisher((there / "store").as_uri(), (there / "k" / "trusted-root.json").read_bytes())
    found = publisher.snapshot(publisher.live())
    return None if found is None else [rule.id for rule in found.rules]


def test_nothing_is_published_before_somebody_has_seen_the_difference(there):
    asked = run("publish", "in.yaml", *KEYS, status=1, input="n\n")
    assert "2 accounts (1101, 1102): IN visible → withheld" in asked.stderr
    assert live(there) is None
    asked = run("publish", "in.yaml", *KEYS, input="y\n")
    assert "published version 2: 1 rule with 2 ids" in asked.stdout
    assert live(there) == ["in-1"]
    asked = run("publish", "in.yaml", *KEYS, "--format", "json", input="y\n")
    assert json.loads(asked.stdout)["version"] == 3
    asked = run("publish", "in.yaml", *KEYS, "--format", "json", status=2, input="")
    assert (asked.stdout, "give --yes" in asked.stderr) == ("", True)


def test_rules_are_added_to_what_is_live_and_taken_back(there):
    run("publish", "--add", "tr.yaml", *KEYS, status=2)
    first = published("in.yaml", "--act-by", "2030-01-01T00:00:00+01:00")
    assert (first["version"], first["act_by"]) == (2, "2029-12-31T23:00:00Z")
    assert (first["difference"]["accounts"], first["pending"]) == (2, None)
    assert published("--add", "tr.yaml")["rules"] == 2
    assert live(there) == ["in-1", "tr-1"]
    refused = run("publish", "--add", "tr.yaml", *KEYS, "--yes", status=4)
    assert "tr.yaml:2:3: a rule `tr-1` is live already [repeated-rule-id]" in refused.stderr
    assert published("--rollback", first["revision"], status=4)["problems"][0]["code"] == "shrunk"
    again = published("--rollback", first["revision"], "--may-shrink")
    assert (again["version"], again["revision"], live(there)) == (4, first["revision"], ["in-1"])


def test_the_gates_refuse_rules_without_cases_that_pass(there):
    assert published("in.yaml", "--require-tests", status=4)["problems"][0]["code"] == "no-case-files"
    (there / "in.cases.yaml").write_text(CASES.replace("US: visible", "US: withheld"))
    assert "`is withheld` failed" in run("publish", "in.yaml", "--require-tests", *KEYS, "--yes", status=1).stderr
    (there / "in.cases.yaml").write_text(CASES)
    refused = run("publish", "tr.yaml", "--require-tests", *KEYS, "--yes", status=1)
    assert "no case file tests the rules in tr.yaml" in refused.stderr
    assert live(there) is None
    assert published("in.yaml", "--require-tests")["version"] == 2


def test_rules_with_advice_that_is_an_error_are_refused(there):
    (there / "protected.yaml").write_text("protected:\n- {account: 1101, category: journalist}\n")
    refused = run("publish", "in.yaml", *KEYS, "--yes", status=1)
    assert "[protected-account]" in refused.stderr
    assert live(there) is None


def test_a_snapshot_is_published_with_its_protection(there):
    run("compile", "in.yaml", "-o", "in.wh")
    assert published("in.wh")["revision"] == Snapshot.open("in.wh").revision


def test_two_persons_publish_together(there):
    run("keys", "new", "second.pem")
    all_keys = [part for name in ("k/root", "k/targets", "k/online", "second") for part in ("--key", f"{name}.pem")]
    added = ["keys", "add", "--role", "targets", "--public", "second.pem.pub", "--threshold", "2"]
    run(*added, *KEYS, status=4)
    run(*added, *all_keys)
    assert run("keys", "list").stdout.count("2 of 2") == 2
    found = run("publish", "in.yaml", "--key", "k/targets.pem", "--yes").stdout
    name = found.partition("withhold sign ")[2].partition("`")[0]
    assert (name[:4], live(there)) == ("2-3.", None)
    again = run("sign", name, *KEYS, "--yes")
    assert (
        f"version 3 has 1 of 2 signatures: before hosts can use it, one more person must run `withhold sign {name}`"
        in (again.stdout)
    )
    assert "the given keys have already signed this version; another person must sign it" in again.stderr
    second = ("--key", "second.pem", "--key", "k/online.pem")
    assert "IN visible → withheld" in run("sign", name, *second, status=1, input="n\n").stderr
    assert live(there) is None
    asked = run("sign", name, *second, "--format", "json", input="y\n")
    done = json.loads(asked.stdout)
    assert (done["version"], done["pending"], done["signatures"], done["threshold"]) == (3, None, 2, 2)
    assert live(there) == ["in-1"]
    assert "is no longer live [publish-moved]" in run("sign", name, *second, "--yes", status=1).stderr
    other = run("publish", "in.yaml", "--key", "k/targets.pem", "--yes", "--name", "other").stdout
    named = other.partition("withhold sign ")[2].partition("`")[0].split()
    assert named[1:] == ["--name", "other"]
    run("sign", *named, *second, "--yes")


def test_a_further_person_sees_all_that_they_sign(there):
    run("keys", "new", "second.pem")
    added = ["--role", "targets", "--public", "second.pem.pub", "--threshold", "2"]
    run("keys", "add", *added, *KEYS, "--key", "k/root.pem", "--key", "second.pem")
    terms = ("--act-by", "2020-01-01T00:00:00Z", "--may-shrink")
    done = published("in.yaml", *terms)
    assert (done["may_shrink"], done["act_by"]) == (True, "2020-01-01T00:00:00Z")
    assert (done["signatures"], done["threshold"]) == (1, 2)
    asked = run("sign", done["pending"], "--key", "second.pem", "--key", "k/online.pem", input="y\n")
    assert "by these rules by 2020-01-01T00:00:00Z, which has passed" in asked.stderr
    assert "hosts accept that more than a tenth of the rules or ids are lost" in asked.stderr


def test_a_publisher_who_misspells_the_name_is_told_that_nothing_is_live_under_it(there):
    published("in.yaml")
    asked = run("publish", "in.yaml", "--name", "ruels", *KEYS, status=1, input="n\n")
    assert "no rules named `ruels` are live" in asked.stderr


def test_a_key_is_replaced_and_the_old_one_revoked(there):
    published("in.yaml")
    run("keys", "new", "new.pem")
    (old,) = (
        row["key"]
        for row in json.loads(run("keys", "list", "--format", "json").stdout)["rows"]
        if row["role"] == "targets"
    )
    signers = [part for name in ("k/root", "k/targets", "k/online", "new") for part in ("--key", f"{name}.pem")]
    change = ("keys", "rotate", "--role", "targets", "--public", "new.pem.pub")
    assert "[no-such-key]" in run(*change, "--revoke", "new.pem.pub", *signers, status=4).stderr
    assert run("keys", "list").stdout.count("1 of 1") == 3, "no key was added"
    rotated = run(*change, "--revoke", "k/targets.pem.pub", *signers)
    assert rotated.stdout.startswith("signed root 3")
    run("publish", "in.yaml", *KEYS, "--yes", status=4)
    run("publish", "in.yaml", "--key", "new.pem", "--key", "k/online.pem", "--yes")
    run("keys", "revoke", "--role", "targets", "--revoke", old, *signers, status=4)
    assert run("keys", "renew", "--key", "k/root.pem").stdout.startswith("signed root 4")
    assert live(there) == ["in-1"]


def test_a_stolen_online_key_is_replaced(there):
    published("in.yaml")
    (there / "store" / "metadata" / "timestamp.json").write_text("{}")
    run("keys", "new", "new.pem")
    signers = [part for name in ("k/root", "k/online", "new") for part in ("--key", f"{name}.pem")]
    assert "[bad-metadata]" in run("publish", "in.yaml", *KEYS, "--yes", status=4).stderr
    rotate = ("keys", "rotate", "--role", "online", "--public", "new.pem.pub", "--revoke", "k/online.pem.pub")
    assert run(*rotate, *signers).stdout.startswith("signed root 3")
    assert live(there) == ["in-1"]


def test_a_rotation_that_fails_half_way_is_repeated(there):
    run("keys", "new", "new.pem")
    rotate = ("keys", "rotate", "--role", "online", "--public", "new.pem.pub", "--revoke", "k/online.pem.pub")
    failed = run(*rotate, "--key", "k/root.pem", status=4).stderr
    assert "is not revoked" in failed
    assert "repeat the command" in failed
    assert run("keys", "list").stdout.count("1 of 2") == 2
    run(*rotate, "--key", "k/root.pem", "--key", "new.pem")
    assert run("keys", "list").stdout.count("1 of 1") == 3
    assert (
        "is the only key of online"
        in run("keys", "revoke", "--role", "online", "--revoke", "new.pem.pub", "--key", "k/root.pem", status=4).stderr
    )


def test_a_key_is_not_replaced_by_itself(there):
    """That would revoke it without adding another."""
    run("keys", "new", "new.pem")
    run("keys", "add", "--role", "root", "--public", "new.pem.pub", "--key", "k/root.pem", "--key", "new.pem")
    same = ("--public", "k/root.pem.pub", "--revoke", "k/root.pem.pub", "--key", "k/root.pem", "--key", "new.pem")
    assert "[known-key]" in run("keys", "rotate", "--role", "root", *same, status=4).stderr
    assert run("keys", "list").stdout.count("1 of 2") == 2


def test_the_revisions_to_return_to_are_listed(there):
    first, _ = published("in.yaml"), published("tr.yaml", "--may-shrink")
    refused = run("publish", "--rollback", "f2d2", *KEYS, "--yes", status=4).stderr
    assert f"`{first['revision']}` (version 2)" in " ".join(refused.split())


def test_the_timestamp_is_refreshed(there):
    assert run("refresh", "--key", "k/online.pem").stdout.startswith("signed; valid until 20")
    assert "give a key of the role `online`" in run("refresh", "--key", "k/targets.pem", status=4).stderr
    run("refresh", "--key", "k/targets.pem", "--every", "5m", status=4)
    for interval in ("5 minutes", "0s", "0.001ms", "31m", "9999999999999h", ""):
        run("refresh", "--key", "k/online.pem", "--every", interval, status=2)


def test_a_refresher_ends_at_a_signal_and_survives_failures(there):
    arguments = ["refresh", "--key", "k/online.pem", "--every", "50ms"]
    process = subprocess.Popen(
        [sys.executable, "-m", "withhold", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert [process.stdout.readline()[:6] for _ in range(2)] == ["signed", "signed"]
    (there / "store").rename(there / "away")
    assert "no-repository" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    process.stdout.close()
    process.stderr.close()


def test_what_was_refused_leaves_no_keys(there):
    run("keys", "init", "--keys", "k2", "--to", "file:///dev/null/store", status=1)
    run("keys", "init", "--keys", "k2", "--to", "store", status=2)
    assert not (there / "k2").exists()
    run("keys", "init", "--keys", "k2", "--to", (there / "other").as_uri())


def test_a_new_password_is_asked_twice_and_needs_a_terminal(there, monkeypatch):
    monkeypatch.delenv("WITHHOLD_KEY_PASSWORD")
    answers = iter([PASSWORD, f"another {PASSWORD}", PASSWORD, PASSWORD])
    monkeypatch.setattr(getpass, "getpass", lambda *_: next(answers))
    run("keys", "new", "new.pem", status=2)
    assert run("keys", "new", "new.pem").stdout.startswith("wrote new.pem and new.pem.pub")
    arguments = [sys.executable, "-m", "withhold", "publish", "in.yaml", *KEYS]
    found = subprocess.run(
        arguments, stdin=subprocess.DEVNULL, capture_output=True, text=True, start_new_session=True, check=False
    )
    assert (found.returncode, found.stdout) == (2, "")
    assert "no terminal to ask for the password of k/targets.pem; set WITHHOLD_KEY_PASSWORD" in found.stderr


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["publish", *KEYS], 2),
        (["publish", "in.yaml", "--add", "tr.yaml", *KEYS], 2),
        (["publish", "--add", "tr.yaml", "--require-tests", *KEYS], 2),
        (["publish", "in.yaml"], 2),
        (["publish", "in.yaml", "--trust", "missing.json", *KEYS], 2),
        (["publish", "in.yaml", "--trust", "in.yaml", *KEYS], 4),
        (["publish", "in.yaml", "--trust", "k/root.pem.pub", *KEYS], 4),
        (["publish", "in.yaml", "--to", "rules/", *KEYS], 2),
        (["publish", "in.yaml", "--to", "FILE:///store", *KEYS], 2),
        (["publish", "in.yaml", "--name", "../x", *KEYS], 2),
        (["publish", "in.yaml", "--keep", "0", "--yes", *KEYS], 2),
        (["publish", "in.yaml", "--key", "missing.pem"], 2),
        (["sign", "../timestamp", *KEYS], 2),
        (["keys", "init", "--keys", "k"], 2),
        (["keys", "add", "--role", "targets", "--public", "missing.pub", *KEYS], 2),
        (["keys", "new", "k/root.pem"], 1),
        (["keys", "init", "--keys", "k2"], 4),
    ],
)
def test_other_command_lines_are_refused(there, arguments, status):
    assert run(*arguments, status=status).stdout == ""
    assert live(there) is None


def test_no_output_and_no_log_contains_a_key(there, monkeypatch, caplog):
    caplog.set_level(logging.DEBUG)
    secret = private_line(there / "k" / "targets.pem", PASSWORD)
    printed = run("publish", "in.yaml", *KEYS, "--yes").output
    printed += run("publish", "in.yaml", "--key", f"-----BEGIN PRIVATE KEY-----\n{secret}\n", "--yes", status=2).output
    monkeypatch.setenv("SECRET", f"-----BEGIN PRIVATE KEY-----\n{secret[:-4]}\n-----END PRIVATE KEY-----\n")
    printed += run("publish", "in.yaml", "--key", "env:SECRET", "--yes", status=4).output
    monkeypatch.setenv("WITHHOLD_KEY_PASSWORD", "another password")
    printed += run("publish", "in.yaml", *KEYS, "--yes", status=4).output
    for part in (secret[20:40], secret[-20:], PASSWORD, "another password"):
        assert part not in printed + caplog.text
