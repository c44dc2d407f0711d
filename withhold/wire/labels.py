"""X's label stream: `public_tweet_unviewable` is applied to a post or removed from it.

Reference: `TweetUnviewable` in the OpenAPI description (2.167). An unviewable post violates X's own rules, so nobody sees it
anywhere. `public_tweet_notice` adds a text to a post that stays visible.
"""

from __future__ import annotations

from withhold.errors import Problem, quoted
from withhold.model.rule import Reason
from withhold.territories import WORLD
from withhold.wire.codes import x_term
from withhold.wire.compliance import inside_of, iso
from withhold.wire.event import Event, Kind, Term
from withhold.wire.stream import skip
from withhold.wire.values import Context, Refused, id_value, instant_value, mapping

_NAME = "public_tweet_unviewable"
_UNVIEWABLE = x_term(Reason.TERMS, WORLD)
_OTHERS = frozenset({"public_tweet_notice", "errors"})


def read(record: object, context: Context) -> list[Event]:
    """Return the event of a record."""
    found = inside_of(record, context)
    if found.get(_NAME) is None:
        return skip(found, _OTHERS, context)
    body = mapping(found[_NAME], _NAME)
    application = body.get("application")
    if application not in ("apply", "remove"):
        raise Refused("bad-event", f"unknown `application` {quoted(application)}", "it is `apply` or `remove`")
    terms = frozenset({_UNVIEWABLE} if application == "apply" else ())
    id_ = id_value(mapping(body.get("tweet"), "tweet").get("id"), "id")
    return [Event("tweets", id_, instant_value(body.get("event_at"), "event_at"), terms)]


def say(kind: Kind, term: Term) -> Term | None:
    """Return the term if the form can express it, otherwise None."""
    return term if kind == "tweets" and term == _UNVIEWABLE else None


def write(event: Event, _: list[Problem]) -> dict[str, object]:
    """Return the record of an event. Rules hold no authors, so `author_id` is left out."""
    application = "apply" if event.terms else "remove"
    return {"data": {_NAME: {"tweet": {"id": str(event.id)}, "event_at": iso(event.at), "application": application}}}
