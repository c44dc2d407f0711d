"""The reader for every schema reports all problems at once, each with its place, and still checks the other values."""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import Annotated

import pytest
from pydantic import Field, InstanceOf, ValidationInfo

from withhold.parsing.nodes import Node
from withhold.parsing.strict import Id, Instant, OneOrMore, Sparse, Strict, Text, one_of, read_model, reads
from withhold.parsing.yaml_file import read_yaml


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


def _upper(text: str, info: ValidationInfo) -> str:
    return f"{text.upper()} {info.context}"


class Inner(Strict):
    called, written = "an inner one", "{when: 2021-02-10T05:00:00Z}"
    synonyms = MappingProxyType({"date": "when"})

    when: Instant = Field(examples=["2021-02-10T05:00:00Z"])


class Outer(Strict):
    called, written, wrong_kind = "an outer one", "name: x", "bad-outer"
    several_lines = ("note",)

    name: Text = Field(examples=["x"])
    from_: Id | None = Field(None, alias="from")
    inner: Annotated[tuple[Inner, ...], OneOrMore] = ()
    counts: dict[Annotated[str, reads(_upper)], Annotated[Colour, one_of(Colour, "colour")]] = Field(
        default_factory=dict, examples=["{a: red}"]
    )
    ids: tuple[Id, ...] = ()
    note: Text | None = None


def node(text: str) -> Node:
    found = read_yaml(text, "f")
    assert found is not None
    return found


def reported(text: str) -> list[str]:
    return [str(problem).removeprefix("f:") for problem in read_model(Outer, node(text))[1]]


def test_a_right_mapping_becomes_a_model() -> None:
    text = "{name: ' a ', from: 5, inner: {when: 2021-02-10T05:00:00Z}, counts: {a: red}}"
    found, problems = read_model(Outer, node(text), "x")
    assert problems == []
    assert found is not None
    assert (found.name, found.from_, found.counts) == ("a", 5, {"A x": Colour.RED})
    assert found.inner[0].when.year == 2021


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[]", "1:1: an outer one must be a mapping [bad-outer]; write `name: x`"),
        ("{}", "1:1: missing key `name` [missing-key]; write it, such as `name: x`"),
        ("{name: }", "1:8: expected one value, found nothing [bad-value]; write a value here, or leave the key out"),
        ("{name: ' '}", "1:8: `name` is empty [bad-text]; write some text, or leave the key out"),
        ("{name: a, name: b}", "1:11: key `name` is given twice [repeated-key]; keep one: the other would be lost"),
        (
            "{name: a, from: x}",
            "1:17: from `x` is not a number [bad-id]; ids are decimal digits",
        ),
        ("{name: a, from_: 1}", "1:11: unknown key `from_` [unknown-key]; did you mean `from`?"),
        (
            "{name: a, inner: [{}]}",
            "1:19: missing key `when` [missing-key]; write it, such as `when: 2021-02-10T05:00:00Z`",
        ),
        (
            "{name: a, inner: [{when: 2021-02-10T05:00:00Z, date: 1}]}",
            "1:48: unknown key `date` [unknown-key]; did you mean `when`?",
        ),
        (
            "{name: a, inner: b}",
            "1:18: an inner one must be a mapping [bad-value]; write `{when: 2021-02-10T05:00:00Z}`",
        ),
        ("{name: a, ids: b}", "1:16: `ids` must be a list [bad-value]; write `ids: …`"),
        ("{name: a, counts: b}", "1:19: `counts` must be a mapping [bad-value]; write `counts: {a: red}`"),
        ("{name: a, counts: {a: green}}", "1:23: unknown colour `green` [unknown-colour]; one of `red`, `blue`"),
        ("{name: a, counts: {'[key]': green}}", "1:29: unknown colour `green` [unknown-colour]; one of `red`, `blue`"),
    ],
)
def test_a_problem_has_its_place(text: str, problem: str) -> None:
    assert problem in reported(text)
    assert len(reported(text)) == 1


def test_newlines_are_allowed_in_some_texts_alone() -> None:
    assert reported('{name: a, note: "a\\nb"}') == []
    assert reported('{name: "a\\nb"}') == [
        "1:8: the text `a\\nb` contains the control character `\\n` [control-character]; write it on one line"
    ]


def test_the_rest_can_be_judged_beside_problems() -> None:
    found, problems = read_model(Outer, node("{nam: a, from: x, note: b}"))
    assert len(problems) == 3
    assert found is not None
    assert [found.name, found.from_, found.note] == [None, None, "b"]


def test_a_node_is_left_to_another_reader() -> None:
    class File(Strict):
        rest: InstanceOf[Node]

    whole = node('{rest: [{a: "\\e", a: 1}]}')
    found, problems = read_model(File, whole)
    assert problems == []
    assert found is not None
    assert found.rest is whole.get("rest")


def test_a_key_without_a_value_counts_as_missing_in_a_sparse_model() -> None:
    class Optional(Sparse):
        one: Text = Field(examples=["x"])
        two: Annotated[Colour, one_of(Colour)] = Colour.RED

    found, problems = read_model(Optional, node("{one: , two: , three: }"))
    assert found is not None
    assert found.two is Colour.RED
    assert [str(problem).partition(";")[0] for problem in problems] == [
        "f:1:7: missing key `one` [missing-key]",
        "f:1:16: unknown key `three` [unknown-key]",
    ]


def test_the_place_of_a_key_is_that_of_the_key() -> None:
    class Ids(Strict):
        ids: dict[Id, Text]

    _, problems = read_model(Ids, node("{ids: {1: a, x: b}}"))
    assert [str(problem).partition(" [")[0] for problem in problems] == ["f:1:14: ids `x` is not a number"]
