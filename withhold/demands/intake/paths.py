"""Read the path of a URL of the platform, and find the target that it names, if any."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, unquote

from withhold.demands.intake.entries import Kind, note
from withhold.demands.intake.names import read_handle, read_hashtag
from withhold.demands.intake.numbers import Reading, error, read_id
from withhold.errors import control_character, quoted

#: Pages that show one part of an account or of a tweet. The order may mean only that part.
_TABS = frozenset(
    [
        "with_replies",
        "media",
        "likes",
        "followers",
        "following",
        "verified_followers",
        "lists",
        "moments",
        "topics",
        "articles",
        "highlights",
        "affiliates",
        "superfollows",
        "favorites",
        "photo",
        "header_photo",
        "about",
    ]
)
_OF_A_TWEET = frozenset(["photo", "video", "analytics", "retweets", "likes", "quotes", "history"])
_STATUS = ("status", "statuses")


def read_path(path: str, newest: int) -> Reading:
    """Read everything after the host of a URL. `newest` is the largest id that can be in the order."""
    path, _, fragment = path.partition("#")
    path, _, query = path.partition("?")
    if fragment.startswith("!"):  # the form of URLs from 2010 to 2012
        path, _, query = fragment[1:].partition("?")
    parts = [unquote(part).strip() for part in path.split("/")]
    parts = [part for part in parts if part]
    if control_character(unquote(f"{path}?{query}")) is not None:
        return error("control-character", f"{quoted(path)} of the URL has a control character")
    if "." in parts or ".." in parts:
        return error("broken-url", f"{quoted(path)} leads to another page than it names", "compare it with the order")
    if not parts:
        return error("not-a-target", "the URL names no account and no tweet")
    first = parts[0].lower()
    if first == "i":
        return _internal(parts, newest)
    if first == "intent":
        return _intent(parts, query, newest)
    if first in _STATUS:
        return _tweet(parts[1:], None, newest) if len(parts) > 1 else _reserved(first)
    if first == "hashtag":
        return read_hashtag(parts[1]) if len(parts) > 1 else _reserved(first)
    if first == "search":
        return _search(query)
    return _of_account(parts, newest)


def _of_account(parts: list[str], newest: int) -> Reading:
    account = read_handle(parts[0])
    if len(parts) == 1 or account.key is None:
        return account
    page = parts[1].lower()
    if page in _STATUS:
        return _tweet(parts[2:], account.handle, newest)
    if page == "lists" and len(parts) > 2:
        return Reading(Kind.LIST, f"list:{account.key.partition(':')[2]}/{parts[2].lower()}", account.handle)
    if page in _TABS:
        cited = note(
            "cites-tab", f"the URL names the page {quoted(parts[1])} of the account; the whole account was read"
        )
        return account._replace(notes=(*account.notes, cited))
    return error("not-a-target", f"no page of an account is called {quoted(parts[1])}")


def _tweet(parts: list[str], handle: str | None, newest: int) -> Reading:
    digits = parts[0] if parts else ""
    if not (digits.isascii() and digits.isdigit()):
        if any(map(str.isdigit, digits)) and not digits.isascii():
            return error("non-ascii-digits", f"id {quoted(digits)} has characters other than 0 to 9", kind=Kind.TWEET)
        message = f"{quoted(digits)} after `status/` is not an id" if digits else "the id after `status/` is missing"
        return error("broken-url", message, "compare it with the order: the URL may be broken", Kind.TWEET)
    found = read_id(digits, Kind.TWEET, newest)
    if len(parts) > 1 and parts[1].lower() not in _OF_A_TWEET:
        more = note("extra-path", f"{quoted('/'.join(parts[1:]))} after the id was not read")
        found = found._replace(notes=(more, *found.notes))
    return found._replace(handle=handle)


_NUMBERED = {"lists": Kind.LIST, "communities": Kind.COMMUNITY}


def _internal(parts: list[str], newest: int) -> Reading:
    page = parts[1].lower() if len(parts) > 1 else ""
    if page in _STATUS and len(parts) > 2:
        return _tweet(parts[2:], None, newest)
    if page == "web" and len(parts) > 3 and parts[2].lower() in _STATUS:
        return _tweet(parts[3:], None, newest)
    if page == "user" and len(parts) > 2:
        return _account_id(parts[2], newest)
    if page in _NUMBERED and len(parts) > 2 and parts[2].isascii() and parts[2].isdigit():
        return read_id(parts[2], _NUMBERED[page], newest)
    if page == "spaces" and len(parts) > 2 and re.fullmatch(r"\w{5,20}", parts[2], re.ASCII):
        return Reading(Kind.SPACE, f"space:{parts[2]}")  # its letters are case-sensitive
    return _reserved("/".join(parts))


def _intent(parts: list[str], query: str, newest: int) -> Reading:
    if len(parts) != 2 or parts[1].lower() not in ("user", "follow"):
        return _reserved("/".join(parts))
    values = parse_qs(query)
    handles, ids = values.get("screen_name", []), values.get("user_id", [])
    if len(ids) == 1 and len(handles) < 2:
        found = _account_id(ids[0], newest)
        return found._replace(handle=read_handle(handles[0]).handle) if handles else found
    if len(handles) == 1 and not ids:
        return read_handle(handles[0])
    return error("not-a-target", "the URL names no account, or several")


def _account_id(digits: str, newest: int) -> Reading:
    if digits.isascii() and digits.isdigit():
        return read_id(digits, Kind.ACCOUNT, newest)
    return error(
        "malformed-id", f"{quoted(digits)} is not the id of an account", "ids are decimal digits", Kind.ACCOUNT
    )


def _search(query: str) -> Reading:
    words = " ".join(parse_qs(query).get("q", [])).strip()
    if not words:
        return _reserved("search")
    if words[0] in "#＃" and not any(map(str.isspace, words)):
        return read_hashtag(words[1:])
    manual = note("manual", f"no rule can express the search {quoted(words)}", "a person decides what it covers")
    return Reading(Kind.SEARCH, f"search:{' '.join(words.casefold().split())}", None, (manual,))


def _reserved(path: str) -> Reading:
    return error("reserved-path", f"{quoted(path)} is a page of the platform, not an account")
