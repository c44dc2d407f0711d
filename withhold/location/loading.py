"""From files, or readers that are open, to a `Database`: opened at once, flattened and checked as a whole."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from withhold import native
from withhold.errors import GeoIPError, Problem, escaped, quoted
from withhold.location.address import V4_BITS, Transition
from withhold.location.database import Database
from withhold.location.location import Location
from withhold.location.mmdb import Opened, OpenedFile, read_file, reading
from withhold.location.networks import Networks
from withhold.location.schema import tell_anonymous, tell_apart
from withhold.location.table import Table
from withhold.location.tree import Metadata

_log = logging.getLogger("withhold.location")


class OpenReader(Protocol):
    """A reader of geoip2 or of maxminddb."""

    def metadata(self) -> Metadata: ...


AnyDatabase = str | os.PathLike[str] | OpenReader
#: What changes when files do: identity, size and time of each; None for a missing one.
Signature = tuple[tuple[int, int, int] | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to load, and how addresses are to be read. Raises `GeoIPError` whenever that cannot be done."""

    database: AnyDatabase
    anonymous: AnyDatabase | None
    ip_versions: frozenset[int]
    country_path: Sequence[str] | None
    transition: Transition

    def __post_init__(self) -> None:
        if not self.ip_versions or self.ip_versions - {4, 6}:
            raise GeoIPError(Problem("bad-ip-versions", "ip_versions are `4`, `6` or both"))

    def paths(self) -> tuple[Path, ...]:
        """Return the files that can be read again."""
        if not isinstance(self.database, (str, os.PathLike)):
            problem = Problem("not-a-file", "an open reader cannot be reloaded", hint="give the path of its file")
            raise GeoIPError(problem)
        given = (self.database, self.anonymous)
        return tuple(Path(path) for path in given if isinstance(path, (str, os.PathLike)))

    def signature(self) -> Signature:
        return tuple(_signature(path) for path in self.paths())

    def open(self) -> Database:
        """Open the files, and let maxminddb answer."""
        leaves = self._opened(self.database, anonymous=False)
        hidden = None if self.anonymous is None else self._opened(self.anonymous, anonymous=True)
        name, hidden_name = leaves.name, hidden.name if hidden else ""
        return Database(name, leaves, None, self.transition, self.ip_versions, hidden, hidden_name)

    def flatten(self, opened: Database) -> Database:
        """Read all of what was opened, check it, and lay it out as tables."""
        leaves, hidden = opened.leaves, opened.anonymous
        if not isinstance(leaves, Opened):
            raise TypeError("already flattened")
        with reading(opened.name):
            networks = Networks(leaf for leaf in leaves.leaves() if leaf[0] in self.ip_versions)
        if 4 in self.ip_versions and not any(True for _ in networks.v4):
            raise _one_version(opened.name, 4)
        if 6 in self.ip_versions and not any(True for _ in networks.v6):
            # The tree has room for them, and an answer of "no record" is true: worth a word, not a refusal.
            _log.warning("%s has no IPv6 networks: all of IPv6 is of unknown location", opened.name)
        elsewhere = [(6, prefix << V4_BITS, 96) for prefix in self.transition.nat64]
        anonymous = None
        if isinstance(hidden, Opened):
            with reading(opened.anonymous_name):
                anonymous = Networks(hidden.leaves())
            elsewhere += anonymous.anonymous()
        table = Table(networks, elsewhere)
        return replace(
            opened,
            leaves=networks,
            table=table,
            anonymous=anonymous,
            native=native.addresses.Lookup(table, Location) if native.AVAILABLE else None,
        )

    def _opened(self, given: AnyDatabase, *, anonymous: bool) -> Opened:
        path = Path(given) if isinstance(given, (str, os.PathLike)) else None
        name = escaped(path.name) if path else "an open database"
        with reading(name):
            if path:
                opened: Opened = OpenedFile(name, read_file(path))
            else:
                # geoip2's reader keeps maxminddb's to itself, and makes models where a code is asked for.
                opened = Opened(name, getattr(given, "_db_reader", given))  # type: ignore[arg-type]
            about = opened.reader.metadata()
            if about.ip_version == 4 and 6 in self.ip_versions:
                raise _one_version(name, 6)
            if anonymous:
                opened.schema = tell_anonymous(about.database_type, opened.records())
            else:
                opened.schema = tell_apart(about.database_type, opened.records(), self.country_path)
            return opened


def _one_version(name: str, lacking: int) -> GeoIPError:
    return GeoIPError(
        Problem(
            "one-ip-version",
            f"{quoted(name)} has no IPv{lacking} networks, and would answer nothing without saying so",
            hint=f"give a database of both versions, or `ip_versions=({10 - lacking},)`",
        )
    )


def _signature(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
