"""The nouns: rule, rule set, viewer, tweet, decision, policy.

They are plain values, validated when they are created.
"""

from withhold.model.decision import Decision, Outcome, Scope
from withhold.model.ids import MAX_ID, IdSet, check_id
from withhold.model.policy import Policy, Settle
from withhold.model.rule import Effect, Period, Reason, Rule
from withhold.model.rule_set import RuleSet
from withhold.model.territory_set import TerritorySet
from withhold.model.tweet import Tweet
from withhold.model.viewer import Viewer

__all__ = [
    "MAX_ID",
    "Decision",
    "Effect",
    "IdSet",
    "Outcome",
    "Period",
    "Policy",
    "Reason",
    "Rule",
    "RuleSet",
    "Scope",
    "Settle",
    "TerritorySet",
    "Tweet",
    "Viewer",
    "check_id",
]
