"""Files and engines for tests of following."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from withhold import Engine, Following, FollowStatus, Rule, RuleSet, Snapshot, Viewer
from withhold.engine import following as room

FOREVER = 1_000_000

NOON = datetime(2021, 2, 10, 12, tzinfo=UTC)

INDIA = Viewer(country="IN")


def rules(*tweets: int) -> RuleSet:
    return RuleSet([Rule(id=f"in-{tweet}", tweets=[tweet], withheld_in=["IN"], reason="terms") for tweet in tweets])


def put(path: Path, content: bytes | str) -> None:
    """Replace a file by renaming another one."""
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
    """Make the checks of the thread. A changed file is read in the second one."""
    for _ in range(times):
        engine = following._engine()
        assert engine is not None
        room._check(engine)
    return following.status()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A snapshot file, or the rule file that some tests put in its place."""
    path = tmp_path / "rules.wh"
    Snapshot.compile(rules(1, 2)).save(path)
    os.utime(path, (1, 1))  # a file that is written to within the same tick of the clock would have the same time
    return path


@pytest.fixture
def engine(path: Path) -> Engine:
    return Engine(Snapshot.open(path, mapped=False), clock=lambda: NOON)


@pytest.fixture
def following(engine: Engine, path: Path) -> Iterator[Following]:
    with engine.follow(path, FOREVER) as following:
        yield following
