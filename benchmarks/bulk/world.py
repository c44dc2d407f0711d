"""Random rules that joins can express, and random rows of impressions: a few of them of what the rules name."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from withhold import Rule, RuleSet
from withhold.territories import countries

START = datetime(2025, 1, 1, tzinfo=UTC)
YEAR = timedelta(days=365)
COUNTRIES = tuple(sorted(countries()))[:120]
#: The ids that rules name are even, and those of other rows are odd.
FIRST_ID, LAST_ID = 2**58, 2**61
#: The shares of rows whose tweet, and whose author, a rule names.
HITS = 0.003
PER_RULE = 500


def random_rules(ids: int) -> RuleSet:
    """Return rules that name a number of ids: four tweets for each account, in one to three countries, half with periods."""
    chance = random.Random(17)
    rules = []
    for number in range(max(1, ids // PER_RULE)):
        named = [2 * chance.randrange(FIRST_ID // 2, LAST_ID // 2) for _ in range(PER_RULE)]
        begin, end = sorted(START + YEAR * chance.random() for _ in range(2))
        rules.append(
            Rule(
                id=f"r{number}",
                tweets=named[: PER_RULE * 4 // 5],
                accounts=named[PER_RULE * 4 // 5 :],
                withheld_in=chance.sample(COUNTRIES, chance.randint(1, 3)),
                from_=begin if chance.random() < 0.5 else None,
                until=end if chance.random() < 0.5 else None,
                reason=chance.choice(("legal_demand", "copyright", "local_law")),
                demand=f"D{number // 10}",
            )
        )
    return RuleSet(rules)


def random_rows(rules: RuleSet, rows: int, seed: int = 0) -> pa.Table:
    """Return impressions with the columns tweet, account, country, at and three others, 20 bytes wide."""
    chance = np.random.default_rng(seed)
    columns = {}
    for name, kind in (("tweet", "tweets"), ("account", "accounts")):
        named = np.array([id_ for rule in rules for id_ in getattr(rule, kind)])
        ids = chance.integers(FIRST_ID // 2, LAST_ID // 2, rows) * 2 + 1
        hits = chance.random(rows) < HITS
        ids[hits] = chance.choice(named, int(hits.sum()))
        columns[name] = pa.array(ids)
    # Countries differ in size as those of a service do.
    numbers = np.minimum(chance.zipf(1.3, rows) - 1, len(COUNTRIES) - 1).astype(np.int8)
    columns["country"] = pa.DictionaryArray.from_arrays(pa.array(numbers), list(COUNTRIES)).cast(pa.string())
    seconds = chance.integers(0, int(YEAR.total_seconds() * 1e6), rows) + int(START.timestamp() * 1e6)
    columns["at"] = pa.array(seconds).cast(pa.timestamp("us", "UTC"))
    columns["viewer"] = pa.array(chance.integers(FIRST_ID, LAST_ID, rows))
    columns["surface"] = pa.array(chance.integers(0, 5, rows).astype(np.int32))
    columns["dwell"] = pa.array(chance.random(rows))
    return pa.table(columns)


def as_rows(rules: RuleSet) -> dict[str, list[dict[str, Any]]]:
    """Return a row for each id of a kind and each country of its rule, as a join needs them."""

    def of(kind: str, name: str) -> Iterator[dict[str, Any]]:
        for rule in rules:
            bounds = {"begin": rule.from_ or START - YEAR, "until": rule.until or START + 2 * YEAR}
            for id_ in getattr(rule, kind):
                for country in rule.withheld_in:
                    yield {name: id_, "country": country, **bounds}

    return {"tweet": list(of("tweets", "tweet")), "account": list(of("accounts", "account"))}
