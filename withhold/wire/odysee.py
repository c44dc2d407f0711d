"""Odysee's list of restricted channels and claims by country.

Reference: the type `GBL` and `getGeoRestrictionForClaim` in OdyseeTeam/odysee-frontend. `videos` covers everything but
livestreams. `EU-ONLY` restricts viewers in the EU. Restrictions also apply to viewers whose country is unknown.
The list describes laws and decisions of authorities in free text; the rules have the reason `local_law`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from withhold.errors import quoted
from withhold.model.policy import Settle
from withhold.model.rule import Reason
from withhold.wire.codes import country
from withhold.wire.event import Event, Term
from withhold.wire.values import Context, Refused, listed, mapping

_SECTIONS = ("videos", "livestreams")
_EU_ONLY = "EU-ONLY"


def unwrap(record: object) -> Iterable[object]:
    """Return the entries of the list, each with its section and its id."""
    found = mapping(record, "the list")
    if found.get("data") is not None:
        found = mapping(found["data"], "data")
    if not found.keys() & set(_SECTIONS):
        raise Refused(
            "unknown-event", "the list has neither `videos` nor `livestreams`", "check that the file is in this form"
        )
    sections = {section: mapping(found.get(section) or {}, section) for section in _SECTIONS}
    return [(section, *entry) for section, entries in sections.items() for entry in entries.items()]


def read(record: Any, context: Context) -> list[Event]:
    """Return the event of an entry."""
    section, theirs, config = record
    kind, id_ = context.mapped(theirs)
    found = mapping(config, f"{section}.{{id}}")
    if section == "livestreams" and kind == "accounts":
        message = f"only the livestreams of {quoted(theirs)} are restricted, and a rule would withhold all its posts"
        raise Refused("cannot-say", message, "map the claims of its livestreams")
    codes = {"EU" for special in _ids(found, "specials") if _is_eu(special)}
    for code in _ids(found, "countries"):
        canonical, alias = country(code)
        codes.add(canonical)
        if alias:
            context.aliases[f"`{alias}` was read as `{canonical}`"] += 1
    if continents := _ids(found, "continents"):
        message = f"`continents` has {quoted(continents[0])}, which is not a territory of rules"
        raise Refused("unknown-territory", message, "list its countries")
    return [Event(kind, id_, context.instant(), frozenset(map(_term, codes)), track=section)]


def _ids(config: dict[str, object], name: str) -> list[object]:
    return [mapping(each, name).get("id") for each in listed(config.get(name) or [], name)]


def _is_eu(special: object) -> bool:
    if special != _EU_ONLY:
        raise Refused("unknown-territory", f"unknown special {quoted(special)}", f"only `{_EU_ONLY}` is known")
    return True


def _term(code: str) -> Term:
    return Term(Reason.LOCAL_LAW, (code,), if_unknown=Settle.WITHHOLD, jurisdiction=code)
