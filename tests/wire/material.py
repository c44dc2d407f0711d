"""Short ways to read text in a form, and to compare events."""

from __future__ import annotations

import io
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from withhold.wire import FORMS, Event, Read, Term, load_ids, read

GOLDEN = Path(__file__).with_name("golden")
#: A file in each form.
FILES = {path.stem: path for path in sorted(GOLDEN.iterdir()) if path.stem in FORMS and path.suffix != ".txt"}
AT = datetime(2021, 7, 6, 18, 40, 40, tzinfo=UTC)
#: Later than all events.
LAST = datetime(2100, 1, 1, tzinfo=UTC)
IDS = load_ids(GOLDEN / "ids.csv")


def read_text(form: str, text: str | bytes, at: datetime | None = AT) -> Read:
    data = text if isinstance(text, bytes) else text.encode(errors="surrogatepass")
    return read(FORMS[form], io.BytesIO(data), f"a.{form}", at=at, theirs=IDS)


def normalised(events: Iterable[Event]) -> list[Event]:
    """Return events without those that change nothing, sorted. If several have one instant, the last one counts."""
    last = {(event.kind, event.id, event.at): event for event in events}
    found: list[Event] = []
    terms: dict[tuple[str, int], frozenset[Term]] = {}
    for event in sorted(last.values(), key=lambda event: (event.at, event.kind, event.id)):
        if terms.get((event.kind, event.id), frozenset()) != event.terms:
            found.append(event)
        terms[event.kind, event.id] = event.terms
    return found
