"""A rule: the arguments that it accepts and refuses, and when it is in force."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests import strategies
from withhold import (
    Effect,
    IdSet,
    InstantError,
    Period,
    Place,
    Reason,
    Rule,
    RuleError,
    Settle,
    SubjectIdError,
    SubjectIdTypeError,
    TerritoryError,
    WithholdError,
)

START = datetime(2021, 2, 10, tzinfo=UTC)
HOURS = [START + timedelta(hours=hour) for hour in range(8)]
bounds = st.none() | st.sampled_from(HOURS)


def rule(**keys: Any) -> Rule:
    return Rule(**{"id": "a", "accounts": [1], "withheld_in": ["IN"], "reason": "terms"} | keys)


@st.composite
def periods(draw: st.DrawFn) -> Period:
    start, end = draw(bounds), draw(bounds)
    if start is not None and end is not None:
        assume(start != end)
        start, end = sorted((start, end))
    return Period(start, end)


def within(period: tuple[datetime | None, datetime | None], instant: datetime) -> bool:
    start, end = period
    return (start is None or start <= instant) and (end is None or instant < end)


class TestInForce:
    @settings(max_examples=400)
    @given(periods(), st.lists(periods(), max_size=5))
    def test_a_rule_is_in_force_in_its_period_without_its_stays(self, period: Period, stays: list[Period]) -> None:
        """R1, at every bound, just before it, just after it and far away."""
        found = rule(from_=period.start, until=period.end, stays=stays)
        tick = timedelta(microseconds=1)
        instants = [hour + shift for hour in HOURS for shift in (-tick, timedelta(), tick)]
        for instant in (START - timedelta(days=999), *instants, START + timedelta(days=999)):
            wanted = within(period, instant) and not any(within(stay, instant) for stay in stays)
            assert found.in_force(instant) is wanted

    @settings(max_examples=400)
    @given(periods(), st.lists(periods(), max_size=5))
    def test_the_periods_are_merged_and_in_order(self, period: Period, stays: list[Period]) -> None:
        """No period is empty, and neighbours do not touch. So the rule's state changes at each bound."""
        found = rule(from_=period.start, until=period.end, stays=stays).periods
        for one in found:
            assert one.start is None or one.end is None or one.start < one.end
        for one, following in pairwise(found):
            assert one.end is not None
            assert following.start is not None
            assert one.end < following.start

    @given(periods(), st.lists(periods(), max_size=5), st.randoms())
    def test_the_order_of_stays_does_not_matter(self, period: Period, stays: list[Period], rng: Any) -> None:
        shuffled = rng.sample(stays, len(stays))
        one, other = (rule(from_=period.start, until=period.end, stays=each) for each in (stays, shuffled))
        assert one.periods == other.periods
        assert one == other

    def test_an_instant_in_another_zone_is_the_same_instant(self) -> None:
        found = rule(from_=datetime.fromisoformat("2021-02-10T05:30:00+05:30"))
        assert found.from_ == START
        assert found.in_force(START)
        assert not found.in_force(START - timedelta(microseconds=1))

    @pytest.mark.parametrize("keys", [{}, {"from_": START}])
    def test_a_naive_instant_is_an_error_whatever_the_bounds(self, keys: dict[str, datetime]) -> None:
        """A5: a rule without bounds must not accept it silently."""
        with pytest.raises((InstantError, TypeError)):
            rule(**keys).in_force(datetime(2021, 2, 10))  # noqa: DTZ001


class TestValues:
    def test_attributes_are_in_canonical_form(self) -> None:
        found = rule(
            accounts={3, 1},
            tweets=iter([2]),
            withheld_in=["us-ms", "IN", "in"],
            except_in="in-dl",
            effect="withhold",
            if_unknown="show",
        )
        assert found.accounts == IdSet([1, 3])
        assert found.tweets == IdSet([2])
        assert found.withheld_in == ("IN", "US-MS")
        assert found.except_in == ("IN-DL",)
        assert (found.effect, found.reason, found.if_unknown) == (Effect.WITHHOLD, Reason.TERMS, Settle.SHOW)
        assert found == rule(
            accounts=[1, 3], tweets=[2], withheld_in=["IN", "US-MS"], except_in=["IN-DL"], if_unknown=Settle.SHOW
        )

    def test_codes_are_kept_beside_world(self) -> None:
        """The rule keeps the codes as written. To report that they are redundant is the task of the lint."""
        assert rule(withheld_in=["IN", "world", "US-MS"]).withheld_in == ("IN", "US-MS", "WORLD")

    def test_a_group_is_expanded(self) -> None:
        assert len(rule(withheld_in=["EEA"]).withheld_in) == 30

    def test_the_place_is_not_part_of_the_identity(self) -> None:
        assert rule(place=Place("a.yaml", 1, 1)) == rule(place=Place("b.yaml", 2, 2)) == rule()
        assert hash(rule(place=Place("a.yaml"))) == hash(rule())

    def test_a_rule_cannot_be_changed(self) -> None:
        with pytest.raises(FrozenInstanceError):
            rule().note = "other"  # type: ignore[misc]

    @given(strategies.rules())
    def test_a_rule_can_be_copied_and_pickled(self, made: Rule) -> None:
        for again in (pickle.loads(pickle.dumps(made)), copy.deepcopy(made)):  # noqa: S301
            assert again == made
            assert again.periods == made.periods


class TestErrors:
    @pytest.mark.parametrize(
        ("keys", "code", "field"),
        [
            ({"id": ""}, "bad-id", "id"),
            ({"id": " a"}, "bad-id", "id"),
            ({"id": None}, "bad-id", "id"),
            ({"id": 5}, "bad-id", "id"),
            ({"accounts": []}, "no-subjects", "accounts"),
            ({"withheld_in": []}, "no-territory", "withheld_in"),
            ({"withheld_in": [], "except_in": ["IN"]}, "no-territory", "withheld_in"),
            ({"from_": START, "until": START}, "empty-period", "until"),
            ({"from_": HOURS[1], "until": HOURS[0]}, "empty-period", "until"),
            ({"stays": [(HOURS[0], HOURS[0])]}, "empty-period", "stays"),
            ({"stays": [(None, None), (HOURS[1], HOURS[0])]}, "empty-period", "stays"),
            ({"effect": "suspend"}, "suspend-not-worldwide", "withheld_in"),
            ({"effect": "suspend", "withheld_in": "WORLD", "except_in": "IN"}, "suspend-not-worldwide", "except_in"),
            ({"effect": "hide"}, "unknown-effect", "effect"),
            ({"reason": "law"}, "unknown-reason", "reason"),
            ({"reason": None}, "unknown-reason", "reason"),
            ({"reason": []}, "unknown-reason", "reason"),
            ({"if_unknown": "hide"}, "unknown-if-unknown", "if_unknown"),
        ],
    )
    def test_a_contradiction_names_its_field_and_its_rule(self, keys: dict[str, Any], code: str, field: str) -> None:
        with pytest.raises(RuleError) as caught:
            rule(**keys)
        assert (caught.value.code, caught.value.field) == (code, field)

    @pytest.mark.parametrize("keys", [{"reason": "law"}, {"accounts": []}, {"effect": "hide"}, {"if_unknown": "hide"}])
    def test_a_contradiction_identifies_the_rule(self, keys: dict[str, Any]) -> None:
        """If one of a thousand rules made in a loop is wrong, the error must identify it."""
        with pytest.raises(RuleError, match=r"^rule `a`: "):
            rule(**keys)
        with pytest.raises(RuleError, match=r"^a\.yaml:7:3: "):
            rule(**keys, place=Place("a.yaml", 7, 3))

    @pytest.mark.parametrize(
        ("keys", "kind"),
        [
            ({"withheld_in": ["XX"]}, TerritoryError),
            ({"except_in": ["DR"]}, TerritoryError),
            ({"withheld_in": [None]}, TerritoryError),
            ({"withheld_in": [5]}, TerritoryError),
            ({"withheld_in": b"IN"}, TerritoryError),
            ({"jurisdiction": "DR"}, TerritoryError),
            ({"jurisdiction": "WORLD"}, TerritoryError),
            ({"jurisdiction": ["IN"]}, TerritoryError),
            ({"jurisdiction": ""}, TerritoryError),
            ({"from_": datetime(2021, 2, 10)}, InstantError),  # noqa: DTZ001
            ({"until": "2021-02-10T00:00:00Z"}, InstantError),
            ({"stays": [("x", None)]}, InstantError),
            ({"accounts": [0]}, SubjectIdError),
            ({"tweets": [2**63]}, SubjectIdError),
            ({"tweets": ["5"]}, SubjectIdTypeError),
            ({"accounts": "12"}, SubjectIdTypeError),
            ({"accounts": [True]}, SubjectIdTypeError),
        ],
    )
    def test_a_bad_value_is_an_error_of_its_kind(self, keys: dict[str, Any], kind: type[WithholdError]) -> None:
        with pytest.raises(kind):
            rule(**keys)

    @pytest.mark.parametrize(
        "keys",
        [
            *({"accounts": 5}, {"accounts": None}, {"withheld_in": None}, {"withheld_in": 5}, {"except_in": None}),
            *({"stays": None}, {"stays": [5]}, {"stays": [(START,)]}, {"stays": [(START, None, None)]}),
        ],
    )
    def test_a_value_of_the_wrong_type_is_a_rule_error(self, keys: dict[str, Any]) -> None:
        """`'int' object is not iterable` would name neither the rule nor the field."""
        with pytest.raises(WithholdError):
            rule(**keys)

    def test_overrides_are_a_mapping_and_are_sorted(self) -> None:
        given = {"shadowed": "two courts", "no-end": "none was ordered"}
        assert rule(override=given).override == tuple(sorted(given.items())) == rule(override=given.items()).override
        assert hash(rule(override=given)) != hash(rule())

    @pytest.mark.parametrize("given", [{"no-end": ""}, {"no-end": " x"}, {"": "x"}, {"no-end": None}, ["no-end"], 5])
    def test_an_override_has_a_reason(self, given: Any) -> None:
        with pytest.raises(RuleError) as caught:
            rule(override=given)
        assert (caught.value.code, caught.value.field) == ("bad-override", "override")

    @pytest.mark.parametrize("keys", [{"demand": 5}, {"note": object()}, {"demand": ["D1"]}, {"demand": " "}])
    def test_a_demand_and_a_note_are_text(self, keys: dict[str, Any]) -> None:
        """Otherwise computing the digest would fail, far from the place where the rule was created."""
        with pytest.raises(WithholdError):
            rule(**keys)
