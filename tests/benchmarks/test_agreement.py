"""A rival with a wrong answer is not timed, and the error contains the question."""

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
from benchmarks.serving.scenarios import questions_of, scenarios, stride
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
def test_rivals_give_the_right_answers(kind, pools, tmp_path):
    rival = kind()
    rival.load(COLUMNS, tmp_path)
    assert disagreement(rival, FOUND, PLAN, pools, turns=2) is None


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (ForgetsAccounts, r"^hit: tweet \d+ of account \d+ is withheld, and it answers not withheld$"),
        (MovesIndices, r"^page of \d+: tweet \d+ of account \d+ is "),
        (HidesTheLast, r"^mask of 50: tweet \d+ of account \d+ is not withheld, and it answers withheld$"),
    ],
)
def test_a_wrong_answer_is_found_in_the_scenario_that_gives_it(kind, message, pools, tmp_path):
    rival = kind()
    rival.load(COLUMNS, tmp_path)
    found = disagreement(rival, FOUND, PLAN, pools, turns=2)
    assert found is not None
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(found)


def test_each_turn_has_new_cold_questions_and_the_same_hot_ones(pools):
    for scenario in FOUND:
        turns = [questions_of(FOUND, scenario, pools[scenario.pool].pairs, turn, scenario.each) for turn in range(2)]
        assert [len(turn) for turn in turns] == [scenario.each] * 2
        if scenario.pool in ("cold", "traffic"):
            assert set(turns[0]).isdisjoint(turns[1])
        else:
            assert turns[0] == turns[1]
    cold = [set(questions_of(FOUND, one, pools["cold"].pairs, 0, one.each)) for one in FOUND if one.pool == "cold"]
    assert cold[0].isdisjoint(cold[1])


def test_a_run_measures_rivals_with_right_answers(tmp_path):
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
    ("answers", "message"),
    [
        ({"load": {}, "agree": {"wrong": "hit: it is"}}, "^frozensets is wrong: hit: it is$"),
        ({"load": {}, "agree": {}, "throughput": {"wrong": "a long column"}}, "^frozensets is wrong: a long column$"),
    ],
)
def test_the_throughput_of_a_wrong_rival_is_not_measured(answers, message, tmp_path, monkeypatch):
    monkeypatch.setattr(scaling, "THROUGHPUT", ("frozensets",))
    monkeypatch.setattr(Process, "send", lambda self, do, **_: setattr(self, "request", do))
    monkeypatch.setattr(Process, "receive", lambda self, *_: answers[self.request])
    with pytest.raises(WrongAnswerError, match=message):
        scaling.throughput(tmp_path, SMALL, lambda _: None, 0.01, 1)


def test_a_wrong_answer_to_a_long_column_is_reported(pools, tmp_path):
    worker = Worker(HidesTheLast(), tmp_path)
    worker.rival.load(COLUMNS, tmp_path)
    worker.pools = pools
    assert worker.throughput("column", 1, 0.01) == {"wrong": "a long column"}


def test_a_rival_that_needs_too_much_memory_is_left_out_with_the_reason():
    tight = Effort(turns=1, scale=1, load_seconds=1, load_bytes=1e9)
    assert driver.too_large("dict", Size(10_000_000), tight) == ("would need about 5 GB to load; the limit is 1 GB")
    assert driver.too_large("dict", Size(1_000), tight) is None


def test_waiting_for_a_worker_has_a_timeout(tmp_path):
    with Process("dict", tmp_path) as process, pytest.raises(WorkerLostError, match="took longer than 0 s"):
        process.receive(0)  # nothing was sent, so it never answers


def test_a_failing_worker_reports_its_error(tmp_path):
    with Process("dict", tmp_path) as process:
        assert process.ask("load", 60)["left_out"].startswith("fails with FileNotFoundError: ")


def test_random_questions_find_a_view_that_differs(tmp_path, monkeypatch):
    assert rows.compared(COLUMNS, tmp_path, 2_000)["disagreements"] == 0
    honest = rows.Rows.withholds
    monkeypatch.setattr(rows.Rows, "withholds", lambda self, pair: pair[0] % 2 == 0 or honest(self, pair))
    with pytest.raises(WrongAnswerError, match=r"^the dict of rows answers "):
        rows.compared(COLUMNS, tmp_path, 2_000)


@pytest.mark.parametrize("name", [name for _, name, _ in iter_modules(rivals.__path__) if name != "rival"])
def test_every_rival_class_is_measured_once(name):
    module = pytest.importorskip(f"benchmarks.rivals.{name}")
    classes = [
        f"{name}:{kind.__name__}"
        for kind in vars(module).values()
        if isinstance(kind, type) and kind.__module__ == module.__name__
        if issubclass(kind, Rival) and not isabstract(kind)
    ]
    assert classes
    assert sorted(classes) == sorted(place for place in RIVALS.values() if place.partition(":")[0] == name)


def test_the_readme_states_the_number_of_rivals():
    assert len([name for name in RIVALS if not name.startswith("withhold")]) == 14
    assert "fourteen rivals" in (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
