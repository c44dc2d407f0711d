"""Remove the wrapping that spreadsheets, mail programs and PDF files put around a target.

Nothing is evaluated or looked up.
"""

from __future__ import annotations

import re
from typing import Self

from withhold.demands.intake.entries import Note, note
from withhold.errors import quoted

#: Characters that are not shown: zero-width spaces, byte order marks, soft hyphens, and marks of text direction.
_INVISIBLE = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_BLANKS = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_FORMULA_TEXT = re.compile(r'=\s*"([^"]*)"')
_HYPERLINK = re.compile(r'=\s*HYPERLINK\(\s*"([^"]*)"\s*(?:[,;]\s*"([^"]*)"\s*)?\)', re.IGNORECASE)
#: A character after which letters are shown from right to left, Latin ones too.
REORDERED = re.compile("\u202e\\W*\\w")
_APOSTROPHE = re.compile(r"['’](?=[\d@#＠＃=h])")
#: The errors that a spreadsheet shows instead of the result of a formula. `@handle`, typed into a cell, may become
#: `#NAME?`.
ERROR_VALUE = re.compile(
    r"#(?:NULL!|DIV/0!|VALUE!|REF!|NAME\?|NUM!|N/A|SPILL!|CALC!|FIELD!|BLOCKED!|GETTING_DATA|#+)", re.IGNORECASE
)

_DEFANGED = re.compile(r"\bhxxp(?=s?\[?:)|\[\.\]|\(\.\)|\{\.\}|\[dot\]|\(dot\)|\[:\]|\[://\]", re.IGNORECASE)
_BEFORE, _AFTER = "([{<\"'‘“«`", ".,;:!?)]}>\"'’”»`…।"

# What a target looks like, in any text.
SIGNS = re.compile(r"(?:twitter|\bx)\.com/|https?://|hxxps?:|(?<![\w.+-])[@＠]\w|\d{15}|\d[eE]\+\d\d", re.IGNORECASE)

_PLAIN = re.compile(r"[A-Za-z0-9@#_/:.?=&%+-]*", re.ASCII)


class Linked(str):
    """The text of a spreadsheet's cell that has a link behind it, and the address to which the link leads."""

    __slots__ = ("address",)
    address: str

    def __new__(cls, text: str, address: str) -> Self:
        made = super().__new__(cls, text)
        made.address = address
        return made


def has_signs(text: str) -> bool:
    """Return whether a text, or the link behind it, looks like a target."""
    return SIGNS.search(text) is not None or (isinstance(text, Linked) and SIGNS.search(text.address) is not None)


def clean(raw: str) -> tuple[str, tuple[Note, ...]]:
    """Return the text of a cell or line without its wrapping, and notes on what was removed.

    >>> clean('=HYPERLINK("https://twitter.com/user_1", "profile")')[0]
    'https://twitter.com/user_1'
    >>> clean("hxxps://twitter[.]com/user_1")[0]
    'https://twitter.com/user_1'
    """
    text = raw.strip(" \t\r\n")
    if _PLAIN.fullmatch(text) and "hxxp" not in text.lower() and not text.startswith("="):
        return text, ()
    notes: list[Note] = []
    shown = _BLANKS.sub(" ", _INVISIBLE.sub("", text)).strip()
    if shown != text:
        notes.append(STRIPPED)
    text = shown.replace("&amp;", "&")
    if wrapped := _FORMULA_TEXT.fullmatch(text) or _HYPERLINK.fullmatch(text):
        text = wrapped[1].strip()
        notes.append(note("unwrapped", "a spreadsheet formula around the text was removed, and not evaluated"))
    if apostrophe := _APOSTROPHE.match(text):
        text = text[apostrophe.end() :]
        notes.append(note("unwrapped", "the apostrophe by which a spreadsheet marks text was removed"))
    if _DEFANGED.search(text):
        read = _DEFANGED.sub(_refanged, text)
        notes.append(note("defanged", f"{quoted(text)} was read as {quoted(read)}"))
        text = read
    return text, tuple(notes)


def shown_instead(text: str) -> str | None:
    """Return what a spreadsheet shows instead of the target of a link, or None."""
    link = _HYPERLINK.fullmatch(text.strip())
    return None if link is None else link[2]


STRIPPED = note("stripped", "invisible characters or punctuation around it were removed")


def trim(token: str) -> str:
    """Return a token without the punctuation before and after it.

    >>> trim("(https://twitter.com/user_1),")
    'https://twitter.com/user_1'
    """
    return token.lstrip(_BEFORE).rstrip(_AFTER)


def _refanged(found: re.Match[str]) -> str:
    text = found[0].lower()
    return {"hxxp": "http", "[:]": ":", "[://]": "://"}.get(text, ".")
