"""The places in rule files and their lists that name an id, recorded while the files are loaded."""

from __future__ import annotations

from collections.abc import Iterable

from withhold.errors import Place

#: The maximum number of places that are recorded for each list of ids: a list may repeat an id a million times.
MOST_PLACES = 100


class Mentions:
    """The places that name an account or a tweet, by the id of the rule. `load_files` fills it. Not thread-safe.

    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> from withhold.sources.loader import load_files
    >>> path = Path(mkdtemp(), "in.yaml")
    >>> _ = path.write_text("rules:\\n- {id: a, accounts: [5, 17], withheld_in: IN, reason: terms}\\n")
    >>> found = Mentions(account=17)
    >>> rules = load_files(path, mentions=found)
    >>> [(place.line, place.column) for place in found.of("a")], found.of("b")
    ([(2, 25)], ())
    """

    def __init__(self, *, account: int | None = None, tweet: int | None = None) -> None:
        #: The id to find, by kind, or None.
        self.sought = {"account": account, "tweet": tweet}
        self._places: dict[str, tuple[Place, ...]] = {}

    def of(self, rule_id: str) -> tuple[Place, ...]:
        """Return the places for a rule: those in its file, then those in its lists, at most 100 for each list."""
        return self._places.get(rule_id, ())

    def note(self, rule_id: str, places: Iterable[Place]) -> None:
        """Record the places for a rule, if there are any."""
        if found := tuple(places):
            self._places[rule_id] = found
