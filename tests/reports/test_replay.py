"""A replay reports the answers of other rules to the questions of a log, and the limits of the log."""

from __future__ import annotations

import json
import os
import threading
from collections import Counter
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from tests.engine.material import INDIA, NOON, rule
from tests.strategies import instants, pairs, policies, reference, rule_sets, tweets, viewers
from withhold import Engine, Outcome, Policy, RuleSet, Snapshot, Tweet, Viewer
from withhold.cli.app import app
from withhold.reports.replay import replay
from withhold.serving.decision_log import DecisionLog
from withhold.serving.log_record import LoggedPage, read_log

OLD = RuleSet([rule("in-1", accounts=[17, 18]), rule("in-2", accounts=[], tweets=[20])])


class Lines:
    """A sink that keeps the lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def write(self, record: dict[str, Any]) -> None:
        self.lines.append(json.dumps(record))

    def read(self) -> list[LoggedPage]:
        return [
            page for page in read_log(BytesIO("\n".join(self.lines).encode()), "log") if isinstance(page, LoggedPage)
        ]


def logged(*pages: tuple[Viewer, list[Any]], policy: Policy | None = None, **options: Any) -> Lines:
    sink = Lines()
    engine = Engine(OLD, policy)
    with DecisionLog(sink, interval=3600, **options) as log:
        for number, (viewer, items) in enumerate(pages):
            view = engine.view(viewer, NOON + timedelta(hours=number))
            log.page(view, view.filter(items))
    return sink


ITEMS = [(20, 17), (21, 18), (22, 19), Tweet(23, 5, quoted=Tweet(24, 17))]
PAGES = [(INDIA, ITEMS), (INDIA, ITEMS[1:]), (Viewer(country="US"), ITEMS)]


def test_the_hits_are_asked_about_again() -> None:
    new = Snapshot.compile(RuleSet([rule("in-2", accounts=[], tweets=[20]), rule("in-9", accounts=[17])]))
    found = replay(new, logged(*PAGES).read())
    assert (found.pages, found.hits, found.visible) == (3, 5, 8)
    assert (found.first, found.last) == (NOON, NOON + timedelta(hours=2))
    assert found.answered_by == {f"{OLD.revision}-show": 3}
    ((turn, behind),) = found.turns.items()
    assert (turn.links, turn.old, turn.new) == (((21, 18),), Outcome.WITHHELD, Outcome.VISIBLE)
    assert (behind.countries, behind.old_rules, behind.new_rules) == ({"IN": 2}, {"in-1"}, set())
    assert found.other_rules == 3, "20 once, and 24 twice"
    assert found.by_rule() == [{"rule": "in-1", "hits": 2, "tweets": 1}]


@settings(max_examples=40)
@given(
    rule_sets(3),
    rule_sets(3),
    policies,
    st.lists(st.tuples(viewers(), instants, st.lists(pairs.filter(all) | tweets, max_size=5)), max_size=4),
    st.booleans(),
)
def test_a_replay_equals_the_reference_on_both_rule_sets(old, new, policy, pages, accounts) -> None:
    sink = Lines()
    sides = reference(old, policy), reference(new, policy)
    wanted: Counter[tuple[Any, ...]] = Counter()
    other_rules = 0
    with DecisionLog(sink, viewer_accounts=accounts, interval=3600) as log:
        engine = Engine(old, policy)
        for viewer, at, items in pages:
            view = engine.view(viewer, at)
            page = view.filter(items)
            log.page(view, page)
            known = viewer if accounts else Viewer(country=viewer.country, subdivisions=viewer.subdivisions)
            hits = [items[index] for index, _ in page.hidden]
            for index, path, _ in page.tombstones:
                quote = items[index]
                for name in path:
                    quote = getattr(quote, name)
                hits.append(quote)
            for subject in hits:
                was, becomes = sides[0].check(subject, viewer, at), sides[1].check(subject, known, at)
                links = subject.links() if isinstance(subject, Tweet) else (subject,)
                if was.outcome is not becomes.outcome:
                    wanted[links, was.outcome, becomes.outcome, viewer.country] += 1
                elif {*was.rule_ids} != {*becomes.rule_ids}:
                    other_rules += 1
    found = replay(Snapshot.compile(new), sink.read())
    assert found.other_rules == other_rules
    assert wanted == {
        (*turn, country): count for turn, behind in found.turns.items() for country, count in behind.countries.items()
    }
    assert found.changed == wanted.total()
    assert sum(int(str(row["hits"])) for row in found.by_country()) == wanted.total()
    if not accounts and policy.author_sees_own:
        assert found.without_account == found.hits
    else:
        assert found.without_account == 0


def test_the_policy_is_that_of_the_log() -> None:
    unknown = (Viewer.unknown(), ITEMS)
    cautious = logged(unknown, policy=Policy(unknown_location="withhold"))
    assert replay(Snapshot.compile(OLD), cautious.read()).changed == 0
    assert replay(Snapshot.compile(RuleSet()), cautious.read()).by_country() == [
        {"country": None, "old": Outcome.WITHHELD, "new": Outcome.VISIBLE, "hits": 3, "tweets": 3}
    ]


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("log.jsonl").write_text("\n".join(logged(*PAGES, share=1.0).lines), encoding="utf-8")
    Path("new.yaml").write_text(
        "rules:\n  - {id: in-1, accounts: [17], withheld_in: [IN], reason: legal_demand}\n", encoding="utf-8"
    )
    return tmp_path


def command(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["replay", *arguments])


def test_the_command_prints_what_changes_and_what_it_cannot_say(there: Path) -> None:
    found = command("log.jsonl", "new.yaml")
    assert found.exit_code == 0, found.output
    lines = found.stdout.splitlines()
    assert lines[0].startswith("log.jsonl (3 pages from 2021-02-10T12:00:00Z to 2021-02-10T14:00:00Z) → revision ")
    assert lines[1:] == [
        f"  3 pages answered by {OLD.revision}-show",
        "",
        "tweet 21 by account 18: withheld → visible in IN (2)",
        "  no longer hidden by: in-1",
        "",
        "hits that get a different outcome: 2 of 5 (40.00%)",
        "hits that other rules hide, with the same outcome: 1",
        "",
        "country  change              hits  tweets",
        "IN       withheld → visible  2     1",
        "",
        "no longer hides  hits  tweets",
        "in-1             2     1",
        "",
        "not in the log:",
        "  8 visible items, and the quotes in hidden ones: these rules may hide some of them",
    ]
    values = json.loads(command("log.jsonl", "new.yaml", "--format", "json").stdout)
    assert (values["hits_changed"], values["changes"][0]["subject"]) == (2, [{"tweet_id": "21", "account_id": "18"}])
    assert values["not_in_the_log"]["visible_items"] == 8


def test_lines_that_cannot_be_read_are_listed_and_the_others_are_replayed(there: Path) -> None:
    log = Path("log.jsonl")
    first, *others = log.read_text("utf-8").splitlines()
    left_out = {**json.loads(first), "left_out": {"sampled_out": 7, "dropped": 1}}
    future = json.dumps({**json.loads(first), "version": 2})
    log.write_text("\n".join([json.dumps(left_out), first[:-9], future, *others]), encoding="utf-8")
    found = command("log.jsonl", "new.yaml")
    assert found.exit_code == 1
    assert f"log.jsonl:2:{len(first) - 9}: this is not a record of a decision log: it is not JSON: eof" in found.stderr
    assert "log.jsonl:3:1: the record has version `2`, not `1` [unknown-log-version]" in found.stderr
    for line in (
        "  7 pages: outside the share that is logged",
        "  1 page: dropped, because too many were waiting or the log was closed",
        "  2 lines that could not be read",
    ):
        assert line in found.stdout
    assert "2 of 5 (40.00%)" in found.stdout
    values = json.loads(command("log.jsonl", "new.yaml", "--format", "json").stdout)
    assert (values["refused"], [each["code"] for each in values["problems"]]) == (
        2,
        ["bad-log-record", "unknown-log-version"],
    )


def test_at_most_a_hundred_refused_lines_are_listed(there: Path) -> None:
    Path("log.jsonl").write_text("x\n" * 250, encoding="utf-8")
    found = command("log.jsonl", "new.yaml")
    assert found.exit_code == 1
    assert "150 more problems in this file" in found.stderr
    assert "250 lines that could not be read" in found.stdout


def test_an_empty_log_and_texts_of_strangers(there: Path) -> None:
    Path("empty.jsonl").write_bytes(b"\n")
    found = command("empty.jsonl", "new.yaml")
    assert (found.exit_code, "0 of 0" in found.stdout, "not in the log" in found.stdout) == (0, True, False)
    log = Path("log.jsonl")
    log.write_text(log.read_text("utf-8").replace('"in-1"', '"\\u001b[31m::error::"'), encoding="utf-8")
    found = command("log.jsonl", "new.yaml")
    assert "\x1b" not in found.output
    assert "\n::error::" not in found.output


def test_the_exemption_of_authors_is_reported_where_accounts_are_not_known(there: Path) -> None:
    policy = Policy(author_sees_own=True)
    Path("log.jsonl").write_text("\n".join(logged(*PAGES, policy=policy).lines), encoding="utf-8")
    assert "the viewers of 5 hits: an author may see their own" in command("log.jsonl", "new.yaml").stdout
    known = logged(*PAGES, policy=policy, viewer_accounts=True)
    Path("log.jsonl").write_text("\n".join(known.lines), encoding="utf-8")
    assert "the viewers" not in command("log.jsonl", "new.yaml").stdout


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="only where pipes have names")
def test_a_pipe_is_read_once(there: Path) -> None:
    text = Path("log.jsonl").read_bytes()
    os.mkfifo("pipe")
    writer = threading.Thread(target=Path("pipe").write_bytes, args=(text,), daemon=True)
    writer.start()
    assert "2 of 5" in command("pipe", "new.yaml").stdout
    writer.join()
