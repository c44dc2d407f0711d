"""Derive the rules from the effects of all demands, as a `RuleSet` and as rule files.

The same events always give the same rules. Targets share a rule if one command began their effects with the same terms,
and their effects end together. Its id is the demand and the event that began it, such as `IN-D1:12`. If a part is
lifted, that part moves to a rule of its own, `IN-D1:12:310`, and the others keep theirs. Imposing again is another
command, so another rule.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

from withhold.demands.fields import disclosure_for, reason_for
from withhold.demands.fold import Data
from withhold.demands.safeguards import BEYOND, PROTECTED, WORLDWIDE
from withhold.model.instants import parse_instant
from withhold.model.precision import ROUNDED_IDS, looks_rounded
from withhold.model.rule import Effect, Reason, Rule
from withhold.model.rule_set import RuleSet
from withhold.sources import exporting

#: The command that writes the rule files.
COMMAND = "withhold demands rules"
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
    if looks_rounded(ids["account"] + ids["tweet"]):  # intake has put such ids in quarantine
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
    """Return which events of the ledger the rule is based on.

    The text names no person, and does not change if other targets are lifted.
    """
    text, ended = f"begun by {_events(begun)}", effects[0]["ended"]
    if ended:
        text += f", {ended['how']} by {_events(sorted(effect['ended']['sequence'] for effect in effects))}"
    return f"{text} of the ledger"


def _events(numbers: list[int]) -> str:
    return f"event {numbers[0]}" if len(numbers) == 1 else f"events {numbers[0]} to {numbers[-1]}"


def rule_files(rules: RuleSet, demands: Iterable[str]) -> dict[str, str]:
    """Return the text of each rule file and list by its path: one file for each demand, even if it has no rules."""
    found: dict[str, list[Rule]] = {demand: [] for demand in sorted(demands)}
    for rule in rules:
        found[rule.id.partition(":")[0]].append(rule)
    return exporting.rule_files(found, COMMAND)
