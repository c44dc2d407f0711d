"""Read handles and hashtags."""

from __future__ import annotations

import re
import unicodedata

from withhold.demands.intake.entries import Kind, Note, note
from withhold.demands.intake.numbers import ALL_DIGITS, Reading, error
from withhold.errors import quoted

#: The platform allows 15 characters today. Old accounts have up to 20.
HANDLE = re.compile(r"[A-Za-z0-9_]{1,20}", re.ASCII)
_LONGEST = 15

#: First parts of paths that are pages of the platform. A handle is never one of them.
RESERVED = frozenset(
    [
        "about",
        "account",
        "compose",
        "download",
        "explore",
        "favorites",
        "followers",
        "following",
        "hashtag",
        "help",
        "home",
        "i",
        "intent",
        "jobs",
        "lists",
        "login",
        "logout",
        "mentions",
        "messages",
        "notifications",
        "oauth",
        "privacy",
        "search",
        "search-advanced",
        "search-home",
        "session",
        "sessions",
        "settings",
        "share",
        "signup",
        "status",
        "statuses",
        "tos",
        "welcome",
        "who_to_follow",
        "widgets",
    ]
)
# What people write into a column when they have no handle.
_PLACEHOLDERS = frozenset(
    ["deleted", "ditto", "do", "na", "nan", "nil", "no", "none", "null", "same", "suspended", "tbd", "unknown", "yes"]
)


def read_handle(text: str, *, bare: bool = False) -> Reading:
    """Read a handle, with or without `@`. If it is `bare`, words such as `nil` are errors.

    >>> read_handle("@User_1").key
    'account:@user_1'
    """
    notes: tuple[Note, ...] = ()
    if text[:1] == "＠":
        notes = (note("fullwidth-sign", f"{quoted(text)} begins with a full-width sign, which was read as `@`"),)
    name = text[1:] if text[:1] in ("@", "＠") else text
    if not HANDLE.fullmatch(name):
        return error(
            "bad-handle", f"{quoted(text)} is not a handle", "a handle has letters, digits and `_`", Kind.ACCOUNT
        )
    if name.lower() in RESERVED:
        return error("reserved-path", f"{quoted(name)} is a page of the platform, not an account", kind=Kind.ACCOUNT)
    if bare and name.lower() in _PLACEHOLDERS:
        hint = f"write `@{name}` if it is a handle"
        return error("placeholder", f"{quoted(name)} may mean that there is no handle", hint, Kind.ACCOUNT)
    if len(name) > _LONGEST:
        notes += (note("long-handle", f"{quoted(name)} has more than {_LONGEST} characters, as only old handles have"),)
    if name.isdigit():
        notes += (ALL_DIGITS,)
    return Reading(Kind.ACCOUNT, f"account:@{name.lower()}", name, notes)


def read_hashtag(text: str) -> Reading:
    """Read a hashtag without its sign. Its letters may be of any script; the key is in lower case.

    >>> read_hashtag("किसान").key, read_hashtag("FarmersProtest").key
    ('hashtag:किसान', 'hashtag:farmersprotest')
    """
    # The vowel signs of many scripts are marks (M*), and joiners (Cf) are part of words.
    fits = all(each.isalnum() or each in "_\u200c\u200d" or unicodedata.category(each)[0] == "M" for each in text)
    if not text or not fits or all(each.isdigit() or each == "_" for each in text):
        return error("not-a-target", f"{quoted('#' + text)} is not a hashtag", kind=Kind.HASHTAG)
    return Reading(Kind.HASHTAG, f"hashtag:{unicodedata.normalize('NFC', text).casefold()}")
