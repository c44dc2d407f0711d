"""Compare the names of people. Nothing verifies names, so this only finds other spellings of one name."""

from __future__ import annotations

import unicodedata

from withhold.errors import is_visible


def same_person(name: str, other: str) -> bool:
    """Return whether two names differ at most in case, spaces, punctuation, forms of letters and invisible characters.

    >>> same_person("Asha Verma", "asha\\u200b verma"), same_person("asha", "ravi")
    (True, False)
    """
    return folded_name(name) == folded_name(other)


def folded_name(name: str) -> str:
    """Return the form of a name for comparisons. Letters that look alike in two alphabets stay different."""
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return "".join(filter(_is_part, text)) or name


def _is_part(letter: str) -> bool:
    """Return whether a character is part of a word, such as a letter, a digit or a vowel sign."""
    return is_visible(letter) and unicodedata.category(letter)[0] in "LNM"
