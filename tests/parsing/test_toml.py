"""TOML becomes nodes with the values that `tomllib` reads and the places of its keys and items."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from withhold.errors import RuleSetError
from withhold.parsing.nodes import Node
from withhold.parsing.toml_file import read_toml

#: With `@@@` for three double quotes, and `%%%` for three single ones.
TEXT = r"""
# a comment with [brackets] and = "quotes"
first = "a # not a comment"   # but this is
"a b".c = [ 'x = 1', # one
  "\"y",
  [1, 2.5], {d = true, e.f = 1979-05-27 07:32:00},
]
[tool."with.hold"]
long = @@@
  [no] = header \@@@
  @@@"
x = {y = %%%
q = 1%%%}
[[many]]
n = 1
[[many]]
n = -inf
[many.inner]
k = 0xff
""".replace("@@@", 3 * '"').replace("%%%", 3 * "'")[1:]


def _plain(value: object) -> object:
    """Return a value as nodes contain it: scalars are text."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value if isinstance(value, str) else str(value).lower()


def _keys(node: Node) -> Iterator[Node]:
    for key, value in node.pairs or ():
        yield key
        yield from _keys(value)
    for item in node.items or ():
        yield from _keys(item)


def _at(text: str, node: Node) -> str:
    return text.split("\n")[node.place.line - 1][node.place.column - 1 :]


def test_values_and_places() -> None:
    node = read_toml(TEXT, "f.toml")
    assert node is not None
    assert node.plain() == _plain(tomllib.loads(TEXT))
    places = {str(key.text): f"{key.place.line}:{key.place.column}" for key in _keys(node)}
    assert places == {
        "first": "2:1",
        "a b": "3:1",
        "c": "3:7",
        "d": "5:14",
        "e": "5:24",
        "f": "5:26",
        "tool": "7:2",
        "with.hold": "7:7",
        "long": "8:1",
        "x": "11:1",
        "y": "11:6",
        "many": "13:3",
        "n": "16:1",
        "inner": "17:7",
        "k": "18:1",
    }
    items = node.at(["a b", "c"]).items or []
    assert [f"{item.place.line}:{item.place.column}" for item in items] == ["3:13", "4:3", "5:3", "5:13"]
    values = {str(key.text): str(value.place) for key, value in node.at(["tool", "with.hold"]).pairs or ()}
    assert values == {"long": "f.toml:8:8", "x": "f.toml:11:5"}


def test_only_one_table_is_read() -> None:
    node = read_toml(TEXT, "f.toml", ("tool", "with.hold"))
    assert node is not None
    assert [key.text for key, _ in node.pairs or ()] == ["long", "x"]
    assert read_toml(TEXT, "f.toml", ("tool", "other")) is None
    assert read_toml(TEXT, "f.toml", ("first", "other")) is None


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a = 1\nb = \n", "2:5"),
        ("a = 1\na = 2\n", "2:6"),
        ("a = [1,", "1:8"),
        ("a = '\x00'", "1:6"),
        ("a = 1 # \u202e hidden", "1:9"),
        ("a = '\u2028'", "1:6"),
        ("a = " + "[" * 10_000, "1:1"),
        ("a = " + "{a = " * 30 + "1" + "}" * 30, "1:105"),
        ("a = 1\rb = 2", "1:6"),
    ],
)
def test_what_is_not_toml_is_refused_with_its_place(text: str, place: str) -> None:
    with pytest.raises(RuleSetError) as caught:
        read_toml(text, "f.toml")
    (problem,) = caught.value.problems
    assert (problem.code, str(problem.place)) == (
        "too-deep" if "[[" in text or "{a" in text else "bad-toml",
        f"f.toml:{place}",
    )
    assert problem.hint


_names = st.sampled_from(("a", "b", "c", "d-1", "e.f", "g h", "1"))
_texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp", "Cf")), max_size=5)
_scalars = st.booleans() | st.integers(0, 99) | _texts
_values = st.recursive(
    _scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names, inner, max_size=3), max_leaves=6
)


@st.composite
def _written(draw: st.DrawFn) -> tuple[str, object]:
    """Draw a document, written in one of the ways of TOML."""
    whole = draw(st.dictionaries(_names, _values, max_size=4))
    space = st.sampled_from(("", " ", "  "))

    def key(name: str) -> str:
        return json.dumps(name) if "." in name or " " in name or draw(st.booleans()) else name

    def written(value: object) -> str:
        if isinstance(value, dict):
            pairs = (f"{key(name)}{draw(space)}={draw(space)}{written(inner)}" for name, inner in value.items())
            return f"{{{draw(space)}{', '.join(pairs)}{draw(space)}}}"
        if isinstance(value, list):
            end = st.sampled_from((",", ",\n  ", " , # [c] = {\n"))
            return f"[{draw(space)}{''.join(written(inner) + draw(end) for inner in value)}]"
        return json.dumps(value, ensure_ascii=False)

    lines, tables = [], []
    for name, value in whole.items():
        if isinstance(value, dict) and draw(st.booleans()):
            tables.append(f"[{key(name)}] # [x]")
            tables += (f"{key(inner)} = {written(of)}" for inner, of in value.items())
        else:
            lines.append(f"{draw(space)}{key(name)}{draw(space)}= {written(value)}")
    return "\n".join([*lines, *tables]), whole


@given(_written())
def test_every_key_is_at_its_place(document: tuple[str, object]) -> None:
    text, whole = document
    node = read_toml(text, "f.toml")
    assert node is not None
    assert node.plain() == _plain(whole)
    for key in _keys(node):
        assert _at(text, key).startswith((str(key.text), json.dumps(key.text)))
