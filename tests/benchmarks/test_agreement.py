"""Nobody is timed who is wrong, and the run says who was wrong about what."""

from __future__ import annotations

from collections.abc import Sequence
from inspect import isabstract
from pathlib import Path
from pkgutil import iter_modules

import pytest

from benchmarks import oracle, rivals
from benchmarks.differential import rows
from benchmarks.questions import Pool, drawn
from benchmarks.rivals import RIVALS
from benchmarks.rivals.dicts import Cached, Dict
from benchmarks.rivals.ours import InPython
from benchmarks.rivals.rival import Mask, Rival
from benchmarks.rivals.sets import FrozenSets
from benchmarks.serving import driver, scaling
from benchmarks.serving.agreement import WrongAnswerError, disagreement
from benchmarks.serving.driver import Effort
from benchmarks.serving.process import Process, WorkerLostError
from benchmarks.serving.scenarios import asked, scenarios, stride
from benchmarks.serving.worker import Worker
from benchmarks.workload import Columns, Pair, Size

COLUMNS = Columns.made(Size(1_000))
FOUND = scenarios(0.01)
PLAN = {scenario.name: scenario.each for scenario in FOUND}
SMALL = Effort(turns=2, scale=0.01, load_seconds=60, load_bytes=1e9)


@pytest.fixture(scope="module")
def pools() -> dict[str, Pool]:
    cold, traffic = (2 * stride(FOUND, pool) for pool in ("cold", "traffic"))
    return oracle.judged(COLUMNS, drawn(COLUMNS, cold=cold, traffic=traffic))


class ForgetsAccounts(Dict):
    def check(self, tweet: int, account: int) -> bool:
        return account != -1 and super().check(tweet, 0)


class MovesIndices(FrozenSets):
    def page(self, pairs: list[Pair]) -> Sequence[int]:
        return [index + 1 for index in super().page(pairs)]


class HidesTheLast(FrozenSets):
    def masker(self) -> Mask:
        return lambda tweets, accounts: [*super(HidesTheLast, self).mask(tweets, accounts)[:-1], True]


@pytest.mark.parametrize("kind", [FrozenSets, Dict, Cached, InPython])
def test_the_honest_agree(kind, pools, tmp_path):
    rival = kind()
    rival.load(COLUMNS, tmp_path)
    assert disagreement(rival, FOUND, PLAN, pools, turns=2) is None


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (ForgetsAccounts, r"^hit: tweet \d+ of account \d+ is withheld, and it says not withheld$"),
        (MovesIndices, r"^page of \d+: tweet \d+ of account \d+ is "),
        (HidesTheLast, r"^mask of 50: tweet \d+ of account \d+ is not withheld, and it says withheld$"),
    ],
)
def test_whoever_lies_is_found_in_the_way_in_which_it_lies(kind, said, pools, tmp_path):
    rival = kind()
    rival.load(COLUMNS, tmp_path)
    found = disagreement(rival, FOUND, PLAN, pools, turns=2)
    assert found is not None
    with pytest.raises(AssertionError, match=said):
        raise AssertionError(found)


def test_every_turn_asks_new_cold_questions_and_the_same_hot_ones(pools):
    for scenario in FOUND:
        turns = [asked(FOUND, scenario, pools[scenario.pool].pairs, turn, scenario.each) for turn in range(2)]
        assert [len(turn) for turn in turns] == [scenario.each] * 2
        if scenario.pool in ("cold", "traffic"):
            assert set(turns[0]).isdisjoint(turns[1])
        else:
            assert turns[0] == turns[1]
    cold = [set(asked(FOUND, one, pools["cold"].pairs, 0, one.each)) for one in FOUND if one.pool == "cold"]
    assert cold[0].isdisjoint(cold[1])


def test_a_run_measures_who_agrees(tmp_path):
    found = driver.measured(tmp_path, Size(1_000), ["frozensets", "dict"], SMALL, lambda _: None)
    assert found["left_out"] == {}
    for rival in found["rivals"].values():
        assert len(rival["timings"]["miss, cold, in a loop"]["mean"]) == 2
        assert min(rival["timings"]["page of 500"]["mean"]) > 0
    assert "mean" not in found["rivals"]["dict"]["timings"]["mask of 500"]


def test_a_run_stops_at_a_wrong_answer(tmp_path, monkeypatch):
    right = oracle.judged

    def wrong(*given):
        pools = right(*given)
        return {**pools, "hot": Pool(pools["hot"].pairs, bytes([1] + 499 * [0]))}

    monkeypatch.setattr(oracle, "judged", wrong)
    with pytest.raises(WrongAnswerError, match=r"^dict is wrong: miss, hot: tweet \d+ of account \d+ is withheld"):
        driver.measured(tmp_path, Size(1_000), ["dict"], SMALL, lambda _: None)


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"load": {}, "agree": {"wrong": "hit: it is"}}, "^frozensets is wrong: hit: it is$"),
        ({"load": {}, "agree": {}, "throughput": {"wrong": "a long column"}}, "^frozensets is wrong: a long column$"),
    ],
)
def test_nobody_who_is_wrong_is_asked_for_throughput(answers, said, tmp_path, monkeypatch):
    monkeypatch.setattr(scaling, "THROUGHPUT", ("frozensets",))
    monkeypatch.setattr(Process, "tell", lambda self, do, **_: setattr(self, "asked", do))
    monkeypatch.setattr(Process, "hear", lambda self, *_: answers[self.asked])
    with pytest.raises(WrongAnswerError, match=said):
        scaling.throughput(tmp_path, SMALL, lambda _: None, 0.01, 1)


def test_a_long_column_that_is_wrong_is_told_as_such(pools, tmp_path):
    worker = Worker(HidesTheLast(), tmp_path)
    worker.rival.load(COLUMNS, tmp_path)
    worker.pools = pools
    assert worker.throughput("column", 1, 0.01) == {"wrong": "a long column"}


def test_a_rival_that_would_not_fit_is_left_out_with_the_reason():
    tight = Effort(turns=1, scale=1, load_seconds=1, load_bytes=1e9)
    assert driver.too_large("dict", Size(10_000_000), tight) == (
        "would take about 5 GB while it loads; the limit is 1 GB"
    )
    assert driver.too_large("dict", Size(1_000), tight) is None


def test_patience_with_a_worker_ends(tmp_path):
    with Process("dict", tmp_path) as process, pytest.raises(WorkerLostError, match="took longer than 0 s"):
        process.ask("ready", 0)


def test_a_worker_that_fails_says_why(tmp_path):
    with Process("dict", tmp_path) as process:
        assert process.ask("load", 60)["left_out"].startswith("fails with FileNotFoundError: ")


def test_random_questions_find_a_view_that_differs(tmp_path, monkeypatch):
    assert rows.compared(COLUMNS, tmp_path, 2_000)["disagreements"] == 0
    honest = rows.Rows.withholds
    monkeypatch.setattr(rows.Rows, "withholds", lambda self, pair: pair[0] % 2 == 0 or honest(self, pair))
    with pytest.raises(WrongAnswerError, match=r"^the oracle of rows says "):
        rows.compared(COLUMNS, tmp_path, 2_000)


@pytest.mark.parametrize("name", [name for _, name, _ in iter_modules(rivals.__path__) if name != "rival"])
def test_every_rival_that_is_written_is_measured_once(name):
    module = pytest.importorskip(f"benchmarks.rivals.{name}")
    written = [
        f"{name}:{kind.__name__}"
        for kind in vars(module).values()
        if isinstance(kind, type) and kind.__module__ == module.__name__
        if issubclass(kind, Rival) and not isabstract(kind)
    ]
    assert written
    assert sorted(written) == sorted(place for place in RIVALS.values() if place.partition(":")[0] == name)


def test_the_readme_counts_the_rivals_that_there_are():
    assert len([name for name in RIVALS if not name.startswith("withhold")]) == 14
    assert "fourteen rivals" in (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
