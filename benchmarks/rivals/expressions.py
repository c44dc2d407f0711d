"""Engines that evaluate an expression or a policy for each question: Cedar, casbin and rule-engine."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.rivals.rival import Rival
from benchmarks.workload import NOW_SECONDS, PLACES, SECONDS, Columns, Pair

CEDAR = """permit(principal, action, resource);
forbid(principal, action, resource) when { resource has place
  && (resource.place == context.country || resource.place == "WORLD")
  && resource.start <= context.now && context.now < resource.end };
forbid(principal, action, resource) when { context.author has place
  && (context.author.place == context.country || context.author.place == "WORLD")
  && context.author.start <= context.now && context.now < context.author.end };
"""

CASBIN = """
[request_definition]
r = subject, country, now
[policy_definition]
p = subject, place, start, end
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = (r.country == p.place || p.place == "WORLD") && r.now >= p.start && r.now < p.end
"""

EXPRESSION = " or ".join(
    f"({one} != null and ({one}.place == country or {one}.place == 'WORLD') and {one}.start <= now and now < {one}.end)"
    for one in ("tweet", "author")
)


class Cedar(Rival):
    """Two policies, and an entity with a place and a window for each id in a rule."""

    note = "checks dates; policies and entities are parsed once; a page is one batch"
    package = "cedarpy"
    bytes_per_id = 5_500

    def load(self, columns: Columns, directory: Path) -> None:  # noqa: ARG002
        cedar: Any = import_module("cedarpy")
        entities = []
        for on_account, id_, place, window in columns.rows():
            uid = f'{{"type":"{"Account" if on_account else "Tweet"}","id":"{id_}"}}'
            start, end = SECONDS[window]
            attributes = f'{{"place":"{PLACES[place]}","start":{start},"end":{end}}}'
            entities.append(f'{{"uid":{uid},"attrs":{attributes},"parents":[]}}')
        text = f"[{','.join(entities)}]"
        del entities
        self.policies = cedar.PolicySet.from_str(CEDAR)
        # Call the compiled part directly, because the wrapper would also parse the answers into objects.
        self.entities = cedar.Entities.from_json_str(text)._inner
        self.ask = cedar._internal.is_authorized_batch

    def check(self, tweet: int, account: int) -> bool:
        answers = self.ask([_request(tweet, account)], self.policies, self.entities, None, False)
        return '"decision":"Deny"' in answers[0]

    def page(self, pairs: list[Pair]) -> Sequence[int]:
        answers = self.ask([_request(*pair) for pair in pairs], self.policies, self.entities, None, False)
        return [index for index, answer in enumerate(answers) if '"decision":"Deny"' in answer]


def _request(tweet: int, account: int) -> dict[str, object]:
    author = f'{{"__entity":{{"type":"Account","id":"{account}"}}}}'
    return {
        "principal": {"type": "Viewer", "id": "1"},
        "action": {"type": "Action", "id": "read"},
        "resource": {"type": "Tweet", "id": str(tweet)},
        "context": f'{{"country":"IN","now":{NOW_SECONDS},"author":{author}}}',
    }


class Casbin(Rival):
    """A policy for each id in FastEnforcer, which finds the policies of a subject in a dict."""

    note = "checks dates; FastEnforcer with the subject as its key; two requests for each question; logging is off"
    package = "casbin"
    bytes_per_id = 900

    def load(self, columns: Columns, directory: Path) -> None:  # noqa: ARG002
        casbin: Any = import_module("casbin")
        logging.getLogger("casbin").setLevel(logging.CRITICAL)
        model = import_module("casbin.model.model_fast").FastModel([0])
        model.load_model_from_text(CASBIN)
        self.enforcer = casbin.FastEnforcer(model, cache_key_order=[0])
        append = self.enforcer.get_model().model["p"]["p"].policy.append
        for on_account, id_, place, window in columns.rows():
            start, end = SECONDS[window]
            append([_subject(on_account, id_), PLACES[place], f"{start:015}", f"{end:015}"])
        self.enforce, self.now = self.enforcer.enforce, f"{NOW_SECONDS:015}"

    def check(self, tweet: int, account: int) -> bool:
        return bool(
            self.enforce(_subject(0, tweet), "IN", self.now) or self.enforce(_subject(1, account), "IN", self.now)
        )


def _subject(on_account: int, id_: int) -> str:
    return f"{'account' if on_account else 'tweet'}:{id_}"


class RuleEngine(Rival):
    """One expression over the rules of the tweet and of its author, which come from two dicts."""

    note = "checks dates; look-ups are two hand-written dicts, and the expression is evaluated for every question"
    package = "rule-engine"

    def load(self, columns: Columns, directory: Path) -> None:  # noqa: ARG002
        rule_engine: Any = import_module("rule_engine")
        self.matches = rule_engine.Rule(EXPRESSION).matches
        shapes: dict[tuple[int, int], dict[str, object]] = {}
        self.named: tuple[dict[int, object], dict[int, object]] = ({}, {})
        for on_account, id_, place, window in columns.rows():
            start, end = SECONDS[window]
            shape = shapes.setdefault((place, window), {"place": PLACES[place], "start": start, "end": end})
            self.named[on_account][id_] = shape

    def check(self, tweet: int, account: int) -> bool:
        tweets, accounts = self.named
        rules = {"tweet": tweets.get(tweet), "author": accounts.get(account)}
        return bool(self.matches({**rules, "country": "IN", "now": NOW_SECONDS}))
