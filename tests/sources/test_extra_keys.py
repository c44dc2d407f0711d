"""Keys that begin with `x-` are kept and shown, and change nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sources.writing import FINE, refusal, reported, write
from withhold import Engine, Rule, RuleError, RuleSet, Snapshot, Viewer
from withhold.model import Policy
from withhold.reports import differences


def test_they_are_kept_in_the_file_of_a_snapshot_and_shown(tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": FINE + "  x-ticket: LEGAL-1\n  x-Owner_2: ' the desk '\n  x-year: 2021\n"})
    rules = RuleSet.load(tmp_path)
    wanted = (("x-Owner_2", "the desk"), ("x-ticket", "LEGAL-1"), ("x-year", "2021"))
    assert rules["a"].extra == wanted
    Snapshot.compile(rules).save(tmp_path / "a.wh")
    found = Snapshot.open(tmp_path / "a.wh").rules["a"]
    assert (found.extra, found) == (wanted, rules["a"])
    explanation = Engine(rules).explain((None, 1), Viewer(country="IN"))
    assert "      x-ticket: LEGAL-1\n" in str(explanation)
    assert explanation.to_dict()["rules"][0]["extra"] == dict(wanted)  # type: ignore[index]


def test_without_them_a_rule_set_keeps_its_revision_and_with_them_it_changes(tmp_path: Path) -> None:
    write(tmp_path, {"old.yaml": FINE, "new.yaml": FINE + "  x-a: b\n"})
    old, new = (RuleSet.load(tmp_path / f"{name}.yaml") for name in ("old", "new"))
    assert old.revision == "8b182dfec9238122"
    assert old.revision != new.revision
    (difference,) = differences(Snapshot.compile(old), Snapshot.compile(new), Policy())
    assert (difference.changes, [rule.id for rule in difference.causes.changed]) == ((), ["a"])


@pytest.mark.parametrize(
    ("keys", "place"),
    [
        ("x-: a", "a.yaml:6:7 bad-extra"),
        ("x-a b: a", "a.yaml:6:10 bad-extra"),
        ("x-ü: a", "a.yaml:6:8 bad-extra"),
        (f"x-{'a' * 59}: a", "a.yaml:6:66 bad-extra"),
        ("x-a: ' '", "a.yaml:6:8 bad-extra"),
        ("x-a:", "a.yaml:6:7 bad-value"),
        ("x-a: [a]", "a.yaml:6:8 bad-value"),
        ("x-a: {b: c}", "a.yaml:6:8 bad-value"),
        ('x-a: "b\\nc"', "a.yaml:6:8 control-character"),
        ("x-a: b\n  x-a: c", "a.yaml:7:3 repeated-key"),
        ("X-a: b", "a.yaml:6:3 unknown-key"),
        ("xa: b\n  x-a: c", "a.yaml:6:3 unknown-key"),
        ("stays: {from: 2021-02-10T00:00:00Z, x-a: b}", "a.yaml:6:39 unknown-key"),
    ],
)
def test_each_mistake_has_its_place(tmp_path: Path, keys: str, place: str) -> None:
    write(tmp_path, {"a.yaml": f"{FINE}  {keys}\n"})
    assert reported(refusal(tmp_path), tmp_path) == [place]


def test_a_capital_x_gets_the_right_suggestion(tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": f"{FINE}  X-Ticket: a\n"})
    assert "did you mean `x-ticket`?" in str(refusal(tmp_path))


def test_a_key_without_a_name_does_not_move_the_places_of_others(tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": f"{FINE}  x-: a\n  x-b: [c]\n"})
    assert reported(refusal(tmp_path), tmp_path) == ["a.yaml:7:8 bad-value"]


def test_all_mistakes_are_reported_with_those_of_the_other_keys(tmp_path: Path) -> None:
    write(tmp_path, {"a.yaml": FINE.replace("accounts: 1", "accounts: x") + "  x-a: []\n  x-b: [1]\n  noet: n\n"})
    assert reported(refusal(tmp_path), tmp_path) == [
        "a.yaml:5:13 bad-id",
        "a.yaml:6:8 bad-value",
        "a.yaml:7:8 bad-value",
        "a.yaml:8:3 unknown-key",
    ]


def test_other_values_are_refused_in_python_too() -> None:
    for extra in ({"ticket": "1"}, {"x-a": ""}, {"x-a": " b"}, {"x-a": "\x1b"}, {"x-a": 1}, 5, {"x-\n": "a"}):
        with pytest.raises(RuleError):
            Rule(id="a", accounts=[1], withheld_in=["IN"], reason="terms", extra=extra)  # type: ignore[arg-type]
