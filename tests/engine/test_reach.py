"""Subjects whose rules name very many subdivisions are decided correctly, in time linear in the number of codes."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from withhold import Engine, Policy, Rule, RuleSet, Settle, Viewer
from withhold.engine.reference import _reaches
from withhold.model import places
from withhold.model.viewer import LocationKey, is_in
from withhold.territories import WORLD, containing, countries, country_of, subdivisions

CHANCE = random.Random(8)
PARTS = [code for country in countries() for code in subdivisions(country)]
SHUFFLED = CHANCE.sample(PARTS, len(PARTS))
PLACES: list[LocationKey] = [(None, ()), ("AQ", ()), ("IT", ()), ("IT", ("IT-62",)), ("IT", ("IT-62", "IT-RM"))]
PLACES += [(country_of(code), (code,)) for code in CHANCE.sample(PARTS, 12)]


def half_but_half() -> list[Rule]:
    half = len(PARTS) // 2
    return [Rule(id="r", accounts=[1], withheld_in=SHUFFLED[:half], except_in=SHUFFLED[half:], reason="terms")]


def many(rules: int, of: list[str], codes: int) -> list[Rule]:
    chance = random.Random(codes)
    return [
        Rule(id=f"r{n:03}", accounts=[1], withheld_in=chance.sample(of, codes), reason="terms") for n in range(rules)
    ]


SHAPES: dict[str, Callable[[], list[Rule]]] = {
    "one rule on half of all subdivisions except the other half": half_but_half,
    "300 rules on 10 subdivisions": lambda: many(300, PARTS, 10),
    "200 rules on 20 countries": lambda: many(200, list(countries()), 20),
}


@contextmanager
def counted_calls() -> Iterator[list[int]]:
    """Count the calls of Python functions. Unlike time, the count is the same on a busy machine."""
    calls = [0]

    def count(_: object, event: str, __: object) -> None:
        calls[0] += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        yield calls
    finally:
        sys.setprofile(before)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("unknown", Settle)
def test_c8_many_territories_on_one_subject(shape: str, unknown: Settle) -> None:
    rules = SHAPES[shape]()
    engine = Engine(RuleSet(rules), Policy(unknown_location=unknown))
    viewers = [Viewer(country=country, subdivisions=known) for country, known in PLACES]
    with counted_calls() as calls:
        first = engine.check((None, 1), viewers[0])
    codes = sum(len(rule.withheld_in) + len(rule.except_in) for rule in rules)
    assert calls[0] < 5 * codes + 60 * len(rules) + 500

    outcomes = set()
    for viewer in viewers:
        reached = {rule.id: _reaches(rule, viewer.location_key) for rule in rules}
        settled = {
            rule.id: Settle.WITHHOLD if rule.except_in else unknown for rule in rules if reached[rule.id] is None
        }
        wanted = {id_ for id_, yes in reached.items() if yes or settled.get(id_) is Settle.WITHHOLD}
        decision = engine.check((None, 1), viewer)
        assert set(decision.rule_ids) == wanted
        assert decision.territories == first.territories
        outcomes.add(decision.outcome)
    assert first.varies_by_location == (len(outcomes) > 1)
    for code in CHANCE.sample(PARTS, 50):
        around = set(containing(code))
        named = any(around & {*rule.withheld_in} and not around & {*rule.except_in} for rule in rules)
        assert bool(first.territories.places & places.place_of((country_of(code), (code,)))) is named


def test_c8_every_place_is_one_bit() -> None:
    everywhere = places.everywhere()
    assert everywhere.bit_count() == 1 + len(countries()) + len(PARTS)
    alone = [places.place_of(place) for place in [(None, ()), *((code, ()) for code in countries())]]
    alone += [places.place_of((country_of(code), (code,))) for code in PARTS]
    assert sum(alone) == everywhere
    assert all(place.bit_count() == 1 for place in alone)


@pytest.mark.parametrize("code", [WORLD, "IT", "IT-62", "IT-RM", "AQ", "XK", "GB-ENG", "US-MS"])
def test_c8_within_and_enclosing_agree_with_is_in(code: str) -> None:
    sample = PLACES + [(country, ()) for country in countries()] + [("GB", ("GB-ENG",)), ("US", ("US-MS",))]
    for place in sample:
        bit = places.place_of(place)
        certainly, perhaps = bool(places.within(code) & bit), bool(places.enclosing([code]) & bit)
        assert (True if certainly else None if perhaps else False) is is_in(place, code)


def test_c8_a_set_is_the_exclusive_or_of_its_membership_changes() -> None:
    for _ in range(200):
        found = 0
        for code in CHANCE.sample(PARTS, 5) + CHANCE.sample(["IT", "IT-62", "IT-RM", WORLD, "GB", "GB-ENG"], 3):
            found = found ^ places.within(code) if CHANCE.random() < 0.5 else found | places.within(code)
        again = 0
        for code in places.membership_changes(found):
            again ^= places.within(code)
        assert again == found
