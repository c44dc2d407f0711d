"""What CDNs say of where a viewer is, in headers. To be believed from a trusted peer only; `Resolver` sees to that.

A header that a CDN writes is as good as forged if requests can reach the trusted peer around the CDN: let the
peers of `TrustedProxies` be the CDN's, or be reachable by the CDN alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import unquote

from withhold.location.headers import Headers, Lines, header_name, printable, redacted
from withhold.location.location import Evidence, LocationState
from withhold.location.schema import place_of
from withhold.territories import current


@dataclass(frozen=True, slots=True, kw_only=True)
class CDN:
    """The headers of a CDN: that of the country, and that of the subdivision if there is one. A value.

    Where the name of a header is the customer's own choice, set it:

    >>> from dataclasses import replace
    >>> replace(CDNS["fastly"], country_header="x-geo-country").country_header
    'x-geo-country'

    Raises `ProxyError` for a name that no header can have.
    """

    name: str
    country_header: str
    region_header: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "country_header", header_name(self.country_header))
        if self.region_header is not None:
            object.__setattr__(self, "region_header", header_name(self.region_header))

    def read(self, headers: Headers | Lines) -> Evidence | None:
        """Return what the headers say, None if they say nothing.

        A repeated country is not believed, nor is a country whose region is repeated with different values.


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
        # Many servers join the lines by commas. Equal ones say the same; of others nobody knows which is the CDN's.
        parts = {_value(part) for line in regions for part in line.split(",")}
        if len(parts) > 1:
            return Evidence(None, why=f"{self.region_header} is repeated with different values")
        region = parts.pop() if parts else ""
        if current(f"{code}-{region}") is None:
            # Google writes `USCA`.
            region = region.removeprefix(code).removeprefix("-")
        place = place_of(code, [region] if region else [])
        why = f"{self.country_header} is `{redacted(values[0])}`"
        if place.country and place.country != code and region:
            # The region has a country's code of its own, as `PR` of `US` has.
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
    # CloudFront encodes its values in percent, and App Engine writes regions in lower case.
    return unquote(text.strip(" \t")[:20]).upper()


#: By name. Those of Fastly and of Google's load balancer have no fixed header: these are the names to set in the
#: VCL (`client.geo.country_code`, `client.geo.region`) or as custom headers (`{client_region}`,
#: `{client_region_subdivision}`), and others will do.
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
