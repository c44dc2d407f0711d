"""What the caller's own headers allow a cache: the directives of `Cache-Control` and of the fields like it."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from withhold.location.headers import Lines

#: Longer than any lifetime: the caller sets no limit.
_NO_LIMIT = 2**31
_TARGETED = ("cdn-cache-control", "cloudflare-cdn-cache-control", "surrogate-control")


class Directives(NamedTuple):
    """The directives of a response, by field. A repeated directive keeps its strictest value."""

    by_field: dict[str, dict[str, str]]
    expires: str | None
    pragma: bool

    @classmethod
    def of(cls, own: Lines) -> Directives:
        names = own.names()
        by_field = {name: _read(own.get(name)) if name in names else {} for name in ("cache-control", *_TARGETED)}
        expires = own.get("expires")
        return cls(by_field, expires[-1] if expires else None, any("no-cache" in line for line in own.get("pragma")))

    @property
    def no_transform(self) -> bool:
        return "no-transform" in self.by_field["cache-control"]

    def lifetime(self, field: str, now: datetime) -> int:
        """Return the seconds for which the caller lets a shared cache keep the response; 0 for not at all."""
        found = self.by_field["cache-control"]
        if self.pragma or any(name in each for each in self.by_field.values() for name in _FORBID):
            return 0
        # Cloudflare reads its own field, then the one for all CDNs, then `Cache-Control`.
        fields = (field, "cdn-cache-control") if field == "cloudflare-cdn-cache-control" else (field,)
        targeted = [self.by_field.get(name, {}) for name in fields if name != "cache-control"]
        for each, name in (*((each, "max-age") for each in targeted), (found, "s-maxage"), (found, "max-age")):
            if name in each:
                return _seconds(each[name])
        if self.expires is not None:
            try:
                until = parsedate_to_datetime(self.expires)
            except ValueError:
                return 0  # such as `0`: expired
            until = until if until.tzinfo else until.replace(tzinfo=UTC)
            return max(0, int((until - now).total_seconds()))
        return _NO_LIMIT


_FORBID = ("no-store", "no-cache", "private")


def _read(lines: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in ",".join(lines).split(","):
        name, _, value = part.partition("=")
        name, value = name.strip().lower(), value.strip().strip('"')
        if name in ("max-age", "s-maxage") and name in found:
            value = min(found[name], value, key=_seconds)
        if name:
            found[name] = value
    return found


def _seconds(text: str) -> int:
    """Return a number of seconds. A text that is none is 0: the strictest."""
    return int(text) if text.isascii() and text.isdigit() else 0
