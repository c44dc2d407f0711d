"""Decide whether a viewer may see an account or a tweet from where they are, and explain why.

>>> from withhold import Engine, Rule, RuleSet, Viewer
>>> rules = RuleSet([Rule(id="in-1", accounts=[17], withheld_in=["IN"], reason="legal_demand")])
>>> engine = Engine(rules)
>>> view = engine.view(Viewer(country="IN"))
>>> view.withholds(20, 17), view.withholds(20, 18)
(True, False)
"""

from withhold.engine import Engine, Explanation, Following, FollowStatus, Page, Reference, TweetDecisions, View
from withhold.errors import (
    CaseError,
    GeoIPError,
    InstantError,
    Place,
    PreviewError,
    Problem,
    ProxyError,
    ProxyWarning,
    RuleError,
    RuleSetError,
    RuleSetWarning,
    Severity,
    SnapshotError,
    SubjectIdError,
    SubjectIdTypeError,
    SubjectTypeError,
    TerritoryError,
    TrafficError,
    ViewerError,
    WithholdError,
)
from withhold.model import (
    NOT_A_TWEET,
    Decision,
    Disclosure,
    Effect,
    Freshness,
    IdSet,
    KnownProtected,
    Link,
    LocationKey,
    NotATweet,
    Outcome,
    Period,
    Policy,
    Progress,
    Reason,
    Rule,
    RuleSet,
    Scope,
    Settle,
    Subject,
    TerritorySet,
    Tweet,
    VariesBy,
    Viewer,
)
from withhold.native import EngineInfo, engine_info
from withhold.snapshot import Snapshot
from withhold.sources import load as _load

# `RuleSet` is in a room below the one that reads files, and imports only go down, so the two are connected here.
RuleSet._loader = staticmethod(_load)

__all__ = [
    "NOT_A_TWEET",
    "CaseError",
    "Decision",
    "Disclosure",
    "Effect",
    "Engine",
    "EngineInfo",
    "Explanation",
    "FollowStatus",
    "Following",
    "Freshness",
    "GeoIPError",
    "IdSet",
    "InstantError",
    "KnownProtected",
    "Link",
    "LocationKey",
    "NotATweet",
    "Outcome",
    "Page",
    "Period",
    "Place",
    "Policy",
    "PreviewError",
    "Problem",
    "Progress",
    "ProxyError",
    "ProxyWarning",
    "Reason",
    "Reference",
    "Rule",
    "RuleError",
    "RuleSet",
    "RuleSetError",
    "RuleSetWarning",
    "Scope",
    "Settle",
    "Severity",
    "Snapshot",
    "SnapshotError",
    "Subject",
    "SubjectIdError",
    "SubjectIdTypeError",
    "SubjectTypeError",
    "TerritoryError",
    "TerritorySet",
    "TrafficError",
    "Tweet",
    "TweetDecisions",
    "VariesBy",
    "View",
    "Viewer",
    "ViewerError",
    "WithholdError",
    "engine_info",
]
