"""Labels of Bluesky's regional moderation services, each of which applies in one country or in the EU.

Reference: `com.atproto.label.defs` in bluesky-social/atproto, and the table of regional labelers in bluesky-social/social-app
(`additional-moderation-authorities.ts`). If the app does not know the country of a viewer, it applies all of them.
A label replaces the earlier label with the same `src`, `uri` and `val`. `neg` and `exp` end a label.
"""

from __future__ import annotations

from collections.abc import Iterable

from withhold.errors import quoted
from withhold.model.policy import Settle
from withhold.model.rule import Reason
from withhold.wire.event import Event, Term
from withhold.wire.values import Context, Refused, flag, instant_value, listed, mapping

#: The territory of each regional labeler.
LABELERS = {
    "did:plc:dsynw7isrf2eqlhcjx3ffnmt": "AU",
    "did:plc:ekitcvx7uwnauoqy5oest3hm": "BR",
    "did:plc:r55ow3tocux5kafs5dq445fy": "DE",
    "did:plc:zlbbuj5nov4ixhvgl3bj47em": "ES",
    "did:plc:z57lz5dhgz2dkjogoysm3vut": "EU",
    "did:plc:gvkp7euswjjrctjmqwhhfzif": "GB",
    "did:plc:srr4rdvgzkbx6t7fxqtt6j5t": "IN",
    "did:plc:vhgppeyjwgrr37vm4v6ggd5a": "JP",
    "did:plc:zrp6a3tvprrsgawsbswbxu7m": "PK",
    "did:plc:crm2agcxvvlj6hilnjdc4hox": "RU",
    "did:plc:cquoj7aozvmkud2gifeinkda": "TR",
}
#: The values that hide a subject. Others warn of it or describe it.
_HIDING = frozenset({"!hide", "!takedown"})
_TERMS = {
    src: frozenset({Term(Reason.LEGAL_DEMAND, (code,), if_unknown=Settle.WITHHOLD, jurisdiction=code)})
    for src, code in LABELERS.items()
}


def unwrap(record: object) -> Iterable[object]:
    """Return the labels of a response or of a message of the stream."""
    return listed(record["labels"], "labels") if isinstance(record, dict) and "labels" in record else (record,)


def read(record: object, context: Context) -> list[Event]:
    """Return the event of a label."""
    found = mapping(record, "the label")
    src, value = found.get("src"), found.get("val")
    if not isinstance(src, str) or not isinstance(value, str):
        raise Refused("bad-event", f"the label has `src` {quoted(src)} and `val` {quoted(value)}", "both are text")
    if src not in _TERMS:
        context.skipped["label of another labeler"] += 1
        return []
    if value not in _HIDING:
        context.skipped["label with another value"] += 1
        return []
    kind, id_ = context.mapped(found.get("uri"))
    at = instant_value(found.get("cts"), "cts")
    until = None if found.get("exp") is None else instant_value(found["exp"], "exp")
    terms = frozenset() if flag(found, "neg") else _TERMS[src]
    return [Event(kind, id_, at, terms, until, f"{src} {value}")]
