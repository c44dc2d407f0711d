"""Advice on a rule set that loads, but may not mean what its authors intended.

>>> from withhold import Rule, RuleSet
>>> from withhold.lint import Protected, lint
>>> rule = Rule(id="in-1", accounts=[1101], withheld_in=["IN", "PK"], reason="local_law", jurisdiction="IN")
>>> for problem in lint(RuleSet([rule]), protected=[Protected(1101, "journalist")]):
...     print(problem.severity, problem.code)
error beyond-its-country
note no-beginning
note no-end
error protected-account

Each check is a file named after its code, and `CHECKS` lists all of them. `RuleSet.load` reports rules that cannot be
loaded, such as those with an unknown country or a rounded id; `lint` does not report these again. A rule silences a check by
an override with a reason: `override: {no-end: "the court set none"}`.
"""

from withhold.lint.advice import OVERRIDE_CODES, lint
from withhold.lint.check import Check
from withhold.lint.checks import CHECKS
from withhold.model.protected import Category, Protected

__all__ = ["CHECKS", "OVERRIDE_CODES", "Category", "Check", "Protected", "lint"]
