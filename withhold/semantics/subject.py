"""Which rules concern a subject (R2, R8)."""

from __future__ import annotations

from collections.abc import Iterable

from withhold.model.decision import Scope
from withhold.model.rule import Rule


def concerning(through_account: Iterable[Rule], through_tweet: Iterable[Rule]) -> list[tuple[Rule, Scope]]:
    """Return each rule that names a subject once, with the scope in which it applies.

    `through_account` are the rules that name an account in the subject's links, and `through_tweet` those that name a
    tweet in them. A rule that names both applies through the account (R7).
    """
    found: dict[str, tuple[Rule, Scope]] = {}
    for scope, rules in ((Scope.ACCOUNT, through_account), (Scope.TWEET, through_tweet)):
        for rule in rules:
            found.setdefault(rule.id, (rule, scope))
    return list(found.values())
