"""Test rule sets: with case files, with their coverage of the rules, and with helpers for tests in Python.

`withhold test` and the pytest plugin use this package to run case files. The Hypothesis strategies are in
`withhold.testing.strategies`, the only module that needs Hypothesis.
"""

from __future__ import annotations

from withhold.testing.assertions import assert_suspended, assert_visible, assert_withheld
from withhold.testing.clock import FrozenClock
from withhold.testing.viewers import viewer

__all__ = ["FrozenClock", "assert_suspended", "assert_visible", "assert_withheld", "viewer"]
