"""A rule that answers a legal demand and does not name it cannot be traced to what it rests on."""

from __future__ import annotations

from collections.abc import Iterator

from withhold.lint.check import Check, Finding, Given
from withhold.model.rule import Reason


def _find(given: Given) -> Iterator[Finding]:
    for rule in given.rules:
        if rule.reason is Reason.LEGAL_DEMAND and rule.demand is None:
            yield Finding(rule, "the rule rests on a legal demand and does not name it", "add `demand`: its reference")


CHECK = Check(
    code="unnamed-demand",
    severity="warning",
    says="A rule that rests on a legal demand should name it.",
    why="When the demand is withdrawn or quashed, its rules must be found; and users are told which demand it was.",
    find=_find,
)
