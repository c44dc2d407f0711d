"""X's v2 objects: posts and users with `withheld`.

Reference: the OpenAPI description of the API (2.167 in xdevplatform/docs). `withheld.scope` is `post` or `user`.
Earlier names of `post` are `tweet` and `status`. Some SDKs write `countryCodes`. The field `withheld` exists only if
something is withheld. So the form cannot state that everything was lifted, and an object without the field states
nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from withhold.errors import Problem, quoted
from withhold.model.rule import Reason
from withhold.territories import WORLD
from withhold.wire.codes import all_copyright, codes_of, flagged, listed_terms, plain, x_term
from withhold.wire.event import Event, Kind, Term
from withhold.wire.v1 import mixed_reasons
from withhold.wire.values import Context, Refused, flag, id_value, listed, mapping

_POST, _USER = ("post", "tweet", "status"), "user"


def say(kind: Kind, term: Term) -> Term | None:
    """Return the nearest term that the form can express, or None. A user has no flag for copyright."""
    return flagged(kind, term) if kind == "tweets" else plain(kind, term)


def unwrap(record: object) -> Iterable[object]:
    """Return the objects of a response: its data, the objects that were included, and errors."""
    if not isinstance(record, dict) or not ("data" in record or "errors" in record):
        return (record,)
    data = record.get("data")
    found = list(data) if isinstance(data, list) else [] if data is None else [data]
    includes = mapping(record.get("includes") or {}, "includes")
    for name in ("tweets", "users"):
        found += listed(includes.get(name) or [], name)
    return found + [{"errors": error} for error in listed(record.get("errors") or [], "errors")]


def read(record: object, context: Context) -> list[Event]:
    """Return the event of an object."""
    found = mapping(record, "the object")
    if "errors" in found:
        context.skipped["error"] += 1
        return []
    held = found.get("withheld")
    id_ = id_value(found.get("id"), "id")
    if held is None:
        context.skipped["object without `withheld`"] += 1
        return []
    held = mapping(held, "withheld")
    scope = held.get("scope")
    if scope not in (None, _USER, *_POST):
        raise Refused("bad-event", f"unknown `withheld.scope` {quoted(scope)}", "it is `post`, `tweet` or `user`")
    is_copyright, codes = flag(held, "copyright"), held.get("country_codes", held.get("countryCodes"))
    if not codes and not is_copyright:
        context.skipped["`withheld` without countries"] += 1
        return []
    terms = frozenset({x_term(Reason.COPYRIGHT, WORLD)})
    if codes:
        terms = listed_terms(codes, "withheld.country_codes", context, is_copyright=is_copyright)
    kind = _kind(found, held, scope)
    if kind == "tweets" and scope == _USER:  # the post is withheld because its author is
        if found.get("author_id") is None:
            message = "`withheld.scope` is `user`, but the post has no `author_id`"
            raise Refused("no-account", message, "request posts with `tweet.fields=author_id`")
        kind, id_ = "accounts", id_value(found["author_id"], "author_id")
    return [Event(kind, id_, context.instant(), terms)]


def _kind(found: dict[str, Any], held: dict[str, Any], scope: object) -> Kind:
    """Return whether an object is a post or a user. Most objects have the keys that X always sends."""
    if "text" in found or "author_id" in found:
        return "tweets"
    if "username" in found or "name" in found or scope == _USER:
        return "accounts"
    if scope in _POST or "copyright" in held:
        return "tweets"
    if scope is None and held.keys() <= {"country_codes", "countryCodes", "scope"}:
        message = "it is unclear whether the object is a post or a user"
        raise Refused("ambiguous-subject", message, "give objects with `text`, `username` or `withheld.scope`")
    return "accounts"


def write(event: Event, problems: list[Problem]) -> dict[str, object] | None:
    """Return the object of an event, without the keys that do not concern withholding."""
    if not event.terms:
        problems.append(cannot_lift(event))
        return None
    codes = codes_of(event.terms)
    if event.kind == "accounts":
        return {"id": str(event.id), "withheld": {"country_codes": codes, "scope": "user"}}
    is_copyright = all_copyright(event.terms)
    if not is_copyright and any(
        term.reason is Reason.COPYRIGHT and WORLD not in term.withheld_in for term in event.terms
    ):
        problems.append(mixed_reasons(event))
    return {"id": str(event.id), "withheld": {"copyright": is_copyright, "country_codes": codes, "scope": "post"}}


def cannot_lift(event: Event) -> Problem:
    """Return the problem for a form that cannot state that nothing is withheld any more."""
    message = "it is no longer withheld anywhere, but the form cannot express an empty list"
    return Problem(
        "cannot-say", message, f"{event.kind.removesuffix('s')} {event.id}", "use the form v1, which can express it"
    )
