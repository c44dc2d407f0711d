"""Case files in, read as strictly as rule files: every problem at once, each with its place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Literal, TypeVar

from withhold.errors import Problem, RuleError, WithholdError, did_you_mean, quoted
from withhold.model import Outcome, Policy, RuleSet, Settle, Tweet
from withhold.model.instants import parse_instant
from withhold.model.rule import choice
from withhold.model.tweet import Subject
from withhold.model.viewer import Viewer
from withhold.parsing.ids import id_from_text
from withhold.parsing.nodes import Node, missing_key, no_value
from withhold.sources.entry import unknown_keys
from withhold.territories import resolve
from withhold.testing.cases import Case, Expectation
from withhold.testing.viewers import UNKNOWN, viewer

_Value = TypeVar("_Value")

_FILE = ("rules", "root", "policy", "cases")
_POLICY = ("unknown_location", "author_sees_own")
_CASE = ("it", "account", "tweet", "retweet_of", "at", "expect", "because", "viewer")
_RETWEETED = ("tweet", "account")
_MAPPINGS = {
    "a case": "`- it: …`, and the other keys of the case below that",
    "`policy`": "`policy: {unknown_location: show}`",
    "`expect`": "`expect: {IN: withheld, US: visible}`",
    "`retweet_of`": "`retweet_of: {tweet: 1355667106821046272, account: 1101}`",
}


class Reader:
    """Reads the nodes of one file; what is wrong is gathered in `problems`, and what is odd in `warnings`."""

    def __init__(self, root: Node) -> None:
        self.root = root
        self.problems: list[Problem] = [found for mapping in root.mappings() for found in mapping.repeated_keys()]
        self.problems += root.controls(("it",))
        self.warnings: list[Problem] = []
        self._known_keys(root, _FILE)

    def path(self, name: Literal["rules", "root"]) -> tuple[Node, Path] | None:
        """Return where the rules or their root are, and the node that says so; there need not be a `root`."""
        node = self.root.get(name)
        if name == "rules":
            node = self._required(self.root, name)
        elif node is not None and node.absent:
            node = None
        text = None if node is None else self._value(node, str)
        if node is not None and text == "":
            meant = "a rule file, a directory or a snapshot" if name == "rules" else "a folder around the rules"
            self._tell(f"no-{name}", f"`{name}` is empty", node, f"name {meant}")
        return None if node is None or not text else (node, Path(node.place.file).parent / text)

    def policy(self) -> Policy:
        node = self.root.get("policy")
        if node is None or node.absent or not self._is_mapping(node, "`policy`"):
            return Policy()
        self._known_keys(node, _POLICY)
        unknown = self._optional(node, "unknown_location", lambda text: choice(Settle, text, "unknown_location"))
        own = self._optional(node, "author_sees_own", _flag)
        return Policy(unknown_location=unknown or Settle.SHOW, author_sees_own=bool(own))

    def cases(self, rules: RuleSet | None) -> list[Case]:
        """Return the cases that are right. `rules` are those they name in `because`, if they could be read."""
        node = self._required(self.root, "cases")
        if node is None:
            return []
        if not node.items:
            said = "`cases` must be a list" if node.items is None else "the file has no case"
            self._tell("bad-cases", said, node, "write `- it: …` below it")
        found = [case for item in node.items or () if (case := self._case(item, rules)) is not None]
        first: dict[str, Case] = {}
        for case in found:
            if (before := first.setdefault(case.it, case)) is not case:
                hint = f"the first is at {before.place}"
                self.problems.append(Problem("repeated-case", f"two cases say {quoted(case.it)}", case.place, hint))
        return found

    def _case(self, node: Node, rules: RuleSet | None) -> Case | None:
        if not self._is_mapping(node, "a case"):
            return None
        before = len(self.problems)
        self._known_keys(node, _CASE)
        it = self._required(node, "it")
        at = self._required(node, "at")
        said = None if it is None else self._value(it, _sentence)
        instant = None if at is None else self._value(at, lambda text: parse_instant(text, "at"))
        looking = self._optional(node, "viewer", lambda text: id_from_text(text, "viewer"))
        subject = self._subject(node)
        expect = self._expectations(node, looking)
        because = self._because(node, rules, expect)
        if said is None or instant is None or subject is None or len(self.problems) > before:
            return None
        return Case(said, subject, instant, tuple(expect), because, node.place)

    def _subject(self, node: Node) -> Subject | None:
        before = len(self.problems)
        account = self._optional(node, "account", lambda text: id_from_text(text, "account"))
        tweet = self._optional(node, "tweet", lambda text: id_from_text(text, "tweet"))
        inner = node.get("retweet_of")
        if len(self.problems) == before and account is None and tweet is None:
            hint = "name what is asked about, such as `account: 1101`"
            self._tell("no-subject", "the case has neither `account` nor `tweet`", node, hint)
        if inner is None or inner.absent:
            return (tweet, account)
        source = self._retweeted(inner)
        if account is None or tweet is None:
            hint = "name the retweet with `tweet` and who retweets with `account`, beside `retweet_of`"
            self._tell("bad-retweet", "what retweets has both `tweet` and `account`", node, hint)
        if account is None or tweet is None or source is None:
            return None
        return Tweet(tweet, account, source)

    def _retweeted(self, node: Node) -> Tweet | None:
        if not self._is_mapping(node, "`retweet_of`"):
            return None
        self._known_keys(node, _RETWEETED)
        ids = [
            None if (found := self._required(node, name)) is None else self._value(found, _id_of(name))
            for name in _RETWEETED
        ]
        return None if ids[0] is None or ids[1] is None else Tweet(ids[0], ids[1])

    def _expectations(self, node: Node, looking: int | None) -> list[Expectation]:
        expect = self._required(node, "expect")
        if expect is None or not self._is_mapping(expect, "`expect`"):
            return []
        if not expect.pairs:
            self._tell("no-expectation", "the case expects nothing", expect, "write `{IN: withheld, US: visible}`")
        found: dict[Viewer, Expectation] = {}
        for key, value in expect.pairs or ():
            who = self._value(key, lambda text: _viewer(text, looking))
            outcome = self._value(value, lambda text: choice(Outcome, text, "outcome"))
            if who is not None and outcome is not None:
                if who in found:
                    message = f"{quoted(key.text)} is a place that stands here twice"
                    self._tell("repeated-place", message, key, "keep one of the two")
                found[who] = Expectation(who, outcome)
            self._warn(key)
        return list(found.values())

    def _because(self, node: Node, rules: RuleSet | None, expect: Sequence[Expectation]) -> str | None:
        rule_id = self._optional(node, "because", str)
        found = node.get("because")
        if rule_id is None or found is None:
            return None
        if rules is not None and rule_id not in rules:
            hint = did_you_mean(rule_id, [rule.id for rule in rules])
            self._tell("unknown-rule", f"there is no rule {quoted(rule_id)}", found, hint)
        written = node.get("expect")
        all_read = written is not None and len(written.pairs or ()) == len(expect)
        if expect and all_read and all(expected.outcome is Outcome.VISIBLE for expected in expect):
            hint = "take it out, or expect `withheld` or `suspended` somewhere"
            self._tell("because-of-nothing", "`because` stands where nothing is withheld", found, hint)
        return rule_id

    def _warn(self, key: Node) -> None:
        """Tell that a place is read as another one, as the loader of rules does."""
        if key.text is None or key.text.strip().lower() == UNKNOWN:
            return
        try:
            code, alias = resolve(key.text)
        except WithholdError:
            return
        if alias:
            message = f"`{alias}` was read as `{code}`"
            self.warnings.append(Problem("territory-alias", message, key.place, severity="warning"))

    def _required(self, node: Node, name: str) -> Node | None:
        found = node.get(name)
        if found is None or found.absent:
            self.problems.append(missing_key(name, (found or node).place))
            return None
        return found

    def _optional(self, node: Node, name: str, read: Callable[[str], _Value]) -> _Value | None:
        found = node.get(name)
        return None if found is None or found.absent else self._value(found, read)

    def _value(self, node: Node, read: Callable[[str], _Value]) -> _Value | None:
        if node.text is None:
            message, hint = no_value(node.plain())
            self._tell("bad-value", message, node, hint)
            return None
        try:
            return read(node.text)
        except WithholdError as error:
            self._tell(error.code, error.problem.message, node, error.hint)
            return None

    def _is_mapping(self, node: Node, what: str) -> bool:
        if node.pairs is None:
            self._tell("bad-value", f"{what} must be a mapping", node, f"write {_MAPPINGS[what]}")
        return node.pairs is not None

    def _known_keys(self, node: Node, known: Sequence[str]) -> None:
        self.problems += unknown_keys(node, list(known))

    def _tell(self, code: str, message: str, node: Node, hint: str | None = None) -> None:
        self.problems.append(Problem(code, message, node.place, hint))


#: The places of a file are few, and each is asked about in many cases.
_viewer = lru_cache(4096)(lambda text, looking: viewer(text, account_id=looking, signal="the case says it"))


def _id_of(name: str) -> Callable[[str], int]:
    return lambda text: id_from_text(text, name)


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    if not text or not text.isprintable():
        message = f"`it` {quoted(text)} is empty, or cannot be printed"
        raise RuleError((Problem("bad-text", message, hint="say in words what the rules are to do"), "it"))
    return text


def _flag(text: str) -> bool:
    if text not in ("true", "false"):
        message = f"{quoted(text)} is neither `true` nor `false`"
        raise RuleError((Problem("bad-value", message, hint="write one of the two, in lower case"), "author_sees_own"))
    return text == "true"
