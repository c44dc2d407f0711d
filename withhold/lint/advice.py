"""All checks on one rule set, without the findings that overrides silence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from withhold.errors import Problem, did_you_mean, in_order, quoted
from withhold.lint.check import Context, rule_problem
from withhold.lint.checks import CHECKS
from withhold.lint.protected_account import CHECK as PROTECTED
from withhold.model.instants import utc
from withhold.model.protected import Protected
from withhold.model.rule import Rule
from withhold.model.rule_set import RuleSet

#: Codes of problems with overrides themselves, each with what it requires. These problems cannot be overridden.
OVERRIDE_CODES = {
    "unknown-override": "An override must name a check.",
    "unused-override": "An override should silence something.",
}


def lint(rules: RuleSet, protected: Iterable[Protected] | None = None, *, at: datetime | None = None) -> list[Problem]:
    """Return the advice on a rule set, sorted by place. O(ids log ids).

    `protected` lists the accounts that no rule may name without an override; `sources.protected_beside` reads such
    lists. Without a list (None), it is unknown whether an override of `protected-account` is needed, so none is
    reported as unused. `at` is an aware instant, by default now; reviews that were due by then are reported.

    Each problem has the code of its check. A rule with that code in its `override` is skipped. Problems with overrides
    themselves are reported as `unknown-override` and `unused-override`.
    """
    instant = datetime.now(UTC) if at is None else utc(at)
    context = Context(rules, {each.account: each for each in protected or ()}, instant)
    problems: list[Problem] = []
    # Pairs of a rule and a check whose override is in use, or may be.
    silenced = {(rule.id, PROTECTED.code) for rule in rules} if protected is None else set()
    for check in CHECKS:
        for found in check.find(context):
            if any(code == check.code for code, _ in found.rule.override):
                silenced.add((found.rule.id, check.code))
            else:
                problems.append(check.problem(found))
    for rule in rules:
        problems += _override_problems(rule, silenced)
    return in_order(problems)


def _override_problems(rule: Rule, silenced: set[tuple[str, str]]) -> Iterator[Problem]:
    codes = [check.code for check in CHECKS]
    for code, _ in rule.override:
        if code not in codes:
            hint = did_you_mean(code, codes)
            yield rule_problem(
                "unknown-override", rule, f"there is no check {quoted(code)} to override", hint, "error", "override"
            )
        elif (rule.id, code) not in silenced:
            message = f"the override of `{code}` silences nothing"
            hint = "delete the override if the problem has been corrected"
            yield rule_problem("unused-override", rule, message, hint, "note", "override")
