"""Forms in which spreadsheets, web pages and people write ids. They are refused, with a message that names the form."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple


class Misread(NamedTuple):
    """A description of the form in which an id is written, for an error message, and a hint that corrects it."""

    message: str
    hint: str


_DIGITS_ALONE = "write only its digits"
# Each pattern matches a whole text, and in one way only, so that matching takes linear time.
_FORMS = [
    (
        re.compile(r"['’‘`´]\s?\d+", re.ASCII),
        Misread(
            "has an apostrophe before it", "remove it: spreadsheets write it before a number that is stored as text"
        ),
    ),
    (
        re.compile(r"=\s?[\"“”„«»'’‘]+\d+[\"“”„«»'’‘]+|=\d+", re.ASCII),
        Misread("is a spreadsheet formula", f"{_DIGITS_ALONE}, without `=` and quotes"),
    ),
    (
        re.compile(r"[\"“”„«»'’‘`]+\d+[\"“”„«»'’‘`]+", re.ASCII),
        Misread("has quotes", f"{_DIGITS_ALONE}, without quotes"),
    ),
    (
        re.compile(r"\d{1,3}([._'’\s])\d{3}(?:\1\d{3})*(?:[.,]0+)?|\d{1,3}(?:,\d{3}){2,}(?:\.0+)?"),
        Misread("has separators between its digits", _DIGITS_ALONE),
    ),
    (
        re.compile(r"(?:https?://)?(?:\w+\.)?(?:twitter|x)\.com/\S*", re.ASCII | re.IGNORECASE),
        Misread("is a URL", "write only the number in it; for a tweet, the one after `/status/`"),
    ),
    (
        re.compile(r"@\w+", re.ASCII),
        Misread("is a handle", "write the account's id: a handle can pass to another account"),
    ),
    (
        re.compile(r"\d+\s*[;\t|].*|[^;\t|]*[;\t|]\s*\d+", re.ASCII),
        Misread("is not alone on its line", "separate CSV columns by commas; in a plain list, write one id per line"),
    ),
]


def misread(text: str) -> Misread | None:
    """Return the form in which a text contains an id, or None if the form is unknown.

    >>> misread("'1355667106821046272").message
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
        return Misread("has digits other than 0 to 9", "write it with the digits 0 to 9")
    visible = "".join(letter for letter in text if not _is_invisible(letter))
    if visible != text and visible.isdecimal():
        invisible = next(filter(_is_invisible, text))
        return Misread(f"has the invisible character U+{ord(invisible):04X}", _DIGITS_ALONE)
    return None


def _is_invisible(letter: str) -> bool:
    """Return whether a character is invisible: web pages insert joiners, direction marks and unusual blanks."""
    return letter not in " \t" and unicodedata.category(letter) in ("Cf", "Cc", "Zs", "Zl", "Zp", "Mn")
