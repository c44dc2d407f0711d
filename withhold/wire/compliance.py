"""X's v2 compliance streams: `withheld` on posts and `user_withheld` on users, each with its instant.

Reference: `TweetTakedownComplianceSchema` and `UserTakedownComplianceSchema` in the OpenAPI description (2.167). The list
of countries is complete and has at least one item, so the form cannot state that everything was lifted.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from withhold.errors import Problem
from withhold.wire.codes import codes_of, listed_terms
from withhold.wire.event import Event, Kind, event_of
from withhold.wire.gnip import OTHERS
from withhold.wire.stream import message_of, skip
from withhold.wire.v2 import cannot_lift
from withhold.wire.values import Context, Refused, id_value, instant_value, mapping, not_an_object

#: The name of each event on withholding, with the kind and the key of its subject.
_MESSAGES: dict[str, tuple[Kind, str]] = {"withheld": ("tweets", "tweet"), "user_withheld": ("accounts", "user")}
_OTHERS = OTHERS | {"errors"}


def inside_of(record: object, context: Context) -> dict[str, Any]:
    """Return the data of a record, or the record itself if it has no data, such as a record with errors."""
    if type(record) is not dict:
        raise not_an_object("the record")
    data = record.get("data")
    if data is None:
        return record
    if "errors" in record:
        context.skipped["errors"] += 1
    if type(data) is not dict:
        raise not_an_object("data")
    return data


def read(record: object, context: Context) -> list[Event]:
    """Return the event of a record. `quote_tweet_id` names a post that quotes the withheld one, and is not withheld itself."""
    found = inside_of(record, context)
    message = message_of(found, _MESSAGES)
    if message is None:
        return skip(found, _OTHERS, context)
    (kind, inside), body = message
    id_ = id_value(mapping(body.get(inside), inside).get("id"), "id")
    terms = listed_terms(body.get("withheld_in_countries"), "withheld_in_countries", context)
    if not terms:
        raise Refused(
            "no-countries", "the event has no country", "restore the event from its source: it has at least one"
        )
    return [event_of((kind, id_, instant_value(body.get("event_at"), "event_at"), terms, None, ""))]


def iso(instant: datetime) -> str:
    """Return an instant as X's v2 API writes it."""
    precision = "microseconds" if instant.microsecond % 1000 else "milliseconds"
    return instant.isoformat(timespec=precision).replace("+00:00", "Z")


def write(event: Event, problems: list[Problem]) -> dict[str, object] | None:
    """Return the record of an event. Rules hold no authors, so `author_id` is left out."""
    if not event.terms:
        problems.append(cannot_lift(event))
        return None
    name, inside = ("withheld", "tweet") if event.kind == "tweets" else ("user_withheld", "user")
    body = {inside: {"id": str(event.id)}, "withheld_in_countries": codes_of(event.terms), "event_at": iso(event.at)}
    return {"data": {name: body}}
