"""What an id points at: the rules that name it, shared by all the ids that the same rules name."""

from __future__ import annotations

from collections.abc import Iterable

from withhold.model.rule import Rule


class Posting:
    """The rules that name one subject; compared by identity, for there is one for each combination."""

    __slots__ = ("rules",)

    def __init__(self, rules: Iterable[Rule] = ()) -> None:
        self.rules = tuple(rules)

    def __repr__(self) -> str:
        return f"<Posting {', '.join(rule.id for rule in self.rules) or 'of no rule'}>"
