"""Groups in groups: expanded exactly, refused if one contains itself, and never expensive."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sources.writing import FINE, reported, write
from withhold import Place, RuleSet, RuleSetError
from withhold.territories import GROUPS, countries, subdivisions

NAMES = "abcdef"
CODES = ("AE", "IR", "UA-43", "US-MS")
Graph = Mapping[str, list[str]]
graphs = st.dictionaries(
    st.sampled_from(NAMES), st.lists(st.sampled_from([*NAMES, *CODES, "EU"]), min_size=1, max_size=4), min_size=1
).map(
    lambda found: {
        name: [each for each in inner if each in found or len(each) > 1] or ["AE"] for name, inner in found.items()
    }
)


def reached(graph: Graph, name: str) -> set[str]:
    """Return all members of a group, of the groups in it, and so on."""
    found: set[str] = set()
    todo = list(graph[name])
    while todo:
        member = todo.pop()
        if member not in found:
            found.add(member)
            todo += graph.get(member, ())
    return found


def load(folder: Path, graph: Graph) -> RuleSet | RuleSetError:
    """Load groups from two files, in any order, and a rule for each."""
    rules = [{"id": name, "accounts": "1", "reason": "terms", "withheld_in": name.upper()} for name in graph]
    first = dict(list(graph.items())[: len(graph) // 2])
    rest = {name: inner for name, inner in graph.items() if name not in first}
    for name, groups in (("1.json", rest), ("2.json", first)):
        (folder / name).write_text(json.dumps({"groups": groups, "rules": rules if groups is first else []}))
    try:
        return RuleSet.load(folder)
    except RuleSetError as error:
        return error


@given(graphs)
def test_groups_are_expanded_exactly_or_every_cycle_is_reported(
    tmp_path_factory: pytest.TempPathFactory, graph: Graph
) -> None:
    folder = tmp_path_factory.mktemp("groups")
    loaded = load(folder, graph)
    in_cycles = [name for name in graph if name in reached(graph, name)]
    if not in_cycles:
        assert isinstance(loaded, RuleSet)
        for name in graph:
            members = reached(graph, name)
            codes = {each for each in members if each in CODES} | {*(GROUPS["EU"] if "EU" in members else ())}
            assert set(loaded[name].withheld_in) == codes
        return
    assert isinstance(loaded, RuleSetError)
    found = [problem for problem in loaded.problems if problem.code == "cyclic-group"]
    assert found
    # Without the members that are reported, no group contains itself any more.
    cut = {name: list(inner) for name, inner in graph.items()}
    for problem in found:
        assert isinstance(problem.place, Place)
        text = Path(problem.place.file).read_text().splitlines()[problem.place.line - 1]
        before = text[: problem.place.column - 1]
        name = before[: before.rindex('": [')].rpartition('"')[2]
        member = text[problem.place.column :].partition('"')[0]
        assert member in cut[name]
        assert member in in_cycles
        cut[name].remove(member)
    assert [name for name in cut if name in reached(cut, name)] == []


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("groups: {a: [a]}", "1:14", "the group `a` contains itself: `a` → `a`"),
        (
            "groups: {Gulf: [AE, All], all: [US-MS, gulf, EU]}",
            "1:40",
            "the group `Gulf` contains itself: `Gulf` → `all` → `Gulf`",
        ),
    ],
)
def test_a_cycle_has_a_place_and_no_rule_has_another_problem(
    tmp_path: Path, text: str, place: str, message: str
) -> None:
    write(tmp_path, {"in.yaml": f"{text}\n{FINE.replace('IN', text[9:].partition(':')[0])}"})
    with pytest.raises(RuleSetError) as caught:
        RuleSet.load(tmp_path)
    assert reported(caught.value, tmp_path) == [f"in.yaml:{place} cyclic-group"]
    assert caught.value.problems[0].message == message


def test_groups_may_be_nested_deeper_than_the_recursion_limit(tmp_path: Path) -> None:
    groups = "".join(f"  g{at}: [g{at + 1}]\n" for at in range(3_000))
    write(tmp_path, {"in.yaml": f"groups:\n{groups}  g3000: [IN-DL, eea]\n{FINE.replace('IN', 'g0')}"})
    assert set(RuleSet.load(tmp_path)["a"].withheld_in) == {"IN-DL", *GROUPS["EEA"]}


def test_a_cycle_of_many_groups_is_reported_once_and_in_short(tmp_path: Path) -> None:
    groups = "".join(f"  g{at}: [g{(at + 1) % 3_000}]\n" for at in range(3_000))
    write(tmp_path, {"in.yaml": f"groups:\n{groups}rules: []\n"})
    with pytest.raises(RuleSetError) as caught:
        RuleSet.load(tmp_path)
    assert reported(caught.value, tmp_path) == ["in.yaml:3001:11 cyclic-group"]
    way = " → ".join(f"`g{at}`" for at in range(6))
    assert caught.value.problems[0].message == f"the group `g0` contains itself: {way} → …"


def test_a_group_has_at_most_a_thousand_territories(tmp_path: Path) -> None:
    codes = [code for country in countries() for code in subdivisions(country)]
    for count, refused in ((1_000, False), (1_001, True)):
        text = f"groups: {{a: {json.dumps(codes[:count])}, b: [a, a]}}\n{FINE.replace('IN', 'b')}"
        write(tmp_path, {"in.yaml": text})
        if refused:
            with pytest.raises(RuleSetError) as caught:
                RuleSet.load(tmp_path)
            assert reported(caught.value, tmp_path) == ["in.yaml:1:10 bad-group"]
            assert "more than 1,000 territories" in caught.value.problems[0].message
        else:
            assert len(RuleSet.load(tmp_path)["a"].withheld_in) == 1_000


def test_rules_that_name_the_same_group_share_its_codes(tmp_path: Path) -> None:
    """Otherwise a thousand rules would have copies of a thousand codes."""
    codes = [code for country in countries() for code in subdivisions(country)][:1_000]
    rule = "- {{id: r{}, accounts: 1, reason: terms, withheld_in: all}}\n"
    write(
        tmp_path, {"in.yaml": f"groups: {{all: {json.dumps(codes)}}}\nrules:\n" + "".join(map(rule.format, range(3)))}
    )
    first, *others = RuleSet.load(tmp_path)
    assert all(rule.withheld_in is first.withheld_in for rule in others)
