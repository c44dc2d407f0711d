"""Decide whether a URL is on the platform. Hosts that only look like the platform's are refused."""

from __future__ import annotations

import re

from withhold.demands.intake.entries import Note, note
from withhold.errors import quoted

_OWN = re.compile(r"(?:www\.|mobile\.|m\.)?(?:twitter|x)\.com\.?", re.ASCII | re.IGNORECASE)
#: Hosts that shorten the platform's URLs. Their targets can only be found on the network.
_SHORTENERS = frozenset({"t.co", "pic.twitter.com", "pic.x.com"})
# Sites that show the platform's pages under the same paths. `nitter.*` has a source; the last three are from memory.
_MIRRORS = frozenset({"vxtwitter.com", "fxtwitter.com", "fixupx.com", "fixvx.com", "xcancel.com"})
_SUBDOMAIN = re.compile(r"(?:[a-z0-9-]+\.)+(?:twitter|x|twimg)\.com", re.ASCII)
_ALIKE = re.compile(r"twitter|(?:^|[.-])x\.com(?:$|[.-])", re.ASCII)
_NAME = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)*", re.ASCII)
_PORT = re.compile(r":(?:443|80)?")


def is_own(authority: str) -> bool:
    """Return whether a URL's authority is the platform's: `twitter.com`, `x.com`, and the two with `www.` or `mobile.`.

    >>> is_own("Mobile.Twitter.com:443"), is_own("twitter.com.evil.example"), is_own("twitter.com@evil.example")
    (True, False, False)
    """
    name, colon, port = authority.partition(":")
    return _OWN.fullmatch(name) is not None and (not colon or _PORT.fullmatch(colon + port) is not None)


def is_mirror(authority: str) -> bool:
    """Return whether a site shows pages of the platform under the platform's own paths."""
    name = authority.lower().removeprefix("www.")
    return name in _MIRRORS or name.startswith("nitter.") or ".nitter." in name


def refusal(authority: str) -> Note:
    """Return the error for an authority that is not the platform's."""
    name = authority.lower().removesuffix(".")
    if name in _SHORTENERS:
        hint = "open it, and add the URL of the page that it opens: no URL is opened here"
        return note("needs-expansion", f"{quoted(authority)} shortens another URL", hint)
    if "xn--" in name or not _NAME.fullmatch(name):
        return note("suspicious-host", f"{quoted(authority)} is not the name of a host in plain letters", _DECEPTIVE)
    if not _SUBDOMAIN.fullmatch(name) and not is_mirror(name) and _ALIKE.search(name):
        return note(
            "suspicious-host", f"{quoted(authority)} is another site whose name contains the platform's", _DECEPTIVE
        )
    return note("off-platform", f"{quoted(authority)} is not the platform's host of accounts and tweets")


_DECEPTIVE = "ask the authority for the URL on `twitter.com` or `x.com`"
