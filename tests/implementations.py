"""All implementations of snapshots, which must give the same answers: compiled and opened, in C and in Python."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import note

from withhold import Engine, Policy, RuleSet, Snapshot, engine_info

MakeSnapshot = Callable[[RuleSet], Snapshot]

in_c = pytest.mark.skipif(not engine_info().native, reason=engine_info().why)


def compiled(*, native: bool) -> MakeSnapshot:
    return lambda rules: Snapshot.compile(rules, native=native)


def reopened(*, native: bool) -> MakeSnapshot:
    def make(rules: RuleSet) -> Snapshot:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "rules.wh")
            Snapshot.compile(rules).save(path)
            return Snapshot.open(path, native=native)

    return make


SNAPSHOTS: dict[str, MakeSnapshot] = {
    "compiled in Python": compiled(native=False),
    "reopened in Python": reopened(native=False),
    "compiled in C": compiled(native=True),
    "reopened in C": reopened(native=True),
}


def _parameters() -> list[object]:
    marks = {name: [in_c] if name.endswith("in C") else [] for name in SNAPSHOTS}
    return [pytest.param(make, id=name, marks=marks[name]) for name, make in SNAPSHOTS.items()]


#: Runs a test with each way to create a snapshot of a rule set.
each_snapshot = pytest.mark.parametrize("snapshot_of", _parameters())


def available_snapshots() -> dict[str, MakeSnapshot]:
    """Return the implementations that are available here."""
    return {name: make for name, make in SNAPSHOTS.items() if engine_info().native or not name.endswith("in C")}


def every_snapshot(rules: RuleSet) -> Iterator[Snapshot]:
    """Yield a snapshot of a rule set from each available implementation.

    Property tests use this to generate an example and its expected answers once for all implementations.
    """
    for name, make in available_snapshots().items():
        note(name)
        yield make(rules)


def engine_of(make: MakeSnapshot) -> Callable[[RuleSet, Policy], Engine]:
    """Return a function that creates an engine with such a snapshot."""
    return lambda rules, policy: Engine(make(rules), policy)
