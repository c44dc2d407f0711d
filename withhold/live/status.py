"""The state of the rules of a host or of a process."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict

from withhold.model.instants import in_iso, utc

#: An instant in a file of another process, converted to UTC, so that it can always be printed.
Instant = Annotated[AwareDatetime, AfterValidator(utc)]
#: How far a clock may be behind that of the signer.
_SKEW = timedelta(minutes=5)


class State(StrEnum):
    """Whether the rules in use are the newest ones.

    `FRESH`: they are. `STALE`: this is unknown, because nothing valid was received for too long. `REFUSED`: the source
    has newer ones, which were refused or could not be installed. `FALLBACK`: no rules were received yet. In every state,
    the rules stay in use.
    """

    FRESH = "fresh"
    STALE = "stale"
    REFUSED = "refused"
    FALLBACK = "fallback"


class LiveStatus(BaseModel):
    """The rules in use, and how much is known about newer ones. All times are in UTC.

    >>> from datetime import UTC, datetime, timedelta
    >>> signed = datetime(2026, 1, 1, 12, tzinfo=UTC)
    >>> status = LiveStatus(version=7, revision="0123456789abcdef", signed=signed, expires=signed + timedelta(hours=1))
    >>> str(status.at(signed + timedelta(minutes=10))), status.at(signed + timedelta(hours=2)).state
    ('fresh: version 7, revision 0123456789abcdef, signed 2026-01-01T12:00:00Z', <State.STALE: 'stale'>)
    """

    # A spool may have been written by another version of this package.
    model_config = ConfigDict(frozen=True, extra="ignore")

    state: State = State.FALLBACK
    #: The published version in use, and the revision of its rules. None if they are not from the source.
    version: int | None = None
    revision: str | None = None
    #: When the source's newest metadata were signed, and until when they prove that these rules are the newest ones.
    signed: Instant | None = None
    expires: Instant | None = None
    #: When the rules were fetched by the host, and activated in the process that reports.
    fetched: Instant | None = None
    activated: Instant | None = None
    #: When the source last answered with valid metadata, also if nothing had changed.
    contact: Instant | None = None
    #: A version that was published, but is not in use.
    pending: int | None = None
    #: Why `pending` is not in use, or why the source did not answer. None after a success.
    error: str | None = None
    #: Whether the source's answer was refused, or newer rules are known that could not be installed.
    refused: bool = False

    def at(self, now: datetime) -> LiveStatus:
        """Return this status with the state that it implies at an instant. No other process is needed for that."""
        if self.version is None:
            state = State.FALLBACK
        elif self.refused:
            state = State.REFUSED
        elif self.signed is None or self.expires is None or self.signed - now > _SKEW or now >= self.expires:
            state = State.STALE  # also if the clock is wrong
        else:
            state = State.FRESH
        return self.model_copy(update={"state": state})

    def ageing(self, now: datetime) -> bool:
        """Return whether half of the time until the rules are stale has passed."""
        return (
            self.signed is not None
            and self.expires is not None
            and now > self.signed + (self.expires - self.signed) / 2
        )

    def to_dict(self) -> dict[str, object]:
        """Return the status as JSON values."""
        found: dict[str, object] = self.model_dump(mode="python", exclude={"refused"})
        times = {name: in_iso(value.astimezone(UTC)) for name, value in found.items() if isinstance(value, datetime)}
        return {**found, "state": str(self.state), **times}

    def __str__(self) -> str:
        parts = [] if self.version is None else [f"version {self.version}", f"revision {self.revision}"]
        parts += [] if self.signed is None else [f"signed {in_iso(self.signed)}"]
        parts += [] if self.pending is None else [f"version {self.pending} is not in use"]
        parts += [] if self.error is None else [self.error]
        return f"{self.state}: {', '.join(parts) or 'no rules were received yet'}"


class WorkerReport(BaseModel):
    """The report of a process that serves: a part of its status, and the time of the report."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    pid: int
    at: Instant
    version: int | None = None
    revision: str | None = None
    activated: Instant | None = None
    error: str | None = None
