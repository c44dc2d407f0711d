"""What the caller's own headers allow a cache: the directives of `Cache-Control` and of the fields like it."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from withhold.location.headers import Lines

#: Longer than any lifetime: the caller sets no limit.
_NO_LIMIT = 2**31
_FIELDS = ("cache-control", "cdn-cache-control", "cloudflare-cdn-cache-control", "surrogate-control")


class Directives(NamedTuple):
    """The directives of a response, by field, for fields that have any. A repeated directive keeps its strictest value."""

    by_field: dict[str, dict[str, str]]
    expires: str | None
    pragma: bool

    @classmethod
    def of(cls, own: Lines) -> Directives:
        names = own.names()
        if not names:
            return _NO_DIRECTIVES
        by_field = {name: _read(own.get(name)) for name in _FIELDS if name in names}
        expires = own.get("expires")
        return cls(by_field, expires[-1] if expires else None, any("no-cache" in line for line in own.get("pragma")))

    @property
    def no_transform(self) -> bool:
        return "no-transform" in self.by_field.get("cache-control", ())

    def lifetime(self, field: str, now: datetime) -> int:
        """Return the seconds for which the caller lets a shared cache keep the response; 0 for not at all."""
        if self is _NO_DIRECTIVES:
            return _NO_LIMIT
        if self.pragma or not all(map(_FORBID.isdisjoint, self.by_field.values())):
            return 0
        # Cloudflare reads its own field, then the one for all CDNs, then `Cache-Control`.
        targeted = (field, "cdn-cache-control") if field == "cloudflare-cdn-cache-control" else (field,)
        for name in (*targeted, "cache-control"):
            found = self.by_field.get(name, {})
            for directive in ("max-age",) if name != "cache-control" else ("s-maxage", "max-age"):
                if directive in found:
                    return _seconds(found[directive])
        if self.expires is not None:
            try:
                until = parsedate_to_datetime(self.expires)
            except ValueError:
                return 0  # such as `0`: expired
            until = until if until.tzinfo else until.replace(tzinfo=UTC)
            return max(0, int((until - now).total_seconds()))
        return _NO_LIMIT


_NO_DIRECTIVES = Directives({}, None, pragma=False)
_FORBID = frozenset(("no-store", "no-cache", "private"))


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
    """Return the seconds that a text states. A text that is not a number counts as 0, the strictest value."""
    return int(text) if text.isascii() and text.isdigit() else 0
