"""For those who test rule sets: case files, what they leave untried, and help for tests in Python.

`withhold test` and the pytest plugin run case files; both are thin over this. The Hypothesis strategies are in
`withhold.testing.strategies`, which alone needs Hypothesis.
"""

from __future__ import annotations

from withhold.testing.assertions import assert_suspended, assert_visible, assert_withheld
from withhold.testing.clock import FrozenClock
from withhold.testing.viewers import viewer

__all__ = ["FrozenClock", "assert_suspended", "assert_visible", "assert_withheld", "viewer"]
