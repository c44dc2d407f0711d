"""Choices that the rules leave to the engine's operator."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from withhold.errors import quoted


class Settle(StrEnum):
    """How an uncertain rule is settled (R4)."""

    WITHHOLD = "withhold"
    SHOW = "show"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The choices that the rules leave open. Immutable.

    `unknown_location` applies when it is unknown whether the viewer is in the territory of a rule, and the rule has
    neither `if_unknown` nor `except_in` (R4). The default is `show`, as in Twitter's published evaluators.
    `author_sees_own` decides whether authors are shown their own withheld content (R9).

    >>> Policy(unknown_location="withhold").unknown_location
    <Settle.WITHHOLD: 'withhold'>
    """

    unknown_location: Settle = Settle.SHOW
    author_sees_own: bool = False

    if TYPE_CHECKING:

        def __init__(
            self, *, unknown_location: Settle | Literal["withhold", "show"] = Settle.SHOW, author_sees_own: bool = False
        ) -> None: ...

    def __post_init__(self) -> None:
        if not isinstance(self.author_sees_own, bool):
            raise TypeError(f"author_sees_own must be True or False, not {quoted(self.author_sees_own)} [bad-policy]")
        try:
            object.__setattr__(self, "unknown_location", Settle(self.unknown_location))
        except ValueError:
            raise ValueError(
                f"unknown_location must be `withhold` or `show`, not {quoted(self.unknown_location)} [bad-policy]"
            ) from None
