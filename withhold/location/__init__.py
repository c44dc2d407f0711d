"""Where the viewer is: from a request to a `Viewer`, with the reasons."""

from withhold.location.geoip import GeoIP
from withhold.location.location import Anonymised, Finding, Location, State

__all__ = ["Anonymised", "Finding", "GeoIP", "Location", "State"]
