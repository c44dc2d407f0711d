"""Lists of protected accounts are found beside rules, and read so strictly that no account is silently lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sources.writing import FINE, reported, write
from withhold import RuleSet, RuleSetError
from withhold.model.protected import Category, Protected
from withhold.sources import load_protected, protected_beside

ONE = "protected:\n- {account: 1101, category: journalist}\n"
HOW = "write `protected:` and below it `- {account: …, category: …}`"
ENTRY = "write `- {account: …, category: …}`"


def test_what_a_list_says(tmp_path: Path) -> None:
    text = "protected:\n- account: 1101\n  category: news_media\n  name: NO\n- {account: '22', category: activist, name: }\n"
    write(tmp_path, {"mine.yaml": text})
    assert load_protected(tmp_path / "mine.yaml") == [
        Protected(1101, Category.NEWS_MEDIA, "NO"),
        Protected(22, Category.ACTIVIST),
    ]


def test_lists_are_found_wherever_rules_are(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "in.yaml": FINE,
            "protected.yaml": ONE,
            "sub/Protected.yml": ONE.replace("1101", "1102"),
            ".hidden/protected.yaml": "broken",
            "other/in.yaml": FINE,
        },
    )
    assert [found.account for found in protected_beside(tmp_path) or ()] == [1101, 1102]
    assert [found.account for found in protected_beside(tmp_path / "in.yaml") or ()] == [1101]
    assert protected_beside(tmp_path / "other" / "in.yaml") is None
    write(tmp_path, {"other/protected.yaml": "protected: []"})
    assert protected_beside(tmp_path / "other" / "in.yaml") == []
    assert len(RuleSet.load(tmp_path / "in.yaml")) == 1


@pytest.mark.parametrize(
    ("text", "line", "column", "code", "message", "hint"),
    [
        ("", 1, 1, "bad-protected", "this is not a list of protected accounts", HOW),
        ("- 1101\n", 1, 1, "bad-protected", "this is not a list of protected accounts", HOW),
        ("a: [\n", 2, 1, "bad-yaml", "this is not YAML: did not find expected node content", None),
        ("{}\n", 1, 1, "bad-protected", "`protected` must be a list", f"{HOW}, or `protected: []`"),
        ("protected:\n", 1, 11, "bad-protected", "`protected` must be a list", f"{HOW}, or `protected: []`"),
        ("protected: []\nrules: []\n", 2, 1, "unknown-key", "unknown key `rules`", "known: `protected`"),
        ("protected: []\nprotected: []\n", 2, 1, "repeated-key", "key `protected` is given twice", None),
        ("protected: [1101]\n", 1, 13, "bad-protected", "a protected account must be a mapping", ENTRY),
        (ONE.replace("1101", "1e5"), 2, 13, "lossy-id", "account `1e5` is written as a floating-point number", None),
        (ONE.replace("1101", "0"), 2, 13, "id-out-of-range", "account `0` is not between 1 and 2**63-1", None),
        (ONE.replace("1101", "[1]"), 2, 13, "bad-value", "expected one value, found a list", None),
        (ONE.replace("account: 1101, ", ""), 2, 3, "missing-key", "missing key `account`", None),
        (ONE.replace("1101", ""), 2, 13, "missing-key", "missing key `account`", None),
        (ONE.replace(", category: journalist", ""), 2, 3, "missing-key", "missing key `category`", None),
        (ONE.replace("journalist", "press"), 2, 29, "unknown-category", "unknown category `press`", None),
        (ONE.replace("}", ", name: ' '}"), 2, 47, "bad-value", "`name` is empty", None),
        (ONE.replace("}", ", account: 5}"), 2, 41, "repeated-key", "key `account` is given twice", None),
        (ONE.replace("}", ", nmae: x}"), 2, 41, "unknown-key", "unknown key `nmae`", "did you mean `name`?"),
        (ONE + ONE[11:], 3, 13, "repeated-protected", "account `1101` is listed twice", None),
        (
            ONE.replace("1101", "1355667106821046300"),
            *(
                2,
                13,
                "lossy-id",
                "id `1355667106821046300` looks rounded to the precision of a floating-point number",
                None,
            ),
        ),
    ],
)
def test_what_is_wrong_is_told_at_its_place(
    tmp_path: Path, text: str, line: int, column: int, code: str, message: str, hint: str | None
) -> None:
    write(tmp_path, {"protected.yaml": text})
    with pytest.raises(RuleSetError) as caught:
        protected_beside(tmp_path)
    assert reported(caught.value, tmp_path) == [f"protected.yaml:{line}:{column} {code}"]
    assert caught.value.problems[0].message == message
    if hint is not None:
        assert caught.value.hint == hint


def test_all_problems_of_all_lists_come_at_once(tmp_path: Path) -> None:
    bad = "protected: [{}, {account: x, category: y}]\n"
    write(
        tmp_path,
        {
            "protected.yaml": bad,
            "a/protected.yaml": ONE,
            "b/protected.yaml": ONE + ONE[11:],
            "c/protected.yml": b"\xff",
        },
    )
    with pytest.raises(RuleSetError) as caught:
        protected_beside(tmp_path)
    assert reported(caught.value, tmp_path) == [
        "b/protected.yaml:2:13 repeated-protected",
        "b/protected.yaml:3:13 repeated-protected",
        "c/protected.yml:1:1 not-utf-8",
        "protected.yaml:1:13 missing-key",
        "protected.yaml:1:13 missing-key",
        "protected.yaml:1:27 bad-id",
        "protected.yaml:1:40 unknown-category",
    ]


def test_an_id_that_looks_rounded_is_taken_in_quotes(tmp_path: Path) -> None:
    write(tmp_path, {"protected.yaml": ONE.replace("1101", "'1355667106821046300'")})
    assert [found.account for found in protected_beside(tmp_path) or ()] == [1355667106821046300]


def test_a_list_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(RuleSetError) as caught:
        load_protected(tmp_path / "none.yaml")
    assert caught.value.code == "unreadable-file"
