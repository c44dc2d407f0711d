"""`withhold demands`: every command as a person types it, and what it prints when something is wrong."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from typer.testing import CliRunner

from withhold import Engine, RuleSet, Viewer
from withhold.cli import demand_options
from withhold.cli.app import app
from withhold.cli.opening import CLOCK
from withhold.demands.register import Register, open_ledger

DEMAND = """\
id: IN-D1
authority: {name: the ministry, type: executive}
jurisdiction: IN
kind: emergency_interim
received: 2021-01-31T18:00:00+05:30
owner: Nadia Rahman
requested: {count: 6}
confidentiality: {notify_user: allow}
"""
LIST = """\
Sr. No.;URL
1;https://twitter.com/User_1
2;https://twitter.com/user_2
3;https://x.com/i/user/1103
4;https://x.com/user_2
5;#synthetic
6;1.35E+18
"""
HANDLES = "handle,account\nuser_1,1101\n@User_2,1102\n"
PROTECTED = "protected:\n  - {account: 1101, category: journalist}\n"
ASHA, RAVI = ("--actor", "Asha Verma"), ("--actor", "Ravi Kumar")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Work in a directory with an order, a table of handles and a list of protected accounts."""
    for name, text in (
        ("in-d1.yaml", DEMAND),
        ("in-d1.csv", LIST),
        ("handles.csv", HANDLES),
        ("protected.yaml", PROTECTED),
    ):
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WITHHOLD_LEDGER", "sqlite:///orders.db")
    return tmp_path


def run(*arguments, status=0):
    found = CliRunner().invoke(app, ["demands", *map(str, arguments)])
    assert (found.exit_code, type(found.exception)) in ((status, type(None)), (status, SystemExit)), found.output
    return found


def text(*arguments, status=0):
    """Return what a command prints, on either stream, without the frame of usage errors."""
    return " ".join(run(*arguments, status=status).output.replace("│", " ").split())


def as_json(*arguments, status=0):
    return json.loads(run(*arguments, "--format", "json", status=status).stdout)


@pytest.fixture
def received(here):
    run("receive", "in-d1.yaml", "in-d1.csv", "--create", *ASHA)
    return here


@pytest.fixture
def decided(received):
    """Withhold everything that can be withheld; the journalist is left out, because she is protected."""
    run("resolve", "IN-D1", "--handles", "handles.csv", *ASHA)
    run("decide", "IN-D1", "withhold", "--targets", "3,4", *ASHA)
    return received


def states(**more):
    return {row["number"]: row["state"] for row in as_json("show", "IN-D1", **more)["rows"]}


def test_an_order_is_received_and_its_columns_are_shown(here):
    printed = run("receive", "in-d1.yaml", "in-d1.csv", "--create", *ASHA).stdout
    assert printed.splitlines() == [
        "IN-D1: 1 demand, 4 unique, 1 duplicate, 1 error",
        "in-d1.csv, column 1: serial number, because its header is `Sr. No.`; cells: 6",
        "in-d1.csv, column 2: target, because its header is `URL`; cells: 6",
    ]
    assert states() == {
        2: "unresolved",
        3: "unresolved",
        4: "undecided",
        5: "duplicate",
        6: "undecided",
        7: "quarantined",
    }
    assert "has lost digits" in run("show", "IN-D1").stdout


def test_receiving_shows_how_much_is_recorded(here, monkeypatch):
    reported = []
    monkeypatch.setattr(demand_options, "advance", lambda _, done, whole: reported.append((done, whole)))
    run("receive", "in-d1.yaml", "in-d1.csv", "--create", *ASHA)
    assert reported == [(7, 14), (14, 14)], "a demand and six entries, which are hashed and applied"


def test_the_digest_of_a_list_is_recorded(received):
    with open_ledger("sqlite:///orders.db") as ledger:
        (found,) = Register(ledger).demand("IN-D1")["lists"]
    assert found == {"file": "in-d1.csv", "sha256": sha256(LIST.encode()).hexdigest()}


def test_a_count_that_differs_waits_for_a_person(here):
    (here / "in-d1.yaml").write_text(DEMAND.replace("count: 6", "count: 257"))
    printed = text("receive", "in-d1.yaml", "in-d1.csv", "--create", *ASHA)
    assert "the letter states 257 entries, and its lists have 6; compare them" in printed
    assert "[count-mismatch]: use `settle`" in printed
    refused = text("decide", "IN-D1", "withhold", *ASHA, status=4)
    assert "`decide` is not possible: demand `IN-D1` is `unsettled` [forbidden-transition]" in refused
    assert "`settle`" in refused
    run("settle", "IN-D1", "--reason", "the letter counts an annex that was withdrawn", *ASHA)
    assert as_json("list")["rows"][0]["state"] == "under_review"


def test_questions_about_the_territories_of_an_order_are_printed(here):
    (here / "in-d1.yaml").write_text(DEMAND.replace("{count: 6}", "{withheld_in: [UK, IN, EL], except_in: [el]}"))
    found = run("receive", "in-d1.yaml", "--create", *ASHA)
    for alias, code in (("UK", "GB"), ("EL", "GR")):
        assert f"warning: `{alias}` was read as `{code}` [territory-alias]" in found.stderr
    assert "overseas" not in found.stdout, "the law of India applies in no territory of the United Kingdom"
    (here / "in-d1.yaml").write_text(DEMAND.replace("jurisdiction: IN", "jurisdiction: uk"))
    found = run("amend", "in-d1.yaml", "--reason", "another ministry", *ASHA)
    assert "warning: `UK` was read as `GB`" in found.stderr
    assert "`GB` (United Kingdom) does not include `AI`, `BM`" in found.stdout
    assert "ask the authority which of them it means [overseas-left-out]" in found.stdout


def test_what_was_guessed_of_a_list_is_printed_and_several_columns_wait_for_a_person(here):
    (here / "in-d1.yaml").write_text(DEMAND.replace("count: 6", "count: 2"))
    (here / "in-d1.csv").write_text("url,tweet link,remarks\nhttps://x.com/a,https://x.com/b,see https://x.com/c\n")
    printed = text("receive", "in-d1.yaml", "in-d1.csv", "--create", *ASHA)
    assert "several columns have targets: `url`, `tweet link`" in printed
    assert "1 cells of `remarks`, which was not read, seem to have targets" in printed
    assert "use `settle`" in printed
    assert "[forbidden-transition]" in text("decide", "IN-D1", "refuse", "--ground", "forged", *ASHA, status=4)
    run("settle", "IN-D1", "--reason", "both columns are meant", *ASHA)
    run("decide", "IN-D1", "refuse", "--ground", "forged", *ASHA)
    (here / "in-d1.yaml").write_text(DEMAND.replace("count: 6", "count: 1").replace("IN-D1", "IN-D2"))
    printed = text("receive", "in-d1.yaml", "in-d1.csv", "--column", "url", *ASHA)
    assert "IN-D2: 1 demand, 1 unique" in printed
    assert "settle" not in printed


def test_a_list_of_protected_accounts_on_the_command_line_replaces_no_other(decided):
    (decided / "empty.yaml").write_text("protected: []\n")
    (decided / "other.yaml").write_text("protected:\n  - {account: 7, category: activist}\n")
    for name in ("empty.yaml", "other.yaml"):
        refused = text("decide", "IN-D1", "withhold", "--targets", "2", "--protected", name, *ASHA, status=4)
        assert "[protected-account]" in refused


def test_no_cell_of_an_order_looks_like_several(here):
    (here / "in-d1.csv").write_text("url\n@user_1  in_force  suspended\n")
    run("receive", "in-d1.yaml", "in-d1.csv", "--create", *ASHA)
    assert "@user_1\\x20\\x20in_force\\x20\\x20suspended" in run("show", "IN-D1").stdout


def test_from_an_order_to_rules(received):
    assert run("resolve", "IN-D1", "--handles", "handles.csv", *ASHA).stdout == "IN-D1: 2 resolved\n"
    refused = text("decide", "IN-D1", "withhold", *ASHA, status=4)
    assert "IN-D1/2: it names protected account" in refused
    assert "nothing was recorded: 1 problem" in refused
    why = "protected-account=an emergency order, under review"
    proposed = text("decide", "IN-D1", "withhold", "--override", why, *ASHA)
    assert "1 proposed: withhold" in proposed
    assert "a second person must approve the proposals" in proposed
    assert "[same-person]" in text("approve", "IN-D1", "--actor", "asha  VERMA", status=4)
    assert run("approve", "IN-D1", *RAVI).stdout == "IN-D1: 1 approved: withhold\n"
    run("decide", "IN-D1", "refuse", "--targets", "7", "--ground", "insufficient_identification", *ASHA)
    assert "files in out: 1" in text("rules", "-o", "out")
    rules = RuleSet.load("out")
    assert sorted(id_ for rule in rules for id_ in rule.accounts) == [1101, 1102, 1103]
    assert {rule.jurisdiction for rule in rules} == {"IN"}
    check = Engine(rules).view(Viewer(country="IN")).check
    assert [check(account_id=id_).outcome.value for id_ in (1101, 1103)] == ["withheld", "withheld"]
    assert CliRunner().invoke(app, ["lint", "out"]).exit_code == 0
    assert states() == {
        2: "in_force",
        3: "in_force",
        4: "in_force",
        5: "duplicate",
        6: "outside",
        7: "declined",
    }
    listed = as_json("list")["rows"][0]
    assert (listed["compliance"], listed["in_force"], listed["outside"], listed["declined"]) == ("partial", 3, 1, 1)
    written = "".join(path.read_text() for path in Path("out").rglob("*.yaml"))
    assert not any(name in written for name in ("Asha", "Ravi", "Nadia", "Verma", "Kumar", "Rahman"))


def test_a_rehearsal_records_nothing_and_lists_who_would_be_affected(decided):
    head = as_json("log", "IN-D1", "meeting", "with counsel", *ASHA)["head"]
    printed = text("lift", "IN-D1", "--reason", "reviewed", "--dry-run", *ASHA)
    assert "2 lifted (not recorded)" in printed
    assert "as recorded" in printed
    found = as_json("lift", "IN-D1", "--reason", "reviewed", "--dry-run", *ASHA)
    assert (found["rehearsed"], found["head"]) == (True, None)
    assert sum(block["count"] for block in found["difference"]["changes"]) == 2
    assert states()[3] == "in_force"
    assert as_json("log", "IN-D1", "meeting", "again", *ASHA)["head"]["sequence"] == head["sequence"] + 1


def test_a_repeated_command_records_nothing(decided):
    assert "IN-D1: nothing already so: 2" in text("decide", "IN-D1", "withhold", "--targets", "3,4", *ASHA)
    run("log", "IN-D1", "meeting", "with counsel", "--key", "k1", *ASHA)
    again = text("log", "IN-D1", "meeting", "with counsel", "--key", "k1", *ASHA)
    assert "this command was recorded before" in again
    assert "[key-reused]" in text("log", "IN-D1", "meeting", "with others", "--key", "k1", *ASHA, status=4)


def test_the_past_needs_a_reason(decided):
    past = ("lift", "IN-D1", "--reason", "reviewed", "--at", "2021-02-01T20:30:00+05:30", *ASHA)
    assert "[backdated]" in text(*past, status=4)
    run(*past, "--history", "entered late")
    assert len(rules_of()) == 0, "it ended before it began"
    assert "entered late" in Path("orders.db").read_bytes().decode("latin-1")


def rules_of():
    run("rules", "-o", "written")
    return RuleSet.load("written")


def test_lifting_and_imposing_again_make_two_rules(decided):
    run("lift", "IN-D1", "--reason", "reviewed", "--targets", "3", *ASHA)
    run("decide", "IN-D1", "withhold", "--targets", "lifted", *ASHA)
    rules = [rule for rule in rules_of() if 1102 in rule.accounts]
    assert [rule.until is None for rule in rules] == [False, True]
    proof = run("proof", "@user_2").stdout
    assert proof.count("rule IN-D1:") == 2
    assert "(lifted)" in proof
    assert "without an end so far" in proof
    assert "person 1" in proof
    assert "Asha" not in proof
    assert "Asha" not in json.dumps(as_json("proof", "account:1102"))


def test_targets_are_found_by_what_was_received_and_by_what_it_is_bound_to(decided):
    for asked in ("@User_2", "account:1102", "https://x.com/user_2"):
        (row,) = as_json("find", asked)["rows"]
        assert (row["demand"], row["number"], row["state"], row["in_force"]) == ("IN-D1", 3, "in_force", "yes")
    assert as_json("find", "account:99")["rows"] == []
    assert "[bad-target]" in text("find", "two words", status=4)


def test_a_rule_of_a_host_whose_clock_is_ahead_is_found_in_force(received):
    run("resolve", "IN-D1", "--handles", "handles.csv", *ASHA)
    before = CLOCK.set(lambda: datetime.now(UTC) + timedelta(hours=1))
    try:
        run("decide", "IN-D1", "withhold", "--targets", "3", *ASHA)
    finally:
        CLOCK.reset(before)
    assert [row["in_force"] for row in as_json("find", "account:1102")["rows"]] == ["yes"]


def test_lawyers_decide_in_the_table_that_show_prints(decided):
    table = list(csv.DictReader(run("show", "IN-D1", "--format", "csv").stdout.splitlines()))
    for row in table:
        row["decision"] = {"4": "suspend", "6": "deamplify"}.get(row["number"], "")
    with Path("decisions.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, table[0])
        writer.writeheader()
        writer.writerows(table)
    printed = run("decide", "IN-D1", "--from", "decisions.csv", *ASHA).stdout
    assert "1 suspend" in printed
    assert "1 deamplify (by no rule)" in printed
    assert run("effected", "IN-D1", "--at", "2021-02-10", *ASHA).stdout == "IN-D1: 1 attested\n"
    assert as_json("list")["rows"][0]["outside"] == 1


def test_amending_revoking_and_the_policy(decided):
    Path("in-d1.yaml").write_text(DEMAND.replace("notify_user: allow", "notify_user: deny"))
    assert run("amend", "in-d1.yaml", "--reason", "second letter", *ASHA).stdout == "IN-D1: 1 amendment\n"
    assert {str(rule.disclosure) for rule in rules_of()} == {"none"}
    assert run("policy", "suspend", *ASHA).stdout == "ledger: 1 policy\n"
    assert "2 persons" not in text("policy", *ASHA)
    assert "another person must set the same" in text("policy", *ASHA)
    assert run("revoke", "IN-D1", "--reason", "letter of 12 February", *ASHA).stdout.startswith("IN-D1: 2 ended")
    assert as_json("list")["rows"][0]["state"] == "revoked"
    refused = text("decide", "IN-D1", "withhold", *ASHA, status=4)
    assert "possible now: `approve`, `lift`, `effected`, `log`" in refused


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("show", "IN-D2"), 4, "there is no demand `IN-D2` [unknown-demand]; did you mean `IN-D1`?"),
        (("decide", "IN-D1", *ASHA), 2, "give either a ruling or a table with --from"),
        (("decide", "IN-D1", "withhold", "--from", "in-d1.csv", *ASHA), 2, "give either a ruling or a table"),
        (("decide", "IN-D1", "withhold", "--targets", "5-2", *ASHA), 2, "`5-2` is not a range"),
        (("decide", "IN-D1", "withhold", "--targets", "all", *ASHA), 2, "neither a number, nor a range, nor a state"),
        (("decide", "IN-D1", "withhold", "--override", "court-order", *ASHA), 2, "has no reason; write CODE=REASON"),
        (("decide", "IN-D1", "withhold", "--at", "yesterday", *ASHA), 2, "yesterday"),
        (("decide", "IN-D1", "withhold", "--targets", "99", *ASHA), 4, "demand `IN-D1` has no entry 99"),
        (("decide", "IN-D1", "withhold", "--targets", "7", *ASHA), 4, "the target is `quarantined`"),
        (
            ("decide", "IN-D1", "withhold", "--in", "PK", "--targets", "4", *ASHA),
            4,
            "the authority did not request it in `PK`",
        ),
        (("decide", "IN-D1", "refuse", "--targets", "4", *ASHA), 4, "`refuse` needs a ground [no-ground]"),
        (("decide", "IN-D1", "--from", "in-d1.csv", *ASHA), 4, "columns are missing [bad-csv-header]"),
        (("decide", "IN-D1", "withhold"), 2, "--actor"),
        (("receive", "in-d1.yaml", *ASHA), 4, "demand `IN-D1` was received before [demand-exists]"),
        (("log", "IN-D1", "party", "x", *ASHA), 2, "party"),
        (("resolve", "IN-D1", "--handles", "none.csv", *ASHA), 2, "none.csv"),
        (("rules", "-o", "."), 4, "[foreign-file]"),
        (("proof", ""), 4, "the target is empty [bad-target]"),
        (("list", "--known-at", "now"), 2, "No such option"),
        (("list", "--format", "junit"), 2, "junit"),
    ],
)
def test_what_is_refused_says_why(received, arguments, status, said):
    assert said in text(*arguments, status=status)


def test_every_problem_of_an_order_is_printed_at_once(here):
    (here / "in-d1.yaml").write_text("id: in d1\nauthority: {name: x, type: king}\njurisdiction: IM2\nkind: final\n")
    (here / "broken.xlsx").write_bytes(b"PK\x03\x04 and nothing more")
    refused = text("receive", "in-d1.yaml", "broken.xlsx", "--create", *ASHA, status=4)
    for code in ("bad-demand-id", "unknown-authority", "unknown-territory", "missing-key"):
        assert f"[{code}]" in refused
    (here / "in-d1.yaml").write_text(DEMAND)
    assert "[not-a-list]" in text("receive", "in-d1.yaml", "broken.xlsx", "--create", *ASHA, status=4)
    problems = as_json("receive", "in-d1.yaml", "broken.xlsx", *ASHA, status=4)["problems"]
    assert [problem["code"] for problem in problems] == ["not-a-list"]


def test_a_ledger_that_is_not_there_is_not_made_by_accident(here):
    refused = text("receive", "in-d1.yaml", *ASHA, status=2)
    assert "`sqlite:///orders.db` is not a file" in refused
    assert "--create" in refused
    assert "is not a file" in text("list", status=2)
    assert not Path("orders.db").exists()


def test_rules_are_the_same_bytes_each_time_and_old_files_are_removed(decided):
    run("rules", "-o", "out")
    before = {path.name: path.read_bytes() for path in Path("out").rglob("*") if path.is_file()}
    run("rules", "-o", "out")
    assert {path.name: path.read_bytes() for path in Path("out").rglob("*") if path.is_file()} == before
    run("lift", "IN-D1", "--reason", "reviewed", *ASHA)
    known = as_json("rules", "-o", "then", "--known-at", "2021-01-01T00:00:00Z")
    assert (known["files"], list(Path("then").iterdir())) == ([], [])
