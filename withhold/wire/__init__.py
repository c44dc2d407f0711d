"""Other systems' forms of withholding, read into rules and written from them."""

from withhold.wire.event import Event, Kind, Term
from withhold.wire.forms import FORMS, WRITTEN, Form
from withhold.wire.ids import load_ids
from withhold.wire.reading import Read, read
from withhold.wire.rules import rules_of
from withhold.wire.writing import Written, write

__all__ = [
    "FORMS",
    "WRITTEN",
    "Event",
    "Form",
    "Kind",
    "Read",
    "Term",
    "Written",
    "load_ids",
    "read",
    "rules_of",
    "write",
]
