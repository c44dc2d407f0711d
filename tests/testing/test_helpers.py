"""The helpers for tests in Python: assertions, a clock and viewers."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from withhold import Engine, InstantError, Rule, RuleSet, TerritoryError, Tweet, Viewer
from withhold.testing import FrozenClock, assert_suspended, assert_visible, assert_withheld, viewer

NOON = datetime(2021, 2, 10, 12, tzinfo=UTC)
RULES = RuleSet(
    [
        Rule(id="in-1", accounts=[17], withheld_in=["IN"], from_=NOON, reason="legal_demand"),
        Rule(id="in-2", accounts=[17], withheld_in=["IN"], from_=NOON, reason="terms"),
        Rule(id="gone", tweets=[20], effect="suspend", reason="terms"),
    ]
)


def test_an_assertion_returns_the_decision():
    engine = Engine(RULES, clock=FrozenClock(NOON))
    assert assert_withheld(engine, (None, 17), "IN", because="in-1").rule_ids == ("in-1", "in-2")
    assert assert_visible(engine, (None, 17), "unknown").certain is False
    assert assert_visible(engine, (None, 17), "IN", NOON - timedelta(seconds=1)).valid_until == NOON
    assert assert_suspended(engine, Tweet(21, 3, Tweet(20, 4)), viewer("US-MS"), because="gone").suspended


@pytest.mark.parametrize(
    ("fails", "message"),
    [
        (lambda engine: assert_visible(engine, (None, 17), "IN"), "expected visible for a viewer in IN, got withheld"),
        (
            lambda engine: assert_withheld(engine, (None, 17), Viewer.unknown()),
            "expected withheld for a viewer at an unknown location, got visible",
        ),
        (lambda engine: assert_suspended(engine, (None, 17), "IN"), "expected suspended for a viewer in IN"),
        (
            lambda engine: assert_withheld(engine, (None, 17), "IN", because="in-2"),
            "withheld for a viewer in IN, but by rule `in-1` and not by `in-2`",
        ),
    ],
)
def test_a_failure_says_what_and_why(fails, message):
    with pytest.raises(AssertionError) as caught:
        fails(Engine(RULES, clock=FrozenClock(NOON)))
    first, explanation = str(caught.value).split("\n", 1)
    assert first.startswith(message)
    assert "named by    2 rules" in explanation


def test_the_clock_stands_still_until_it_is_moved():
    clock = FrozenClock("2021-02-10T17:30:00+05:30")
    engine = Engine(RULES, clock=clock)
    assert clock() == NOON
    clock.move(NOON - timedelta(seconds=1))
    assert_visible(engine, (None, 17), "IN")
    clock.tick()
    assert_withheld(engine, (None, 17), "IN")
    clock.tick(timedelta(days=-1))
    assert clock() == NOON - timedelta(days=1)


def test_the_clock_takes_nothing_without_a_time_zone():
    with pytest.raises(InstantError):
        FrozenClock("2021-02-10T12:00:00")
    clock = FrozenClock(NOON)
    with pytest.raises(InstantError):
        clock.move(datetime(2021, 2, 10))  # noqa: DTZ001
    assert clock() == NOON


@pytest.mark.parametrize("place", ["EU", "WORLD", "DR", "", "US-ZZ", "XX"])
def test_what_is_no_place_of_a_viewer(place):
    with pytest.raises(TerritoryError):
        viewer(place)


def test_a_viewer_is_who_and_where_it_is_said():
    assert viewer(" uk ", account_id=5) == Viewer(country="GB", account_id=5)
    assert viewer("Unknown", account_id=5) == Viewer.unknown(account_id=5)
    assert viewer("it-rm").location_key == ("IT", ("IT-RM",))


def test_an_import_needs_no_test_library():
    code = "import sys, withhold.testing; print([name for name in ('hypothesis', 'pytest') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "[]\n"
