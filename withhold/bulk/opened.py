"""Engines of snapshot files, opened once in each process."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

from withhold.engine import Engine
from withhold.errors import Problem, SnapshotError, SubjectTypeError, quoted
from withhold.model import Policy
from withhold.snapshot import Snapshot


def engine_of(
    rules: Engine | str | os.PathLike[str], revision: str | None = None, policy: Policy | None = None
) -> Engine:
    """Return a given engine, or the engine of a snapshot file, which is opened again only if the file was replaced.

    Raises `SnapshotError` if the snapshot has another revision than `revision`, `SubjectTypeError` for anything else, and the
    errors of `Snapshot.open`.
    """
    if isinstance(rules, Engine):
        return rules
    given: object = rules
    if not isinstance(given, str | os.PathLike):
        hint = "pass an `Engine`, or the path of a snapshot"
        raise SubjectTypeError(Problem("not-an-engine", f"{quoted(given)} is not an engine", hint=hint))
    path = Path(rules).absolute()
    state = path.stat()
    engine = _opened(path, policy or Policy(), state.st_ino, state.st_size, state.st_mtime_ns)
    found = engine.snapshot.revision
    if revision is not None and found != revision:
        message = f"the snapshot has the revision {quoted(found)}, not {quoted(revision)}"
        hint = "give all processes the same file, or the path of a file that is never replaced"
        raise SnapshotError(Problem("other-revision", message, str(path), hint))
    return engine


@lru_cache(maxsize=8)
def _opened(path: Path, policy: Policy, *_: int) -> Engine:
    return Engine(Snapshot.open(path), policy)
