"""A log of answers: a record for each page, with the hidden items. A thread writes it, so no request waits."""

from __future__ import annotations

import logging
import os
import sys
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from json import JSONEncoder
from random import random
from typing import Any, NamedTuple, Protocol

from withhold.engine import Page, View
from withhold.engine.guard import check_share
from withhold.errors import escaped, quoted
from withhold.serving.log_record import AnsweredPage
from withhold.watching import Background, Closable

_log = logging.getLogger("withhold.serving")
#: The maximum number of pages that wait to be written.
_PAGES = 16_384
#: The number of hits on a page that are not counted, and the maximum number of other hits that wait. A single page may
#: have more.
_FEW, _HITS = 16, 262_144

_to_json = JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode


class LogCounts(NamedTuple):
    """The pages that a log was given, by result: `pages` is the sum of the others.

    `logged` pages were written, `sampled_out` pages are outside the share, `dropped` pages came while too many were
    waiting or after `close`, the mask raised an exception or returned no record for `mask_failed` pages, `failed` pages
    could not be written, and `waiting` pages have not been written or counted yet.
    """

    pages: int
    logged: int
    sampled_out: int
    dropped: int
    mask_failed: int
    failed: int
    waiting: int


class LogSink(Protocol):
    """The destination of records, such as a file, a queue or a service.

    `DecisionLog` calls it from one thread at a time.
    """

    def write(self, record: dict[str, Any]) -> None:
        """Write a record of JSON values. An exception counts the page as failed."""


class DecisionLog(Background):
    """Writes a record of each page to a sink, in a thread, every `interval` seconds.

    A record has the instant, the place of the viewer, the revision of the answers, the number of visible items, and each hidden
    item with its ids and the ids of its rules. It has no address, and no account of the viewer unless `viewer_accounts` is true.

    `share` is the share of the pages that are logged. `mask` is a function that changes a record before it is written:
    it takes a record, and returns the record to write. If it raises an exception, or returns anything but a `dict`, the
    record is not written.

    `page` never waits for the sink. If too many pages wait, further ones are dropped; `counts` and the next record give
    their number. Threads may share a log. In a forked process it starts again, with a thread of its own. `close`, and
    the end of the process, write the pages that wait, for at most five seconds. A log is kept alive until `close`.

    >>> class Printed:
    ...     def write(self, record):
    ...         print(record["country"], record["visible"], [hit["rule_ids"] for hit in record["hidden"]])
    >>> from withhold import Engine, Rule, RuleSet, Viewer
    >>> engine = Engine(RuleSet([Rule(id="in-1", accounts=[17], withheld_in=["IN"], reason="legal_demand")]))
    >>> view = engine.view(Viewer(country="IN"))
    >>> with DecisionLog(Printed()) as log:
    ...     log.page(view, view.filter([(20, 17), (21, 18)]))
    IN 1 [['in-1']]

    Raises `ValueError` for a share that is not from 0 to 1 (`bad-share`) and an interval that is not positive (`bad-interval`).
    """

    def __init__(
        self,
        sink: LogSink,
        *,
        share: float = 1.0,
        mask: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
        viewer_accounts: bool = False,
        interval: float = 1.0,
    ) -> None:
        check_share(share, "share")
        self._sink, self._mask, self._viewer_accounts = sink, mask, viewer_accounts
        self._share, self._samples = share, share < 1.0
        super().__init__(interval, "withhold-log")
        _OPEN.add(self)

    def _begin(self) -> None:
        self._room, self._hits, self._writing = _PAGES, 0, 0
        #: The fields of an `AnsweredPage`, or None for a page outside the share.
        self._queue: deque[tuple[Any, ...] | None] = deque()
        self._results = Counter[str]()
        #: The pages that records have reported as left out.
        self._reported = Counter[str]()
        self._error = ""

    def page(self, view: View, page: Page[Any]) -> None:
        """Log a page that `view.filter` returned. O(hidden items); everything else is done later, in the thread."""
        # Usually no lock is needed, because appending to a deque is atomic. A lock would double the time.
        waiting: tuple[Any, ...] | None = None
        if not self._samples or random() < self._share:  # noqa: S311
            hidden, tombstones = page.hidden, page.tombstones
            # The lists are copied, because the page belongs to the caller.
            copied = hidden and hidden.copy()
            waiting = view, len(page.visible), copied, tombstones and tombstones.copy(), page.subjects
        if len(self._queue) < self._room and len(page.subjects) <= _FEW:
            self._queue.append(waiting)
        else:
            self._append_if_there_is_room(waiting)

    def _append_if_there_is_room(self, waiting: tuple[Any, ...] | None) -> None:
        hits = _uncommon_hits(waiting)
        with self._collecting:
            if len(self._queue) >= self._room or (self._hits and self._hits + hits > _HITS):
                self._results["sampled_out" if waiting is None else "dropped"] += 1
            else:
                self._hits += hits
                self._queue.append(waiting)

    def counts(self) -> LogCounts:
        """Return the counts of the pages so far, by result. O(1)."""
        with self._collecting:
            found = [self._results[name] for name in LogCounts._fields[1:-1]]
            found.append(len(self._queue) + self._writing)
            return LogCounts(sum(found), *found)

    def close(self) -> None:
        """Write the pages that wait, for at most five seconds, and stop the thread. Pages that come later are dropped."""
        self._room = 0
        super().close()
        _OPEN.discard(self)

    def __repr__(self) -> str:
        return f"<DecisionLog with {len(self._queue)} pages waiting>"

    def _work(self) -> None:
        failed, why = 0, ""
        for _ in range(len(self._queue)):
            with self._collecting:
                if not self._queue:
                    break
                waiting = self._queue.popleft()
                if waiting is None:
                    self._results["sampled_out"] += 1
                    continue
                self._hits -= _uncommon_hits(waiting)
                self._writing = 1
                left_out = +(self._results - self._reported)
                del left_out["logged"]
            result = "failed"
            try:
                record = AnsweredPage(*waiting).record(left_out, viewer_account=self._viewer_accounts)
                result = "mask_failed"
                record = self._masked(record)
                result = "failed"
                self._sink.write(record)
                result = "logged"
            except Exception as error:  # noqa: BLE001  # the pages that follow are written
                failed, why = failed + 1, why or f"{type(error).__name__}: {error}"
            finally:
                with self._collecting:
                    self._writing = 0
                    self._results[result] += 1
                    if result == "logged":
                        self._reported += left_out
        if why and why != self._error:  # log a repeated failure once
            _log.error("%d pages are missing from the decision log: %s", failed, escaped(why))
        self._error = why

    def _masked(self, record: dict[str, Any]) -> dict[str, Any]:
        if self._mask is None:
            return record
        masked: object = self._mask(record)
        if not isinstance(masked, dict):
            raise TypeError(f"the mask returned {quoted(masked)}, not a record")
        return masked


def _uncommon_hits(waiting: tuple[Any, ...] | None) -> int:
    """Return the number of hits on a page that waits, or 0 if there are few."""
    hits = 0 if waiting is None else len(waiting[-1])
    return hits if hits > _FEW else 0


#: The open logs. Without this reference, the pages of an otherwise unreferenced log would be lost.
_OPEN: set[DecisionLog] = set()


class JsonLines(Closable):
    """A sink that writes each record as a line of JSON, through a handler of `logging` that rotates its files.

    `make` returns the handler, such as a `logging.handlers.RotatingFileHandler`. It is called at once, in each forked process,
    and after a failure. Processes must not share a file that is rotated, so put the process id into its name. If a full
    disk or a killed process left an incomplete line, it is ended before the next line is written.

    >>> from logging.handlers import RotatingFileHandler
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> path = Path(mkdtemp(), f"decisions-{os.getpid()}.jsonl")
    >>> with JsonLines(lambda: RotatingFileHandler(path, maxBytes=50_000_000, backupCount=20)) as sink:
    ...     sink.write({"version": 1})
    >>> path.read_text()
    '{"version":1}\\n'
    """

    def __init__(self, make: Callable[[], logging.Handler]) -> None:
        self._make = make
        self._is_torn = False
        self._handler: logging.Handler | None = self._open()

    def write(self, record: dict[str, Any]) -> None:
        """Write a record.

        Raises `OSError`, for example if the disk is full, and `TypeError` for values that are not JSON values.
        """
        line = _to_json(record)
        handler = self._handler
        if handler is None or self._process != os.getpid():
            handler = self._open()
        try:
            handler.handle(logging.makeLogRecord({"msg": f"\n{line}" if self._is_torn else line}))
        except BaseException:
            with suppress(OSError, ValueError):  # it cannot write the rest of its buffer either
                self.close()
            raise
        self._is_torn = False

    def close(self) -> None:
        """Close the file. A later record opens it again."""
        handler, self._handler = self._handler, None
        if handler is not None:
            handler.close()

    def _open(self) -> logging.Handler:
        handler = self._make()
        # By default, a handler prints an error and goes on as if the record had been written.
        handler.handleError = _raise  # type: ignore[method-assign,assignment]
        self._handler, self._process = handler, os.getpid()
        self._is_torn = _ends_torn(getattr(handler, "baseFilename", None))
        return handler


def _raise(_: logging.LogRecord) -> None:
    """Raise the error that is being handled."""
    raise sys.exception() or RuntimeError


def _ends_torn(path: str | None) -> bool:
    """Return whether the last line of a file has no end."""
    if path is None or not os.path.isfile(path):  # noqa: PTH113  # a device or a pipe cannot be read
        return False
    with open(path, "rb") as file:  # noqa: PTH123
        if not file.seek(0, os.SEEK_END):
            return False
        file.seek(-1, os.SEEK_END)
        return file.read(1) != b"\n"
