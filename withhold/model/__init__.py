"""The nouns: rule, rule set, viewer, tweet, decision, freshness, policy.

They are plain values, validated when they are created.
"""

from withhold.model.decision import Decision, Outcome, Scope
from withhold.model.freshness import Freshness, VariesBy
from withhold.model.ids import MAX_ID, IdSet, check_id
from withhold.model.policy import Policy, Settle
from withhold.model.protected import KnownProtected
from withhold.model.rule import Disclosure, Effect, Period, Reason, Rule
from withhold.model.rule_set import Progress, RuleSet
from withhold.model.territory_set import TerritorySet
from withhold.model.tweet import NOT_A_TWEET, Link, NotATweet, Subject, Tweet
from withhold.model.viewer import LocationKey, Viewer

__all__ = [
    "MAX_ID",
    "NOT_A_TWEET",
    "Decision",
    "Disclosure",
    "Effect",
    "Freshness",
    "IdSet",
    "KnownProtected",
    "Link",
    "LocationKey",
    "NotATweet",
    "Outcome",
    "Period",
    "Policy",
    "Progress",
    "Reason",
    "Rule",
    "RuleSet",
    "Scope",
    "Settle",
    "Subject",
    "TerritorySet",
    "Tweet",
    "VariesBy",
    "Viewer",
    "check_id",
]
