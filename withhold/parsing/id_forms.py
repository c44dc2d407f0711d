"""What spreadsheets, web pages and people make of an id: it is not read as one, but called by its name."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple


class Misread(NamedTuple):
    """What is wrong with a text that has an id in it, and what to do about it."""

    said: str
    hint: str


_DIGITS_ALONE = "write its digits alone"
# All patterns match a text from end to end, and none of them can split it in more than one way.
_FORMS = [
    (
        re.compile(r"['’‘`´]\s?\d+", re.ASCII),
        Misread(
            "has an apostrophe before it", "take it away: a spreadsheet writes it before a number that is kept as text"
        ),
    ),
    (
        re.compile(r"=\s?[\"“”„«»'’‘]+\d+[\"“”„«»'’‘]+|=\d+", re.ASCII),
        Misread("is a formula of a spreadsheet", f"{_DIGITS_ALONE}, without `=` and quotes"),
    ),
    (
        re.compile(r"[\"“”„«»'’‘`]+\d+[\"“”„«»'’‘`]+", re.ASCII),
        Misread("has quotes that are part of it", f"{_DIGITS_ALONE}, without quotes"),
    ),
    (
        re.compile(r"\d{1,3}([._'’\s])\d{3}(?:\1\d{3})*(?:[.,]0+)?|\d{1,3}(?:,\d{3}){2,}(?:\.0+)?"),
        Misread("has separators between its digits", _DIGITS_ALONE),
    ),
    (
        re.compile(r"(?:https?://)?(?:\w+\.)?(?:twitter|x)\.com/\S*", re.ASCII | re.IGNORECASE),
        Misread("is the address of a page", "write the number in it alone, for a tweet the one behind `/status/`"),
    ),
    (
        re.compile(r"@\w+", re.ASCII),
        Misread("is a handle", "write the account's number: a handle can be given to another account"),
    ),
    (
        re.compile(r"\d+\s*[;\t|].*|[^;\t|]*[;\t|]\s*\d+", re.ASCII),
        Misread(
            "stands beside something else", "separate the columns of CSV by commas; a plain list has one id a line"
        ),
    ),
]


def misread(text: str) -> Misread | None:
    """Return in which form a text has an id, if it is one that programs or people are known to write.

    >>> misread("'1355667106821046272").said
    'has an apostrophe before it'
    >>> misread("password") is None
    True
    """
    if len(text) > 200:
        return None
    for pattern, found in _FORMS:
        if pattern.fullmatch(text):
            return found
    if "\ufffd" in text:
        return Misread("has bytes that are not UTF-8", "save the file in UTF-8")
    if text.isdecimal():
        return Misread("has other digits than 0 to 9", "write it with the digits 0 to 9")
    visible = "".join(letter for letter in text if not _is_unseen(letter))
    if visible != text and visible.isdecimal():
        unseen = next(filter(_is_unseen, text))
        return Misread(f"has a character that cannot be seen, U+{ord(unseen):04X}", _DIGITS_ALONE)
    return None


def _is_unseen(letter: str) -> bool:
    """Tell whether a character is one that web pages put between others: joiners, marks of direction, odd blanks."""
    return letter not in " \t" and unicodedata.category(letter) in ("Cf", "Cc", "Zs", "Zl", "Zp", "Mn")
