"""Compare the names of people. Nothing verifies them, so this only finds the same name in another spelling."""

from __future__ import annotations

import unicodedata

from withhold.errors import is_visible


def same_person(name: str, other: str) -> bool:
    """Return whether two names are the same, but for case, spaces, punctuation, forms of letters and invisible characters.

    >>> same_person("Asha Verma", "asha\\u200b verma"), same_person("asha", "ravi")
    (True, False)
    """
    return folded_name(name) == folded_name(other)


def folded_name(name: str) -> str:
    """Return a name in the form in which names are compared. Letters that look alike in two alphabets stay different."""
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return "".join(filter(_is_part, text)) or name


def _is_part(letter: str) -> bool:
    """Return whether a character is part of a word, such as a letter, a digit or a vowel sign."""
    return is_visible(letter) and unicodedata.category(letter)[0] in "LNM"
