"""The caching headers of a response (A6): no cache shows anybody a page that is wrong for them.

By default no cache may keep a response. A shared cache in front of the service may keep it if the caller allows this, and
if the cache can distinguish all viewers who get different pages. Such a cache knows only the request. So a page that
differs by location is kept only if the headers in the cache's key determine the location of every viewer who sends them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from types import MappingProxyType

from withhold.errors import Problem, SubjectTypeError, quoted
from withhold.location import CDN, CDNS, Anonymised, Resolver
from withhold.location.headers import Headers, Lines, header_name
from withhold.location.location import LocationState
from withhold.model import Freshness, VariesBy, Viewer
from withhold.model.instants import utc
from withhold.native.package import this_package
from withhold.serving.directives import Directives
from withhold.territories import ALIASES, country_of, is_subdivision, iso_version

#: What the browser gets, even if a shared cache keeps the response.
PRIVATE = "private, no-store"
#: Fields that may allow a cache more than `Cache-Control` does, and `Last-Modified`: by the time of the last change, a browser
#: would ask for a page that other rules have changed since.
_REPLACED = frozenset(
    ("age", "cache-control", "cdn-cache-control", "cloudflare-cdn-cache-control", "etag", "expires", "last-modified")
) | {"pragma", "surrogate-control", "vary"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedCache:
    """A shared cache in front of the service. Immutable.

    - `cdn`: the location headers that it sends to the service; None if it sends none.
    - `key`: the request headers whose values are part of its key, in addition to the URL. If the country's header is not among
      them, the cache keeps no page that differs by location.
    - `field`: the response header with the lifetime for this cache alone. If it is `cache-control`, the lifetime is the
      `s-maxage` in it.
    - `propagation`: how long the operator accepts pages of the former rules after an activation. No page is kept longer.
    - `clock_skew`: the largest difference between the clocks of the servers. Each lifetime is shortened by it.

    The presets in `CACHES`, except `varnish`, have the country in the key. Configure the cache so that this is true.

    >>> from dataclasses import replace
    >>> replace(CACHES["varnish"], cdn=CDNS["fastly"], key=["Client-Geo-Country"]).key
    ('client-geo-country',)

    Raises `ProxyError` (`bad-header`) for a name that no header can have, and `ValueError` (`bad-lifetime`) for a negative
    `clock_skew` or a `propagation` that is not positive.
    """

    name: str
    cdn: CDN | None = None
    key: tuple[str, ...] = ()
    field: str = "cache-control"
    propagation: timedelta = timedelta(seconds=30)
    clock_skew: timedelta = timedelta(seconds=1)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", tuple(map(header_name, self.key)))
        object.__setattr__(self, "field", header_name(self.field))
        if self.propagation <= timedelta() or self.clock_skew < timedelta():
            raise ValueError("propagation must be positive, and clock_skew at least 0 [bad-lifetime]")

    def locates(self, viewer: Viewer, request: Lines, resolver: Resolver, part: VariesBy) -> bool:
        """Return whether the headers in the key determine `part` of the location, and it is that of `viewer`."""
        if part is VariesBy.NONE:
            return True
        cdn, geoip = self.cdn, resolver.geoip
        if cdn is None or cdn.country_header not in self.key or (cdn is not resolver.cdn and cdn != resolver.cdn):
            return False
        # With a database, viewers who send the same values may be elsewhere, or at an unknown location.
        if geoip is not None and (
            resolver.order[0] != "cdn" or (geoip.finds_anonymous and resolver.anonymised is Anonymised.UNKNOWN)
        ):
            return False
        has_region = cdn.region_header is not None and cdn.region_header in self.key
        regions = request.get(cdn.region_header) if cdn.region_header is not None and has_region else ()
        found = _located(cdn, tuple(request.get(cdn.country_header)), tuple(regions))
        if found is None:
            return False
        here, is_known = found
        if geoip is not None and not is_known:
            return False
        if part is VariesBy.SUBDIVISION and (not has_region or (geoip is not None and not here.subdivisions)):
            return False
        if cdn.region_header is not None and not has_region and here.country in _DIVIDED:
            return False
        if part is VariesBy.COUNTRY:
            return here.country == viewer.country
        return here.location_key == viewer.location_key


def _located(cdn: CDN, codes: tuple[str, ...], regions: tuple[str, ...]) -> tuple[Viewer, bool] | None:
    """Return a viewer at the place that the headers of a CDN name, and whether it is known; None without a country.

    The arguments are the values of its headers. Most requests name one of a few places.
    """
    short = sum(map(len, codes + regions)) <= _LONGEST
    return (_kept_place if short else _kept_place.__wrapped__)(cdn.country_header, cdn.region_header, codes, regions)


@lru_cache(maxsize=4_096)
def _kept_place(
    country_header: str, region_header: str | None, codes: tuple[str, ...], regions: tuple[str, ...]
) -> tuple[Viewer, bool] | None:
    lines = [(country_header, code) for code in codes] + [(region_header or "", region) for region in regions]
    found = CDN(name="", country_header=country_header, region_header=region_header).read(Lines(lines))
    if found is None:
        return None
    return Viewer(country=found.country, subdivisions=found.subdivisions), found.state is LocationState.KNOWN


@lru_cache
def _versions() -> tuple[str, str]:
    """Return the versions of the library and of the ISO data. Another one may give another answer by the same rules."""
    return this_package().version, iso_version()


_SECOND = timedelta(seconds=1)
_ANYWHERE = Freshness(varies_by=VariesBy.SUBDIVISION)

#: Longer values are no codes, and would only fill the memory.
_LONGEST = 64

#: Countries some of whose subdivisions have country codes of their own (T5): a region such as `PR` in `US` is not in `US`.
_DIVIDED = frozenset(country_of(code) for code in ALIASES if is_subdivision(code))

#: Unlike `CDN-Cache-Control`, Cloudflare does not pass it on to caches behind it, which may have another key.
#: https://developers.cloudflare.com/cache/concepts/cdn-cache-control/
_OF_CLOUDFLARE = "cloudflare-cdn-cache-control"

#: The presets by name.
CACHES: Mapping[str, SharedCache] = MappingProxyType(
    {
        cache.name: cache
        for cache in (
            SharedCache(name="cloudflare", cdn=CDNS["cloudflare"], key=("cf-ipcountry",), field=_OF_CLOUDFLARE),
            SharedCache(name="fastly", cdn=CDNS["fastly"], key=("client-geo-country",), field="surrogate-control"),
            SharedCache(name="cloudfront", cdn=CDNS["cloudfront"], key=("cloudfront-viewer-country",)),
            SharedCache(name="varnish"),
        )
    }
)


def headers(
    freshness: Freshness,
    given: Headers = (),
    *,
    viewer: Viewer,
    shared: bool = False,
    cache: SharedCache | str | None = None,
    request: Headers = (),
    resolver: Resolver | None = None,
    language: str | None = None,
    now: datetime | None = None,
) -> list[tuple[str, str]]:
    """Return the headers of a response: those that the caller gives, with stricter caching headers.

    - `freshness`: that of everything in the body. Join it with `|` if the body was filled from several calls.
    - `given`: the caller's own response headers. A lifetime in them is only ever shortened. If `Vary` names a header that is
      not in the key, the response is not kept.
    - `viewer`: who gets the response.
    - `shared`: the caller states that the body depends on the URL and on the freshness alone. Without it, no cache may keep the
      response. It has no effect on a response with `Set-Cookie`, or to a request with `Authorization` or a cookie.
    - `cache`: the cache in front of the service, or the name of a preset in `CACHES`; `request`: the headers of the request;
      `resolver`: what found the viewer's location. A response is kept only if all three are given.
    - `language`: the language of the notices in the body, if it was negotiated. `accept-language` must then be in the key.

    The browser gets `private, no-store` in any case. If `given` has an `ETag`, another one replaces it, which also depends on the
    revision of the rules, the versions of the library and of pycountry, the location and the language. So `304 Not Modified`
    never confirms a page that has changed. `Last-Modified` is left out for the same reason. `Vary` is sent, but nothing relies on
    it.

    >>> from withhold import Engine, RuleSet
    >>> page = Engine(RuleSet([])).view(Viewer(country="IN")).filter([(20, 17)])
    >>> headers(page.freshness, {"Cache-Control": "public, max-age=60"}, viewer=Viewer(country="IN"))
    [('cache-control', 'private, no-store')]

    O(headers). Raises `SubjectTypeError` for a freshness or a viewer of another type (`not-a-freshness`, `not-a-viewer`),
    `TypeError` (`bad-headers`) for headers in a form that is not understood, `ValueError` (`unknown-cache`) for another name of
    a cache, and `InstantError` for a naive `now`.
    """
    known: object = freshness
    if not isinstance(known, Freshness):
        problem = Problem("not-a-freshness", f"{quoted(known)} is not a freshness", hint="pass `page.freshness`")
        raise SubjectTypeError(problem)
    # The tag always depends on the whole location: equal tags in two countries would show that no rule names anything
    # on the page.
    place = _ANYWHERE.cache_key(viewer)
    if isinstance(cache, str):
        if cache not in CACHES:
            raise ValueError(f"unknown cache {quoted(cache)}; known: {', '.join(CACHES)} [unknown-cache]")
        cache = CACHES[cache]
    own, asked = Lines.of(given), Lines.of(request)
    allowed = Directives.of(own)
    found: list[tuple[str, str]] = []
    varies: dict[str, None] = {}
    if own:
        found = [(name, text) for name in own.names() if name not in _REPLACED for text in own.get(name)]
        varies = {name.strip().lower(): None for line in own.get("vary") for name in line.split(",") if name.strip()}
    lifetime = 0
    if shared and cache is not None and resolver is not None:
        # All caches distinguish encodings.
        knows_variants = (not varies or varies.keys() <= {*cache.key, "accept-encoding"}) and (
            language is None or "accept-language" in cache.key
        )
        varies |= dict.fromkeys(cache.key)
        # Every request has headers, so without any it is unknown whether it had a cookie.
        is_anonymous = bool(asked) and not (asked.get("authorization") or asked.get("cookie") or own.get("set-cookie"))
        instant = datetime.now(UTC) if now is None else utc(now, "now")
        if (
            knows_variants
            and is_anonymous
            and not freshness.personal
            and freshness.holds(instant)
            and cache.locates(viewer, asked, resolver, freshness.varies_by)
        ):
            longest = cache.propagation
            if freshness.valid_until is not None:
                longest = min(longest, freshness.valid_until - instant)
            lifetime = min((longest - cache.clock_skew) // _SECOND, allowed.lifetime(cache.field, instant))
    if language is not None:
        varies["accept-language"] = None
    found += _lifetime_fields(cache, lifetime, no_transform=allowed.no_transform)
    for tag in own.get("etag")[:1]:
        weak = "W/" if tag.startswith("W/") else ""
        parts = (tag, freshness.answer_revision, *_versions(), freshness.since, *place, language)
        text = "\0".join(map(str, parts))
        found.append(("etag", f'{weak}"{sha256(text.encode()).hexdigest()[:32]}"'))
    return [*found, ("vary", ", ".join(varies))] if varies else found


def _lifetime_fields(cache: SharedCache | None, lifetime: int, *, no_transform: bool) -> list[tuple[str, str]]:
    more = ", no-transform" if no_transform else ""
    if cache is None or lifetime < 1:
        return [("cache-control", PRIVATE + more)]
    # Without these, Varnish serves a page for ten seconds after its lifetime, and Cloudflare while the service is down.
    fresh = "must-revalidate, stale-while-revalidate=0, stale-if-error=0"
    if cache.field == "cache-control":
        return [("cache-control", f"max-age=0, s-maxage={lifetime}, {fresh}{more}")]
    return [("cache-control", PRIVATE + more), (cache.field, f"max-age={lifetime}, {fresh}")]
