"""The results of commands, which `render/` prints. `to_dict` returns a whole result, for JSON.

`withhold explain` prints an `engine.explain.Explanation`, and `withhold test` a `testing.report.Report`.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from withhold.engine.explain import subject_values
from withhold.errors import CaseError, DemandError, LedgerError, LiveError, Problem, RuleSetError, WireError, escaped
from withhold.model import Decision, RuleSet, Viewer
from withhold.model.instants import in_iso
from withhold.model.protected import KnownProtected, protection
from withhold.model.tweet import Link
from withhold.native import engine_info
from withhold.native.package import this_package
from withhold.snapshot import Snapshot

if TYPE_CHECKING:  # each command loads only what its own result needs
    from withhold.location import Anonymised, Location, Resolution
    from withhold.reports import Summary
    from withhold.reports.search import RuleAt
    from withhold.reports.speed import Figure, Traffic
    from withhold.reports.summary import Block

#: The columns of a table of rules, for a spreadsheet.
_RULE_COLUMNS = ("rule_id", "state", "effect", "territories", "from", "until", "review_by", "reason", "demand", "jurisdiction",
                 "disclosure", "accounts", "tweets", "protected", "place", "named_at")  # fmt: skip

_RUNS = re.compile("  +")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Refused files. Problems without a place concern `path`; `note` describes how the command ran.

    `what` names the refused file, if the error is a `RuleSetError` about other files than rules.
    """

    error: RuleSetError | CaseError | DemandError | LedgerError | LiveError | WireError
    path: Path
    note: str = ""
    #: Further entries of `to_dict`.
    more: Mapping[str, object] = field(default_factory=dict)
    what: str = "the rule set"

    def to_dict(self) -> dict[str, object]:
        error = self.error
        counts = {"read": error.read, "refused": error.refused} if isinstance(error, RuleSetError) else {}
        return {
            "valid": False,
            "fine": False,
            **counts,
            **self.more,
            "problems": list(map(problem_values, error.problems)),
        }


@dataclass(frozen=True, slots=True)
class CheckResult:
    """A decision, and the question that it answers; `viewer` is None if the question concerns every viewer."""

    subject: Link
    at: datetime
    viewer: Viewer | None
    decision: Decision

    def to_dict(self) -> dict[str, object]:
        return {
            "subject": subject_values([self.subject]),
            "at": in_iso(self.at),
            "viewer": None if self.viewer is None else self.viewer.to_dict(),
            "decision": self.decision.to_dict(),
        }


class FailOn(StrEnum):
    """The lowest severity of advice at which `withhold lint` fails. The most severe comes first."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Guard(NamedTuple):
    """The protected accounts that are known here, and those with which a snapshot was compiled."""

    here: KnownProtected | None
    compiled: KnownProtected | None = None

    def to_dict(self) -> dict[str, object]:
        compiled = self.compiled and self.compiled._asdict()
        return {"protected": self.here and self.here.accounts, "protection": str(self), "compiled_with": compiled}

    def __str__(self) -> str:
        if self.compiled is None or self.compiled == self.here:
            return protection(self.here)
        lists = self.compiled if self.here is None else f"other lists ({self.compiled})"
        return f"{protection(self.here)}; the snapshot was compiled with {lists}"


@dataclass(frozen=True, slots=True)
class LintResult:
    """Advice on a rule set from `path`."""

    path: Path
    rules: RuleSet
    guard: Guard
    problems: list[Problem]
    fail_on: FailOn
    #: The file of the configuration, or None.
    configuration: Path | None = None
    #: The advice that the configuration suppresses. It is not among the `problems`.
    suppressed: tuple[Problem, ...] = ()

    @property
    def fine(self) -> bool:
        order = list(FailOn)
        return all(order.index(FailOn(problem.severity)) > order.index(self.fail_on) for problem in self.problems)

    def counts(self) -> dict[str, int]:
        """Return the numbers of rules, of the files from which they were read, and of the ids that they name."""
        return {
            "rules": len(self.rules),
            "files": self.rules.files or 1,  # a snapshot is one file, and does not record how many it was compiled from
            "accounts": len({id_ for rule in self.rules for id_ in rule.accounts}),
            "tweets": len({id_ for rule in self.rules for id_ in rule.tweets}),
        }

    def to_dict(self) -> dict[str, object]:
        return {
            "valid": True,  # it loads
            "fine": self.fine,
            "fail_on": self.fail_on,
            "configuration": self.configuration and str(self.configuration),
            **self.counts(),
            **self.guard.to_dict(),
            "revision": self.rules.revision,
            "digest": self.rules.digest,
            "problems": list(map(problem_values, self.problems)),
            "suppressed": len(self.suppressed),
            "suppressions": list(map(problem_values, self.suppressed)),
        }


@dataclass(frozen=True, slots=True)
class RecordedResult:
    """The result of a command on legal demands. For a rehearsal, `difference` has the changes for viewers."""

    values: Mapping[str, object]
    text: str
    difference: DiffResult | None = None

    def to_dict(self) -> dict[str, object]:
        difference = {} if self.difference is None else {"difference": self.difference.to_dict()}
        return {**self.values, **difference}

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class TableResult:
    """Rows with the same columns, and a note about all of them."""

    columns: tuple[str, ...]
    rows: Sequence[Mapping[str, object]]
    note: str = ""

    def cells(self) -> Iterator[list[str]]:
        """Yield the rows as text, the names of the columns first."""
        yield list(self.columns)
        for row in self.rows:
            yield ["" if row.get(name) is None else str(row[name]) for name in self.columns]

    def to_dict(self) -> dict[str, object]:
        return {"rows": list(map(dict, self.rows)), "note": self.note}

    def __str__(self) -> str:
        # Runs of spaces are escaped, so that no cell looks like several.
        rows = [[_RUNS.sub(lambda run: "\\x20" * len(run[0]), escaped(cell)) for cell in row] for row in self.cells()]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
        return "\n".join([*lines, *([self.note] if self.note else [])])


@dataclass(frozen=True, slots=True)
class RulesResult:
    """Rules that were found, with their states at an instant. `counts` and `summary` concern all of them."""

    at: datetime
    #: What was asked for; None for what was not.
    asked: Mapping[str, object]
    rules: Sequence[RuleAt]
    counts: Mapping[str, int]
    summary: str

    def cells(self) -> Iterator[list[str]]:
        """Yield the rules as text, the names of the columns first."""
        yield list(_RULE_COLUMNS)
        for each in self.rules:
            values = each.to_dict()
            cells = (values[name] for name in _RULE_COLUMNS)
            yield ["" if cell is None else "; ".join(cell) if isinstance(cell, list) else str(cell) for cell in cells]

    def to_dict(self) -> dict[str, object]:
        return {
            "asked": dict(self.asked),
            "at": in_iso(self.at),
            "counts": dict(self.counts),
            "rules": [each.to_dict() for each in self.rules],
        }


@dataclass(frozen=True, slots=True)
class DiffResult:
    """A difference between two rule sets, and how much of it to print."""

    summary: Summary
    whole: bool
    audit: bool

    @property
    def blocks(self) -> list[Block]:
        """The parts of the difference to list."""
        return self.summary.blocks + (self.summary.audit if self.audit else [])

    def to_dict(self) -> dict[str, object]:
        return self.summary.to_dict(audit=self.audit)


@dataclass(frozen=True, slots=True)
class CompileResult:
    """A snapshot that was written to `path`, its size in bytes, its rules, and the protected accounts that are known."""

    path: Path
    size: int
    snapshot: Snapshot
    rules: RuleSet
    guard: Guard

    def to_dict(self) -> dict[str, object]:
        guard = self.guard.to_dict()
        if self.guard.compiled is None:
            del guard["compiled_with"]
        return {
            "file": str(self.path),
            "bytes": self.size,
            "revision": self.snapshot.revision,
            "digest": self.rules.digest,
            **id_counts(self.snapshot),
            **guard,
        }


@dataclass(frozen=True, slots=True)
class BenchResult:
    """The time that questions take on a snapshot, which was loaded in `seconds`. `traffic` was read from `path`."""

    snapshot: Snapshot
    seconds: float
    viewer: Viewer
    path: Path | None
    traffic: Traffic | None
    figures: list[Figure]

    def to_dict(self) -> dict[str, object]:
        return {
            "revision": self.snapshot.revision,
            **id_counts(self.snapshot),
            "seconds_to_load": self.seconds,
            "package": this_package()._asdict(),
            "native": engine_info().native,
            "why": engine_info().why,
            "python": platform.python_version(),
            "viewer": self.viewer.to_dict(),
            "traffic": str(self.path) if self.path else None,
            "impressions_left_out": self.traffic.left_out if self.traffic else 0,
            "figures": [figure._asdict() for figure in self.figures],
        }


@dataclass(frozen=True, slots=True)
class AddressResult:
    """The location of an address."""

    location: Location
    anonymised: Anonymised

    @property
    def viewer(self) -> Viewer:
        return self.location.viewer(anonymised=self.anonymised)

    def to_dict(self) -> dict[str, object]:
        return {**location_values(self.location), "viewer": self.viewer.to_dict()}


@dataclass(frozen=True, slots=True)
class RequestResult:
    """The location of the viewer who sent a request."""

    resolution: Resolution

    def to_dict(self) -> dict[str, object]:
        found = self.resolution
        return {
            "viewer": found.viewer().to_dict(),
            "address": found.address,
            "why": found.trace.why,
            "winner": found.winner.name if found.winner else None,
            "disagreed": [signal.name for signal in found.disagreed],
            "signals": [{"name": signal.name, **location_values(signal.location)} for signal in found.signals],
        }


def id_counts(snapshot: Snapshot) -> dict[str, int]:
    """Return how many rules a snapshot has, and how many accounts and tweets they name."""
    return {"rules": snapshot.rule_count, "accounts": len(snapshot.accounts), "tweets": len(snapshot.tweets)}


def location_values(location: Location) -> dict[str, object]:
    found = location.evidence
    return {
        "country": found.country,
        "subdivisions": list(found.subdivisions),
        "state": found.state,
        "network": found.cidr,
        "why": found.why,
        "registered_country": found.registered_country,
        "represented_country": found.represented_country,
        "anonymiser": found.anonymiser,
        "anonymity_database": found.anonymity_database,
    }


def problem_values(problem: Problem) -> dict[str, object]:
    """Return a problem as JSON values."""
    return {
        "code": problem.code,
        "message": problem.message,
        "place": str(problem.place) if problem.place is not None else None,
        "hint": problem.hint,
        "severity": problem.severity,
    }
