"""An operator's preview: the page as it is at another instant (`as_of`), or from elsewhere (`as_if_in`)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from urllib.parse import parse_qsl

from withhold.errors import InstantError, PreviewError, Problem, TerritoryError, ViewerError
from withhold.model import Viewer
from withhold.model.freshness import NOT_TO_KEEP
from withhold.model.instants import parse_instant
from withhold.serving.caching import headers
from withhold.territories import country_of, is_subdivision, resolve

_NAMES = ("as_of", "as_if_in")
#: The value of `as_if_in` for a viewer of unknown location.
_UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Preview:
    """Another instant, or None for now, and a viewer at another place, or None for the viewer's own."""

    at: datetime | None
    elsewhere: Viewer | None

    def viewer(self, viewer: Viewer) -> Viewer:
        """Return `viewer` at the place of the preview. The account stays the same."""
        if self.elsewhere is None:
            return viewer
        return Viewer.located(self.elsewhere.location_key, viewer.account_id, "a preview")


class Asked(NamedTuple):
    """The values of the parameters, before they are read."""

    as_of: list[str]
    as_if_in: list[str]

    def checked(self) -> Preview:
        """Return the preview. Raise `PreviewError` for a malformed value, or for a parameter that is repeated.

        >>> preview_of("as_if_in=us-ms").checked().elsewhere.location_key
        ('US', ('US-MS',))
        """
        for name, values in zip(_NAMES, self, strict=True):
            if len(values) > 1:
                message = f"the parameter `{name}` is given {len(values)} times"
                raise PreviewError(Problem("repeated-parameter", message, hint="give it once"))
        try:
            # A plus sign in a query string is a space.
            at = parse_instant(self.as_of[0].replace(" ", "+"), "as_of") if self.as_of else None
            return Preview(at, _viewer_in(self.as_if_in[0]) if self.as_if_in else None)
        except (InstantError, TerritoryError, ViewerError) as error:
            raise PreviewError(error.problem) from None


def preview_of(query: str) -> Asked | None:
    """Return the preview that a query string asks for, or None if it has neither parameter. O(query)."""
    if "as_" not in query and "%" not in query:  # saves most requests the parsing
        return None
    pairs = [pair for pair in parse_qsl(query, keep_blank_values=True) if pair[0] in _NAMES]
    return Asked(*([value for name, value in pairs if name == wanted] for wanted in _NAMES)) if pairs else None


def unstored(given: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the headers of a response that no cache may keep."""
    return [pair for pair in headers(NOT_TO_KEEP, given, viewer=Viewer.unknown()) if pair[0] != "etag"]


def _viewer_in(text: str) -> Viewer:
    if text.strip().lower() == _UNKNOWN:
        return Viewer.unknown()
    # `Viewer` warns of former codes. Here nobody can act on a warning, and `python -W error` would make it an error 500.
    code = resolve(text).code
    return Viewer(country=country_of(code), subdivisions=(code,) if is_subdivision(code) else ())
