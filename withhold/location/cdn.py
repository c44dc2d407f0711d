"""The location headers of CDNs. `Resolver` reads them only if the request comes from a trusted peer.

These headers prove nothing if requests can reach the trusted peer without passing through the CDN. So the peers of
`TrustedProxies` must belong to the CDN, or must be reachable only through it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import unquote

from withhold.location.headers import Headers, Lines, header_name, printable, redacted
from withhold.location.location import Evidence, LocationState
from withhold.location.record_place import place_of
from withhold.territories import current


@dataclass(frozen=True, slots=True, kw_only=True)
class CDN:
    """The names of a CDN's country header and, if there is one, its subdivision header. Immutable.

    If the customers of the CDN choose the header names, set them:

    >>> from dataclasses import replace
    >>> replace(CDNS["fastly"], country_header="x-geo-country").country_header
    'x-geo-country'

    Raises `ProxyError` (`bad-header`) for an invalid header name.
    """

    name: str
    country_header: str
    region_header: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "country_header", header_name(self.country_header))
        if self.region_header is not None:
            object.__setattr__(self, "region_header", header_name(self.region_header))

    def read(self, headers: Headers | Lines) -> Evidence | None:
        """Return the location that the headers name, or None if there is no country header.

        The location is unknown if the country header is repeated, or if the region header is repeated with different
        values. Raises `TypeError` (`bad-headers`) for headers in a form that is not understood.

        >>> CDNS["app-engine"].read({"X-Appengine-Country": "US", "X-Appengine-Region": "ca"}).subdivisions
        ('US-CA',)
        >>> CDNS["cloudflare"].read({"CF-IPCountry": "T1"}).state
        <LocationState.ANONYMISED: 'anonymised'>
        """
        lines = Lines.of(headers)
        values = lines.get(self.country_header)
        if not values:
            return None
        if len(values) > 1:
            return Evidence(None, why=f"{self.country_header} is repeated")
        code = _value(values[0])
        regions = lines.get(self.region_header) if self.region_header else []
        # Many servers join repeated lines with commas. If the values differ, it is unknown which one the CDN wrote.
        parts = {_value(part) for line in regions for part in line.split(",")}
        if len(parts) > 1:
            return Evidence(None, why=f"{self.region_header} is repeated with different values")
        region = parts.pop() if parts else ""
        if current(f"{code}-{region}") is None:
            # Google writes `USCA` for `US-CA`.
            region = region.removeprefix(code).removeprefix("-")
        place = place_of(code, [region] if region else [])
        why = f"{self.country_header} is `{redacted(values[0])}`"
        if place.country and place.country != code and region:
            # The region has a country code of its own, as `PR` in `US` does.
            why = f"{self.region_header} is `{printable(regions[0])}`, {self.country_header} `{printable(values[0])}`"
        elif place.subdivisions:
            why += f", {self.region_header} `{printable(regions[0])}`"
        elif place.country and place.note:
            why += f", {place.note}"
        state = (
            LocationState.ANONYMISED
            if place.anonymiser
            else LocationState.KNOWN
            if place.country
            else LocationState.UNKNOWN
        )
        return Evidence(place.country, place.subdivisions, state, why=why, anonymiser=place.anonymiser)


def _value(text: str) -> str:
    # CloudFront percent-encodes its values, and App Engine writes regions in lower case.
    return unquote(text.strip(" \t")[:20]).upper()


#: The presets by name. Fastly and Google's load balancer have no fixed headers. For them, set the headers below in the VCL
#: (`client.geo.country_code`, `client.geo.region`) or as custom headers (`{client_region}`, `{client_region_subdivision}`),
#: or use other names and create a `CDN` with them.
CDNS: Mapping[str, CDN] = MappingProxyType(
    {
        cdn.name: cdn
        for cdn in (
            CDN(name="cloudflare", country_header="cf-ipcountry", region_header="cf-region-code"),
            CDN(
                name="cloudfront",
                country_header="cloudfront-viewer-country",
                region_header="cloudfront-viewer-country-region",
            ),
            CDN(name="app-engine", country_header="x-appengine-country", region_header="x-appengine-region"),
            CDN(name="fastly", country_header="client-geo-country", region_header="client-geo-region"),
            CDN(name="google", country_header="x-client-region", region_header="x-client-region-subdivision"),
            CDN(name="vercel", country_header="x-vercel-ip-country", region_header="x-vercel-ip-country-region"),
        )
    }
)
