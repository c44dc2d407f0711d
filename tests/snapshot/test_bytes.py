"""A snapshot in memory gives the same answers and the same errors as one in a mapped file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.implementations import in_c
from tests.snapshot.test_damage import RULES, use
from withhold import Engine, Snapshot, SnapshotError, SubjectTypeError, Viewer
from withhold.snapshot.format import HEADER_END

each_way = pytest.mark.parametrize("native", [False, pytest.param(True, marks=in_c)], ids=["in Python", "in C"])
Open = Callable[..., Snapshot]


def from_bytes(path: Path, **options: Any) -> Snapshot:
    return Snapshot.from_bytes(path.read_bytes(), **options)


def in_memory(path: Path, **options: Any) -> Snapshot:
    return Snapshot.open(path, mapped=False, **options)


each_door = pytest.mark.parametrize("open_", [from_bytes, in_memory])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    Snapshot.compile(RULES).save(tmp_path / "rules.wh")
    return tmp_path / "rules.wh"


def refusal(open_: Open, path: Path, **options: Any) -> tuple[str, str] | None:
    try:
        open_(path, **options)
    except SnapshotError as error:
        return error.code, error.problem.message
    return None


@each_way
@each_door
def test_it_answers_after_the_file_is_overwritten_and_shortened(open_: Open, path: Path, native: bool) -> None:
    snapshot = open_(path, native=native)
    path.write_bytes(b"")
    view = Engine(snapshot).view(Viewer(country="IN"))
    assert (view.withholds(7, 1), view.withholds(8, 5), view.withholds(8, 1)) == (True, True, False)
    assert (snapshot.rules, snapshot.is_native) == (RULES, native)
    assert snapshot.save(path) == path.stat().st_size
    assert Snapshot.open(path).rules == RULES


@each_way
@pytest.mark.parametrize("verify", ["full", "header"])
def test_every_changed_byte_and_truncation_gets_the_error_of_a_mapped_file(
    path: Path, native: bool, verify: Any
) -> None:
    whole = path.read_bytes()
    damaged = path.with_name("damaged.wh")
    changes = [
        whole[:at] + bytes([whole[at] ^ (0x80 if at % 2 else 1)]) + whole[at + 1 :] for at in range(0, len(whole), 13)
    ]
    lengths = {*range(0, len(whole), 97), HEADER_END - 1, HEADER_END, HEADER_END + 1, len(whole) - 1}
    changes += [whole[:length] for length in sorted(lengths)]
    changes += [whole + b"\0", whole + whole]
    refused = 0
    for change in changes:
        damaged.write_bytes(change)
        expected = refusal(Snapshot.open, damaged, verify=verify, native=native)
        assert refusal(from_bytes, damaged, verify=verify, native=native) == expected
        refused += expected is not None
    assert refused == len(changes) if verify == "full" else refused > len(lengths)
    assert refusal(in_memory, damaged, verify=verify) == expected


@each_way
def test_unverified_damage_causes_no_harm(path: Path, native: bool) -> None:
    whole = path.read_bytes()
    for at in range(HEADER_END, len(whole)):
        change = bytearray(whole)
        change[at] ^= (0xFF, 1, 0x80)[at % 3]
        try:
            snapshot = Snapshot.from_bytes(change, verify="header", native=native)
        except SnapshotError:  # the bytes between sections
            continue
        use(snapshot)


def test_a_buffer_that_changes_later_changes_nothing(path: Path) -> None:
    data = bytearray(path.read_bytes())
    snapshots = [Snapshot.from_bytes(data), Snapshot.from_bytes(memoryview(data))]
    data[:] = bytes(len(data))
    assert [snapshot.rules for snapshot in snapshots] == [RULES, RULES]


def test_errors_name_bytes() -> None:
    with pytest.raises(SnapshotError, match=r"^<bytes>: the file is empty \[not-a-snapshot\]"):
        Snapshot.from_bytes(b"")
    with pytest.raises(SnapshotError, match=r"^<bytes>: this is not a snapshot \[not-a-snapshot\]"):
        Snapshot.from_bytes(b"rules: []")
    with pytest.raises(ValueError, match=r"`quick` \[bad-verify\]"):
        Snapshot.from_bytes(b"", verify="quick")  # type: ignore[arg-type]
    for given in (5, "rules.wh", [1], None):
        with pytest.raises(SubjectTypeError, match=r"is not bytes \[not-bytes\]"):
            Snapshot.from_bytes(given)  # type: ignore[arg-type]


def test_mapped_false_reads_no_pipe_and_no_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Snapshot.open(tmp_path / "none", mapped=False)
    with pytest.raises(SnapshotError, match="a pipe or a device"):
        Snapshot.open("/dev/null", mapped=False)
