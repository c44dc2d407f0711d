"""`withhold fmt` keeps comments at every position where YAML allows them, and refuses no file for one."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sources.writing import write
from withhold import RuleSet
from withhold.cli.layout import formatted
from withhold.lint import lint
from withhold.parsing.yaml_file import read_yaml

_COMMENTS = ("", "", "", " ", " # c", "   #: [d", "  # - e: f", ' #"g', " # 'h", " #")
_LINES = ("", "  ", "# i", " # j", "  # - k: l", "      # m", "#")


class _Writer:
    """Writes data as YAML, in any style, with comments, blank lines and spaces wherever YAML allows them."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)  # thousands of choices for one file are too many draws for Hypothesis

    def document(self, data: dict[str, Any]) -> str:
        start = self.random.choice(("", "", "---", "%YAML 1.1{}\n---"))
        end = self.random.choice(("", "", "..."))
        text = self.between() + start.format(self.comment()) + (self.apart() if start else "")
        text += self.block(data, self.random.randint(0, 2)) + self.between()
        return text + end + (self.apart() if end else "")

    def comment(self) -> str:
        return self.random.choice(_COMMENTS)

    def between(self) -> str:
        return "".join(f"{line}\n" for line in self.random.choices(_LINES, k=max(0, self.random.randint(-3, 2))))

    def apart(self) -> str:
        """Return the end of a line, perhaps with a comment, and the lines after it."""
        return f"{self.comment()}\n{self.between()}"

    def block(self, data: Any, column: int, *, begun: bool = False) -> str:
        """Return a block mapping or a block list; its first line is begun if it is on the line of a dash."""
        text = ""
        for each in data:
            text += "" if begun else self.between() + " " * column
            begun = False
            if isinstance(data, dict):
                text += each + self.random.choice(("", "", " ")) + ":" + self.below(data[each], column)
            else:
                text += "-" + self.below(each, column, is_item=True)
        return text

    def below(self, value: Any, column: int, *, is_item: bool = False) -> str:
        """Return a value, after its colon or its dash."""
        style = self.random.choice(("block", "block", "flow"))
        if isinstance(value, str) or not value or style == "flow":
            if value is None:
                return f"{self.comment()}\n"
            apart = self.random.random() < 0.5
            inner = " " * (column + self.random.randint(1, 3))
            return (self.apart() + inner if apart else self.random.choice((" ", " ", "  ", "    "))) + self.inline(
                value, column
            )
        space = self.random.choice((" ", " ", "  ", "    "))
        if is_item and self.random.random() < 0.5:
            return space + self.block(value, column + 1 + len(space), begun=True)
        least = 0 if isinstance(value, list) and not is_item else 1
        return self.apart() + self.block(value, column + self.random.randint(least, 4))

    def inline(self, value: Any, column: int) -> str:
        inner = " " * (column + self.random.randint(1, 3))
        if not isinstance(value, str):
            return f"{self.flow(value, column)}{self.comment()}\n"
        style = self.random.choice(("", "'", '"', "|", "lines") if " " in value else ("", "'", '"'))
        if style == "|":
            stated = self.random.choice(("", "-", "+", str(len(inner) - column)))
            return f"|{stated}{self.comment()}\n{inner}{value}\n{inner}  # no comment\n"
        if style == "lines":
            return value.replace(" ", self.random.choice(("\n", "\n\n")) + inner) + f"{self.comment()}\n"
        return f"{style}{value}{style}{self.comment()}\n"

    def flow(self, value: Any, column: int) -> str:
        def gap() -> str:
            inner = " " * (column + self.random.randint(1, 3))
            return self.random.choice(("", "", " ", "  ")) or (
                self.apart() + inner if self.random.random() < 0.5 else ""
            )

        if isinstance(value, str):
            return f'"{value}"' if self.random.random() < 0.5 or " " in value else value
        if value is None:
            return "null"
        if isinstance(value, dict):
            items = [f"{key}: {gap()}{self.flow(each, column)}" for key, each in value.items()]
        else:
            items = [self.flow(each, column) for each in value]
        text = f",{gap()}".join(item + gap() for item in items) + (self.random.choice(("", ",")) if items else "")
        left, right = "{}" if isinstance(value, dict) else "[]"
        return left + gap() + text + gap() + right


_ids = st.lists(st.integers(1, 99).map(str), min_size=1, max_size=3, unique=True)
_codes = st.lists(st.sampled_from(("IN", "NO", "US-MS", "gulf")), min_size=1, max_size=3, unique=True)
_instants = st.sampled_from((None, "2021-02-10T10:30:00+05:30"))


@st.composite
def _rules(draw: st.DrawFn) -> str:
    rules = [
        {
            "id": f"r-{number}",
            "accounts": draw(_ids),
            "withheld_in": draw(_codes),
            "from": draw(_instants),
            "reason": "local_law",
            "stays": draw(st.sampled_from(([], [{"from": "2021-03-01T00:00:00Z", "until": "2021-03-08T00:00:00Z"}]))),
            "note": "a long text",
            "override": {"no-end": "the court"},
        }
        for number in range(draw(st.integers(1, 2)))
    ]
    groups = {"gulf": ["AE", "BH"], "more": draw(_codes)}
    return _Writer(draw(st.integers(0, 2**32))).document({"groups": groups, "rules": rules})


@st.composite
def _cases(draw: st.DrawFn) -> str:
    cases = [
        {
            "it": "is hidden there",
            "accounts": draw(_ids),
            "at": "2021-02-10T05:00:00Z",
            "expect": {"IN": "withheld", "gulf": "visible", "unknown": None},
        }
        for _ in range(draw(st.integers(1, 2)))
    ]
    return _Writer(draw(st.integers(0, 2**32))).document(
        {"rules": "in.yaml", "groups": {"gulf": ["AE", "BH"]}, "cases": cases}
    )


def _content(text: str) -> list[tuple[object, ...]]:
    """Return what a loader sees: the events, without their places."""
    names = ("value", "implicit", "tag", "style")
    return [
        (type(event), *(getattr(event, name, None) for name in names)) for event in yaml.parse(text, yaml.BaseLoader)
    ]


def _is_kept(text: str) -> str:
    """Check that formatting keeps the content and the comments of a text, and is idempotent. Return the result."""
    assert read_yaml(text, "f.yaml") is not None
    tidy = formatted(text, "f.yaml")
    assert "".join(tidy.split()) == "".join(text.split()), "only spaces and the ends of lines change"
    assert _content(tidy) == _content(text)
    assert formatted(tidy, "f.yaml") == tidy, "it is idempotent"
    return tidy


@settings(max_examples=20)
@given(_rules())
def test_the_comments_the_revision_and_the_advice_of_rules_are_kept(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    tidy = _is_kept(text)
    folder = tmp_path_factory.getbasetemp()
    found = []
    for name, content in (("untidy", text), ("tidy", tidy)):
        write(folder / name, {"in.yaml": content})
        rules = RuleSet.load(folder / name)
        found.append((rules.revision, [(each.severity, each.code, each.message) for each in lint(rules)]))
    assert found[0] == found[1]


@settings(max_examples=20)
@given(_cases())
def test_the_comments_of_cases_are_kept(text: str) -> None:
    _is_kept(text)
