"""Advice on a rule set that loads: what is in the files is well said, and may not be what was meant.

>>> from withhold import Rule, RuleSet
>>> from withhold.lint import Protected, lint
>>> rule = Rule(id="in-1", accounts=[1101], withheld_in=["IN", "PK"], reason="legal_demand", demand="IN-D1")
>>> for problem in lint(RuleSet([rule]), protected=[Protected(1101, "journalist")]):
...     print(problem.severity, problem.code)
error beyond-its-country
note no-beginning
note no-end
error protected-account

Each check is a file that is named as the sentence it holds rules to; `CHECKS` has them all. What cannot be loaded at all
(an unknown country, an id that was rounded, an empty group: `bad-group`) is told by `RuleSet.load`, and not here again.
A rule silences a check by an override with a reason: `override: {no-end: "the court set none"}`.
"""

from withhold.lint.advice import OF_OVERRIDES, lint
from withhold.lint.check import Check
from withhold.lint.checks import CHECKS
from withhold.model.protected import Category, Protected

__all__ = ["CHECKS", "OF_OVERRIDES", "Category", "Check", "Protected", "lint"]
