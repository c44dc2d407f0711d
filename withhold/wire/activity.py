"""Gnip's compliance events as Activity Streams: the verb is `user_withheld` or `status_withheld`.

Reference: the sample in the gist of gnippy, and Gnip's URIs: `tag:search.twitter.com,2005:20` is a tweet, and
`tag:search.twitter.com,2012:user/17` and `id:twitter.com:17` are accounts.
"""

from __future__ import annotations

import re

from withhold.errors import Problem, quoted
from withhold.wire.codes import codes_of, listed_terms
from withhold.wire.event import Event, Kind
from withhold.wire.gnip import OTHERS, timestamp, written_timestamp
from withhold.wire.values import Context, Refused, id_value, mapping

_VERBS: dict[object, Kind] = {"status_withheld": "tweets", "user_withheld": "accounts"}
_OTHERS = OTHERS | {"post", "share"}
_URI = re.compile(r"tag:search\.twitter\.com,20\d\d:(?:(status|tweet|user)/)?(\d+)|(id):twitter\.com:(\d+)", re.ASCII)


def read(record: object, context: Context) -> list[Event]:
    """Return the event of an activity. The list of countries is complete, and may be empty."""
    found = mapping(record, "the record")
    verb = found.get("verb")
    kind = _VERBS.get(verb) if isinstance(verb, str) else None
    if kind is None:
        if isinstance(verb, str) and verb in _OTHERS:
            context.skipped[verb] += 1
            return []
        message = "`verb` is missing" if verb is None else f"unknown verb {quoted(verb)}"
        raise Refused("unknown-event", message, "check that the file is in this form")
    id_ = _id(mapping(found.get("object"), "object").get("id"), kind)
    terms = listed_terms(found.get("withheld_in_countries"), "withheld_in_countries", context)
    return [Event(kind, id_, timestamp(found, context), terms)]


def _id(uri: object, kind: Kind) -> int:
    match = _URI.fullmatch(uri) if isinstance(uri, str) else None
    if match is None:
        raise Refused("bad-id", f"{quoted(uri)} is not the URI of a tweet or a user", "it begins with `tag:` or `id:`")
    path, number, scheme, user = match.groups()
    of_user = path == "user" or scheme == "id"
    if of_user != (kind == "accounts") and not (path is None and scheme is None and kind == "accounts"):
        raise Refused("bad-id", f"{quoted(uri)} does not fit the verb", "restore the event from its source")
    return id_value(number or user, "object.id")


def write(event: Event, _: list[Problem]) -> dict[str, object]:
    """Return the activity of an event."""
    is_tweet = event.kind == "tweets"
    uri = f"tag:search.twitter.com,2005:{event.id}" if is_tweet else f"tag:search.twitter.com,2012:user/{event.id}"
    verb = "status_withheld" if is_tweet else "user_withheld"
    body = {"verb": verb, "object": {"id": uri}, "withheld_in_countries": codes_of(event.terms)}
    return {**body, **written_timestamp(event)}
