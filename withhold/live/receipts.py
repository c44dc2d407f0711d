"""Receipts: each host reports which rules its processes use, and `fleet` compares the reports with the live rules."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from withhold.errors import LiveError, Problem, quoted
from withhold.live.publishing import Live
from withhold.live.spool import Spool
from withhold.live.status import Instant, LiveStatus, State
from withhold.live.store import Store
from withhold.live.worker import reports
from withhold.model.instants import in_iso

_HOST = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,252}")
#: A process, or a host, is silent if its last report is older than this.
_SILENT_WORKER, _SILENT_HOST = timedelta(seconds=30), timedelta(minutes=5)
#: How often an unchanged receipt is written again.
_REPEAT = timedelta(minutes=1)
_LARGEST = 1 << 16


class Receipt(BaseModel):
    """The report of a host: its status, how many processes serve, and how many of them use its newest rules."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    host: str
    at: Instant
    status: LiveStatus
    workers: int = Field(default=0, ge=0)
    #: How many of them use the rules of `status`, and since when all of them have used these rules.
    serving: int = Field(default=0, ge=0)
    served: Instant | None = None
    #: How many of them have reported nothing for half a minute.
    silent: int = Field(default=0, ge=0)


class Standing(StrEnum):
    """Whether a host has acted, which means that all its processes use the live version."""

    ACTED = "acted"
    BEHIND = "behind"
    REFUSES = "refuses"
    SILENT = "silent"


class HostState(NamedTuple):
    """A host of a fleet, and since when it has acted."""

    host: str
    standing: Standing
    acted: datetime | None
    receipt: Receipt | None
    #: Whether it acted after `act_by`, or has not acted although `act_by` has passed.
    late: bool


class Receipts:
    """Writes the receipts of a host to a store. `host` is its name in the fleet. Raises `LiveError` (`bad-host`)."""

    def __init__(self, store: str, host: str) -> None:
        check_host(host)
        self.store, self.host = Store(store, create=True), host
        self._last: Receipt | None = None

    def write(self, spool: Spool, status: LiveStatus, now: datetime) -> None:
        """Write a receipt if something has changed, or the last one is a minute old. Raises `LiveError`, `OSError`."""
        receipt = make_receipt(self.host, spool, status, now)
        last = self._last
        if last is None:
            with suppress(LiveError):  # a host may be allowed to write only
                last = _read(self.store, self.host, now)
        if last is not None and last.served is not None and _same_rules(last, receipt):
            # New processes, and new versions of the same rules, do not change when the host has acted.
            receipt = receipt.model_copy(update={"served": min(last.served, receipt.served or last.served)})
        if last is not None and _facts(last) == _facts(receipt) and abs(now - last.at) < _REPEAT:
            return
        self.store.put(_path(self.host), receipt.model_dump_json().encode())
        self._last = receipt


def check_host(host: str) -> None:
    """Raise `LiveError` (`bad-host`) unless a text can be the name of a host."""
    if not _HOST.fullmatch(host):
        hint = "use at most 253 letters, digits, `.`, `_` and `-`"
        raise LiveError(Problem("bad-host", f"{quoted(host)} is not the name of a host", hint=hint))


def make_receipt(host: str, spool: Spool, status: LiveStatus, now: datetime) -> Receipt:
    """Return the receipt of a host: its status, and the sum of the reports of its processes. Raises `OSError`."""
    found = list(reports(spool))
    alive = [report for report in found if report is not None and abs(now - report.at) < _SILENT_WORKER]
    serving = [report for report in alive if report.revision == status.revision and report.activated is not None]
    served = max((report.activated for report in serving if report.activated is not None), default=None)
    return Receipt(
        host=host,
        at=now,
        status=status,
        workers=len(found),
        serving=len(serving),
        served=served,
        silent=len(found) - len(alive),
    )


def fleet(live: Live, receipts: Store, expected: Iterable[str], now: datetime) -> Iterator[HostState]:
    """Yield the state of each host that is expected or has reported, sorted by name.

    Receipts are not signed: write access to their store allows false claims, but no change of rules. Damaged receipts
    are ignored, and so are files of other names and, apart from small differences between clocks, receipts from the
    future. Raises `LiveError` if the store fails.
    """
    found: dict[str, Receipt | None] = dict.fromkeys(expected)
    for path in receipts.list("receipts"):
        host = path.removeprefix("receipts/").removesuffix(".json")
        if path == _path(host) and _HOST.fullmatch(host):
            found[host] = _read(receipts, host, now)
    act_by = None if live.release is None else live.release.act_by
    for host in sorted(found):
        receipt = found[host]
        standing, acted = _standing(live, receipt, now)
        late = act_by is not None and (acted or now) > act_by
        yield HostState(host, standing, acted, receipt, late)


def _path(host: str) -> str:
    return f"receipts/{host}.json"


def _read(receipts: Store, host: str, now: datetime) -> Receipt | None:
    """Return the receipt of a host, with the state that its status implies now."""
    try:
        found = receipts.get(_path(host), _LARGEST)
        receipt = None if found is None else Receipt.model_validate_json(found.content)
    except ValidationError:
        return None
    except LiveError as error:
        if error.code != "larger-than-allowed":
            raise
        return None
    if receipt is None or receipt.host != host:
        return None
    return receipt.model_copy(update={"status": receipt.status.at(now)})


def _standing(live: Live, receipt: Receipt | None, now: datetime) -> tuple[Standing, datetime | None]:
    if receipt is None or abs(now - receipt.at) >= _SILENT_HOST:
        return Standing.SILENT, None
    status = receipt.status
    current = live.release is not None and (status.version, status.revision) == (live.version, live.release.revision)
    if current and receipt.workers and receipt.serving == receipt.workers:
        return Standing.ACTED, receipt.served
    return (Standing.REFUSES if status.state is State.REFUSED else Standing.BEHIND), None


def host_line(state: HostState) -> dict[str, object]:
    """Return a host as a row of a table."""
    receipt = state.receipt
    error = None if receipt is None else receipt.status.error
    if receipt is not None and not receipt.workers and error is None:
        error = "no process serves the rules"
    return {
        "host": state.host,
        "standing": str(state.standing),
        "late": state.late,
        "acted": None if state.acted is None else in_iso(state.acted),
        "state": None if receipt is None else str(receipt.status.state),
        "version": None if receipt is None else receipt.status.version,
        "serving": None if receipt is None else f"{receipt.serving} of {receipt.workers}",
        "reported": None if receipt is None else in_iso(receipt.at),
        "error": error,
    }


def _same_rules(last: Receipt, receipt: Receipt) -> bool:
    """Return whether all processes of a host use the same rules as at its last receipt."""
    all_serve = all(each.serving == each.workers for each in (last, receipt))
    return all_serve and last.status.revision == receipt.status.revision


def _facts(receipt: Receipt) -> dict[str, object]:
    """Return a receipt without the times that change at every poll."""
    return receipt.model_dump(exclude={"at": True, "status": {"contact", "signed", "expires"}})
