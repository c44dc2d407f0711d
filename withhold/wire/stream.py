"""X's v1.1 stream: statuses, among them `status_withheld` and `user_withheld` without nesting and without an instant.

Reference: Twitter's blog of 24 October 2012, and the tests of go-twitter for `user_withheld`.
"""

from __future__ import annotations

from withhold.errors import Problem, quoted
from withhold.wire import v1
from withhold.wire.codes import codes_of, listed_terms
from withhold.wire.event import Event
from withhold.wire.values import Context, Refused, id_of, mapping

#: The other messages of the stream.
_OTHERS = frozenset(
    {"delete", "disconnect", "direct_message", "event", "for_user", "friends", "limit", "scrub_geo", "warning"}
)


def read(record: object, context: Context) -> list[Event]:
    """Return the event of a message. The list of countries is complete, and may be empty."""
    found = mapping(record, "the record")
    if (body := found.get("status_withheld")) is not None:
        kind = "tweets"
    elif (body := found.get("user_withheld")) is not None:
        kind = "accounts"
    elif "id" in found:
        return v1.read(found, context)
    elif other := next((name for name in found if name in _OTHERS), None):
        context.skipped[other] += 1
        return []
    else:
        raise unknown_message(found)
    body = mapping(body, "the message")
    terms = listed_terms(body.get("withheld_in_countries"), "withheld_in_countries", context)
    return [Event(kind, id_of(body, context), context.instant(), terms)]  # type: ignore[arg-type]


def unknown_message(found: dict[str, object]) -> Refused:
    """Return the refusal of a message in another form."""
    name = next(iter(found), None)
    message = "the object is empty" if name is None else f"unknown message {quoted(name)}"
    return Refused("unknown-event", message, "check that the file is in this form")


def write(event: Event, _: list[Problem]) -> dict[str, object]:
    """Return the message of an event. Rules hold no authors, so `user_id` is left out."""
    name = "status_withheld" if event.kind == "tweets" else "user_withheld"
    body = {"id": event.id, "id_str": str(event.id), "withheld_in_countries": codes_of(event.terms)}
    return {name: body}
