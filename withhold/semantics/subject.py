"""Which rules concern a subject (R2, R8)."""

from __future__ import annotations

from collections.abc import Iterable

from withhold.model.decision import Scope
from withhold.model.rule import Rule


def concerning(through_account: Iterable[Rule], through_tweet: Iterable[Rule]) -> list[tuple[Rule, Scope]]:
    """Return the rules that name the accounts of a subject, and those that name its tweets, once each.

    The accounts and tweets of a subject are those of its `links()`. A rule that names both acts through the account (R7).
    """
    found: dict[str, tuple[Rule, Scope]] = {}
    for scope, rules in ((Scope.ACCOUNT, through_account), (Scope.TWEET, through_tweet)):
        for rule in rules:
            found.setdefault(rule.id, (rule, scope))
    return list(found.values())
