"""Where the viewer is."""

from withhold.location.geoip import GeoIP, Location

__all__ = ["GeoIP", "Location"]
