"""Changed files are followed. If anything is wrong with them, the current rules stay active.

The thread never makes a check here, because the tests make its checks themselves.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engine.followed import FOREVER, NOON, check, compiled, hidden, put, rules
from tests.engine.followed import engine as engine
from tests.engine.followed import following as following
from tests.engine.followed import path as path
from withhold import Engine, Following, FollowStatus, RuleSet, RuleSetError, Snapshot, SnapshotError


def text(*tweets: int) -> str:
    rows = [f"  - {{id: in-{tweet}, tweets: [{tweet}], withheld_in: [IN], reason: terms}}" for tweet in tweets]
    return "\n".join(["rules:" if rows else "rules: []", *rows, ""])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A directory with rules."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "a.yaml").write_text(text(1, 2))
    return tmp_path / "rules"


@pytest.fixture
def followed_folder(folder: Path) -> Iterator[tuple[Engine, Following]]:
    engine = Engine(RuleSet.load(folder))
    with engine.follow(folder, FOREVER) as following:
        yield engine, following


def test_a_replaced_snapshot_is_read_once_it_has_been_the_same_for_one_check(
    engine: Engine, path: Path, following: Following
) -> None:
    assert following.status() == FollowStatus(str(path), True, rules(1, 2).revision, None, NOON)
    put(path, compiled(path.with_name("new"), 2, 3))
    assert check(following, 1).activated is None
    assert hidden(engine) == [1, 2]
    status = check(following, 1)
    assert hidden(engine) == [2, 3]
    assert status == FollowStatus(str(path), True, rules(2, 3).revision, NOON, NOON)


def test_a_file_that_differs_from_the_active_rules_is_activated_at_once(path: Path) -> None:
    engine = Engine(rules(4))
    seen: list[FollowStatus] = []
    with engine.follow(path, FOREVER, on_change=seen.append) as following:
        assert hidden(engine) == [1, 2]
        assert [status.revision for status in seen] == [following.status().revision] == [rules(1, 2).revision]


@pytest.mark.parametrize("mapped", [False, True])
def test_a_snapshot_copied_in_place_is_followed(path: Path, mapped: bool) -> None:
    """The new file has the same length. If the mapped file became shorter, the process would be killed."""
    new = compiled(path.with_name("new"), 2, 3)
    engine = Engine(RuleSet())
    with engine.follow(path, FOREVER, mapped=mapped) as following:
        path.write_bytes(new)
        assert check(following).error is None
        assert hidden(engine) == [2, 3]


def _truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:2000])


def _emptied(path: Path) -> None:
    path.write_bytes(b"")


def _foreign(path: Path) -> None:
    whole = bytearray(path.read_bytes())
    whole[8] += 1
    path.write_bytes(whole)


def _changed(path: Path) -> None:
    whole = bytearray(path.read_bytes())
    whole[-1] ^= 1
    path.write_bytes(whole)


def _deleted(path: Path) -> None:
    path.unlink()


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _nothing_left(path: Path) -> None:
    put(path, compiled(path.with_name("new")))


@pytest.mark.parametrize(
    ("harm", "code"),
    [
        (_truncated, "damaged-snapshot"),
        (_half, "damaged-snapshot"),
        (_emptied, "not-a-snapshot"),
        (_foreign, "snapshot-version"),
        (_changed, "damaged-snapshot"),
        (_deleted, None),
        (_folder, "no-rule-files"),
        (_nothing_left, "guard-refused"),
    ],
)
def test_a_harmed_snapshot_changes_nothing_and_its_successor_is_read(
    engine: Engine,
    path: Path,
    following: Following,
    harm: Callable[[Path], None],
    code: str | None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    successor = compiled(path.with_name("new"), 2, 3)
    harm(path)
    status = check(following)
    assert (hidden(engine), status.failures, status.alive) == ([1, 2], 1, True)
    assert getattr(status.error, "code", None) == code
    assert isinstance(status.error, (SnapshotError, RuleSetError) if code else FileNotFoundError)
    assert (status.error.__traceback__, status.error.__context__) == (None, None)
    assert check(following, 2).failures == 2
    assert [record.levelno for record in caplog.records] == [logging.ERROR], "the same failure is logged once"
    if path.is_dir():
        path.rmdir()
    put(path, successor)
    status = check(following)
    assert (hidden(engine), status.failures, status.error) == ([2, 3], 0, None)


def test_files_that_are_put_back_end_the_error(engine: Engine, path: Path, following: Following) -> None:
    away = path.with_name("away")
    path.rename(away)
    assert isinstance(check(following).error, FileNotFoundError)
    away.rename(path)  # changes the time of its inode
    assert check(following).error is None
    before = following.status()
    away.write_bytes(b"broken")
    path.rename(path.with_name("kept"))
    away.rename(path)
    assert check(following).failures == 1
    path.with_name("kept").replace(path)
    assert check(following, 2) == before
    assert hidden(engine) == [1, 2]


@pytest.mark.parametrize("error", [PermissionError("not now"), MemoryError(), OSError("i/o error")])
def test_a_file_that_is_unreadable_for_a_moment_is_tried_again_although_it_stays_the_same(
    engine: Engine, path: Path, following: Following, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []
    look, open_ = 0, Snapshot.open

    def sometimes(*given: Any, **options: Any) -> Snapshot:
        tried.append(look)
        if len(tried) < 8:
            raise error
        return open_(*given, **options)

    monkeypatch.setattr(Snapshot, "open", sometimes)
    put(path, compiled(path.with_name("new"), 2, 3))
    for look in range(1, 200):  # noqa: B007  # `sometimes` reads it
        check(following, 1)
    assert tried == [2, 4, 8, 16, 32, 64, 128, 192]
    assert (hidden(engine), following.status().error) == ([2, 3], None)


def test_a_file_that_changes_while_it_is_read_is_read_again(
    engine: Engine, path: Path, following: Following, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = compiled(path.with_name("new"), 2, 3), compiled(path.with_name("new"), 1, 3)
    load = Following._load

    def replaced(following: Following) -> Any:
        found = load(following)
        monkeypatch.undo()
        put(path, second)
        return found

    put(path, first)
    monkeypatch.setattr(Following, "_load", replaced)
    assert check(following).error is None
    assert hidden(engine) == [1, 2]
    assert check(following).error is None
    assert hidden(engine) == [1, 3]


def test_equal_rules_are_not_activated_again(engine: Engine, path: Path) -> None:
    seen: list[FollowStatus] = []
    with engine.follow(path, FOREVER, on_change=seen.append) as following:
        snapshot = engine.snapshot
        put(path, path.read_bytes())
        status = check(following)
        assert (engine.snapshot is snapshot, status.activated, status.error, seen) == (True, None, None, [])


def test_the_kind_of_file_may_change(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(text(1, 2))
    with engine.follow(path, FOREVER) as following:
        put(path, compiled(tmp_path / "new", 2, 3))
        check(following)
        assert hidden(engine) == [2, 3]
        put(path, text(3, 4))
        check(following)
        assert hidden(engine) == [3, 4]


def test_an_editor_that_saves_in_two_steps(folder: Path, followed_folder: tuple[Engine, Following]) -> None:
    """The first half of the file is valid too, and the guard allows it."""
    engine, following = followed_folder
    (folder / "a.yaml").write_text(text(1))
    check(following, 1)
    (folder / "a.yaml").write_text(text(1, 3))
    check(following, 1)
    assert hidden(engine) == [1, 2]
    check(following, 1)
    assert hidden(engine) == [1, 3]


def test_files_of_a_directory_are_added_changed_and_removed(
    folder: Path, followed_folder: tuple[Engine, Following]
) -> None:
    engine, following = followed_folder
    (folder / "deeper").mkdir()
    (folder / "deeper" / "b.yaml").write_text(text(3))
    check(following)
    assert hidden(engine) == [1, 2, 3]
    put(folder / "deeper" / "b.yaml", text(4))
    check(following)
    assert hidden(engine) == [1, 2, 4]
    (folder / "deeper" / "b.yaml").unlink()
    check(following)
    assert hidden(engine) == [1, 2]
    folder.rename(folder.with_name("old"))
    assert check(following).failures == 1
    folder.mkdir()
    (folder / "c.yaml").write_text(text(5, 6))
    check(following)
    assert hidden(engine) == [5, 6]


def test_a_mistake_in_one_file_keeps_all_rules(folder: Path, followed_folder: tuple[Engine, Following]) -> None:
    engine, following = followed_folder
    put(folder / "a.yaml", text(3, 4))
    put(folder / "b.yaml", "rules: [{id: x, tweets: [5], withheld_in: [XX], reason: terms}]")
    error = check(following).error
    assert isinstance(error, RuleSetError)
    assert hidden(engine) == [1, 2]
    (folder / "b.yaml").unlink()
    check(following)
    assert hidden(engine) == [3, 4]


def test_lists_of_ids_are_followed_from_the_first_load(folder: Path) -> None:
    listing = "rules: [{id: x, ids_file: LIST, withheld_in: [IN], reason: terms}]"
    (folder / "a.yaml").write_text(listing.replace("LIST", "lists/one.csv"))
    (folder / "lists").mkdir()
    one, two = folder / "lists" / "one.csv", folder / "lists" / "two.csv"
    one.write_text("kind,id\ntweet,1\n")
    engine = Engine(RuleSet())
    with engine.follow(folder, FOREVER) as following:
        assert hidden(engine) == [1]
        put(one, "kind,id\ntweet,2\n")
        check(following)
        assert hidden(engine) == [2]
        put(folder / "a.yaml", listing.replace("LIST", "lists/two.csv"))
        assert check(following).failures == 1, "the new list does not exist"
        check(following)
        two.write_text("kind,id\ntweet,3\n")
        check(following)
        assert (hidden(engine), following.status().error) == ([3], None)
        put(two, "kind,id\ntweet,4\n")
        check(following)
        assert hidden(engine) == [4]


def test_lists_of_protected_accounts_count_as_files(folder: Path, followed_folder: tuple[Engine, Following]) -> None:
    _, following = followed_folder
    before = following._files.signature()
    (folder / "protected.yaml").write_text("accounts: []")
    added = following._files.signature()
    assert added != before
    put(folder / "protected.yaml", "accounts: []")
    assert following._files.signature() != added
    (folder / "notes.txt").write_text("no rule")
    (folder / "protected.yaml").unlink()
    assert following._files.signature() == before


def test_a_config_map_is_followed(tmp_path: Path) -> None:
    """Kubernetes mounts links through `..data`, a link that it replaces."""
    for version, tweets in {"..1": (1, 2), "..2": (2, 3)}.items():
        (tmp_path / version).mkdir()
        (tmp_path / version / "in.yaml").write_text(text(*tweets))
    (tmp_path / "..data").symlink_to("..1")
    (tmp_path / "in.yaml").symlink_to("..data/in.yaml")
    for followed in (tmp_path, tmp_path / "in.yaml"):
        engine = Engine(RuleSet())
        with engine.follow(followed, FOREVER) as following:
            assert hidden(engine) == [1, 2]
            (tmp_path / "..new").symlink_to("..2")
            (tmp_path / "..new").replace(tmp_path / "..data")
            check(following)
            assert hidden(engine) == [2, 3]
            (tmp_path / "..new").symlink_to("..1")
            (tmp_path / "..new").replace(tmp_path / "..data")
            check(following)
            assert hidden(engine) == [1, 2]


def test_a_loss_is_allowed_without_a_guard_and_by_hand(engine: Engine, path: Path, following: Following) -> None:
    empty = compiled(path.with_name("new"))
    put(path, empty)
    assert check(following).failures == 1
    engine.activate(Snapshot.open(path, mapped=False))
    assert check(following, 8).error is None
    following.close()
    engine.activate(rules(1, 2))
    with engine.follow(path, FOREVER, guard=None):
        assert hidden(engine) == []


def test_rules_that_are_activated_by_hand_stay_until_the_files_change(
    engine: Engine, path: Path, following: Following
) -> None:
    engine.activate(rules(5, 6))
    assert check(following, 100).revision == rules(5, 6).revision
    assert hidden(engine) == [5, 6]
    put(path, compiled(path.with_name("new"), 2, 3))
    check(following)
    assert hidden(engine) == [2, 3]


@pytest.mark.parametrize("error", [ZeroDivisionError("in the callback"), SystemExit(1)])
def test_an_error_in_on_change_is_logged_and_counted(
    engine: Engine, path: Path, error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: FollowStatus) -> None:
        raise error

    with engine.follow(path, FOREVER, on_change=fail) as following:
        for count, tweets in enumerate([(2, 3), (3, 4)], 1):
            put(path, compiled(path.with_name("new"), *tweets))
            status = check(following)
            assert (hidden(engine), status.callback_failures, status.failures) == (list(tweets), count, 0)
    assert len(caplog.records) == 2


def test_on_change_may_close(engine: Engine, path: Path) -> None:
    with engine.follow(path, FOREVER, on_change=lambda _: engine._following.close()) as following:  # type: ignore[union-attr]
        put(path, compiled(path.with_name("new"), 2, 3))
        assert check(following).alive is False
        assert hidden(engine) == [2, 3]


def test_errors_of_the_first_reading_are_raised_and_nothing_is_followed(engine: Engine, tmp_path: Path) -> None:
    before = threading.active_count()
    broken, few = tmp_path / "rules.yaml", tmp_path / "few.wh"
    broken.write_text("rules: 3")
    compiled(few)
    for wrong, error in [(tmp_path / "none.wh", OSError), (broken, RuleSetError), (few, RuleSetError)]:
        with pytest.raises(error):
            engine.follow(wrong, FOREVER)
    for options in ({"interval": 0}, {"interval": float("nan")}, {"guard": 2}):
        with pytest.raises(ValueError, match=r"\[bad-(interval|guard)\]"):
            engine.follow(few, **options)
    assert (hidden(engine), threading.active_count() <= before) == ([1, 2], True)
    put(broken, text(1, 2))
    engine.follow(broken, FOREVER).close()


def test_a_relative_path_is_followed_in_the_original_working_directory(
    engine: Engine, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(path.parent)
    with engine.follow(path.name, FOREVER) as following:
        monkeypatch.chdir("/")
        put(path, compiled(path.with_name("new"), 2, 3))
        assert check(following).path == str(path)
        assert hidden(engine) == [2, 3]
