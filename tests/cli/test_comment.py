"""Markdown always fits into a comment on GitHub: totals first, and a count of everything that is cut."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from withhold import Rule, RuleSet, Snapshot
from withhold.cli.app import app
from withhold.cli.render.comment import LIMIT, count_fitting, fitted, size
from withhold.cli.render.markdown import render
from withhold.cli.results import DiffResult
from withhold.model import Outcome
from withhold.reports import Impact, Side, Summary, differences, summarize
from withhold.territories import countries, subdivisions

GITHUB = 65_536
START = datetime(2021, 2, 10, tzinfo=UTC)
EVERY_SECOND_STATE = [code for country in ("US", "IT", "FR", "GB", "TR") for code in subdivisions(country)][::2]


def rule(id_, **more):
    return Rule(**{"id": id_, "accounts": [17], "withheld_in": ["IN"], "reason": "legal_demand", **more})


def many_rules():
    return [rule(f"in-{n}", accounts=[n], demand=f"IN-D{n}", from_=START + timedelta(n)) for n in range(1, 1_501)]


def many_times():
    """Return rules that each withhold one account for an hour."""
    hours = (START + timedelta(hours=2 * n) for n in range(800))
    return [rule(f"r{n}", from_=hour, until=hour + timedelta(hours=1)) for n, hour in enumerate(hours)]


SHAPES = {
    "many rules": many_rules(),
    "many times": many_times(),
    "long ids of rules": [
        rule("\N{PILE OF POO}" * 500 + str(n), accounts=[n], demand="d" * 9_999) for n in range(1, 300)
    ],
    "many ids": [rule("in", accounts=range(10**18, 10**18 + 20_000))],
    "many demands": [rule(f"r{n}", accounts=[1], demand=f"{n:,} \N{DEVANAGARI LETTER A}" * 20) for n in range(3_000)],
    "many territories": [rule("in", withheld_in=EVERY_SECOND_STATE)],
    "many rows": [rule(code, accounts=[n], withheld_in=[code]) for n, code in enumerate(countries(), 1)]
    + [rule("us", accounts=range(1, 200), withheld_in=["US-MS"])],
    "a long note": [rule("in", note="x" * 100_000)],
}


def summary_of(rules):
    old, new = Snapshot.compile(RuleSet()), Snapshot.compile(RuleSet(rules))
    return summarize(Side("main", old.revision), Side("HEAD", new.revision), differences(old, new))


def as_markdown(summary: Summary, *, whole: bool = False, audit: bool = False) -> list[str]:
    return list(map(str, render(DiffResult(summary, whole, audit))))


@pytest.mark.parametrize("shape", SHAPES)
def test_e4_markdown_fits_whatever_changes(shape):
    summary = summary_of(SHAPES[shape])
    summary.impact = Impact(START, 10**9, {(code, Outcome.VISIBLE, Outcome.WITHHELD): 10**6 for code in countries()})
    for whole in (False, True):
        text = "\n".join(as_markdown(summary, whole=whole, audit=True)) + "\n"
        assert max(len(text), len(text.encode()), len(text.encode("utf-16-le")) // 2) < GITHUB
        lines = text.splitlines()
        assert lines[0].startswith("### `main` → `HEAD`")
        accounts = sum(len(block.ids) for block in summary.blocks)
        assert lines[2].startswith(f"**{accounts:,} account")
        assert (lines.count("<details>"), lines[-1]) == (1, "</details>"), "every folded section is closed"
        assert text.count("`") % 2 == 0, "all code is closed"
        if max(len(line) for line in lines) > 5_000:
            pytest.fail("a line that nobody reads")


def test_e4_what_is_cut_is_counted_and_the_sums_come_first():
    summary = summary_of(many_rules())
    lines = as_markdown(summary, whole=True)
    assert size(lines) <= LIMIT
    assert lines.index("Cut to fit; `--format json` lists everything.") < lines.index("<details>")
    (rows,) = (line for line in lines if line.endswith(" more rows"))
    shown = sum(line.startswith("| `IN-D") for line in lines)
    assert rows == f"\n… and {1_500 - shown:,} more rows"
    count = sum(line.startswith("- **account") for line in lines)
    assert count > 100, "more than without --all"
    assert f"- … and {1_500 - count:,} more" in lines
    values = json.loads(json.dumps(summary.to_dict()))
    assert (len(values["changes"]), len(values["by_demand"])) == (1_500, 1_500), "JSON is never cut"


def test_e4_of_a_long_list_in_one_difference_the_rest_is_counted():
    text = "\n".join(as_markdown(summary_of(SHAPES["many ids"]), whole=True))
    found = re.search(r"- \*\*20,000 accounts \((.*), … and ([\d,]+) more\)\*\*", text)
    assert found is not None
    assert found[1].count(", ") + 1 + int(found[2].replace(",", "")) == 20_000
    text = "\n".join(as_markdown(summary_of(many_times()), whole=True))
    count = text.count("visible → withheld from")
    assert f"  - … and {800 - count:,} more changes" in text


def test_e4_what_fits_is_not_cut():
    ids = range(10**18, 10**18 + 2_000)
    text = "\n".join(as_markdown(summary_of([rule("in", accounts=ids)]), whole=True))
    assert all(str(id_) in text for id_ in ids)
    assert "Cut to fit" not in text
    assert "(1000000000000000000, 1000000000000000001, 1000000000000000002, … and 1,997 more)" in "\n".join(
        as_markdown(summary_of([rule("in", accounts=ids)]))
    )


def test_e4_entries_that_fit_are_whole():
    assert count_fitting([], 0) == 0
    assert fitted([["ä" * 49]], 99, str) == ["ä" * 49], "bytes, including the line feed"
    assert fitted([["ä" * 50]], 99, str) == ["1"]
    assert fitted([["a"]] * 1_000, 300, str) == ["a"] * 100 + ["900"]


def test_e8_a_rule_that_names_less_does_not_read_as_deleted(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = "rules:\n" + "".join(
        f"  - {{id: {id_}, accounts: {ids}, withheld_in: {code}, reason: terms}}\n"
        for id_, ids, code in (("a", "[1, 2]", "IN"), ("b", "[3, 4]", "TR"), ("c", "[4, 5]", "TR"))
    )
    (tmp_path / "old.yaml").write_text(text, encoding="utf-8")
    changed = (
        text.replace("[1, 2]", "[1]")
        .replace("[3, 4]", "[3, 6]")
        .replace("[4, 5], withheld_in: TR", "[5], withheld_in: [TR, PK]")
    )
    (tmp_path / "new.yaml").write_text(changed, encoding="utf-8")
    run = CliRunner().invoke(app, ["diff", "old.yaml", "new.yaml"])
    lines = run.stdout.splitlines()
    assert "  no longer names these: a (old.yaml:2:5)" in lines
    assert "  no longer name these: b (old.yaml:3:5), c (old.yaml:4:5)" in lines
    assert "  now names these: b (new.yaml:3:5)" in lines
    assert "  still names these, but has changed: c (new.yaml:4:5)" in lines
    for form in ("text", "markdown"):
        printed = CliRunner().invoke(app, ["diff", "old.yaml", "new.yaml", "--audit", "--format", form]).stdout
        assert not re.search(r"\b(new|gone|changed|deleted|removed):", printed.replace("has changed:", ""))
    values = json.loads(CliRunner().invoke(app, ["diff", "old.yaml", "new.yaml", "--format", "json"]).stdout)
    assert set(values["changes"][0]["rules"]) == {"now_names", "no_longer_names", "changed"}
