"""Measure the first decision on a subject whose rules name very many territories."""

from __future__ import annotations

import json
import random
import time

from benchmarks import package
from benchmarks.serving.agreement import WrongAnswerError
from benchmarks.targets.files import Figures, spread
from benchmarks.workload import NOW
from withhold import Engine, Rule, RuleSet, Viewer
from withhold.territories import containing, countries, country_of, is_subdivision, subdivisions

SUBJECT = (None, 1)


def shapes() -> dict[str, list[Rule]]:
    """Return rules on the subject for each target."""
    chance = random.Random(8)
    parts = [code for country in countries() for code in subdivisions(country)]
    mixed = chance.sample(parts, len(parts))
    half = len(parts) // 2

    def rule(number: int, withheld_in: list[str], except_in: list[str]) -> Rule:
        return Rule(id=f"r{number}", accounts=[1], withheld_in=withheld_in, except_in=except_in, reason="terms")

    return {
        "first, half": [rule(0, mixed[:half], mixed[half:])],
        "first, subdivisions": [rule(n, chance.sample(parts, 10), []) for n in range(300)],
        "first, countries": [rule(n, chance.sample([*countries()], 20), []) for n in range(200)],
    }


def measured(turns: int) -> Figures:
    """Return the milliseconds of first decisions; each turn runs in a new process."""
    found = [package.output_of("benchmarks.targets.shapes") for _ in range(turns)]
    return {name: spread([each[name] for each in found]) for name in found[0]}


def first_decisions() -> dict[str, float]:
    """Return the milliseconds of the first decision for each target. Raise `WrongAnswerError` if it is wrong."""
    found = {}
    for name, rules in shapes().items():
        code = rules[0].withheld_in[0]
        viewer = Viewer(country=country_of(code), subdivisions=[code] if is_subdivision(code) else [])
        around = {*containing(code)}
        engine = Engine(RuleSet(rules))
        began = time.perf_counter()
        decision = engine.check(SUBJECT, viewer, NOW)
        found[name] = 1e3 * (time.perf_counter() - began)
        if {*decision.rule_ids} != (wanted := {rule.id for rule in rules if around & {*rule.withheld_in}}):
            raise WrongAnswerError(f"{code}: {decision.rule_ids} instead of {wanted}")
    return found


if __name__ == "__main__":
    package.begin()
    print(json.dumps(first_decisions()))
