"""Follow files: activate the rules in them whenever they change, and keep the current ones if that fails."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from weakref import ref

from withhold.engine.guard import check_share
from withhold.errors import WithholdError, escaped_path
from withhold.model.rule_set import RuleSet
from withhold.snapshot import Snapshot
from withhold.sources.watched import RuleFiles
from withhold.watching import Closable, ReloadSchedule, Watcher, check_interval

if TYPE_CHECKING:
    from withhold.engine.engine import Engine

_log = logging.getLogger("withhold.engine")


@dataclass(frozen=True, slots=True)
class FollowStatus:
    """How following files goes, for a health check. All fields are of one moment, except `alive` and `revision`."""

    #: The absolute path that is followed.
    path: str
    #: Whether the thread is running.
    alive: bool = False
    #: The revision of the rules that the engine answers by, also if they were activated by hand. None without an engine.
    revision: str | None = None
    #: When rules from these files were last activated, or None if the engine had them already.
    activated: datetime | None = None
    #: When the files were last looked at.
    checked: datetime | None = None
    #: Why the rules in the files are not in use, or None if they are, or are about to be read.
    error: Exception | None = None
    #: The number of failed attempts since the last success.
    failures: int = 0
    #: The number of exceptions that `on_change` has raised.
    callback_failures: int = 0


class Following(Closable):
    """Following files for an engine, which `Engine.follow` begins and `close` ends. A context manager.

    It ends with the engine too, and does not prolong the life of the engine. It goes on in forked processes.
    """

    def __init__(
        self,
        engine: Engine,
        path: str | os.PathLike[str],
        interval: float,
        guard: float | None,
        on_change: Callable[[FollowStatus], object] | None,
        *,
        mapped: bool,
        verify: Literal["full", "header"],
    ) -> None:
        check_interval(interval)
        if guard is not None:
            check_share(guard, "guard")
        # Absolute, because the working directory may change.
        self._path = Path(path).absolute()
        self._interval, self._guard, self._on_change = interval, guard, on_change
        self._mapped, self._verify = mapped, verify
        self._engine = ref(engine)
        self._files = RuleFiles(self._path)
        #: The signature of the files whose rules were activated last.
        self._in_use: object = None
        self._state = FollowStatus(str(self._path))
        self._watcher: Watcher[Engine] | None = None

    def status(self) -> FollowStatus:
        """Return how following goes. O(1), and never blocks."""
        watcher, engine = self._watcher, self._engine()
        return replace(
            self._state,
            alive=watcher is not None and watcher.alive,
            revision=None if engine is None else engine.snapshot.revision,
        )

    def close(self) -> None:
        """Stop following, after a check that is in progress. The current rules stay active.

        Do not call it in a signal handler: it could wait for a check that waits for the interrupted thread.
        """
        watcher, self._watcher = self._watcher, None
        if watcher is not None:
            watcher.close()
        engine = self._engine()
        if engine is not None and engine._following is self:
            engine._following = None

    def __repr__(self) -> str:
        return f"<Following {escaped_path(self._path)}>"

    def _start(self, engine: Engine) -> None:
        """Read the files and begin to watch them. Raises the errors of reading and of the guard."""
        # The first attempt does not know yet which lists of ids the rules name. If the second one fails too because
        # files are being written, the thread goes on.
        for _ in range(2):
            self._state = replace(self._state, checked=engine._instant(None))
            if self._read(engine, self._files.signature()):
                break
        self._watch(engine)

    def _watch(self, engine: Engine) -> None:
        self._schedule = ReloadSchedule()
        self._watcher = Watcher(engine, _check, self._interval, "withhold-follow")

    def _forked(self, engine: Engine) -> None:
        """Restart the thread, which exists only in the parent process."""
        if self._watcher is None:
            engine._following = None  # the thread that was about to start it does not exist either
            return
        try:
            self._watch(engine)
        except RuntimeError as error:
            _log.error("%s is not followed in process %d: %s", self, os.getpid(), error)

    def _check(self, engine: Engine) -> None:
        """Read the files if they have changed. An error is kept in the status and logged."""
        try:
            self._state = replace(self._state, checked=engine._instant(None))
            now = self._files.signature()
            if self._schedule.is_due(now, self._in_use):
                self._read(engine, now)
            elif now == self._in_use:
                self._state = replace(self._state, error=None, failures=0)
        except Exception as error:  # noqa: BLE001  # such as `MemoryError`: without this thread nothing would be read again
            self._fail(error)

    def _read(self, engine: Engine, now: object) -> bool:
        """Read the files, which have the signature `now`, and activate their rules unless they are active already.

        Return False if the files changed meanwhile. Then they are read once they have been the same for one check.
        """
        rules = self._load()
        if self._files.signature() != now:
            return False
        before = engine._decider
        changed = rules.revision != before.snapshot.revision
        if changed:
            engine._activate_prepared(rules, self._guard, self._state.checked or engine._instant(None))
        self._in_use = now
        self._state = replace(self._state, error=None, failures=0)
        if changed:
            self._state = replace(self._state, activated=engine._instant(None))
            _log.info("activated revision %s of %s", rules.revision, self)
            self._notify()
            before.empty()
        return True

    def _load(self) -> RuleSet | Snapshot:
        from withhold.snapshot.opened import is_snapshot
        from withhold.sources.files import is_rule_file

        path = self._path
        if is_snapshot(path) or not (os.path.isdir(path) or is_rule_file(path)):  # noqa: PTH112  # it raises nothing
            return Snapshot.open(path, verify=self._verify, mapped=self._mapped)
        return self._files.load()

    def _notify(self) -> None:
        if self._on_change is None:
            return
        try:
            self._on_change(self.status())
        except (Exception, SystemExit):  # noqa: BLE001  # following goes on
            self._state = replace(self._state, callback_failures=self._state.callback_failures + 1)
            _log.exception("`on_change` failed for %s", self)

    def _fail(self, error: Exception) -> None:
        before = self._state.error
        if type(error) is not type(before) or str(error) != str(before):  # log a repeated failure once
            known = isinstance(error, (WithholdError, OSError))
            _log.error("%s: the current rules are kept: %s", self, error, exc_info=None if known else error)
        # Without the frames of the attempt, which refer to everything that was read.
        error.__cause__ = error.__context__ = None
        self._state = replace(self._state, error=error.with_traceback(None), failures=self._state.failures + 1)


def _check(engine: Engine) -> None:
    # The thread refers to neither the engine nor the `Following`, whose `on_change` may refer to the engine.
    following = engine._following
    if following is not None:
        following._check(engine)
