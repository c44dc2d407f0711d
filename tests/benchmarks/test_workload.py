"""The workload has the proportions that the page of results states."""

from __future__ import annotations

import pytest

from benchmarks import oracle, questions
from benchmarks.questions import Pool, drawn
from benchmarks.workload import COUNTRIES, FIRST_ID, HERE, LAST_ID, NOW, PLACES, VIEWER, Columns, Size
from withhold import Engine

COLUMNS = Columns.made(Size(20_000))


def share(values: bytes, wanted: set[int]) -> float:
    return sum(value in wanted for value in values) / len(values)


def test_rules_have_the_documented_proportions():
    assert share(COLUMNS.on_accounts, {1}) == pytest.approx(0.2, abs=0.02)
    assert share(COLUMNS.places, {PLACES.index("WORLD")}) == pytest.approx(0.01, abs=0.003)
    assert share(COLUMNS.windows, {1, 2, 3}) == pytest.approx(0.02, abs=0.004)
    by_country = [COLUMNS.places.count(number) for number in range(len(COUNTRIES))]
    assert max(by_country) == by_country[0] > 10 * min(by_country) > 0
    assert len(set(COLUMNS.ids)) == 20_000
    assert all(FIRST_ID <= id_ <= LAST_ID for id_ in COLUMNS.ids)


def test_equal_seeds_give_equal_columns():
    assert Columns.made(Size(500)) == Columns.made(Size(500)) != Columns.made(Size(500), seed=2)


@pytest.mark.parametrize("size", [Size(300), Size(3_000, per_rule=100)])
def test_columns_are_read_back_from_files_and_give_rules(size, tmp_path):
    made = Columns.made(size)
    made.save(tmp_path)
    assert Columns.opened(tmp_path) == made
    rules = made.rule_set()
    assert len(rules) == size.rules
    named = [id_ for rule in rules for id_ in (*rule.tweets, *rule.accounts)]
    assert sorted(named) == sorted(made.ids)
    last = rules[f"r{size.rules - 1}"]
    assert last.withheld_in == (PLACES[made.places[-1]],)
    assert bool(last.accounts) == bool(made.on_accounts[-1])


def test_pools_have_the_questions_that_their_names_state(tmp_path):
    pools = oracle.judged(COLUMNS, drawn(COLUMNS, cold=2_000, traffic=10_000))
    assert set(pools["cold"].expected) == set(pools["hot"].expected) == {0}
    assert set(pools["hits"].expected) == {1}
    assert sum(pools["traffic"].expected) == 10
    named = set(COLUMNS.ids)
    assert sum(not named.isdisjoint(pair) for pair in pools["traffic"].pairs) == 100
    assert len(set(pools["cold"].pairs)) == 2_000
    pools["traffic"].save(tmp_path / "pool")
    assert Pool.opened(tmp_path / "pool") == pools["traffic"]


def test_a_pool_with_other_questions_is_refused():
    row = next(row for row in range(1_000) if COLUMNS.places[row] in HERE and not COLUMNS.windows[row])
    pair = (1, COLUMNS.ids[row]) if COLUMNS.on_accounts[row] else (COLUMNS.ids[row], 1)
    with pytest.raises(AssertionError, match="`cold` has questions of another kind"):
        oracle.judged(COLUMNS, {"cold": [pair], "hot": [(1, 2)], "hits": [pair]})


def test_the_oracle_with_few_rules_and_the_engine_with_all_give_the_same_answers():
    columns = Columns.made(Size(2_000, per_rule=10))
    pairs = [pair for pool in questions.drawn(columns, cold=50, traffic=500).values() for pair in pool]
    judge = oracle.Oracle(columns, pairs)
    view = Engine(columns.rule_set()).view(VIEWER, NOW)
    assert [judge.withholds(pair) for pair in pairs] == [view.withholds(*pair) for pair in pairs]
