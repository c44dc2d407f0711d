"""Seeded rule sets and traffic, of the shapes that withholding has."""

from __future__ import annotations

import gc
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from withhold import Rule, RuleSet

NOW = datetime(2026, 1, 1, tzinfo=UTC)
COUNTRIES = ("IN", "TR", "RU", "DE", "BR", "FR", "JP", "PK", "ID", "GB", "KR", "VN", "TH", "MX", "AE", "SG", "AU", "ES")
PAGE = 500

Pair = tuple[int, int]


def id_of(random_: random.Random) -> int:
    """An id like those that snowflakes have given since 2013: 59 to 61 bits."""
    return random_.randrange(2**58, 2**61)


def rules(count: int, seed: int = 1) -> RuleSet:
    """Rules of one id each: 80 % on tweets, 18 countries with skew, 2 % with an end, 1 % worldwide."""
    random_ = random.Random(seed)
    weights = [1 / (rank + 1) for rank in range(len(COUNTRIES))]
    homes = random_.choices(COUNTRIES, weights, k=count)

    def made(number: int) -> Rule:
        ids = [id_of(random_)]
        on_tweets = random_.random() < 0.8
        place = "WORLD" if random_.random() < 0.01 else homes[number]
        until = NOW + timedelta(days=30) if random_.random() < 0.02 else None
        return Rule(
            id=f"r{number}",
            tweets=ids if on_tweets else [],
            accounts=[] if on_tweets else ids,
            withheld_in=[place],
            until=until,
            reason="legal_demand",
        )

    gc.disable()  # a million live objects are walked again and again while they are made
    try:
        return RuleSet(made(number) for number in range(count))
    finally:
        gc.enable()
        gc.freeze()


def misses(count: int, seed: int = 2) -> list[Pair]:
    """(tweet, author) pairs that no rule names."""
    random_ = random.Random(seed)
    # The rules' own ids lie below.
    return [(random_.randrange(2**61, 2**62), random_.randrange(2**61, 2**62)) for _ in range(count)]


def traffic(rule_set: RuleSet, count: int, seed: int = 3) -> list[Pair]:
    """Pairs of which 1 % are named by a rule, as it is drawn: withheld here, elsewhere, or both."""
    random_ = random.Random(seed)
    tweets = [id_ for rule in rule_set for id_ in rule.tweets]
    accounts = [id_ for rule in rule_set for id_ in rule.accounts]
    pairs = misses(count, seed)
    for at in random_.sample(range(count), count // 100):
        tweet, account = pairs[at]
        pairs[at] = (random_.choice(tweets), account) if random_.random() < 0.5 else (tweet, random_.choice(accounts))
    return pairs


def pages(pairs: list[Pair]) -> Iterator[list[Pair]]:
    """Cut traffic into pages."""
    return (pairs[at : at + PAGE] for at in range(0, len(pairs), PAGE))
