"""Locate viewers: from a request to a `Viewer`, with the evidence for it."""

from withhold.location.cdn import CDN, CDNS
from withhold.location.geoip import GeoIP
from withhold.location.headers import Headers
from withhold.location.loading import AnyDatabase
from withhold.location.location import Anonymised, Evidence, Location, LocationState
from withhold.location.proxies import Trace, TrustedProxies
from withhold.location.resolver import Resolution, Resolver, Signal

__all__ = [
    "CDN",
    "CDNS",
    "Anonymised",
    "AnyDatabase",
    "Evidence",
    "GeoIP",
    "Headers",
    "Location",
    "LocationState",
    "Resolution",
    "Resolver",
    "Signal",
    "Trace",
    "TrustedProxies",
]
