"""Of most viewers only the country is known: a rule on a part of it must say what is to happen to them."""

from __future__ import annotations

from collections.abc import Iterator

from withhold.lint.check import Check, Finding, Given, some
from withhold.territories import is_subdivision


def _find(given: Given) -> Iterator[Finding]:
    for rule in given.rules:
        parts = [code for code in (*rule.withheld_in, *rule.except_in) if is_subdivision(code)]
        if parts and rule.if_unknown is None:
            message = f"the rule does not say what those see of whom it is not known whether they are in {some(parts)}"
            key = "withheld_in" if parts[0] in rule.withheld_in else "except_in"
            yield Finding(rule, message, "add `if_unknown: withhold` or `if_unknown: show`", (key,))


CHECK = Check(
    code="unsettled-subdivision",
    severity="note",
    says="A rule on a subdivision should say what viewers see of whom only the country is known.",
    why="Many location databases know the country and no more. What such viewers see is left to the engine's policy, "
    "unless the rule has if_unknown.",
    find=_find,
)
