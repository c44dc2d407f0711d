"""Hypothesis strategies with few ids, territories and instants, so that rules often concern the same subject."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from withhold import Disclosure, Effect, Policy, Reason, Reference, Rule, RuleSet, Settle, Tweet, Viewer

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


def reference(rules: RuleSet, policy: Policy | None = None) -> Reference:
    """Return a reference for rules on these territories. It compares `PLACES` only, instead of all places in the world."""
    return Reference(rules, policy, places=PLACES)


instants = st.sampled_from(HOURS)
accounts = st.sampled_from(ACCOUNTS)
tweet_ids = st.sampled_from(TWEETS)
policies = st.builds(Policy, unknown_location=st.sampled_from(Settle), author_sees_own=st.booleans())


# Strategies that are used in every example are created once. Hypothesis checks each new one, which takes longer than drawing.
_MAYBE_INSTANT, _MAYBE_ACCOUNT = st.none() | instants, st.none() | accounts
_PLACES = st.sampled_from(PLACES)
_EFFECTS = st.sampled_from((Effect.WITHHOLD, Effect.WITHHOLD, Effect.WITHHOLD, Effect.SUSPEND))
_CODES = st.lists(st.sampled_from(TERRITORIES), min_size=1, max_size=3)
_MAYBE_CODES: st.SearchStrategy[list[str]] = st.just([]) | _CODES
_ACCOUNTS, _TWEETS, _ANY_TWEETS = st.sets(accounts), st.sets(tweet_ids, min_size=1), st.sets(tweet_ids)
_KEYS = {
    "reason": st.sampled_from(Reason),
    "if_unknown": st.none() | st.sampled_from(Settle),
    "demand": st.none() | st.sampled_from(("D1", "D2")),
    "jurisdiction": st.none() | st.sampled_from(("EU", "IT", "IN")),
    "disclosure": st.sampled_from(Disclosure),
    "review_by": _MAYBE_INSTANT,
    "note": st.none() | st.just("n"),
    "extra": st.just({}) | st.dictionaries(st.sampled_from(("x-a", "x-b")), st.sampled_from(("1", "2"))),
    "override": st.just({}) | st.dictionaries(st.sampled_from(("no-end", "shadowed", "no-code")), st.just("x")),
}


@st.composite
def periods(draw: st.DrawFn) -> tuple[datetime | None, datetime | None]:
    start, end = draw(_MAYBE_INSTANT), draw(_MAYBE_INSTANT)
    if start is not None and end is not None and end <= start:
        start, end = (None, end) if start == end else (end, start)
    return start, end


_PERIODS = periods()
_STAYS = st.lists(_PERIODS, max_size=2)


@st.composite
def rules(draw: st.DrawFn, rule_id: str = "r") -> Rule:
    """Generate a valid rule."""
    start, end = draw(_PERIODS)
    effect = draw(_EFFECTS)
    suspends = effect is Effect.SUSPEND
    named_accounts = draw(_ACCOUNTS)
    return Rule(
        id=rule_id,
        accounts=named_accounts,
        tweets=draw(_ANY_TWEETS if named_accounts else _TWEETS),
        withheld_in=["WORLD"] if suspends else draw(_CODES),
        except_in=[] if suspends else draw(_MAYBE_CODES),
        from_=start,
        until=end,
        stays=draw(_STAYS),
        effect=effect,
        **{name: draw(values) for name, values in _KEYS.items()},
    )


_RULES = {rule_id: rules(rule_id) for rule_id in "abcdefgh"}
_COUNTED = {size: st.tuples(st.permutations("abcdefgh"[:size]), st.integers(0, size)) for size in range(1, 9)}


@st.composite
def rule_sets(draw: st.DrawFn, max_size: int = 5) -> RuleSet:
    """Generate a rule set whose ids are not in order."""
    ids, count = draw(_COUNTED[max_size])
    return RuleSet(draw(_RULES[rule_id]) for rule_id in ids[:count])


@st.composite
def viewers(draw: st.DrawFn) -> Viewer:
    country, subdivisions = draw(_PLACES)
    return Viewer(country=country, subdivisions=subdivisions, account_id=draw(_MAYBE_ACCOUNT))


tweets = st.recursive(
    st.builds(Tweet, tweet_ids, accounts),
    lambda inner: st.builds(Tweet, tweet_ids, accounts, st.none() | inner, st.none() | inner),
    max_leaves=3,
)
pairs = st.tuples(st.none() | tweet_ids, st.none() | accounts).filter(any)
subjects = pairs | tweets
