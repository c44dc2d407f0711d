"""Changed files are followed, and whatever is wrong with them, the current rules stay active.

The thread waits for ever here. The tests make its checks themselves.
"""

from __future__ import annotations

import gc
import logging
import os
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from withhold import Engine, Following, FollowStatus, Rule, RuleSet, RuleSetError, Snapshot, SnapshotError, Viewer
from withhold.engine import following as room

FOREVER = 1_000_000
NOON = datetime(2021, 2, 10, 12, tzinfo=UTC)
INDIA = Viewer(country="IN")


def rules(*tweets: int) -> RuleSet:
    return RuleSet([Rule(id=f"in-{tweet}", tweets=[tweet], withheld_in=["IN"], reason="terms") for tweet in tweets])


def text(*tweets: int) -> str:
    rows = [f"  - {{id: in-{tweet}, tweets: [{tweet}], withheld_in: [IN], reason: terms}}" for tweet in tweets]
    return "\n".join(["rules:" if rows else "rules: []", *rows, ""])


def put(path: Path, content: bytes | str) -> None:
    """Replace a file by renaming."""
    new = path.with_name(f".{path.name}.new")
    new.write_bytes(content.encode() if isinstance(content, str) else content)
    new.replace(path)


def compiled(path: Path, *tweets: int) -> bytes:
    Snapshot.compile(rules(*tweets)).save(path)
    return path.read_bytes()


def hidden(engine: Engine) -> list[int]:
    view = engine.view(INDIA)
    return [tweet for tweet in range(1, 10) if view.withholds(tweet, 100)]


def check(following: Following, times: int = 2) -> FollowStatus:
    """Make checks as the thread does. A changed file is read in the second one."""
    for _ in range(times):
        engine = following._engine()
        assert engine is not None
        room._check(engine)
    return following.status()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A snapshot file, or the rule file that some tests put in its place."""
    Snapshot.compile(rules(1, 2)).save(tmp_path / "rules.wh")
    return tmp_path / "rules.wh"


@pytest.fixture
def engine(path: Path) -> Engine:
    return Engine(Snapshot.open(path, mapped=False), clock=lambda: NOON)


@pytest.fixture
def following(engine: Engine, path: Path) -> Iterator[Following]:
    with engine.follow(path, FOREVER) as following:
        yield following


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
    """Mapped, it is of the same length: otherwise the process would be killed."""
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
    for path in (tmp_path, tmp_path / "in.yaml"):
        engine = Engine(RuleSet())
        with engine.follow(path, FOREVER) as following:
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


def test_an_engine_follows_one_path_until_it_is_closed(engine: Engine, path: Path, following: Following) -> None:
    with pytest.raises(RuntimeError, match=r"\[already-following\]"):
        engine.follow(path, FOREVER)
    following.close()
    following.close()
    assert following.status().alive is False
    put(path, compiled(path.with_name("new"), 2, 3))
    check(following)
    assert hidden(engine) == [1, 2]
    with engine.follow(path, FOREVER) as other:
        following.close()
        assert (hidden(engine), other.status().alive) == ([2, 3], True)


def test_errors_of_the_first_reading_are_raised_and_nothing_is_followed(engine: Engine, tmp_path: Path) -> None:
    broken, few = tmp_path / "rules.yaml", tmp_path / "few.wh"
    broken.write_text("rules: 3")
    compiled(few)
    for path, error in [(tmp_path / "none.wh", OSError), (broken, RuleSetError), (few, RuleSetError)]:
        with pytest.raises(error):
            engine.follow(path, FOREVER)
    for options in ({"interval": 0}, {"interval": float("nan")}, {"guard": 2}):
        with pytest.raises(ValueError, match=r"\[bad-(interval|guard)\]"):
            engine.follow(few, **options)
    assert (hidden(engine), threading.active_count()) == ([1, 2], 1)
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


def test_following_ends_with_the_engine(path: Path) -> None:
    def begun() -> tuple[weakref.ref[Engine], threading.Thread]:
        """The callback refers to the engine."""
        engine = Engine(RuleSet())
        following = engine.follow(path, FOREVER, on_change=lambda _: engine.snapshot)
        assert following._watcher is not None
        return weakref.ref(engine), following._watcher._thread

    gone, thread = begun()
    gc.collect()
    assert gone() is None
    thread.join(60)
    assert not thread.is_alive()

    engine = Engine(RuleSet())
    following = engine.follow(path, FOREVER)
    del engine
    assert following.status().revision is None
    following.close()


def test_1000_swaps_under_load(path: Path, request: pytest.FixtureRequest) -> None:
    """No page is answered from two revisions, no answer is wrong, and nothing raises."""
    request.addfinalizer(partial(sys.setswitchinterval, sys.getswitchinterval()))
    sys.setswitchinterval(1e-5)  # the threads take turns often, and the test takes seconds instead of minutes
    one, two = compiled(path.with_name("new"), 1, 2), compiled(path.with_name("new"), 3, 4)
    expected = {rules(1, 2).revision: [0, 1], rules(3, 4).revision: [2, 3]}
    page = [(tweet, 100) for tweet in range(1, 10)]
    path.write_bytes(one)
    engine = Engine(RuleSet())
    stop, wrong, asked = threading.Event(), list[object](), list[int]()

    def ask() -> None:
        count = 0
        try:
            while not stop.wait(0.0005):
                count += 1
                found = engine.view(INDIA).filter(page).hidden
                revisions = {decision.revision for _, decision in found}
                if len(revisions) != 1 or expected[revisions.pop()] != [index for index, _ in found]:
                    wrong.append(found)
        except BaseException as error:  # noqa: BLE001
            wrong.append(error)
        asked.append(count)

    with engine.follow(path, FOREVER) as following:
        threads = [threading.Thread(target=ask) for _ in range(2)]
        for thread in threads:
            thread.start()
        for number in range(1000):
            put(path, two if number % 2 == 0 else one)
            status = check(following)
            assert status.error is None
        stop.set()
        for thread in threads:
            thread.join()
        assert (wrong, status.revision) == ([], rules(1, 2).revision)
    assert min(asked) > 10


FORKED = """
import os, sys, threading, time
from pathlib import Path
from withhold import Engine, RuleSet, Viewer

path, new = Path(sys.argv[1]), Path(sys.argv[2])
view = lambda: engine.view(Viewer(country="IN"))

def until(condition):
    end = time.monotonic() + 60
    while not condition() and time.monotonic() < end:
        time.sleep(0.005)
    return condition()

def forked(check):
    child = os.fork()
    if not child:
        try:
            assert check()
            os._exit(0)
        except BaseException as error:
            print(repr(error), file=sys.stderr)
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

engine = Engine(RuleSet())
following = engine.follow(path, 0.01)
assert view().withholds(1, 100)

def grandchild():
    assert [thread.name for thread in threading.enumerate()].count("withhold-follow") == 1
    new.replace(path)
    return until(lambda: view().withholds(3, 100) and following.status().alive)

def child():
    forked(grandchild)
    assert until(lambda: view().withholds(3, 100))
    following.close()
    return until(lambda: threading.active_count() == 1) and not following.status().alive

# The lock is held by a thread that does not exist in the child.
held, release = threading.Event(), threading.Event()
def hold():
    with engine._activating:
        held.set()
        release.wait(60)
thread = threading.Thread(target=hold)
thread.start()
held.wait(60)
forked(child)
release.set()
thread.join()
assert until(lambda: view().withholds(3, 100))
following.close()
forked(lambda: threading.active_count() == 1 and not following.status().alive)
print("done")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_following_goes_on_in_a_child_and_in_its_child(path: Path) -> None:
    compiled(path.with_name("new"), 3, 4)
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKED, str(path), str(path.with_name("new"))],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr


def test_a_fork_during_the_first_reading_leaves_the_child_free_to_follow(
    engine: Engine, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hook is called without a fork: in a child, the thread that reads does not exist."""
    other: list[Following] = []
    load = Following._load

    def forks(following: Following) -> Any:
        monkeypatch.undo()
        engine._following = following
        following._forked(engine)
        other.append(engine.follow(path, FOREVER))
        return load(following)

    monkeypatch.setattr(Following, "_load", forks)
    Following(engine, path, FOREVER, None, None, mapped=False)._read(engine, None)
    assert other[0].status().alive
    other[0].close()
