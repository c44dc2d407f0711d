"""Hypothesis strategies with few ids, territories and instants, so that rules often concern the same subject."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from withhold import Disclosure, Effect, Policy, Reason, Rule, RuleSet, Settle, Tweet, Viewer

ACCOUNTS = (1, 2, 3)
TWEETS = (1, 10, 11, 12)  # 1 is also an account, because the two kinds must not be confused
START = datetime(2021, 2, 10, tzinfo=UTC)
HOURS = tuple(START + timedelta(hours=hour) for hour in range(6))

#: A country with regions (IT-62 contains IT-RM and IT-RI), one with plain subdivisions, and others without.
TERRITORIES = ("IN", "TR", "US", "US-MS", "US-TX", "IT", "IT-62", "IT-RM", "IT-21", "WORLD")
#: A place of each kind that these territories distinguish (`test_places.py`), and some others.
PLACES = (
    (None, ()),
    ("IN", ()),
    ("IN", ("IN-DL",)),
    ("TR", ()),
    ("BR", ()),
    ("US", ()),
    ("US", ("US-MS",)),
    ("US", ("US-TX",)),
    ("US", ("US-CA",)),
    ("IT", ()),
    ("IT", ("IT-62",)),
    ("IT", ("IT-RM",)),
    ("IT", ("IT-62", "IT-RM")),
    ("IT", ("IT-RI",)),
    ("IT", ("IT-21",)),
    ("IT", ("IT-25",)),
)

instants = st.sampled_from(HOURS)
accounts = st.sampled_from(ACCOUNTS)
tweet_ids = st.sampled_from(TWEETS)
policies = st.builds(Policy, unknown_location=st.sampled_from(Settle), author_sees_own=st.booleans())


@st.composite
def periods(draw: st.DrawFn) -> tuple[datetime | None, datetime | None]:
    start, end = draw(st.none() | instants), draw(st.none() | instants)
    if start is not None and end is not None and end <= start:
        start, end = (None, end) if start == end else (end, start)
    return start, end


@st.composite
def rules(draw: st.DrawFn, rule_id: str = "r") -> Rule:
    """Generate a valid rule."""
    start, end = draw(periods())
    effect = draw(st.sampled_from((Effect.WITHHOLD, Effect.WITHHOLD, Effect.WITHHOLD, Effect.SUSPEND)))
    codes = st.lists(st.sampled_from(TERRITORIES), min_size=1, max_size=3)
    suspends = effect is Effect.SUSPEND
    named_accounts = draw(st.sets(accounts))
    return Rule(
        id=rule_id,
        accounts=named_accounts,
        tweets=draw(st.sets(tweet_ids, min_size=0 if named_accounts else 1)),
        withheld_in=["WORLD"] if suspends else draw(codes),
        except_in=[] if suspends else draw(st.just([]) | codes),
        from_=start,
        until=end,
        stays=draw(st.lists(periods(), max_size=2)),
        effect=effect,
        reason=draw(st.sampled_from(Reason)),
        if_unknown=draw(st.none() | st.sampled_from(Settle)),
        demand=draw(st.none() | st.sampled_from(("D1", "D2"))),
        jurisdiction=draw(st.none() | st.sampled_from(("EU", "IT", "IN"))),
        disclosure=draw(st.sampled_from(Disclosure)),
        review_by=draw(st.none() | instants),
        note=draw(st.none() | st.just("n")),
        extra=draw(st.just({}) | st.dictionaries(st.sampled_from(("x-a", "x-b")), st.sampled_from(("1", "2")))),
        override=draw(st.just({}) | st.dictionaries(st.sampled_from(("no-end", "shadowed", "no-code")), st.just("x"))),
    )


@st.composite
def rule_sets(draw: st.DrawFn, max_size: int = 5) -> RuleSet:
    """Generate a rule set whose ids are not in order."""
    ids = draw(st.permutations("abcdefgh"[:max_size]))
    count = draw(st.integers(0, max_size))
    return RuleSet(draw(rules(rule_id)) for rule_id in ids[:count])


@st.composite
def viewers(draw: st.DrawFn) -> Viewer:
    country, subdivisions = draw(st.sampled_from(PLACES))
    return Viewer(country=country, subdivisions=subdivisions, account_id=draw(st.none() | accounts))


tweets = st.recursive(
    st.builds(Tweet, tweet_ids, accounts),
    lambda inner: st.builds(Tweet, tweet_ids, accounts, st.none() | inner, st.none() | inner),
    max_leaves=3,
)
pairs = st.tuples(st.none() | tweet_ids, st.none() | accounts).filter(any)
subjects = pairs | tweets
