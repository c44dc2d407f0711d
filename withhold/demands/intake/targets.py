"""Read one piece of text without blanks: a handle, a URL, a hashtag, an id, or none of these."""

from __future__ import annotations

import re
from urllib.parse import unquote

from withhold.demands.intake.entries import Kind, Role, note
from withhold.demands.intake.hosts import is_mirror, is_own, refusal
from withhold.demands.intake.names import HANDLE, read_handle, read_hashtag
from withhold.demands.intake.numbers import Reading, error, read_number
from withhold.demands.intake.paths import read_path
from withhold.errors import quoted

_URL = re.compile(r"(?:([A-Za-z][A-Za-z0-9+.-]*):)?//([^/?#]*)(.*)", re.DOTALL)
# Without a scheme: a name with a dot whose last part is not a number.
_BARE_URL = re.compile(r"([^/?#\s]*[^/?#\s.]\.[^\W\d][^/?#\s]+)([/?#].*)?", re.DOTALL)
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_TYPED = re.compile(r"(account|user|tweet|status|post|hashtag):(?!//)(\S+)", re.IGNORECASE)
_ROLES = {"account": Role.ACCOUNT_ID, "user": Role.ACCOUNT_ID, "hashtag": Role.HASHTAG}
# A URL of the platform inside another one, as archives and mail filters write it.
_INNER = re.compile(r"(?:www\.|mobile\.|m\.)?(?:twitter|x)\.com(/[^\s&]*)", re.IGNORECASE)


def read_target(text: str, role: Role, newest: int) -> Reading:
    """Read a piece of text, in a column or line with this role. `newest` is the largest id that can be in the order.

    >>> read_target("https://x.com/User_1/status/20?s=20", Role.TARGET, 2**62)
    Reading(kind=<Kind.TWEET: 'tweet'>, key='tweet:20', handle='User_1', notes=(), weak=False)
    """
    if text in "@＠#＃":
        return error("not-a-target", f"{quoted(text)} is only a sign", weak=True)
    if text[0] in "@＠":
        return read_handle(text)
    if text[0] in "#＃":
        return read_hashtag(text[1:])
    if (number := read_number(text, role, newest)) is not None:
        return number
    if typed := _TYPED.fullmatch(text):
        return _read_typed(typed[1].lower(), typed[2], newest)
    if HANDLE.fullmatch(text):
        return _read_word(text, role)
    if url := _URL.fullmatch(text):
        return _read_url((url[1] or "http").lower(), url[2], url[3], newest)
    if _MAIL.fullmatch(text) and not is_own(text.partition("@")[0]):
        return error("not-a-target", f"{quoted(text)} is an e-mail address", weak=True)
    if url := _BARE_URL.fullmatch(text):
        return _read_url(None, url[1], url[2] or "", newest)
    if role is Role.HASHTAG:
        return read_hashtag(text)
    return error("not-a-target", f"{quoted(text)} is not a target in a known form", weak=True)


def _read_typed(name: str, value: str, newest: int) -> Reading:
    if name in ("account", "user") and value[0] in "@＠":
        return read_handle(value)
    found = read_target(value, _ROLES.get(name, Role.TWEET_ID), newest)
    kind = {"account": Kind.ACCOUNT, "user": Kind.ACCOUNT, "hashtag": Kind.HASHTAG}.get(name, Kind.TWEET)
    if found.key is not None and found.kind is not kind:
        return error("not-a-target", f"{quoted(value)} is not the {kind} that is named before it")
    return found


def _read_word(text: str, role: Role) -> Reading:
    if role is Role.HANDLE:
        return read_handle(text, bare=True)
    if role is Role.HASHTAG:
        return read_hashtag(text)
    message = f"{quoted(text)} may be a handle, or only a word"
    return error("bare-word", message, f"write `@{text}`, or name the column `handle`", weak=True)


def _read_url(scheme: str | None, authority: str, rest: str, newest: int) -> Reading:
    if scheme in ("http", "https", None) and is_own(authority):
        return read_path(rest, newest)
    kind = Kind.EXTERNAL_URL if rest.strip("/") else Kind.DOMAIN
    reason = refusal(authority)
    inner = _INNER.search(unquote(rest))
    meant = read_path(inner[1], newest) if inner else None
    if is_mirror(authority):
        meant = read_path(rest, newest)
    if meant is not None and meant.key is not None:
        reason = note(reason.code, reason.text, f"it may mean `{meant.key}`: a person must decide")
    # Without a scheme, words of a sentence look like hosts: `e.g`, `F.No`.
    weak = scheme is None and reason.code == "off-platform" and (meant is None or meant.key is None)
    return Reading(kind, None, None, (reason,), weak)
