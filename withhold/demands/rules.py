"""Rules out: the rules that the effects of all demands amount to, as a `RuleSet` and as rule files.

The same events always give the same rules. Targets share a rule if one command began their effects alike and ended them alike.
Its id is the demand and the event that began it, such as `IN-D1:12`. If a part is lifted, that part moves to a rule of its own,
`IN-D1:12:310`, and the others keep theirs. Imposing again is another command, so another rule.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

import yaml

from withhold.demands.fields import disclosure_for, reason_for
from withhold.demands.fold import Data
from withhold.demands.safeguards import BEYOND, PROTECTED, WORLDWIDE
from withhold.model.instants import in_iso, parse_instant
from withhold.model.precision import ROUNDED_IDS, Precision, Sign
from withhold.model.rule import Disclosure, Effect, Reason, Rule
from withhold.model.rule_set import RuleSet

#: Rules with more ids than this keep them in a list beside the rule file.
_LISTED = 20
#: The first line of each file, by which a later export knows that it may replace it.
MARK = "# Written by `withhold demands rules`. Do not edit: the next export replaces it."
_CHECKED = "each id was read as text from the order, or comes from the platform's resolver"

Item = tuple[str, Data]


@dataclass(frozen=True, slots=True)
class Part:
    """The effects that share a rule: its id, the events that began all effects with the same terms, and when they end."""

    id: str
    begun: list[int]
    effects: list[Item]
    until: str | None

    @property
    def is_empty(self) -> bool:
        """Whether the effects were lifted before they began, so that there is no rule."""
        return self.until is not None and self.until <= self.effects[0][1]["from"]


def rules_from(demands: Iterable[Item], effects: Iterable[Item]) -> RuleSet:
    """Return the rules of all effects, sorted by demand and by the event that began them. O(effects)."""
    fields = {key: demand["fields"] for key, demand in demands}
    return RuleSet(_rule(part, fields[demand_of(part)]) for part in parts(effects) if not part.is_empty)


def demand_of(part: Part) -> str:
    return part.id.partition(":")[0]


def parts(effects: Iterable[Item]) -> list[Part]:
    """Return the effects by rule, sorted by demand and by the event that began them.

    Of the parts that began alike, the one that ends last has the id without a suffix.
    """
    alike: defaultdict[tuple[str, str], list[Item]] = defaultdict(list)
    for key, effect in effects:
        alike[key.partition("/")[0], _terms(effect)].append((key, effect))
    found: list[tuple[str, int, Part]] = []
    for (demand, _), members in alike.items():
        begun = sorted(effect["start"] for _, effect in members)
        ends: defaultdict[tuple[float, str], list[Item]] = defaultdict(list)
        for key, effect in members:
            ended = effect["ended"]
            ends[(ended["batch"], ended["at"]) if ended else (inf, "")].append((key, effect))
        last = max(ends)
        for end, items in ends.items():
            ended = items[0][1]["ended"]
            suffix = "" if end == last else f":{min(effect['ended']['sequence'] for _, effect in items)}"
            until = ended["at"] if ended else items[0][1]["until"]
            found.append((demand, begun[0], Part(f"{demand}:{begun[0]}{suffix}", begun, items, until)))
    return [part for _, _, part in sorted(found, key=lambda each: (each[0], each[1], each[2].id))]


def _terms(effect: Data) -> str:
    """Return how an effect began, as text."""
    names = ("batch", "effect", "withheld_in", "except_in", "if_unknown", "from", "until", "override")
    return json.dumps([effect[name] for name in names], sort_keys=True)


def _rule(part: Part, fields: Mapping[str, Any]) -> Rule:
    effects = [effect for _, effect in part.effects]
    one = effects[0]
    ids: dict[str, list[int]] = {"account": [], "tweet": []}
    for effect in effects:
        kind, _, number = effect["subject"].partition(":")
        ids[kind].append(int(number))
    override = {code: why for code, why in (one["override"] or {}).items() if code in (PROTECTED, BEYOND, WORLDWIDE)}
    if _looks_rounded(ids.values()):
        override[ROUNDED_IDS] = _CHECKED
    given: dict[str, Any] = {
        "id": part.id,
        "accounts": ids["account"],
        "tweets": ids["tweet"],
        "from_": parse_instant(one["from"]),
        "until": None if part.until is None else parse_instant(part.until),
        "override": override,
        "note": _note(part.begun, effects),
    }
    if one["effect"] == Effect.SUSPEND:  # the platform's own decision, so no demand, and it survives a revocation
        return Rule(**given, effect=Effect.SUSPEND, reason=Reason.TERMS)
    return Rule(
        **given,
        withheld_in=one["withheld_in"] or (),
        except_in=one["except_in"] or (),
        if_unknown=one["if_unknown"],
        reason=reason_for(fields),
        demand=demand_of(part),
        jurisdiction=fields["jurisdiction"],
        disclosure=disclosure_for(fields),
    )


def _note(begun: list[int], effects: list[Data]) -> str:
    """Return where the ledger has what the rule rests on. It names no person, and does not change if others are lifted."""
    text, ended = f"begun by {_events(begun)}", effects[0]["ended"]
    if ended:
        text += f", {ended['how']} by {_events(sorted(effect['ended']['sequence'] for effect in effects))}"
    return f"{text} of the ledger"


def _events(numbers: list[int]) -> str:
    return f"event {numbers[0]}" if len(numbers) == 1 else f"events {numbers[0]} to {numbers[-1]}"


def _looks_rounded(lists: Iterable[list[int]]) -> bool:
    """Return whether the reader of rule files could refuse ids as rounded. Intake has put such ids in quarantine."""
    precision = Precision()
    signs = [precision.sign(id_) for ids in lists for id_ in ids]
    return Sign.SHORT in signs or bool(precision.lost() | precision.doubtful())


def rule_files(rules: RuleSet, demands: Iterable[str]) -> dict[str, str]:
    """Return the text of each rule file and list by its path: one file for each demand, even if it has no rules."""
    files: dict[str, str] = {}
    entries: dict[str, list[dict[str, Any]]] = {demand: [] for demand in sorted(demands)}
    for rule in rules:
        entry = _entry(rule)
        if len(rule.accounts) + len(rule.tweets) > _LISTED:
            path = f"targets/{rule.id.replace(':', '@')}.csv"
            rows = [
                f"{kind},{id_}\n" for kind, ids in (("account", rule.accounts), ("tweet", rule.tweets)) for id_ in ids
            ]
            files[path] = f"{MARK}\nkind,id\n{''.join(rows)}"
            entry["ids_file"] = path
            entry = {name: value for name, value in entry.items() if name not in ("accounts", "tweets")}
        entries[rule.id.partition(":")[0]].append(entry)
    for demand, found in entries.items():
        text = yaml.safe_dump({"rules": found}, sort_keys=False, allow_unicode=True, width=120)
        files[f"{demand}.yaml"] = f"{MARK}\n{text}"
    return files


def _entry(rule: Rule) -> dict[str, Any]:
    """Return a rule as the keys of a rule file. Ids are quoted, which states that all their digits were checked."""
    values = {
        "id": rule.id,
        "accounts": list(map(str, rule.accounts)),
        "tweets": list(map(str, rule.tweets)),
        "ids_file": None,
        "withheld_in": list(rule.withheld_in),
        "except_in": list(rule.except_in),
        "from": in_iso(rule.from_),
        "until": in_iso(rule.until),
        "effect": str(rule.effect) if rule.effect is not Effect.WITHHOLD else None,
        "reason": str(rule.reason),
        "if_unknown": None if rule.if_unknown is None else str(rule.if_unknown),
        "demand": rule.demand,
        "jurisdiction": rule.jurisdiction,
        "disclosure": str(rule.disclosure) if rule.disclosure is not Disclosure.REASON else None,
        "note": rule.note,
        "override": dict(rule.override),
    }
    return {name: value for name, value in values.items() if value}
