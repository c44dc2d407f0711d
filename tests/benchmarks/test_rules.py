"""`withhold test` and `withhold diff` are timed only if they report the expected results."""

from __future__ import annotations

import json
from functools import cache

import pytest

from benchmarks.serving.agreement import WrongAnswerError
from benchmarks.targets import rules
from benchmarks.targets.rule_files import PLACES, RULES, drawn, revised, write_cases, write_rules

DRAWN = drawn(10 * RULES)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    directory = tmp_path_factory.mktemp("rules")
    write_rules(DRAWN, directory / "rules")
    write_cases(DRAWN, directory / "cases", 2 * len(PLACES))
    return directory


def test_rules_have_the_documented_proportions():
    naming: dict[tuple[str, int], list[str]] = {}
    for rule in DRAWN:
        for kind, ids in rule.named.items():
            for id_ in ids:
                naming.setdefault((kind, id_), []).append(rule.place)
    assert len(naming) == 10 * RULES
    assert sum(kind == "account" for kind, _ in naming) == 2 * RULES
    assert sum(len(places) == 2 for places in naming.values()) == 10 * RULES // 50
    assert all(len(places) == len(set(places)) for places in naming.values())
    assert 0.4 < sum(rule.end is not None for rule in DRAWN) / RULES < 0.6
    assert len({rule.place for rule in DRAWN}) == 40
    assert drawn(10 * RULES) == DRAWN


def test_the_next_revision_replaces_an_id_of_each_rule_and_postpones_some_ends():
    following, changed = revised(DRAWN)
    postponed = [(old, new) for old, new in zip(DRAWN, following, strict=True) if old.end != new.end]
    assert len(postponed) == 3
    assert all(old.named == new.named for old, new in postponed)
    moved = sum(len(ids) for old, _ in postponed for ids in old.named.values())
    assert sum(map(len, changed.values())) == moved + 2 * (RULES - 3)


def test_the_measured_results_are_the_checked_ones(monkeypatch, tmp_path):
    """Each command runs once, and the second turn repeats its result."""
    monkeypatch.setattr(rules, "run", cache(rules.run))
    monkeypatch.setattr(rules, "check_cases", lambda *_: None)  # tested below
    found = rules.measured(tmp_path, 10 * RULES, 2 * len(PLACES), 2)
    assert set(found) == {"cases", "diff", "diff, memory"}
    assert all(figure["value"] > 0 for figure in found.values())
    rows = json.loads((tmp_path / "expected.json").read_text(encoding="ascii"))
    rows[0][2][0][-1] = "2030-01-01T00:00:00Z"
    (tmp_path / "expected.json").write_text(json.dumps(rows), encoding="ascii")
    with pytest.raises(WrongAnswerError, match="not the expected one"):
        rules.check_difference(tmp_path)


def test_cases_pass_and_a_wrong_one_is_reported(written):
    rules.check_cases(written, 2 * len(PLACES))
    with pytest.raises(WrongAnswerError, match="a case fails that should pass"):
        rules.check_cases(written, 2 * len(PLACES) + 1)


def test_cases_that_are_not_run_are_not_timed(written, monkeypatch):
    """The command ignores a wrong expectation here."""
    all_passed = rules.run("test", str(written / "cases"), "--root", str(written))
    monkeypatch.setattr(rules, "run", lambda *_: all_passed)
    with pytest.raises(WrongAnswerError, match="a wrong expectation is not reported"):
        rules.check_cases(written, 2 * len(PLACES))
