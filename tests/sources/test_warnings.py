"""Warnings for values that are read as something else, and for codes newer than the ISO data (T2)."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

from tests.sources.writing import FINE, refusal, write
from withhold import Place, Problem, RuleSet, RuleSetWarning
from withhold.territories import is_newer


@pytest.mark.parametrize(
    ("written", "alias", "code"),
    [
        ("UK", "UK", "GB"),
        ("uk", "UK", "GB"),
        ("EL", "EL", "GR"),
        ("uk-eng", "UK-ENG", "GB-ENG"),
        ("EL-I", "EL-I", "GR-I"),
        ("in-or", "IN-OR", "IN-OD"),
        ("FR-RE", "FR-RE", "RE"),
        ("RS-25", "RS-25", "XK"),
    ],
)
def test_an_alias_is_read_and_told_with_its_place(tmp_path: Path, written: str, alias: str, code: str) -> None:
    write(tmp_path, {"in.yaml": FINE.replace("IN", f"[IN, {written}]")})
    expected = Problem(
        "territory-alias",
        f"`{alias}` was read as `{code}`",
        Place(str(tmp_path / "in.yaml"), 4, 21),
        severity="warning",
    )

    with pytest.warns(RuleSetWarning) as caught:
        rules = RuleSet.load(tmp_path)

    assert rules.warnings == (expected,)
    assert [str(warning.message) for warning in caught] == [str(expected)]
    assert str(expected) == (f"{tmp_path / 'in.yaml'}:4:21: warning: `{alias}` was read as `{code}` [territory-alias]")
    assert caught[0].filename == __file__, "a warning points to the caller of `load`"
    assert rules["a"].withheld_in == tuple(sorted(("IN", code)))


def test_an_alias_of_a_jurisdiction_is_read_and_told_too(tmp_path: Path) -> None:
    write(tmp_path, {"in.yaml": FINE + "  jurisdiction: uk-eng\n"})
    with pytest.warns(RuleSetWarning):
        rules = RuleSet.load(tmp_path)
    (warning,) = rules.warnings
    expected = Place(str(tmp_path / "in.yaml"), 6, 17)
    assert (warning.code, warning.place, warning.severity) == ("territory-alias", expected, "warning")
    assert rules["a"].jurisdiction == "GB-ENG"


def test_warnings_come_in_the_order_of_their_places(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "a.yaml": FINE.replace("IN", "UK") + "  except_in: [EL]\n",
            "b.yaml": "groups: {g: [EL, uk]}\n" + FINE.replace("IN", "g").replace("id: a", "id: b"),
        },
    )
    with pytest.warns(RuleSetWarning):
        rules = RuleSet.load(tmp_path)
    assert [str(problem.place).removeprefix(f"{tmp_path}/") for problem in rules.warnings] == [
        "a.yaml:4:16",
        "a.yaml:6:15",
        "b.yaml:1:14",
        "b.yaml:1:18",
    ]


def test_a_group_with_an_alias_warns_where_it_is_defined_not_where_it_is_used(tmp_path: Path) -> None:
    write(tmp_path, {"in.yaml": "groups: {g: UK}\n" + FINE.replace("IN", "[g, g]") + "  except_in: g\n"})
    with pytest.warns(RuleSetWarning) as caught:
        RuleSet.load(tmp_path)
    assert len(caught) == 1


def test_an_alias_and_its_code_are_one_rule_set(tmp_path: Path) -> None:
    write(tmp_path, {"a/in.yaml": FINE.replace("IN", "UK"), "b/in.yaml": FINE.replace("IN", "GB")})
    with pytest.warns(RuleSetWarning):
        aliased = RuleSet.load(tmp_path / "a")
    assert aliased.digest == RuleSet.load(tmp_path / "b").digest


def test_a_refused_rule_set_does_not_warn(tmp_path: Path) -> None:
    """Errors are raised once; under `-W error` a warning would hide them."""
    write(tmp_path, {"in.yaml": FINE.replace("IN", "UK"), "z.yaml": "rules: ["})
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        refusal(tmp_path)
    assert caught == []


@pytest.mark.skipif(not is_newer("NO-31"), reason="pycountry has the counties of 2024")
def test_c4_a_code_newer_than_the_data_is_read_with_a_warning(tmp_path: Path) -> None:
    write(tmp_path, {"no.yaml": FINE.replace("IN", "[no-31, NO-03]")})
    with pytest.warns(RuleSetWarning, match=r"`NO-31` \(Østfold\) is newer than the ISO 3166-2 list of pycountry"):
        rules = RuleSet.load(tmp_path)
    assert [problem.code for problem in rules.warnings] == ["newer-territory"]
    assert rules["a"].withheld_in == ("NO-03", "NO-31")
