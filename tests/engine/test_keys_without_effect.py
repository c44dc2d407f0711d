"""`jurisdiction`, `review_by` and keys that begin with `x-` change no answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests import strategies
from withhold import Engine, RuleSet

QUESTIONS = st.tuples(strategies.policies, strategies.subjects, strategies.viewers(), strategies.instants)


def answers(rules: RuleSet, policy: Any, subject: Any, viewer: Any, at: Any) -> list[dict[str, Any]]:
    found = []
    for checker in (Engine(rules, policy), strategies.reference(rules, policy)):
        for decision in (checker.check(subject, viewer, at), checker.anywhere(subject, at)):
            values: Any = decision.to_dict()
            del values["jurisdiction"], values["revision"], values["freshness"]["answer_revision"]
            found.append(values)
    return found


@given(strategies.rule_sets(), QUESTIONS)
def test_no_answer_depends_on_them(rules: RuleSet, question: Any) -> None:
    without = RuleSet(replace(rule, jurisdiction=None, review_by=None, extra=()) for rule in rules)
    assert answers(rules, *question) == answers(without, *question)
