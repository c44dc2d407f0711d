"""All checks on one rule set, less what rules override."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from withhold.errors import Problem, did_you_mean, in_order, quoted
from withhold.lint.check import Given, advice
from withhold.lint.checks import CHECKS
from withhold.lint.protected_account import CHECK as PROTECTED
from withhold.model.protected import Protected
from withhold.model.rule import Rule
from withhold.model.rule_set import RuleSet

#: What is said of overrides themselves, and cannot be overridden: the code, and what it means.
OF_OVERRIDES = {
    "unknown-override": "An override must name a check.",
    "unused-override": "An override should silence something.",
}


def lint(rules: RuleSet, protected: Iterable[Protected] | None = None) -> list[Problem]:
    """Return the advice on a rule set, in the order of its places. O(ids log ids).

    `protected` are the accounts that no rule is to name without an override; `sources.protected_beside` reads them. Where
    none were read (None) it is not known whether an override of that is needed, and none is told as unused.
    Each problem has the code of its check. A rule with that code in its `override` is passed over; what overrides get
    wrong is told as `unknown-override` and `unused-override`.
    """
    given = Given(rules, {each.account: each for each in protected or ()})
    told: list[Problem] = []
    # What may be silenced by an override, as far as that can be known.
    silenced = {(rule.id, PROTECTED.code) for rule in rules} if protected is None else set()
    for check in CHECKS:
        for found in check.find(given):
            if any(code == check.code for code, _ in found.rule.override):
                silenced.add((found.rule.id, check.code))
            else:
                told.append(check.problem(found))
    for rule in rules:
        told += _on_overrides(rule, silenced)
    return in_order(told)


def _on_overrides(rule: Rule, silenced: set[tuple[str, str]]) -> Iterator[Problem]:
    codes = [check.code for check in CHECKS]
    for code, _ in rule.override:
        if code not in codes:
            hint = did_you_mean(code, codes)
            yield advice(
                "unknown-override", rule, f"there is no check {quoted(code)} to override", hint, "error", "override"
            )
        elif (rule.id, code) not in silenced:
            message = f"the override of `{code}` silences nothing"
            yield advice(
                "unused-override", rule, message, "drop it, if what it speaks of is mended", "note", "override"
            )
