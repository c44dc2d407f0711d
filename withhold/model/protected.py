"""Accounts that are not withheld without a second look: news media, journalists, activists and politicians."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from withhold.errors import CONTROL_CHARACTER, Problem, RuleError, shown
from withhold.model.ids import check_id
from withhold.model.rule import choice, with_control


class Category(StrEnum):
    NEWS_MEDIA = "news_media"
    JOURNALIST = "journalist"
    ACTIVIST = "activist"
    POLITICIAN = "politician"


@dataclass(frozen=True, slots=True)
class Protected:
    """One protected account; a value.

    >>> Protected(1101, "journalist").category
    <Category.JOURNALIST: 'journalist'>

    Raises `RuleError` for an unknown category and for a name with control characters, and as `check_id` does.
    """

    account: int
    category: Category
    name: str | None = None

    if TYPE_CHECKING:

        def __init__(
            self,
            account: int,
            category: Category | Literal["news_media", "journalist", "activist", "politician"],
            name: str | None = None,
        ) -> None: ...

    def __post_init__(self) -> None:
        object.__setattr__(self, "account", check_id(self.account, "account"))
        object.__setattr__(self, "category", choice(Category, self.category, "category"))
        name: object = self.name
        if name is not None and not isinstance(name, str):
            raise RuleError((Problem("bad-value", f"name {shown(name)} is no text"), "name"))
        if name is not None and (found := with_control("name", name)):
            raise RuleError((Problem(CONTROL_CHARACTER, found[0], hint=found[1]), "name"))

    def __str__(self) -> str:
        who = f"{self.name}, " if self.name else ""
        return f"{self.account} ({who}{self.category.replace('_', ' ')})"
