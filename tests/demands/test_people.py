"""Different spellings of a name belong to one person."""

from __future__ import annotations

import pytest

from withhold.demands.people import same_person


@pytest.mark.parametrize(
    "other",
    [
        "ASHA",
        " asha ",
        "as ha",
        "asha.",
        "asha\u200b",
        "as\u00adha",
        "a\u2060sha",
        "asha\ufe0f",
        "asha\u3164",
        "asha\u034f",
        "asha\U000e0100",
        "ａｓｈａ",
        "𝐚𝐬𝐡𝐚",
        "ⓐsha",
    ],
)
def test_spellings_of_one_name(other):
    assert same_person("asha", other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("asha", "ravi"),
        ("asha", "\u0430sha"),  # the first letter is Cyrillic: nobody verifies names, so this is another one
        ("jose", "josé"),
        ("राम", "रमा"),
        ("रवि", "रव"),
        ("Юлия", "Юля"),
        ("李", "王"),
        ("علي", "عمر"),
        ("?", "!"),
        ("ann", "anna"),
        ("Вова", "Боба"),
    ],
)
def test_names_of_two_people(one, other):
    assert not same_person(one, other)
