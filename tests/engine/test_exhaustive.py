"""Every question about a small world (`benchmarks/differential/exhaustive.py`); `withhold/README.md` has the counts."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

import pytest

from benchmarks.differential import __main__ as differential
from benchmarks.differential import comparing, exhaustive
from benchmarks.differential.exhaustive import CODES, NOW, PLACES, POLICIES, VIEWERS, Batch
from withhold import Effect, Outcome, Reference, RuleSet, Settle, TerritorySet
from withhold.engine.reference import _reaches
from withhold.model import places
from withhold.model.places import Places
from withhold.model.viewer import LocationKey, is_in
from withhold.semantics import ReachingRule, combine, reach_of
from withhold.territories import WORLD, containing, countries, country_of, subdivisions

PARTS = 12


def agree(batch: Batch) -> int:
    """Compare every answer with the reference, and return the number of questions."""
    found = comparing.compared(batch)
    assert (found.disagreements, found.examples) == (0, [])
    return found.questions


def _features(place: LocationKey) -> tuple[bool | None, ...]:
    return tuple(is_in(place, code) for code in CODES)


def test_the_nine_places_are_one_of_each_kind() -> None:
    everywhere: list[LocationKey] = [(None, ()), *((country, ()) for country in countries())]
    for code in (code for country in countries() for code in subdivisions(country)):
        around = tuple(outer for outer in containing(code) if outer not in (country_of(code), WORLD))
        everywhere += [(country_of(code), (code,)), (country_of(code), around)]
    assert {_features(place) for place in everywhere} == {_features(place) for place in PLACES}
    assert len({_features(place) for place in PLACES}) == len(PLACES)


def test_the_counts() -> None:
    kinds = exhaustive.kinds()
    assert len(list(exhaustive.texts())) == (2**6 - 1) * 2**6 == 4_032
    assert len({kind.pattern for kind in kinds}) == 49
    # Each pattern is settled as withheld and as shown. The policy can settle plain lists too. One more is the
    # suspension.
    plain = {exhaustive.pattern(text) for text in exhaustive.texts() if not text[1]}
    assert len(kinds) == 2 * 49 + len(plain) + 1 == 113
    assert sum(len(written) for written in kinds.values()) == 3 * (4_032 + 1)
    parts = [next(exhaustive.pairs_in_part(part, PARTS)) for part in range(PARTS)]
    assert sum(len(list(part.questions)) for part in parts) == 113 * 114 // 2 * len(PLACES) == 57_969


def test_texts_of_one_pattern_reach_the_same_places_of_the_whole_world() -> None:
    reaches: dict[tuple[bool | None, ...], set[tuple[Places, ...]]] = {}
    for text in exhaustive.texts():
        rule = exhaustive.rule("r", text, None, Effect.WITHHOLD, 0, [1])
        reach, pattern = reach_of(rule), exhaustive.pattern(text)
        reaches.setdefault(pattern, set()).add((reach.territories, reach.surely, reach.uncertain))
        assert tuple(_reaches(rule, place) for place in PLACES) == pattern
        bits = map(places.place_of, PLACES)
        assert (
            tuple(True if reach.surely & bit else None if reach.uncertain & bit else False for bit in bits) == pattern
        )
        assert TerritorySet(text[0]) - TerritorySet(text[1]) == TerritorySet.of(reach.territories)
    assert all(len(found) == 1 for found in reaches.values())


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.unknown_location)
@pytest.mark.parametrize("part", range(4))
def test_nine_places_are_enough_for_the_reference(policy, part) -> None:
    for kind, written in list(exhaustive.kinds().items())[part::4]:
        rules = RuleSet([exhaustive.rule("r", *written[-1], kind.effect, 0, [1])])
        whole, small = Reference(rules, policy), Reference(rules, policy, places=PLACES)
        assert small.check((1, None), VIEWERS[0], NOW) == whole.check((1, None), VIEWERS[0], NOW)
        assert small.anywhere((1, None), NOW) == whole.anywhere((1, None), NOW)


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("policy", range(len(POLICIES)), ids=list(Settle))
def test_all_pairs_of_kinds(part, policy) -> None:
    agree(next(islice(exhaustive.pairs_in_part(part, PARTS), policy, None)))


@pytest.mark.parametrize("part", range(4))
def test_everything_that_determines_which_rule_speaks(part) -> None:
    agree(exhaustive.part_of(exhaustive.orders(), part, 4))


def test_rules_with_any_period_are_in_force_as_the_contract_requires() -> None:
    written = exhaustive.times(stays=2)
    assert len(written) == 15 * (1 + 15 + 120)
    for times in written:
        rule = exhaustive.timed("r", times, [1])
        assert tuple(map(rule.in_force, exhaustive.INSTANTS)) == exhaustive.in_force(times)


def test_at_edges() -> None:
    assert agree(exhaustive.instants(stays=1)) == 2 * 15 * (1 + 15) * 12


@pytest.mark.parametrize("part", range(2))
def test_pairs_at_edges(part) -> None:
    agree(exhaustive.part_of(exhaustive.pairs_of_instants(), part, 2))


@pytest.mark.parametrize("part", range(4))
@pytest.mark.parametrize("sees_own", [False, True])
def test_authors(sees_own, part) -> None:
    batch = exhaustive.authors(sees_own=sees_own, effects=2, viewers=VIEWERS[1:2])
    agree(exhaustive.part_of(batch, part, 4))


def test_a_wrong_engine_is_found(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """And the command reports it in its exit status."""
    small = [exhaustive.pairs(0, POLICIES[0], 0, 400)]
    monkeypatch.setattr(comparing, "everything", lambda: map(exhaustive.part_of, small, [0], [1]))
    monkeypatch.setattr("sys.argv", ["differential", "--exhaustive"])
    assert _status_of_the_command() == 0
    assert '"disagreements": 0' in capsys.readouterr().out
    small[:] = [exhaustive.pairs(0, POLICIES[0], 0, 400)]
    monkeypatch.setattr("withhold.semantics.outcome.combine", _ignoring_suspensions)
    assert _status_of_the_command() == 1
    printed = capsys.readouterr()
    assert '"disagreements": 0' not in printed.out
    assert "is not Decision(outcome=<Outcome.SUSPENDED: 'suspended'>" in printed.err


def _ignoring_suspensions(reaching: Iterable[ReachingRule]) -> Outcome:
    return min(combine(reaching), Outcome.WITHHELD, key=list(Outcome).index)


def _status_of_the_command() -> object:
    with pytest.raises(SystemExit) as caught:
        differential.main()
    return caught.value.code
