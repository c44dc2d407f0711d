"""A snapshot file: opening it gives the saved snapshot, and its bytes do not depend on where it was made."""

from __future__ import annotations

import copy
import gc
import json
import os
import pickle
import stat
import weakref
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from tests.implementations import in_c
from tests.strategies import rule_sets
from withhold import Engine, InstantError, Place, Rule, RuleSet, Snapshot, Viewer
from withhold.snapshot.format import HEADER_END, OPENING, SECTIONS
from withhold.snapshot.records import record_of, rule_of

each_way = pytest.mark.parametrize("native", [False, pytest.param(True, marks=in_c)], ids=["in Python", "in C"])


def rule(id_: str, **keys: Any) -> Rule:
    return Rule(**{"id": id_, "withheld_in": ["IN"], "reason": "terms"} | keys)


RULES = RuleSet(
    [
        rule(
            "b",
            accounts=[5, 6],
            tweets=range(1000, 3000),
            except_in=["IN-DL"],
            from_=datetime(2021, 2, 10, tzinfo=UTC),
            until=datetime(2022, 2, 10, 1, 2, 3, 4, tzinfo=UTC),
            stays=[(None, datetime(2021, 3, 1, tzinfo=UTC)), (datetime(2021, 4, 1, tzinfo=UTC), None)],
            reason="legal_demand",
            if_unknown="withhold",
            demand="IN-D1",
            jurisdiction="US-MS",
            disclosure="none",
            review_by=datetime(2021, 8, 10, tzinfo=UTC),
            note="नोट: «re-imposed»",
            override={"no-end": "नोट"},
            extra={"x-in": '["XX"]'},
            place=Place("rules/ä.yaml", 7, 3),
        ),
        rule("a", accounts=[6, 2**63 - 1], tweets=range(2500, 3500), effect="suspend", withheld_in=[]),
        rule("c", tweets=[2600, 1]),
    ]
)


def header_of(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_bytes()[OPENING.size : HEADER_END])
    return found


@each_way
def test_an_opened_snapshot_equals_the_saved_one(tmp_path: Path, native: bool) -> None:
    path = tmp_path / "rules.wh"
    assert Snapshot.compile(RULES, native=native).save(path) == path.stat().st_size
    for verify in ("full", "header"):
        opened = Snapshot.open(path, verify=verify, native=native)
        assert opened.revision == RULES.revision
        assert opened.rules == RULES
        assert set(opened.rules) == set(RULES)
        assert {each.id: each.place for each in opened.rules} == {each.id: each.place for each in RULES}


@settings(max_examples=100)
@given(rule_sets())
def test_any_rules_are_read_back_unchanged(rules: RuleSet) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "rules.wh")
        Snapshot.compile(rules).save(path)
        opened = Snapshot.open(path)
    assert opened.rules == rules
    assert sorted(opened.rules, key=lambda each: each.id) == sorted(rules, key=lambda each: each.id)


@in_c
@settings(max_examples=100)
@given(rule_sets())
def test_c_and_python_write_the_same_bytes(rules: RuleSet) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        one, other = Path(folder, "one.wh"), Path(folder, "other.wh")
        Snapshot.compile(rules, native=True).save(one)
        Snapshot.compile(RuleSet(reversed(rules.rules)), native=False).save(other)
        assert one.read_bytes() == other.read_bytes()


@in_c
def test_c_and_python_write_the_same_bytes_for_many_ids(tmp_path: Path) -> None:
    """With long buckets, ids of all sizes, and combinations that are not sorted when they are made."""
    many = RuleSet(
        [
            *RULES,
            *(rule(f"r{n:03}", accounts=[7, *range(n, n + 40)]) for n in range(1, 120)),
            rule("spread", tweets=[1 << shift for shift in range(63)], accounts=[n << 22 for n in range(1, 9000)]),
        ]
    )
    for native in (True, False):
        Snapshot.compile(many, native=native).save(tmp_path / f"{native}.wh")
    assert (tmp_path / "True.wh").read_bytes() == (tmp_path / "False.wh").read_bytes()


@each_way
def test_saving_an_opened_snapshot_gives_the_same_file(tmp_path: Path, native: bool) -> None:
    first, second = tmp_path / "first.wh", tmp_path / "second.wh"
    Snapshot.compile(RULES, native=native).save(first)
    Snapshot.open(first, native=native).save(second)
    assert first.read_bytes() == second.read_bytes()


def test_no_rules_at_all(tmp_path: Path) -> None:
    Snapshot.compile(RuleSet()).save(tmp_path / "none.wh")
    opened = Snapshot.open(tmp_path / "none.wh")
    assert opened.accounts.find(1) is opened.tweets.find(2**63 - 1) is None
    assert opened.rules == RuleSet()


def test_the_header_describes_the_file(tmp_path: Path) -> None:
    path = tmp_path / "rules.wh"
    when = datetime(2026, 1, 1, 5, 30, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    Snapshot.compile(RULES).save(path, created=when)
    header = header_of(path)
    assert header["created"] == "2026-01-01T00:00:00Z"
    assert header["digest"] == RULES.digest
    assert header["counts"] == {"rules": 3, "accounts": 3, "tweets": 2501, "combinations": 2}
    assert header["size"] == path.stat().st_size
    assert list(header["sections"]) == list(SECTIONS)
    assert all(section["offset"] % 64 == 0 for section in header["sections"].values())


def test_only_created_depends_on_the_time_of_saving(tmp_path: Path) -> None:
    path = tmp_path / "rules.wh"
    Snapshot.compile(RULES).save(path)
    assert header_of(path)["created"] is None
    with pytest.raises(InstantError):
        Snapshot.compile(RULES).save(path, created=datetime(2026, 1, 1))  # noqa: DTZ001


def test_an_id_takes_few_bytes(tmp_path: Path) -> None:
    ids = range(10**15, 10**15 + 40_000 * 7, 7)
    path = tmp_path / "rules.wh"
    Snapshot.compile(RuleSet([rule("a", tweets=ids)])).save(path)
    assert path.stat().st_size < 20 * len(ids)


@pytest.mark.skipif(os.name != "posix", reason="permissions and links are those of POSIX")
class TestReplacing:
    def test_a_process_that_has_the_old_file_open_keeps_it(self, tmp_path: Path) -> None:
        path = tmp_path / "rules.wh"
        Snapshot.compile(RULES).save(path)
        old = Snapshot.open(path)
        Snapshot.compile(RuleSet([rule("new", accounts=[99])])).save(path)
        assert old.rules == RULES
        assert Snapshot.open(path).accounts.find(99) == 0

    def test_permissions_are_kept_and_a_new_file_gets_the_usual_ones(self, tmp_path: Path) -> None:
        path, usual = tmp_path / "rules.wh", tmp_path / "usual"
        usual.touch()
        Snapshot.compile(RULES).save(path)
        assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(usual.stat().st_mode)
        path.chmod(0o640)
        Snapshot.compile(RULES).save(path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o640

    def test_a_link_is_followed_and_kept(self, tmp_path: Path) -> None:
        real, link = tmp_path / "real.wh", tmp_path / "current.wh"
        Snapshot.compile(RuleSet()).save(real)
        link.symlink_to(real)
        Snapshot.compile(RULES).save(link)
        assert link.is_symlink()
        assert Snapshot.open(real).rules == RULES

    def test_only_files_are_replaced(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "fifo")
        for place in (tmp_path / "fifo", tmp_path):
            with pytest.raises(OSError, match="exists and is not a file"):
                Snapshot.compile(RULES).save(place)
        assert stat.S_ISFIFO((tmp_path / "fifo").stat().st_mode)
        assert [each.name for each in tmp_path.iterdir()] == ["fifo"]

    def test_a_link_to_itself_is_an_os_error(self, tmp_path: Path) -> None:
        (tmp_path / "loop.wh").symlink_to("loop.wh")
        with pytest.raises(OSError):  # noqa: PT011  # its name depends on the system
            Snapshot.compile(RULES).save(tmp_path / "loop.wh" / "x.wh")

    def test_a_name_may_have_the_maximal_length(self, tmp_path: Path) -> None:
        path = tmp_path / ("r" * 252 + ".wh")
        Snapshot.compile(RULES).save(path)
        assert Snapshot.open(path).rules == RULES

    def test_the_umask_is_that_of_the_process(self, tmp_path: Path) -> None:
        before = os.umask(0o027)
        try:
            Snapshot.compile(RULES).save(tmp_path / "rules.wh")
            assert os.umask(0o027) == 0o027
        finally:
            os.umask(before)
        assert stat.S_IMODE((tmp_path / "rules.wh").stat().st_mode) == 0o640

    @pytest.mark.skipif(os.name != "posix", reason="directories can be synced on POSIX only")
    def test_the_file_and_then_its_directory_are_synced(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        synced: list[bool] = []
        monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(stat.S_ISDIR(os.fstat(descriptor).st_mode)))
        Snapshot.compile(RULES).save(tmp_path / "rules.wh")
        assert synced == [False, True]

    def test_a_failed_write_keeps_the_old_file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = tmp_path / "rules.wh"
        Snapshot.compile(RULES).save(path)
        before = path.read_bytes()

        def full(descriptor: int) -> None:
            raise OSError(28, "no space left on device")

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="no space left"):
            Snapshot.compile(RuleSet()).save(path)
        assert path.read_bytes() == before
        assert list(tmp_path.iterdir()) == [path]


def test_a_released_snapshot_is_closed_at_once(tmp_path: Path) -> None:
    """And not by the garbage collector, which services disable: a mapping may have gigabytes."""
    path = tmp_path / "rules.wh"
    Snapshot.compile(RULES).save(path)
    gc.disable()
    try:
        snapshot = Snapshot.open(path)
        watched = weakref.ref(snapshot._contents)
        stored = weakref.ref(snapshot._contents._stored)  # type: ignore[attr-defined]
        view = Engine(snapshot).view(Viewer(country="IN"))
        assert view.withholds(1, 6)
        del snapshot, view
        assert watched() is None
        assert stored() is None
    finally:
        gc.enable()


class TestStoredIds:
    """The ids of a rule that was read from a file."""

    @pytest.fixture
    def ids(self, tmp_path: Path) -> Any:
        Snapshot.compile(RULES).save(tmp_path / "rules.wh")
        return Snapshot.open(tmp_path / "rules.wh").rules["b"].tweets

    def test_they_behave_like_any_set(self, ids: Any) -> None:
        own = RULES["b"].tweets
        assert (len(ids), list(ids), ids.tobytes()) == (len(own), list(own), own.tobytes())
        assert ids == own
        assert own == ids
        assert hash(ids) == hash(own)
        assert (1000 in ids, 999 in ids, "1000" in ids) == (True, False, False)
        assert repr(ids) == repr(own)

    def test_they_can_be_copied_and_pickled(self, ids: Any) -> None:
        for again in (copy.copy(ids), copy.deepcopy(ids), pickle.loads(pickle.dumps(ids))):  # noqa: S301
            assert again == RULES["b"].tweets

    def test_they_can_be_the_ids_of_another_rule(self, ids: Any) -> None:
        assert rule("new", tweets=ids).tweets == RULES["b"].tweets


@pytest.mark.parametrize(
    ("key", "default", "other"),
    [
        ("disclosure", "reason", "none"),
        ("jurisdiction", None, "IN"),
        ("jurisdiction", None, "EU"),
        ("review_by", None, datetime(2021, 8, 10, 1, 2, 3, 4, tzinfo=UTC)),
        ("extra", (), (("x-n", "नोट"), ("x-ticket", '": ["XX"]'))),
    ],
)
def test_a_record_without_a_later_key_has_the_default(key: str, default: Any, other: Any) -> None:
    """Files from before the key existed stay readable, and rules that do not use it keep their revision."""
    without, with_it = (rule("a", accounts=[5], **{key: each}) for each in (default, other))
    assert key.encode() not in record_of(without)
    for each in (without, with_it):
        assert rule_of(record_of(each), lambda kind, _: getattr(each, kind)) == each  # noqa: B023
    assert getattr(rule_of(record_of(with_it), lambda kind, _: getattr(with_it, kind)), key) == other
