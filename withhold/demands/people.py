"""Compare the names of people. They are asserted, so a name that only looks like another one is taken for the same."""

from __future__ import annotations

import unicodedata

from withhold.errors import is_visible

# Letters of other alphabets, and other forms of Latin letters, in pairs: the letter in lower case, and the Latin one that it
# looks like in lower or upper case. Full-width and mathematical letters are not here: NFKC knows them.
_PAIRS = (
    "аaвbгrеeіiјjкkмmнhоoрpсcтtуyүyхxһhѕsԁdԛqԝwѵvьbӏlґrєeғfҝkқkҳxұyәeөoʌa"  # Cyrillic
    "αaβbγyεeζzηnιlκkμmνvοoρpσoςcτtυuχxωwϲcϳj"  # Greek
    "օoսuռnհhցgքfյjԍgոnաwսuզqքpտs"  # Armenian
    "ꭰdꭱrꮤwꭺaꮯcꮓzꮋmꭵiꮃwꭻjꮟbꮪsꮩvꮮlꮲpꮶkꮐgꭼeꮢr"  # Cherokee
    "ɑaɡgıiȷjɩiɪiʏyʀrʙbᴀaᴄcᴅdᴇeᴊjᴋkʟlᴍmɴnᴏoᴘpᴛtᴜuᴠvᴡwᴢzɵoɛeƅbɢgʜhꜰfꜱsøođdłlħhŧtƙkƿpɗdɓbƈcƒf"  # Latin
)
# Figures and signs look like letters, too, and so does a capital I like a small l.
_ALIKE = {ord(one.casefold()): other for one, other in zip(_PAIRS[::2], _PAIRS[1::2], strict=True)}
_STROKES = str.maketrans("01i|", "olll")


def same_person(name: str, other: str) -> bool:
    """Return whether two names are the same, but for case, spaces, accents, forms of letters and what is not shown.

    Two people whose names look alike must write more of them.

    >>> same_person("Asha", " аsha\\u200b"), same_person("asha", "ravi")
    (True, False)
    """
    return folded_name(name) == folded_name(other)


def folded_name(name: str) -> str:
    """Return a name in the form in which names are compared. Accents are those of Latin, Greek and Cyrillic."""
    text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
    return "".join(filter(_is_part, text)).translate(_ALIKE).translate(_STROKES) or name


def _is_part(letter: str) -> bool:
    """Return whether a character is part of a word: a vowel sign of an Indian script, for example, but not an accent."""
    is_mark = unicodedata.category(letter) in ("Mn", "Mc") and not unicodedata.name(letter, "").startswith("COMBINING")
    return is_visible(letter) and (letter.isalnum() or is_mark or letter == "|")
