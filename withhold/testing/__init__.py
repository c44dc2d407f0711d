"""Tests of rule sets: case files, their coverage of the rules, and helpers for tests in Python.

`withhold test` and the pytest plugin run case files with this room. The Hypothesis strategies are in
`withhold.testing.strategies`, the only module that needs Hypothesis.
"""

from __future__ import annotations

from withhold.testing.assertions import assert_suspended, assert_visible, assert_withheld
from withhold.testing.clock import FrozenClock
from withhold.testing.viewers import viewer

__all__ = ["FrozenClock", "assert_suspended", "assert_visible", "assert_withheld", "viewer"]
