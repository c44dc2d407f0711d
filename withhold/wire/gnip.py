"""Gnip's compliance firehose: `status_withheld` and `user_withheld` with the subject nested, and an instant.

Reference: `enterprise-gnip-2.0/.../compliance-firehose` in xdevplatform/docs. Its numeric ids are rounded; `id_str` is exact.
The instant is `timestamp_ms` in milliseconds, or `timestampMs` in ISO 8601.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from withhold.errors import Problem
from withhold.wire.codes import codes_of, listed_terms
from withhold.wire.event import Event, Kind, event_of
from withhold.wire.stream import message_of, skip
from withhold.wire.values import Context, id_of, instant_value, mapping, milliseconds_of, milliseconds_value

#: The name of each event on withholding, with the kind and the key of its subject.
_MESSAGES: dict[str, tuple[Kind, str]] = {
    "status_withheld": ("tweets", "status"),
    "user_withheld": ("accounts", "user"),
}
#: The other events of the firehose.
OTHERS = frozenset(
    {"delete", "drop", "undrop", "scrub_geo", "status_delete", "status_drop", "status_undrop", "status_update"}
    | {"favorite", "unfavorite", "tweet_edit", "user_profile_modification", "user_update"}
    | {f"user_{what}" for what in ("delete", "undelete", "protect", "unprotect", "suspend", "unsuspend")}
)


def read(record: object, context: Context) -> list[Event]:
    """Return the event of a record. The list of countries is complete, and may be empty."""
    found = mapping(record, "the record")
    message = message_of(found, _MESSAGES)
    if message is None:
        return skip(found, OTHERS, context)
    (kind, inside), body = message
    id_ = id_of(mapping(body.get(inside), inside), context)
    terms = listed_terms(body.get("withheld_in_countries"), "withheld_in_countries", context)
    return [event_of((kind, id_, timestamp(body, context), terms, None, ""))]


def timestamp(found: dict[str, Any], context: Context) -> datetime:
    """Return the instant of an event, in either of its two spellings."""
    for name in ("timestamp_ms", "timestampMs"):
        if (value := found.get(name)) is not None:
            if type(value) is str and "T" in value:
                return instant_value(value, name)
            return milliseconds_value(value, name)
    return context.instant()


def written_timestamp(event: Event) -> dict[str, str]:
    """Return the instant of an event under the key that holds it exactly."""
    if event.at.microsecond % 1000:
        return {"timestampMs": event.at.isoformat(timespec="microseconds")}
    return {"timestamp_ms": milliseconds_of(event.at)}


def write(event: Event, _: list[Problem]) -> dict[str, object]:
    """Return the record of an event. Rules hold no authors, so `user_id` is left out."""
    name, inside = ("status_withheld", "status") if event.kind == "tweets" else ("user_withheld", "user")
    body = {inside: {"id": event.id, "id_str": str(event.id)}, "withheld_in_countries": codes_of(event.terms)}
    return {name: {**body, **written_timestamp(event)}}
