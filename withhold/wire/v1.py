"""X's v1.1 objects: statuses and users with `withheld_in_countries`, `withheld_scope` and `withheld_copyright`.

Reference: the data dictionary of the API (`enterprise-gnip-2.0/fundamentals/data-dictionary` in xdevplatform/docs), and
the blog posts of 2012 that introduced the fields. Until November 2012 the countries were one text, `GR, HK, MY`.
"""

from __future__ import annotations

from typing import Any

from withhold.errors import Problem, quoted
from withhold.model.rule import Reason
from withhold.territories import WORLD
from withhold.wire.codes import all_copyright, codes_of, listed_terms, x_term
from withhold.wire.event import Event, Term, event_of
from withhold.wire.values import Context, Refused, flag, id_of, mapping

_COUNTRIES, _COPYRIGHT, _SCOPE = "withheld_in_countries", "withheld_copyright", "withheld_scope"
#: Keys that only statuses have, in full or trimmed.
_OF_STATUSES = ("user", "text", "full_text", "retweeted_status", "quoted_status")
#: The objects in a status that have lists of their own.
_INSIDE = ("retweeted_status", "quoted_status")


def read(record: object, context: Context) -> list[Event]:
    """Return the events of a status or a user, and of all objects inside it.

    An empty list, or none at all, states that nothing is withheld. Only a user without `screen_name` makes no statement:
    it is trimmed to its id.
    """
    found = mapping(record, "the record")
    is_user = found.get(_SCOPE) == "user" and not any(key in found for key in _OF_STATUSES)
    return _of_user(found, context) if is_user or "screen_name" in found else _of_status(found, context)


def _of_status(found: dict[str, Any], context: Context) -> list[Event]:
    scope, user = found.get(_SCOPE), found.get("user")
    if scope not in (None, "status", "user"):
        raise Refused("bad-event", f"unknown `{_SCOPE}` {quoted(scope)}", "it is `status` or `user`")
    id_, terms = id_of(found, context), _terms(found, context)
    events = [] if user is None else _of_user(mapping(user, "user"), context)
    if scope != "user":
        events.append(event_of(("tweets", id_, context.instant(), terms, None, "")))
    elif user is None:
        raise Refused("no-account", f"`{_SCOPE}` is `user`, but the status has no `user`", "give statuses with users")
    elif not events or _COUNTRIES not in user:  # the list is that of the account
        events = [event_of(("accounts", id_of(user, context), context.instant(), terms, None, ""))]
    for name in _INSIDE:
        if (inside := found.get(name)) is not None:
            events += _of_status(mapping(inside, name), context)
    return events


def _of_user(found: dict[str, Any], context: Context) -> list[Event]:
    id_, terms = id_of(found, context), _terms(found, context)
    if "screen_name" in found or _COUNTRIES in found or _COPYRIGHT in found:
        return [event_of(("accounts", id_, context.instant(), terms, None, ""))]
    return []


def _terms(found: dict[str, Any], context: Context) -> frozenset[Term]:
    is_copyright, codes = _COPYRIGHT in found and flag(found, _COPYRIGHT), found.get(_COUNTRIES)
    if codes is None:
        codes = []
    elif type(codes) is str:
        codes = [code.strip() for code in codes.split(",")] if codes.strip() else []
    if is_copyright and not codes:
        return frozenset({x_term(Reason.COPYRIGHT, WORLD)})
    return listed_terms(codes, _COUNTRIES, context, is_copyright=is_copyright)


def write(event: Event, problems: list[Problem]) -> dict[str, object]:
    """Return the object of an event, without the keys that do not concern withholding."""
    is_copyright = all_copyright(event.terms)
    if not is_copyright and any(
        term.reason is Reason.COPYRIGHT and WORLD not in term.withheld_in for term in event.terms
    ):
        problems.append(mixed_reasons(event))
    return {
        "id": event.id,
        "id_str": str(event.id),
        **({_COPYRIGHT: True} if is_copyright else {}),
        _COUNTRIES: codes_of(event.terms),
        _SCOPE: "status" if event.kind == "tweets" else "user",
    }


def mixed_reasons(event: Event) -> Problem:
    """Return the problem for a list of codes that mixes copyright with other reasons."""
    message = "copyright in some countries is written without its reason: the other countries have another reason"
    return Problem("lost-in-form", message, f"{event.kind.removesuffix('s')} {event.id}", severity="warning")
