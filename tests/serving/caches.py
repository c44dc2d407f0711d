"""Caches of HTTP (RFC 9111) with targeted fields (RFC 9213), as they are configured in front of services."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

#: Statuses that a cache may keep although the response has no lifetime (RFC 9110, section 15.1; RFC 7725 for 451).
HEURISTIC = frozenset((200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 451, 501))


class Answer(NamedTuple):
    """What a viewer sees of a response."""

    status: int
    body: object


class Kept(NamedTuple):
    answer: Answer
    varies: dict[str, str | None]
    until: datetime | None
    must_revalidate: bool


@dataclass
class Cache:
    """A cache that serves everybody, whether or not they send a cookie.

    - `key`: the request headers in its key, besides the URL.
    - `honours_vary`: whether the headers that `Vary` names must be equal, too. Some CDNs ignore `Vary`.
    - `targeted`: the field that has directives for this cache; if a response lacks it, the cache reads `Cache-Control`.
    - `for_ever`: whether it keeps a response without a lifetime for ever, and serves stale ones as if the service were down.
    """

    key: tuple[str, ...] = ()
    honours_vary: bool = False
    targeted: str = "cloudflare-cdn-cache-control"
    for_ever: bool = False
    is_browser: bool = False
    kept: dict[tuple[str | None, ...], list[Kept]] = field(default_factory=dict)
    served: int = 0

    def find(self, url: str, request: Mapping[str, str], at: datetime) -> Answer | None:
        """Return the response that the cache serves without asking the service, or None."""
        for found in self.kept.get(self._key(url, request), ()):
            fresh = found.until is None or at < found.until
            if all(request.get(name) == value for name, value in found.varies.items()) and (
                fresh or (self.for_ever and not found.must_revalidate)
            ):
                self.served += 1
                return found.answer
        return None

    def store(
        self, url: str, request: Mapping[str, str], answer: Answer, sent: Mapping[str, str], at: datetime
    ) -> None:
        """Keep a response, if nothing forbids it."""
        directives = _directives(sent.get(self.targeted, sent.get("cache-control", "")))
        if {"no-store", "no-cache"} & directives.keys() or ("private" in directives and not self.is_browser):
            return
        lifetime = (
            directives.get("max-age") if self.is_browser else directives.get("s-maxage", directives.get("max-age"))
        )
        if lifetime is None and not (self.for_ever and answer.status in HEURISTIC):
            return
        names = [name.strip().lower() for name in sent.get("vary", "").split(",") if name.strip()]
        if "*" in names and self.honours_vary:
            return
        varies = {name: request.get(name) for name in names} if self.honours_vary else {}
        until = None if lifetime is None else at + timedelta(seconds=int(lifetime))
        must_revalidate = not {"must-revalidate", "proxy-revalidate", "s-maxage"}.isdisjoint(directives)
        variants = self.kept.setdefault(self._key(url, request), [])
        variants[:] = [each for each in variants if each.varies != varies]
        variants.append(Kept(answer, varies, until, must_revalidate))

    def _key(self, url: str, request: Mapping[str, str]) -> tuple[str | None, ...]:
        return (url, *(request.get(name) for name in self.key))


def _directives(text: str) -> dict[str, str]:
    pairs = (part.strip().lower().partition("=") for part in text.split(",") if part.strip())
    return {name: value for name, _, value in pairs}
