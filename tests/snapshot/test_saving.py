"""Temporary files of saves: those of running processes are kept, and those of killed processes are removed."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import BinaryIO

import pytest

from withhold.snapshot.saving import write_atomically

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="where files are locked so")


def began(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("."))


@pytest.fixture
def left(tmp_path: Path) -> Path:
    """A temporary file of a killed save."""
    (tmp_path / ".withhold-0.partial").write_bytes(b"half")
    return tmp_path


def test_a_save_removes_leftovers_of_killed_saves_and_nothing_else(left: Path) -> None:
    for name in (".withhold-1", "0.partial", "other.wh"):
        (left / name).write_bytes(b"kept")
    write_atomically(left / "rules.wh", [b"new"])
    assert sorted(path.name for path in left.iterdir()) == [".withhold-1", "0.partial", "other.wh", "rules.wh"]


def test_concurrent_saves_do_not_disturb_each_other(tmp_path: Path) -> None:
    """While one save runs, others start and finish. The last one to finish determines the file."""
    path = tmp_path / "rules.wh"

    def pieces():
        yield b"ou"
        (at_work,) = began(tmp_path)
        assert write_atomically(path, [b"inner"]) == 5
        assert (began(tmp_path), path.read_bytes()) == ([at_work], b"inner")
        yield b"ter"

    write_atomically(path, pieces())
    assert (began(tmp_path), path.read_bytes()) == ([], b"outer")


def test_a_file_that_is_removed_before_it_is_locked_is_created_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    lock = fcntl.flock
    cleared: list[str] = []

    def late(file, how):
        if not cleared:
            cleared.extend(began(tmp_path))
            (tmp_path / cleared[0]).unlink()
        lock(file, how)

    monkeypatch.setattr(fcntl, "flock", late)
    write_atomically(tmp_path / "rules.wh", [b"new"])
    assert len(cleared) == 1
    assert (began(tmp_path), (tmp_path / "rules.wh").read_bytes()) == ([], b"new")


def test_nothing_is_removed_if_files_cannot_be_locked(left: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unsupported(*_):
        raise OSError("no locks available")

    monkeypatch.setattr("fcntl.flock", unsupported)
    write_atomically(left / "rules.wh", [b"new"])
    monkeypatch.undo()
    monkeypatch.setattr("withhold.snapshot.saving.sys", SimpleNamespace(platform="win32"))
    write_atomically(left / "rules.wh", [b"newer"])
    assert (began(left), (left / "rules.wh").read_bytes()) == ([".withhold-0.partial"], b"newer")


def test_no_descriptor_stays_open(left: Path) -> None:
    folder = Path("/proc/self/fd")
    if not folder.exists():
        pytest.skip("only where they are listed")
    before = len(os.listdir(folder))  # noqa: PTH208
    for _ in range(3):
        write_atomically(left / "rules.wh", [b"new"])
    assert len(os.listdir(folder)) == before  # noqa: PTH208


def test_pipes_and_links_with_the_name_of_a_temporary_file_cause_no_harm(tmp_path: Path) -> None:
    """They are not waited for, followed or written to: a save creates a file of its own and renames it."""
    other = tmp_path / "other.wh"
    other.write_bytes(b"kept")
    os.mkfifo(tmp_path / ".withhold-pipe.partial")
    (tmp_path / ".withhold-folder.partial").mkdir()
    (tmp_path / ".withhold-link.partial").symlink_to(other)
    (tmp_path / ".withhold-nowhere.partial").symlink_to("nowhere")
    write_atomically(tmp_path / "rules.wh", [b"new"])
    assert ((tmp_path / "rules.wh").read_bytes(), other.read_bytes()) == (b"new", b"kept")
    left = [".withhold-folder.partial", ".withhold-link.partial", ".withhold-nowhere.partial"]
    assert began(tmp_path) == left


def test_read_only_leftovers_are_removed_too(left: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are left by a save that was replacing a read-only file.

    Root may write to any file, so this checks the open flags.
    """
    import fcntl

    lock, inode = fcntl.flock, (left / ".withhold-0.partial").stat().st_ino
    modes: list[int] = []

    def watched(file: BinaryIO, how: int) -> None:
        if not modes and os.fstat(file.fileno()).st_ino == inode:
            modes.append(fcntl.fcntl(file, fcntl.F_GETFL) & os.O_ACCMODE)
        lock(file, how)

    monkeypatch.setattr(fcntl, "flock", watched)
    write_atomically(left / "rules.wh", [b"new"])
    assert (modes, began(left)) == ([os.O_RDONLY], [])


def test_a_file_that_another_process_is_about_to_remove_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    lock = fcntl.flock
    held: list[int] = []

    def contended(file: BinaryIO, how: int) -> None:
        if not held:  # another is quicker, and then stopped
            held.append(os.open(tmp_path / began(tmp_path)[0], os.O_RDONLY))
            lock(held[0], fcntl.LOCK_EX)
        lock(file, how)

    monkeypatch.setattr(fcntl, "flock", contended)
    write_atomically(tmp_path / "rules.wh", [b"new"])
    assert (len(began(tmp_path)), (tmp_path / "rules.wh").read_bytes()) == (1, b"new")
    os.close(held[0])
    write_atomically(tmp_path / "rules.wh", [b"newer"])
    assert began(tmp_path) == []


@pytest.mark.parametrize(
    "target", ["../other/rules.wh", "../other/none", "inner/../../other/none", ".git/config", "inner/.GIT/x"]
)
def test_b1_a_link_out_of_its_folder_is_not_followed(tmp_path: Path, target: str) -> None:
    for folder in ("other", "here/inner/.GIT", "here/.git"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "other" / "rules.wh").write_bytes(b"kept")
    (tmp_path / "here" / "rules.wh").symlink_to(target)
    with pytest.raises(PermissionError, match="give the path of its target"):
        write_atomically(tmp_path / "here" / "rules.wh", [b"new"])
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["rules.wh"]
    assert (tmp_path / "other" / "rules.wh").read_bytes() == b"kept"
    assert not (tmp_path / "here" / ".git" / "config").exists()


def test_b1_a_link_in_its_folder_is_followed(tmp_path: Path) -> None:
    (tmp_path / "versions").mkdir()
    (tmp_path / "here").symlink_to(".")
    (tmp_path / "current.wh").symlink_to("here/versions/42.wh")
    write_atomically(tmp_path / "here" / "current.wh", [b"new"])
    assert (tmp_path / "versions" / "42.wh").read_bytes() == b"new"
    assert (tmp_path / "current.wh").is_symlink()
