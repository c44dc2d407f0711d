"""A page that is kept by its freshness is right for every viewer to whom it is shown (A6)."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.implementations import compiled, every_snapshot
from tests.strategies import (
    ACCOUNTS,
    HOURS,
    PLACES,
    START,
    TWEETS,
    instants,
    pairs,
    policies,
    reference,
    rule_sets,
    tweets,
)
from withhold import (
    Decision,
    Engine,
    Freshness,
    Page,
    Policy,
    Reference,
    Rule,
    RuleSet,
    Tweet,
    VariesBy,
    Viewer,
    engine_info,
)
from withhold.model import Subject
from withhold.territories import subdivisions

VIEWERS = [
    Viewer(country=country, subdivisions=within, account_id=account)
    for country, within in PLACES
    for account in (None, *ACCOUNTS)
]
#: An instant on each edge of the rules, one between any two, one before all and one after all.
TIMES = [START + timedelta(minutes=30 * half) for half in range(-1, 2 * len(HOURS))]


def everything(item: Subject) -> list[Subject]:
    """Return an item and every tweet that is quoted in it."""
    found: list[Subject] = [item]
    for each in found:
        found += each.quotes() if isinstance(each, Tweet) else ()
    return found


def decisions(right: Reference, items: list[Subject], viewer: Viewer, at: datetime) -> list[Decision]:
    return [right.check(each, viewer, at) for item in items for each in everything(item)]


def without_freshness(found: list[Decision]) -> list[dict[str, object]]:
    return [{name: value for name, value in each.to_dict().items() if name != "freshness"} for each in found]


@settings(max_examples=40)
@given(rule_sets(3), policies, st.lists(pairs | tweets, min_size=1, max_size=3), instants, st.data())
def test_a6_viewers_of_one_key_get_one_page_at_every_instant(
    rules: RuleSet, policy: Policy, items: list[Subject], at: datetime, data: st.DataObject
) -> None:
    """In every field, from the reference: its freshness is not used to find the answers."""
    right = reference(rules, policy)
    viewer = data.draw(st.sampled_from(VIEWERS))
    first = decisions(right, items, viewer, at)
    fresh = reduce(or_, (each.freshness for each in first))
    assert fresh.holds(at)
    others = [other for other in VIEWERS if fresh.cache_key(other) == fresh.cache_key(viewer)]
    times = [time for time in TIMES if fresh.holds(time)]
    for other, time in data.draw(st.lists(st.tuples(st.sampled_from(others), st.sampled_from(times)), max_size=6)):
        assert without_freshness(decisions(right, items, other, time)) == without_freshness(first)
    other, time = data.draw(st.sampled_from(VIEWERS)), data.draw(st.sampled_from(times))
    again = decisions(right, items, other, time)
    assert reduce(or_, (each.freshness for each in again)) == fresh, "so it can be kept with the items"


class TestTheCoarsest:
    """Cases that broke simpler definitions."""

    def freshness(self, *rules: Rule, policy: Policy | None = None, viewer: Viewer | None = None) -> Freshness:
        found = [
            Engine(compiled(native=native)(RuleSet(rules)), policy).check(
                (20, 17), viewer or Viewer(country="US"), START
            )
            for native in {False, engine_info().native}
        ]
        wanted = Reference(RuleSet(rules), policy).check((20, 17), viewer or Viewer(country="US"), START)
        assert all(each == wanted for each in found)
        return wanted.freshness

    def rule(self, id_: str, *codes: str, **more: object) -> Rule:
        given: dict[str, object] = {"accounts": [17], "withheld_in": codes, "reason": "legal_demand", **more}
        return Rule(id=id_, **given)  # type: ignore[arg-type]

    def test_the_outcome_is_the_same_everywhere_but_not_the_reason(self) -> None:
        rest = self.rule("rest", "WORLD", except_in=["IN"], reason="copyright", if_unknown="withhold")
        fresh = self.freshness(self.rule("in", "IN"), rest)
        assert fresh.varies_by is VariesBy.COUNTRY

    @pytest.mark.parametrize(
        ("codes", "part"),
        [(("WORLD",), "none"), (("IN",), "country"), (("EU",), "country"), (("US-MS",), "subdivision")],
    )
    def test_the_part_of_a_location(self, codes: tuple[str, ...], part: str) -> None:
        assert self.freshness(self.rule("a", *codes)).varies_by == part

    def test_a_suspension_hides_no_difference_between_the_rules(self) -> None:
        """The outcome is the same everywhere, but `rule_ids` is not."""
        suspended = self.rule("s", "WORLD", effect="suspend", reason="terms")
        assert self.freshness(suspended).varies_by is VariesBy.NONE
        assert self.freshness(suspended, self.rule("ms", "US-MS")).varies_by is VariesBy.SUBDIVISION

    def test_every_state_but_not_their_country(self) -> None:
        """For viewers in an unknown state the rule is settled as withheld, so only `certain` differs."""
        states = self.rule("states", *subdivisions("US"), if_unknown="withhold")
        assert self.freshness(states).varies_by is VariesBy.SUBDIVISION
        suspended = self.rule("s", "WORLD", effect="suspend", reason="terms")
        assert self.freshness(states, suspended).varies_by is VariesBy.COUNTRY

    def test_only_the_order_of_the_rules_differs(self) -> None:
        """The rule on all states speaks where it is certain. Elsewhere in the country, the rule that is certain speaks."""
        states = self.rule("a", "WORLD", *subdivisions("US"), except_in=["BR"], if_unknown="withhold")
        whole = self.rule("a", *subdivisions("US"), if_unknown="withhold")
        country, world = self.rule("b", "US"), self.rule("b", "WORLD")
        assert self.freshness(whole, country).varies_by is VariesBy.SUBDIVISION
        assert self.freshness(whole, world).varies_by is VariesBy.SUBDIVISION
        assert self.freshness(states, world).varies_by is VariesBy.COUNTRY
        of_tweet = self.rule("b", "US", accounts=[], tweets=[20])
        assert self.freshness(whole, of_tweet).varies_by is VariesBy.COUNTRY, "a rule on the account speaks anyway"

    def test_authors_and_others(self) -> None:
        own = Policy(author_sees_own=True)
        rule = self.rule("in", "IN")
        assert self.freshness(rule, policy=own).personal
        assert self.freshness(rule, policy=own, viewer=Viewer(country="IN", account_id=17)).personal
        assert not self.freshness(rule).personal
        ended = self.rule("in", "IN", until=START)
        assert not self.freshness(ended, policy=own).personal

    def test_an_unknown_author_is_not_exempt(self) -> None:
        engine = Engine(
            RuleSet([Rule(id="t", tweets=[20], withheld_in=["IN"], reason="terms")]), Policy(author_sees_own=True)
        )
        view = engine.view(Viewer(country="US"), START)
        assert view.check(tweet_id=20, account_id=99).freshness.personal
        assert not view.check(tweet_id=20).freshness.personal
        assert view.check(tweet_id=20, account_id=99).freshness.personal

    def test_when_the_rules_ended_and_begin(self) -> None:
        hour = timedelta(hours=1)
        fresh = self.freshness(self.rule("a", "IN", until=START - hour), self.rule("b", "TR", from_=START + hour))
        assert (fresh.since, fresh.valid_until) == (START - hour, START + hour)
        assert (fresh.varies_by, fresh.personal) == (VariesBy.NONE, False)

    def test_anywhere_is_the_same_for_everybody(self) -> None:
        rules = RuleSet([self.rule("a", "IN", until=START + timedelta(hours=1))])
        for policy in (Policy(), Policy(author_sees_own=True)):
            found = Engine(rules, policy).anywhere((20, 17), START)
            assert found == Reference(rules, policy).anywhere((20, 17), START)
            assert (found.freshness.varies_by, found.freshness.personal) == (VariesBy.NONE, False)
            assert found.freshness.valid_until == START + timedelta(hours=1)


#: Luxembourg in pieces. Rules on all of them reach the same viewers as a rule on the country, but not as certainly.
CANTONS = tuple(subdivisions("LU"))
PIECES = (("LU",), CANTONS, CANTONS[1:], ("LU", *CANTONS), ("WORLD",), ("BR",), ("BR", *CANTONS))
_RULES = st.builds(
    Rule,
    id=st.just("a"),
    accounts=st.sets(st.sampled_from(ACCOUNTS), min_size=1),
    withheld_in=st.sampled_from(PIECES),
    except_in=st.just(()) | st.sampled_from(PIECES),
    if_unknown=st.none() | st.sampled_from(("withhold", "show")),
    reason=st.sampled_from(("legal_demand", "copyright")),
)


@settings(max_examples=60)
@given(st.lists(_RULES, min_size=1, max_size=5), policies)
def test_a6_the_coarsest_part_where_only_certainty_or_the_order_of_rules_differs(
    some: list[Rule], policy: Policy
) -> None:
    rules = RuleSet(dataclasses.replace(rule, id="abcde"[at]) for at, rule in enumerate(some))
    places = [(None, ()), ("BR", ()), ("US", ()), ("LU", ()), *(("LU", (code,)) for code in CANTONS)]
    tweet = Tweet(20, 1, retweet_of=Tweet(10, 2))
    wanted = Reference(rules, policy, places=places).check(tweet, Viewer.unknown(), START)
    assert Engine(rules, policy).check(tweet, Viewer.unknown(), START) == wanted


def test_a_page_that_no_rule_concerns_holds_for_everybody_until_the_next_activation() -> None:
    engine = Engine(RuleSet([Rule(id="in", accounts=[17], withheld_in=["IN"], reason="terms")]))
    items: list[tuple[int, int] | Tweet] = [(5, 6), Tweet(7, 8, quoted=Tweet(9, 10))]
    fresh = engine.view(Viewer(country="IN")).filter(items).freshness
    assert fresh == Freshness(answer_revision=engine.answer_revision)
    assert engine.view(Viewer(country="IN")).answer_revision == engine.answer_revision
    engine.activate(RuleSet([]))
    assert engine.answer_revision != fresh.answer_revision


@settings(max_examples=40)
@given(rule_sets(), policies, st.lists(pairs.filter(all), max_size=8), instants, st.sampled_from(VIEWERS))
def test_columns_have_the_freshness_of_the_page(
    rules: RuleSet, policy: Policy, items: list[tuple[int, int]], at: datetime, viewer: Viewer
) -> None:
    for snapshot in every_snapshot(rules):
        view = Engine(snapshot, policy).view(viewer, at)
        columns = [item[0] for item in items], [item[1] for item in items]
        assert view.freshness(*columns) == view.filter(items).freshness
        assert view.mask(*columns) == bytes(view.withholds(*item) for item in items)


class Stored(NamedTuple):
    key: tuple[object, ...]
    page: Page[tuple[int, int] | Tweet]


class SharedCache:
    """Keeps pages by their freshness alone. A cached page may be served for `PROPAGATION` after an activation."""

    def __init__(self, revision: str) -> None:
        self.pages: dict[int, list[Stored]] = {}
        #: The revision of the pages that may be served.
        self.revision = revision

    def find(self, url: int, viewer: Viewer, at: datetime) -> Page[tuple[int, int] | Tweet] | None:
        for key, page in self.pages.get(url, ()):
            fresh = page.freshness
            if fresh.answer_revision == self.revision and fresh.holds(at) and fresh.cache_key(viewer) == key:
                return page
        return None

    def store(self, url: int, viewer: Viewer, at: datetime, page: Page[tuple[int, int] | Tweet]) -> None:
        if page.freshness.holds(at):
            self.pages.setdefault(url, []).append(Stored(page.freshness.cache_key(viewer), page))


PROPAGATION = timedelta(seconds=30)
STEP = timedelta(seconds=1)


def rule_worlds(chance: random.Random) -> Iterator[RuleSet]:
    """Yield rule sets without end, with rules that begin and end while they are in use."""
    end = START + 10_000 * STEP
    while True:
        made = []
        for number in range(chance.randrange(6)):
            begin, until = sorted(chance.choices([START + n * (end - START) / 40 for n in range(41)], k=2))
            named = chance.sample(ACCOUNTS, 1)
            made.append(
                Rule(
                    id=f"r{number}",
                    accounts=named,
                    tweets=chance.sample(TWEETS, 2),
                    withheld_in=chance.sample(["IN", "US", "US-MS", "IT-62", "WORLD"], 2),
                    except_in=chance.choice([[], ["IN"], ["US-TX"]]),
                    from_=chance.choice([None, begin]),
                    until=chance.choice([None, until]) if until > begin else None,
                    reason=chance.choice(["legal_demand", "copyright"]),
                )
            )
        yield RuleSet(made)


URLS: list[list[tuple[int, int] | Tweet]] = [
    [(10, 1), Tweet(10, 1, quoted=Tweet(11, 2))],
    [Tweet(99, 98, retweet_of=Tweet(11, 3, quoted=Tweet(12, 3))), (98, 99)],
    [(99, 98)],
    [(98, account) for account in ACCOUNTS],
]


@pytest.mark.parametrize("own", [False, True])
def test_a6_a_shared_cache_serves_no_page_that_is_wrong(own: bool) -> None:
    """10,000 requests of 50 viewers, with other rules after every 250. The cache learns of them after `PROPAGATION`."""
    chance = random.Random(f"cache-{own}")
    policy, worlds = Policy(author_sees_own=own), rule_worlds(chance)
    rules = next(worlds)
    before = engine = Engine(rules, policy)
    viewers = chance.sample(VIEWERS, 50)
    cache, at, activated, hits = SharedCache(engine.answer_revision), START, START, 0
    for request in range(10_000):
        at += STEP
        if request % 250 == 249:
            before, rules, activated = Engine(rules, policy), next(worlds), at
            engine.activate(rules)
        if at >= activated + PROPAGATION:
            cache.revision = engine.answer_revision
        url, viewer = chance.randrange(len(URLS)), chance.choice(viewers)
        page = cache.find(url, viewer, at)
        right = engine.view(viewer, at).filter(URLS[url])
        if page is None:
            cache.store(url, viewer, at, right)
        else:
            hits += 1
            is_late = at < activated + PROPAGATION and shown(page) == shown(before.view(viewer, at).filter(URLS[url]))
            assert shown(page) == shown(right) or is_late
    assert hits > 4_000


def shown(page: Page[tuple[int, int] | Tweet]) -> tuple[object, ...]:
    return page.visible, page.hidden, page.tombstones
