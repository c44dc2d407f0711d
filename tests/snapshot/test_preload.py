"""`Snapshot.preload`: the first questions about a mapped file do not wait for its pages."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from withhold import Rule, RuleSet, Snapshot
from withhold.snapshot import opened


def compiled(ids: int) -> Snapshot:
    rule = Rule(id="in-1", accounts=range(1, ids + 1), withheld_in=["IN"], reason="terms")
    return Snapshot.compile(RuleSet([rule]))


def faults_of(path: Path, *, preloaded: bool) -> int:
    """Return how many page faults it takes to find ids all over a file that this process has just opened."""
    resource = pytest.importorskip("resource")
    snapshot = Snapshot.open(path, verify="header")
    if preloaded:
        snapshot.preload()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for id_ in range(1, 300_001, 10):
        assert snapshot.accounts.find(id_) is not None
    return int(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems map other amounts")
def test_a_preloaded_file_is_read_with_fewer_page_faults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opened, "_PIECE", 1 << 18)
    path = tmp_path / "rules.wh"
    compiled(300_000).save(path)
    faults_of(path, preloaded=False)  # memory for the first time
    assert faults_of(path, preloaded=True) <= faults_of(path, preloaded=False) / 2
    pauses: list[float] = []
    monkeypatch.setattr(opened, "_LONGEST", -1.0)
    monkeypatch.setattr(time, "sleep", pauses.append)
    Snapshot.open(path, verify="header").preload()
    assert len(pauses) == 1, "it stops when it has taken too long"


def test_snapshots_in_memory_and_small_files_are_preloaded_without_effect(tmp_path: Path) -> None:
    made = compiled(3)
    made.save(tmp_path / "rules.wh")
    path = tmp_path / "rules.wh"
    for snapshot in (
        made,
        Snapshot.open(path),
        Snapshot.open(path, mapped=False),
        Snapshot.from_bytes(path.read_bytes()),
    ):
        snapshot.preload()
        assert snapshot.rules == made.rules
