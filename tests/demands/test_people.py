"""One person has one name, however it is spelled."""

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
        "\u0430sha",
        "\u0430\u0455\u04bb\u0430",
        "\u0391SHA",
        "ａｓｈａ",
        "𝐚𝐬𝐡𝐚",
        "ᴀsha",
        "ash\u00e1",
        "asha\u0323",
        "ⓐsha",
    ],
)
def test_spellings_of_one_name(other):
    assert same_person("asha", other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Lila", "LiIa"),
        ("bob", "B0b"),
        ("MIRO", "mir0"),
        ("Ёлка", "елка"),
        ("राम", "राम\u200b"),
        ("dave", "\u13a0\u13aa\u13d9e"),
    ],
)
def test_spellings_of_other_names(one, other):
    assert same_person(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("asha", "ravi"),
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
