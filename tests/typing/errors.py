"""The types of errors: each is a `WithholdError`, and a `ValueError` or a `TypeError`."""

from __future__ import annotations

from typing import assert_type

from withhold import (
    CaseError,
    DemandError,
    GeoIPError,
    HeadMoved,
    InstantError,
    LedgerError,
    LiveError,
    Place,
    PreviewError,
    Problem,
    ProxyError,
    ProxyWarning,
    RuleError,
    RuleSetError,
    RuleSetWarning,
    SnapshotError,
    SubjectIdError,
    SubjectIdTypeError,
    SubjectTypeError,
    TerritoryError,
    TrafficError,
    ViewerError,
    WireError,
    WithholdError,
)

VALUES: tuple[type[ValueError], ...] = (
    CaseError,
    DemandError,
    GeoIPError,
    HeadMoved,
    InstantError,
    LedgerError,
    LiveError,
    PreviewError,
    ProxyError,
    RuleError,
    RuleSetError,
    SnapshotError,
    SubjectIdError,
    TerritoryError,
    TrafficError,
    ViewerError,
    WireError,
)
TYPES: tuple[type[TypeError], ...] = (SubjectIdTypeError, SubjectTypeError)
OURS: tuple[type[WithholdError], ...] = (
    CaseError,
    DemandError,
    GeoIPError,
    HeadMoved,
    InstantError,
    LedgerError,
    LiveError,
    PreviewError,
    ProxyError,
    RuleError,
    RuleSetError,
    SnapshotError,
    SubjectIdError,
    SubjectIdTypeError,
    SubjectTypeError,
    TerritoryError,
    TrafficError,
    ViewerError,
    WireError,
)
WARNING: type[UserWarning] = RuleSetWarning
OF_PROXIES: type[RuntimeWarning] = ProxyWarning


def of_one_problem(error: WithholdError) -> None:
    assert_type(error.problem, Problem)
    assert_type(error.code, str)
    assert_type(error.hint, str | None)
    assert_type(error.problem.message, str)
    assert_type(error.problem.place, Place | str | None)


def of_many_problems(rule: RuleError, rules: RuleSetError, cases: CaseError, traffic: TrafficError) -> None:
    assert_type(rule.found, tuple[tuple[Problem, str], ...])
    assert_type(rule.field, str)
    assert_type(rules.problems, tuple[Problem, ...])
    assert_type(rules.read, int)
    assert_type(rules.refused, int)
    assert_type(cases.problems, tuple[Problem, ...])
    assert_type(traffic.problems, tuple[Problem, ...])


def of_places(place: Place) -> None:
    assert_type(place.file, str)
    assert_type(place.line, int)
    assert_type(place.column, int)
