"""The page contains the figures, and states which are missing."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from benchmarks.report.page import page
from benchmarks.report.plots import spread_out
from benchmarks.report.tables import half, ns, times
from benchmarks.rivals.rival import LeftOut
from benchmarks.targets import speed
from benchmarks.targets.engines import measured
from benchmarks.targets.limits import judged
from benchmarks.targets.turns import ratio, take_turns

MACHINE = {
    "date": "2026-11-21",
    "python": "3.11.7",
    "system": "Linux x86_64",
    "processor": "A processor",
    "cores": 2,
    "caches": "L1 48K",
    "engine": "withhold.native is in use",
    "load": 0.5,
    "clock_ns": 47.0,
}

SIZES = {"small": "1", "medium": "2", "large": "3", "cases": "4"}


def rival(cost: float, memory: int = 10_000_000) -> dict[str, object]:
    timings = {"miss, cold, in a loop": {"mean": [cost, cost, 3 * cost]}, "page of 500": {"mean": [cost / 2]}}
    return {"seconds": 1.5, "memory": memory, "version": "1.0", "note": "a note", "timings": timings}


def results(**more: object) -> dict[str, Any]:
    size = {
        "ids": 100_000,
        "rules": 100_000,
        "compiled": {},
        "left_out": {"OPA": "not installed"},
        "rivals": {"withhold": rival(100.0), "casbin": rival(150_000.0), "regorus": rival(9_000.0)},
    }
    return {"machine": MACHINE, "quick": True, "sizes": [size], **more}


def test_the_page_begins_with_ratios_and_lists_missing_rivals():
    text = page(results(), ["cost"])
    assert "| withhold | 100 ns | 50 ns |" in text
    assert "| casbin | 1,500 × | 1,500 × |" in text
    assert "- **OPA** at 100,000 ids: not installed." in text
    assert "| withhold | 100 | 1.50 s |" in text
    assert text.index("## Ratios") < text.index("## Single checks") < text.index("## Limitations")
    assert 'src="plots/cost-light.svg"' in text
    assert "plots/memory" not in text


@pytest.mark.parametrize(("last", "expected"), [(480_000_000, True), (100_000_000, False), (0, False)])
def test_the_page_warns_if_the_last_cache_can_hold_the_whole_file(last, expected):
    found = results(machine={**MACHINE, "last_cache": last})
    found["sizes"][0]["compiled"] = {"rules_s": 1.0, "compile_s": 1.0, "save_s": 1.0, "file_bytes": 264_000_000}
    text = page(found, [])
    assert ("The kernel of this machine reports a last-level cache of 480 MB." in text) is expected
    assert ("has 264 MB, so" in text) is expected


def test_targets_are_met_or_missed_or_missing():
    sizes = results()["sizes"]
    figures = measured(sizes) | {"hit": {"value": 3.5}}
    rows = {row["name"]: row for row in judged(figures, SIZES, quick=False)}
    assert rows["casbin"]["value"] == pytest.approx(1_500)
    assert rows["casbin"]["met"] is True
    assert rows["regorus"]["met"] is None
    assert rows["hit"]["met"] is False
    assert rows["OPA"]["missing"] == "not installed"
    assert rows["miss, small"]["missing"] == rows["diff"]["missing"] == "not part of this run"
    text = page(results(targets=list(rows.values())), [])
    assert "| a check by casbin / by `withholds`, at 100,000 ids | ≥ 1,000 × | 1,500 × |" in text
    assert "**MISSED**" in text
    assert "not measured: not installed" in text


def test_a3_the_page_reports_why_the_floors_could_not_be_compiled(monkeypatch):
    def fails():
        raise LeftOut("the floor could not be compiled: ModuleNotFoundError: No module named 'Cython'")

    monkeypatch.setattr("benchmarks.floors.built", fails)
    floors = speed.Floors()
    assert floors.empty() is None
    rows = judged({"miss, small": floors.missing}, SIZES, quick=True)
    text = page(results(targets=rows), [])
    assert "not measured: the floor could not be compiled: ModuleNotFoundError: No module named 'Cython'" in text


def test_engines_are_compared_with_the_floor():
    rows = judged(measured(results()["sizes"], 25.0), SIZES, quick=False)
    assert all("missing" in row for row in rows if row["name"] in ("OPA, floor", "Cedar, floor"))
    size = results()["sizes"][0]
    size["rivals"]["Cedar"] = rival(24_000.0)
    found = measured([size], 25.0)
    assert found["Cedar, floor"] == {"value": 960, "ns": {"Cedar": 24_000, "floor": 25}}
    text = page(results(targets=judged(found, SIZES, quick=False)), [])
    assert (
        "a check by Cedar at 100,000 ids / an empty compiled method |  | 960 × |  | Cedar 24.0 µs, floor 25 ns |  |"
        in text
    )


def test_figures_have_suitable_units():
    assert [ns(value) for value in (None, 12.4, 1_234, 45_678_900)] == ["–", "12 ns", "1.23 µs", "45.7 ms"]
    assert [times(value) for value in (0.5, 12.34, 1234)] == ["0.50 ×", "12.3 ×", "1,234 ×"]
    assert half([100, 200, 300]) == "200 ns (0.50–1.50)"


def test_turns_ask_all_contenders_the_same_and_omit_the_first():
    seen: dict[str, list[int]] = {"a": [], "b": []}
    found = take_turns({"a": seen["a"].append, "b": seen["b"].append}, [7, 8, 9, 10], 1)
    assert seen == {"a": [7, 8, 9, 10], "b": [7, 8, 9, 10]}
    assert {name: len(took) for name, took in found.items()} == {"a": 3, "b": 3}


def test_a_ratio_and_its_spread_are_those_of_the_turns():
    found = ratio({"over": [20, 40, 60], "under": [10, 10, 20]}, "over", "under")
    assert (found["value"], found["low"], found["high"]) == (3, 2, 4)


def test_names_in_a_plot_do_not_overlap():
    found = spread_out([1.0, 1.01, 1.02, 5.0], 0.5)
    assert all(above - below > 0.49 for below, above in pairwise(found))
    assert found[3] == 5.0
