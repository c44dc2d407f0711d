"""Territory codes that changed in ISO 3166 and pycountry after a file was written (C7)."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any, Literal

import pytest
from typer.testing import CliRunner

from tests.snapshot.test_damage import changed
from withhold import Engine, Rule, RuleSet, Snapshot, SnapshotError, Viewer
from withhold.cli.app import app
from withhold.snapshot import codes, opened
from withhold.snapshot.format import HEADER_END, OPENING
from withhold.territories import EDITION, iso_version

Verify = Literal["full", "header"]
both = pytest.mark.parametrize("verify", ["full", "header"])
RULES = RuleSet(
    [
        Rule(
            id="a",
            accounts=[5],
            withheld_in=["US-MS", "DE"],
            reason="local_law",
            jurisdiction="EU",
            note='beside "withheld_in": ["AN"], and "except_in": ["SU"]',
        ),
        Rule(
            id="b", accounts=[6], withheld_in=["WORLD"], except_in=["US-MS"], reason="local_law", jurisdiction="US-TX"
        ),
    ]
)


def written(path: Path, territories: object, others: dict[str, str] | None = None) -> Path:
    """Write a file like another version: with its header, and with other codes in its records."""

    def change(header: dict[str, Any], sections: dict[str, bytearray]) -> None:
        if territories is ...:
            del header["territories"]
        else:
            header["territories"] = territories
        records = sections["rules.records"]
        for old, new in (others or {}).items():
            records[:] = records.replace(f'"{old}"'.encode(), f'"{new}"'.encode())

    Snapshot.compile(RULES).save(path)
    path.write_bytes(changed(path.read_bytes(), change))
    return path


OLD = {"pycountry": "24.6.1", "table": "00000000"}
HERE = {"pycountry": iso_version(), "table": EDITION}


def test_c7_the_header_has_the_versions_of_the_territory_data(tmp_path: Path) -> None:
    Snapshot.compile(RULES).save(tmp_path / "rules.wh")
    header = json.loads((tmp_path / "rules.wh").read_bytes()[OPENING.size : HEADER_END])
    assert header["territories"] == HERE


@both
@pytest.mark.parametrize(
    ("code", "now"), [("US-ZZ", None), ("NO-30", "`NO-31`, `NO-32`, `NO-33`"), ("NP-BA", "`NP-P3`"), ("LV-01", None)]
)
def test_c7_an_obsolete_code_is_refused_when_the_file_is_opened(
    tmp_path: Path, verify: Verify, code: str, now: str | None
) -> None:
    path = written(tmp_path / "rules.wh", OLD, {"US-MS": code})
    with pytest.raises(SnapshotError) as caught:
        Snapshot.open(path, verify=verify)
    problem = caught.value.problem
    assert problem.code == "unknown-territory"
    assert problem.message == (
        f"`{code}` is not a territory in pycountry {iso_version()}; the file was written with pycountry 24.6.1"
    )
    assert problem.place == str(path)
    assert "compile them again" in str(problem.hint)
    assert now is None or now in str(problem.hint)


def test_c7_a_jurisdiction_is_checked_and_read_as_the_codes_of_territories(tmp_path: Path) -> None:
    with pytest.raises(SnapshotError, match="`NO-30` is not a territory"):
        Snapshot.open(written(tmp_path / "rules.wh", OLD, {"US-TX": "NO-30"}))
    snapshot = Snapshot.open(written(tmp_path / "rules.wh", OLD, {"US-TX": "IN-OR"}))
    assert {rule.id: rule.jurisdiction for rule in snapshot.rules} == {"a": "EU", "b": "IN-OD"}


@pytest.mark.parametrize("territories", [HERE, OLD, None, ...], ids=["here", "old", "null", "absent"])
def test_c7_a_full_check_includes_the_codes_for_any_header(tmp_path: Path, territories: object) -> None:
    with pytest.raises(SnapshotError, match="`AN` is not a territory"):
        Snapshot.open(written(tmp_path / "rules.wh", territories, {"DE": "AN"}))


@pytest.mark.parametrize("small", [True, False], ids=["small", "large"])
def test_c7_an_obsolete_code_is_named_also_with_verify_header(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small: bool
) -> None:
    """Even if the header names current versions.

    A small file is refused when it is opened, a large one when the rule is read.
    """
    path = written(tmp_path / "rules.wh", HERE, {"DE": "AN"})
    if not small:
        monkeypatch.setattr(opened, "_SMALL", 0)
        engine = Engine(Snapshot.open(path, verify="header"))
    with pytest.raises(SnapshotError, match="`AN` is not a territory") as caught:
        engine.view(Viewer(country="DE")).check(account_id=5) if not small else Snapshot.open(path, verify="header")
    assert caught.value.problem.code == "unknown-territory"


@both
def test_c7_the_command_reports_it_too(tmp_path: Path, verify: Verify) -> None:
    path = written(tmp_path / "rules.wh", OLD, {"DE": "AN"})
    found = CliRunner().invoke(app, ["check", str(path), "--account", "5"])
    assert found.exit_code not in (0, 3)
    assert "`AN` is not a territory in pycountry" in " ".join(found.output.split())


@both
@pytest.mark.parametrize("territories", [OLD, None, ...], ids=["old", "null", "absent"])
def test_c7_older_files_are_read(tmp_path: Path, verify: Verify, territories: object) -> None:
    snapshot = Snapshot.open(written(tmp_path / "rules.wh", territories), verify=verify)
    assert snapshot.rules == RULES
    snapshot.save(tmp_path / "again.wh")
    assert Snapshot.open(tmp_path / "again.wh").rules == RULES


@both
def test_c7_a_code_that_was_renamed_since_is_read_as_the_new_one(tmp_path: Path, verify: Verify) -> None:
    path = written(tmp_path / "rules.wh", OLD, {"US-MS": "IN-OR", "DE": "TP"})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        snapshot = Snapshot.open(path, verify=verify)
        engine = Engine(snapshot)
        odisha = engine.view(Viewer(country="IN", subdivisions=["IN-OD"]))
        assert (odisha.withholds(7, 5), odisha.withholds(7, 6)) == (True, False)
        assert engine.view(Viewer(country="TL")).withholds(7, 5)
        assert str(odisha.check(account_id=5).territories) == "IN-OD, TL"
        assert snapshot.rules["a"].withheld_in == ("IN-OD", "TL")
    assert snapshot.revision == Snapshot.compile(RULES).revision, "the revision is that of the file"
    snapshot.save(tmp_path / "again.wh")
    assert Snapshot.open(tmp_path / "again.wh").rules == snapshot.rules


@pytest.mark.parametrize("size", range(1, 40))
def test_c7_codes_are_found_wherever_the_section_is_cut(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    records = b'{"withheld_in": ["IN", "US-MS"], "except_in": [], "note": "\\"withheld_in\\": [\\"AN\\"]"}{"except_in": ["GB"]}'
    records += b'{"stays": [["XX"]], "override": {"jurisdiction": "XX", "in": "XX"}, "jurisdiction": ["TR"]}'
    monkeypatch.setattr(codes, "_CHUNK", size)
    assert codes._codes(records) == {"IN", "US-MS", "GB", "TR"}
