"""YouTube's `contentDetails.regionRestriction` of videos.

Reference: `VideoContentDetailsRegionRestriction` of the YouTube Data API v3. `allowed` lists all countries where a video can be
seen, and an empty list means none; `blocked` lists those where it cannot. Without a restriction it can be seen everywhere.
The form gives no reason. Most restrictions are set by owners of rights, so the rules have the reason `copyright`.
"""

from __future__ import annotations

from collections.abc import Iterable

from withhold.model.rule import Reason
from withhold.territories import WORLD
from withhold.wire.codes import country
from withhold.wire.event import Event, Term
from withhold.wire.values import Context, Refused, listed, mapping

_EITHER = ("allowed", "blocked")


def unwrap(record: object) -> Iterable[object]:
    """Return the videos of a response."""
    return listed(record["items"], "items") if isinstance(record, dict) and "items" in record else (record,)


def read(record: object, context: Context) -> list[Event]:
    """Return the event of a video."""
    found = mapping(record, "the video")
    kind, id_ = context.mapped(found.get("id"))
    if found.get("contentDetails") is None:
        context.skipped["video without `contentDetails`"] += 1
        return []
    restriction = mapping(found["contentDetails"], "contentDetails").get("regionRestriction")
    given = {} if restriction is None else mapping(restriction, "regionRestriction")
    lists = {name: _codes(given[name], name, context) for name in _EITHER if given.get(name) is not None}
    if len(lists) == 2:
        hint = "a video has only one of them: restore it from its source"
        raise Refused("bad-event", "`regionRestriction` has both `allowed` and `blocked`", hint)
    terms = frozenset(Term(Reason.COPYRIGHT, (code,)) for code in lists.get("blocked", ()))
    if "allowed" in lists:
        terms = frozenset({Term(Reason.COPYRIGHT, (WORLD,), lists["allowed"])})
    return [Event(kind, id_, context.instant(), terms)]


def _codes(value: object, name: str, context: Context) -> tuple[str, ...]:
    found = [country(code) for code in listed(value, name)]
    context.aliases.update(f"`{alias}` was read as `{code}`" for code, alias in found if alias)
    return tuple(sorted({code for code, _ in found}))
