"""X's v1.1 stream: statuses, among them `status_withheld` and `user_withheld` without nesting and without an instant.

Reference: Twitter's blog of 24 October 2012, and the tests of go-twitter for `user_withheld`.
"""

from __future__ import annotations

from typing import Any, TypeVar

from withhold.errors import Problem, quoted
from withhold.wire import v1
from withhold.wire.codes import codes_of, listed_terms
from withhold.wire.event import Event, Kind, event_of
from withhold.wire.values import Context, Refused, id_of, mapping, not_an_object

_T = TypeVar("_T")

#: The name of each message on withholding, with the kind of its subject.
_MESSAGES: dict[str, Kind] = {"status_withheld": "tweets", "user_withheld": "accounts"}

#: The other messages of the stream.
_OTHERS = frozenset(
    {"delete", "disconnect", "direct_message", "event", "for_user", "friends", "limit", "scrub_geo", "warning"}
)


def read(record: object, context: Context) -> list[Event]:
    """Return the event of a message. The list of countries is complete, and may be empty."""
    found = mapping(record, "the record")
    message = message_of(found, _MESSAGES)
    if message is None:
        return v1.read(found, context) if "id" in found else skip(found, _OTHERS, context)
    kind, body = message
    terms = listed_terms(body.get("withheld_in_countries"), "withheld_in_countries", context)
    return [event_of((kind, id_of(body, context), context.instant(), terms, None, ""))]


def message_of(found: dict[str, Any], messages: dict[str, _T]) -> tuple[_T, dict[str, Any]] | None:
    """Return the message on withholding in an object: the value of its name in `messages`, and its body. Return None if there is none."""
    for name, value in messages.items():
        if (body := found.get(name)) is not None:
            if len(found) > 1 and sum(found.get(each) is not None for each in messages) > 1:
                raise Refused("bad-event", "the record has several messages", "write one message per record")
            if type(body) is not dict:
                raise not_an_object(name)
            return value, body
    return None


def skip(found: dict[str, object], others: frozenset[str], context: Context) -> list[Event]:
    """Count a message that does not concern withholding, and return no events. Refuse a message in another form."""
    other = next((name for name in found if name in others), None)
    if other is None:
        name = next(iter(found), None)
        message = "the object is empty" if name is None else f"unknown message {quoted(name)}"
        raise Refused("unknown-event", message, "check that the file is in this form")
    context.skipped[other] += 1
    return []


def write(event: Event, _: list[Problem]) -> dict[str, object]:
    """Return the message of an event. Rules hold no authors, so `user_id` is left out."""
    name = "status_withheld" if event.kind == "tweets" else "user_withheld"
    body = {"id": event.id, "id_str": str(event.id), "withheld_in_countries": codes_of(event.terms)}
    return {name: body}
