"""BuzzFeed's table of accounts that Twitter withheld: `data/withheld-accounts.csv`.

Reference: BuzzFeedNews/2018-01-twitter-withheld-accounts. `user_id_numfix` has an apostrophe before the id, because
spreadsheets round numbers. `withheld_in_countries` is a list such as `DE + FR`, as last observed; `everywhere` marks accounts
that broke Twitter's media policy. The dates in the table are those of observations, not of decisions, and are not read.
"""

from __future__ import annotations

from typing import Any

from withhold.errors import Problem, quoted
from withhold.model.rule import Reason
from withhold.territories import WORLD
from withhold.wire.codes import codes_of, listed_terms, plain, x_term
from withhold.wire.event import Event, Kind, Term
from withhold.wire.values import Context, Refused, id_of

COLUMNS = ("user_id_numfix", "user_id", "withheld_category", "withheld_in_countries")
REQUIRED = COLUMNS[1:]

_ANYWHERE = x_term(Reason.TERMS, WORLD)
_EVERYWHERE, _LIFTED, _WITHHELD = "everywhere", "not_withheld", "withheld"
_CATEGORIES = (_WITHHELD, _LIFTED, "media_violation", "inactive")


def read(record: Any, context: Context) -> list[Event]:
    """Return the event of a row."""
    exact = record.get("user_id_numfix", "").removeprefix("'") or None
    id_ = id_of({"user_id": record["user_id"] or None, "user_id_numfix": exact}, context, "user_id", "user_id_numfix")
    if exact is None:
        context.suspect(id_)  # a spreadsheet may have rounded it
    category, text = record["withheld_category"], record["withheld_in_countries"].strip()
    if category not in _CATEGORIES:
        message = f"unknown `withheld_category` {quoted(category)}"
        raise Refused("bad-event", message, f"it is one of {', '.join(f'`{each}`' for each in _CATEGORIES)}")
    if bool(text) == (category == _LIFTED):
        message = f"`withheld_category` is `{category}`, but `withheld_in_countries` is {quoted(text)}"
        raise Refused("bad-event", message, "restore the row from its source")
    if text == _EVERYWHERE:
        terms = frozenset({_ANYWHERE})
    else:
        codes = [code.strip() for code in text.split("+")] if text else []
        terms = listed_terms(codes, "withheld_in_countries", context)
    return [Event("accounts", id_, context.instant(), terms)]


def say(kind: Kind, term: Term) -> Term | None:
    """Return the nearest term that the form can express, or None."""
    return None if kind == "tweets" else term if term == _ANYWHERE else plain(kind, term)


def write(event: Event, problems: list[Problem]) -> dict[str, object]:
    """Return the row of an event."""
    others = event.terms - {_ANYWHERE}
    category, text = _WITHHELD if others else _LIFTED, " + ".join(codes_of(others))
    if others != event.terms:
        if others:
            message = f"it is withheld `{_EVERYWHERE}`, so the countries {quoted(text)} are not written"
            problems.append(Problem("lost-in-form", message, f"account {event.id}", severity="warning"))
        category, text = "media_violation", _EVERYWHERE
    row = (f"'{event.id}", event.id, category, text)
    return dict(zip(COLUMNS, row, strict=True))
