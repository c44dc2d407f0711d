"""Protected accounts: news media, journalists, activists and politicians. Withholding them needs a second review."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, NamedTuple

from withhold.errors import CONTROL_CHARACTER, Problem, RuleError, quoted
from withhold.model.ids import check_id
from withhold.model.rule import choice, describe_control_character


class Category(StrEnum):
    NEWS_MEDIA = "news_media"
    JOURNALIST = "journalist"
    ACTIVIST = "activist"
    POLITICIAN = "politician"


@dataclass(frozen=True, slots=True)
class Protected:
    """One protected account. Immutable.

    >>> Protected(1101, "journalist").category
    <Category.JOURNALIST: 'journalist'>

    Raises `RuleError` for an unknown category and for a name with control characters, and the errors of `check_id`.
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
            raise RuleError((Problem("bad-value", f"name {quoted(name)} is not text"), "name"))
        if name is not None and (found := describe_control_character("name", name)):
            raise RuleError((Problem(CONTROL_CHARACTER, found[0], hint=found[1]), "name"))

    def __str__(self) -> str:
        who = f"{self.name}, " if self.name else ""
        return f"{self.account} ({who}{self.category.replace('_', ' ')})"


class KnownProtected(NamedTuple):
    """The number of accounts on lists of protected accounts, and a digest of the lists.

    The digest identifies the lists, not single accounts.

    >>> known = KnownProtected.of([Protected(1101, "journalist"), Protected(1102, "activist")])
    >>> str(known), known == KnownProtected.of([Protected(1102, "activist"), Protected(1101, "journalist")])
    ('2 protected accounts', True)
    """

    accounts: int
    sha256: str

    @classmethod
    def of(cls, protected: Iterable[Protected]) -> KnownProtected:
        """Return the number and the digest for accounts in any order. O(accounts)."""
        by_account = {each.account: (each.category, each.name) for each in protected}
        return cls(len(by_account), hashlib.sha256(json.dumps(sorted(by_account.items())).encode()).hexdigest())

    def __str__(self) -> str:
        return f"{self.accounts:,} protected account{'' if self.accounts == 1 else 's'}"


def protection(known: KnownProtected | None) -> str:
    """Return text for a report on the lists of protected accounts that were read.

    >>> protection(KnownProtected.of([])), protection(None)
    ('0 protected accounts', 'no list of protected accounts was read')
    """
    return "no list of protected accounts was read" if known is None else str(known)
