"""Random rules and rows that cover every feature, and the answers of the reference implementation."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from tests.strategies import HOURS, PLACES, TERRITORIES
from withhold import Decision, Policy, Reference, Rule, RuleSet, Tweet, Viewer

#: Instants before, at, just before, and after each edge of the rules.
INSTANTS = tuple(hour - timedelta(microseconds=tick) for hour in HOURS for tick in (0, 1))


class Row(NamedTuple):
    """A question. An id of None is a null, as is an instant of None."""

    tweet: int | None
    account: int | None
    country: str | None
    subdivisions: tuple[str, ...]
    at: datetime | None
    retweet_of: int | None = None
    retweeted_account: int | None = None


def random_rules(seed: int, count: int = 40) -> RuleSet:
    """Return rules with periods, stays, subdivisions, exceptions and suspensions."""
    chance = random.Random(seed)
    return RuleSet(_rule(chance, number) for number in range(count))


def _rule(chance: random.Random, number: int) -> Rule:
    start, end = sorted(chance.sample(HOURS, 2))
    suspends = chance.random() < 0.05
    return Rule(
        id=f"r{number}",
        accounts=chance.sample(range(1, 60), 2),
        tweets=chance.sample(range(1, 60), 2),
        withheld_in=["WORLD"] if suspends else chance.sample(TERRITORIES, chance.randint(1, 2)),
        except_in=chance.sample(TERRITORIES, chance.choice((0, 0, 1))) if not suspends else [],
        from_=None if chance.random() < 0.4 else start,
        until=None if chance.random() < 0.4 else end,
        stays=[(HOURS[2], HOURS[3])] if chance.random() < 0.2 else [],
        effect="suspend" if suspends else "withhold",
        reason=chance.choice(("legal_demand", "copyright", "terms")),
        if_unknown=chance.choice((None, None, "withhold", "show")),
        demand=chance.choice((None, "D1", "D2")),
    )


def random_rows(seed: int, count: int, *, distinct: int = 250, ids: int = 80, sources: bool = True) -> list[Row]:
    """Return rows with unknown places, subdivisions, retweets and nulls. Rules name about half of the ids.

    At most `distinct` rows differ, because the reference takes milliseconds for an answer.
    """
    chance = random.Random(seed)

    def id_() -> int | None:
        return None if chance.random() < 0.03 else chance.randint(1, ids)

    rows = []
    for _ in range(min(distinct, count)):
        country, subdivisions = chance.choice(PLACES)
        row = Row(id_(), id_(), country, subdivisions, None if chance.random() < 0.02 else chance.choice(INSTANTS))
        if sources and chance.random() < 0.2:
            row = row._replace(retweet_of=id_(), retweeted_account=id_())
        rows.append(row)
    return rows if count <= distinct else chance.choices(rows, k=count)


def expected(rules: RuleSet, policy: Policy, rows: Sequence[Row]) -> list[Decision | None]:
    """Return the decision of the reference on each row, None for a row without an answer."""
    reference = Reference(rules, policy, places=PLACES)

    @cache
    def answer(row: Row) -> Decision | None:
        tweet, account, country, subdivisions, at, retweet_of, retweeted_account = row
        if tweet is None or account is None or at is None or (retweet_of is None) != (retweeted_account is None):
            return None
        source = None
        if retweet_of is not None and retweeted_account is not None:
            source = Tweet(id=retweet_of, account_id=retweeted_account)
        subject = Tweet(id=tweet, account_id=account, retweet_of=source)
        return reference.check(subject, Viewer(country=country, subdivisions=subdivisions), at)

    return [answer(row) for row in rows]


def hidden_of(decisions: Sequence[Decision | None]) -> list[bool | None]:
    """Return the mask for decisions."""
    return [None if decision is None else not decision.visible for decision in decisions]


def columns_of(rows: Sequence[Row], pa: Any) -> dict[str, Any]:
    """Return rows as the arguments of `mask`."""
    tweets, accounts, countries, subdivisions, at, retweet_of, retweeted_account = (
        zip(*rows, strict=True) if rows else [()] * 7
    )
    return {
        "tweets": pa.array(tweets, pa.int64()),
        "accounts": pa.array(accounts, pa.int64()),
        "countries": pa.array(countries, pa.string()),
        "subdivisions": pa.array(subdivisions, pa.list_(pa.string())),
        "at": pa.array(at, pa.timestamp("us", "UTC")),
        "retweet_of": pa.array(retweet_of, pa.int64()),
        "retweeted_account": pa.array(retweeted_account, pa.int64()),
    }
