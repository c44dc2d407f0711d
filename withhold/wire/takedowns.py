"""X's own takedown labels, such as `LegalRequest(de, fr)` or `LegalRequest:de;Dmca`, in a table with subjects.

Reference: `visibility-filtering` in xai-org/x-algorithm, in the version with `legal_takedown_in` (August 2026 or later), and
`RedactUnenforcedTakedownsFilter` for accounts. The table is CSV with the columns `kind`, `id` and `labels`, and perhaps
`at`; the labels are complete, and may be empty.

| label | becomes |
|---|---|
| `LegalRequest(cc)`, `UnspecifiedReason(cc)` | `legal_demand` in the country; in `WORLD` for `xx` |
| `BystanderReport(cc)` | `local_law` in the country |
| `Dmca`, `UnspecifiedReason(xy)` on a tweet | `copyright` in `WORLD` |

X enforces no others: `LegalRequest(xy)`, `BystanderReport(xx)` and `BystanderReport(xy)`, nor `Dmca` and
`UnspecifiedReason(xy)` on accounts. They become no rule, and are counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from withhold.errors import Problem, quoted
from withhold.model.rule import Reason
from withhold.territories import WORLD, is_subdivision
from withhold.wire.codes import COPYRIGHT_EVERYWHERE, EVERYWHERE, country, x_term
from withhold.wire.compliance import iso
from withhold.wire.event import Event, Kind, Term
from withhold.wire.values import Context, Refused, id_value, instant_value

COLUMNS = ("kind", "id", "labels", "at")
REQUIRED = COLUMNS[:3]

KINDS: dict[object, Kind] = {"account": "accounts", "tweet": "tweets"}
# Possessive quantifiers (`++`) do not try shorter matches, so that matching takes linear time.
_LABEL = re.compile(r"(\w++)\s*+(?:\(([^()]*+)\)|:\s*+(\w\w(?:\s*+,\s*+\w\w\b)*+)(?!\w))?\s*+(?:[;,]\s*+|$)", re.ASCII)
_REASONS = {
    "LegalRequest": Reason.LEGAL_DEMAND,
    "UnspecifiedReason": Reason.LEGAL_DEMAND,
    "BystanderReport": Reason.LOCAL_LAW,
}
#: Labels for which X withholds nothing.
_OTHERS = frozenset({"HatefulImagery", "SensitiveImagery", "Unknown"})
_HINT = "write them like `LegalRequest:de;Dmca` or `LegalRequest(de, fr)`"


def read(record: Any, context: Context) -> list[Event]:
    """Return the event of a row."""
    kind = KINDS.get(record["kind"])
    if kind is None:
        raise Refused("unknown-kind", f"unknown kind {quoted(record['kind'])}", "write `account` or `tweet`")
    at = instant_value(record["at"], "at") if record.get("at") else context.instant()
    return [Event(kind, id_value(record["id"], "id"), at, _terms(kind, record["labels"].strip(), context))]


def _terms(kind: Kind, text: str, context: Context) -> frozenset[Term]:
    terms: set[Term] = set()
    at = 0
    while at < len(text):
        found = _LABEL.match(text, at)
        if found is None:
            raise Refused("bad-label", f"cannot read the labels {quoted(text)}", _HINT)
        at = found.end()
        name, inside, after = found.groups()
        codes = [code.strip() for code in (inside or after or "").split(",") if code.strip()]
        if name in _OTHERS:
            context.skipped[name] += 1
        elif name == "Dmca" and not codes:
            terms.update(_dmca(kind, "Dmca", context))
        elif name in _REASONS and codes:
            terms.update(term for code in codes for term in _coded(kind, name, code, context))
        else:
            message = (
                f"label {quoted(name)} has no country" if name in _REASONS else f"unknown label {quoted(found[0])}"
            )
            raise Refused("bad-label", message, _HINT)
    return frozenset(terms)


def _coded(kind: Kind, name: str, code: str, context: Context) -> Iterable[Term]:
    upper = code.upper()
    if upper == COPYRIGHT_EVERYWHERE and name == "UnspecifiedReason":
        return _dmca(kind, f"{name}(xy)", context)
    if upper == COPYRIGHT_EVERYWHERE or (upper == EVERYWHERE and name == "BystanderReport"):
        return _unenforced(f"{name}({upper.lower()})", context)
    if upper == EVERYWHERE:
        return (x_term(_REASONS[name], WORLD),)
    found, alias = country(code)
    if alias:
        context.aliases[f"`{alias}` was read as `{found}`"] += 1
    return (x_term(_REASONS[name], found),)


def _dmca(kind: Kind, name: str, context: Context) -> Iterable[Term]:
    return (x_term(Reason.COPYRIGHT, WORLD),) if kind == "tweets" else _unenforced(f"{name} on an account", context)


def _unenforced(what: str, context: Context) -> Iterable[Term]:
    context.skipped[f"{what}, which X does not enforce"] += 1
    return ()


def say(kind: Kind, term: Term) -> Term | None:
    """Return the nearest term that the form can express, or None."""
    (code,) = term.withheld_in
    if is_subdivision(code):
        return None
    match term.reason:
        case Reason.LOCAL_LAW if code != WORLD:
            return x_term(Reason.LOCAL_LAW, code)
        case Reason.COPYRIGHT if code == WORLD and kind == "tweets":
            return x_term(Reason.COPYRIGHT, WORLD)
        case _:
            return x_term(Reason.LEGAL_DEMAND, code)


def write(event: Event, _: list[Problem]) -> dict[str, object]:
    """Return the row of an event, with the labels as X stores them."""
    labels = ";".join(sorted(map(_label, event.terms)))
    return {"kind": event.kind.removesuffix("s"), "id": event.id, "labels": labels, "at": iso(event.at)}


def _label(term: Term) -> str:
    if term.reason is Reason.COPYRIGHT:
        return "Dmca"
    (code,) = term.withheld_in
    name = "BystanderReport" if term.reason is Reason.LOCAL_LAW else "LegalRequest"
    return f"{name}:{'xx' if code == WORLD else code.lower()}"
