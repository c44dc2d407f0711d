"""Decisions: the reference that defines them, and the engine that makes them fast."""

from withhold.engine.engine import Engine
from withhold.engine.explain import Explanation, RuleState, State
from withhold.engine.following import Following, FollowStatus
from withhold.engine.page import Page, TweetDecisions
from withhold.engine.reference import Reference
from withhold.engine.shadow import Shadow, ShadowCounts, ShadowDifference
from withhold.engine.view import View

__all__ = [
    "Engine",
    "Explanation",
    "FollowStatus",
    "Following",
    "Page",
    "Reference",
    "RuleState",
    "Shadow",
    "ShadowCounts",
    "ShadowDifference",
    "State",
    "TweetDecisions",
    "View",
]
