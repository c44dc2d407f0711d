"""The vocabulary of demands: kinds of issuers, requests, sources and disclosure."""

from __future__ import annotations

from enum import StrEnum


class Authority(StrEnum):
    """The kind of issuer. Reports have a column for court orders, and one for all others."""

    COURT = "court"
    EXECUTIVE = "executive"
    REGULATOR = "regulator"
    POLICE = "police"
    RIGHTS_HOLDER = "rights_holder"
    USER_REPORT = "user_report"


class DemandKind(StrEnum):
    EMERGENCY_INTERIM = "emergency_interim"
    FINAL = "final"
    ADMINISTRATIVE = "administrative"
    COURT_ORDER = "court_order"
    COURT_INTERIM = "court_interim"
    SAFE_HARBOUR_NOTICE = "safe_harbour_notice"
    COPYRIGHT_NOTICE = "copyright_notice"
    LOCAL_LAW_REPORT = "local_law_report"
    VOLUNTARY = "voluntary"
    #: It reiterates other demands, and is not a demand itself.
    NONCOMPLIANCE_NOTICE = "noncompliance_notice"


class Binding(StrEnum):
    BINDING = "binding"
    CONDITIONAL_IMMUNITY = "conditional_immunity"
    VOLUNTARY = "voluntary"


class Action(StrEnum):
    """What an authority requests. `preserve` and `provide_info` are requests for information, the others to act."""

    WITHHOLD = "withhold"
    REMOVE = "remove"
    SUSPEND = "suspend"
    DEAMPLIFY = "deamplify"
    UNBLOCK = "unblock"
    PRESERVE = "preserve"
    PROVIDE_INFO = "provide_info"


class InstantPrecision(StrEnum):
    """How exactly an instant is known."""

    DATE = "date"
    MINUTE = "minute"
    SECOND = "second"


class Basis(StrEnum):
    """The basis of a fact: a source states it, or somebody assumed, inferred or recalled it."""

    SOURCED = "sourced"
    ASSUMED = "assumed"
    INFERRED = "inferred"
    RECALLED = "recalled"


class Permission(StrEnum):
    ALLOW = "allow"
    DENY = "deny"
    DEFER = "defer"


class Relation(StrEnum):
    CONFIRMS = "confirms"
    SUPERSEDES = "supersedes"
    AMENDS = "amends"
    REVOKES = "revokes"
    REITERATES = "reiterates"


class Authenticity(StrEnum):
    UNVERIFIED = "unverified"
    VERIFIED = "verified"
    FORGED = "forged"


class LogEntry(StrEnum):
    """The kinds of entries in the log of a demand. None of them changes a rule."""

    NONCOMPLIANCE_NOTICE = "noncompliance_notice"
    THREATENED_PENALTY = "threatened_penalty"
    MEETING = "meeting"
    STATEMENT = "statement"
    ACKNOWLEDGED = "acknowledged"
    AUTHORITY_INFORMED = "authority_informed"
    USERS_INFORMED = "users_informed"
    PUBLISHED = "published"
    OTHER = "other"
