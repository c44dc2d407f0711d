"""Hypothesis strategies for rules, viewers and tweets, which draw only valid values.

Each takes strategies for its parts, so that rules and questions can be drawn from the same few ids and instants. Needs
Hypothesis.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from withhold.errors import how_to_install

try:
    from hypothesis import strategies as st
except ModuleNotFoundError as error:
    if error.name != "hypothesis":
        raise
    raise ModuleNotFoundError(
        f"the strategies need Hypothesis, which is not installed; {how_to_install('test')}", name=error.name
    ) from None

from withhold.model import Disclosure, Effect, IdSet, Period, Policy, Reason, Rule, RuleSet, Settle, Tweet, Viewer
from withhold.model.ids import MAX_ID
from withhold.territories import WORLD, containing, countries, country_of, is_subdivision, subdivisions

_Instants = st.SearchStrategy[datetime]
_Ids = st.SearchStrategy[int]
_Codes = st.SearchStrategy[str]


def ids() -> _Ids:
    """Draw account or tweet ids: 1 to 2**63 - 1."""
    return st.integers(1, MAX_ID)


def instants() -> _Instants:
    """Draw aware instants of the years 1 to 9999, in UTC."""
    return st.datetimes(timezones=st.just(UTC))


def territories() -> _Codes:
    """Draw countries, subdivisions and `WORLD`, as rules name them."""
    return st.just(WORLD) | places()


def places() -> _Codes:
    """Draw countries and subdivisions, the places of viewers."""
    return st.deferred(_places)


@st.composite
def periods(draw: st.DrawFn, instants: _Instants | None = None) -> Period:
    """Draw periods that are not empty; either bound may be open."""
    some = st.none() | (_all_instants() if instants is None else instants)
    start, end = draw(some), draw(some)
    if start is None or end is None or start < end:
        return Period(start, end)
    return Period(end, start) if end < start else Period(start, None)


@st.composite
def rules(
    draw: st.DrawFn,
    rule_id: str = "r",
    *,
    accounts: _Ids | None = None,
    tweets: _Ids | None = None,
    territories: _Codes | None = None,
    instants: _Instants | None = None,
) -> Rule:
    """Draw rules with one id.

    >>> from hypothesis import given
    >>> @given(rules("in-1", accounts=st.integers(1, 3)))
    ... def test(rule):
    ...     assert rule.id == "in-1" and (rule.accounts or rule.tweets)
    >>> test()
    """
    named = draw(st.sets(ids() if accounts is None else accounts, max_size=4))
    effect = draw(st.sampled_from(Effect))
    codes = _all_territories() if territories is None else territories
    period = draw(periods(instants))
    return Rule(
        id=rule_id,
        accounts=IdSet(named),
        tweets=IdSet(draw(st.sets(ids() if tweets is None else tweets, min_size=0 if named else 1, max_size=4))),
        withheld_in=[WORLD] if effect.worldwide else draw(st.lists(codes, min_size=1, max_size=4)),
        except_in=[] if effect.worldwide else draw(st.lists(codes, max_size=3)),
        from_=period.start,
        until=period.end,
        stays=draw(st.lists(periods(instants), max_size=2)),
        effect=effect,
        reason=draw(st.sampled_from(Reason)),
        if_unknown=draw(st.none() | st.sampled_from(Settle)),
        demand=draw(st.none() | st.sampled_from(("D-1", "D-2"))),
        jurisdiction=draw(st.none() | st.sampled_from(("EU", "IN", "US-MS"))),
        disclosure=draw(st.sampled_from(Disclosure)),
        review_by=draw(st.none() | (_all_instants() if instants is None else instants)),
        extra=draw(st.sampled_from(({}, {"x-ticket": "LEGAL-1"}))),
    )


@st.composite
def rule_sets(draw: st.DrawFn, /, *, max_size: int = 5, **of_rules: Any) -> RuleSet:
    """Draw rule sets of up to `max_size` rules; the other arguments are passed to `rules`."""
    names = draw(st.permutations([f"r{number}" for number in range(max_size)]))
    return RuleSet(draw(rules(name, **of_rules)) for name in names[: draw(st.integers(0, max_size))])


@st.composite
def viewers(draw: st.DrawFn, *, places: _Codes | None = None, accounts: _Ids | None = None) -> Viewer:
    """Draw viewers in a country, in a subdivision, or of unknown location; logged in or not."""
    place = draw(st.none() | (_all_places() if places is None else places))
    account = draw(st.none() | (ids() if accounts is None else accounts))
    if place is None:
        return Viewer.unknown(account_id=account)
    levels = tuple(code for code in containing(place) if is_subdivision(code))
    inside = draw(st.sampled_from((levels[:1], levels)))
    return Viewer(country=country_of(place), subdivisions=inside, account_id=account)


def tweets(*, tweet_ids: _Ids | None = None, accounts: _Ids | None = None) -> st.SearchStrategy[Tweet]:
    """Draw tweets; some retweet or quote others."""
    parts = (ids() if tweet_ids is None else tweet_ids, ids() if accounts is None else accounts)
    return st.recursive(
        st.builds(Tweet, *parts),
        lambda inner: st.builds(Tweet, *parts, st.none() | inner, st.none() | inner),
        max_leaves=3,
    )


def policies() -> st.SearchStrategy[Policy]:
    """Draw policies."""
    return st.builds(Policy, unknown_location=st.sampled_from(Settle), author_sees_own=st.booleans())


def _places() -> _Codes:
    inner = [code for country in countries() for code in subdivisions(country)]
    return st.sampled_from(list(countries())) | st.sampled_from(inner)


# Under names that no argument shadows.
_all_instants, _all_territories, _all_places = instants, territories, places
